import { degrees, extentOf, spatialReference } from "./geometry.js";
/** What a client learns about a service before it asks for its layers. */
export function serviceInfo({ description, layer }) {
    return {
        currentVersion: 11.3,
        serviceDescription: description,
        hasVersionedData: false,
        maxRecordCount,
        supportedQueryFormats: "JSON, geoJSON",
        capabilities: "Query",
        description,
        copyrightText,
        spatialReference: spatialReference(degrees),
        initialExtent: extentInfo(layer.features),
        fullExtent: extentInfo(layer.features),
        allowGeometryUpdates: false,
        units: "esriDecimalDegrees",
        layers: [
            {
                id: 0,
                name: layer.name,
                parentLayerId: -1,
                defaultVisibility: true,
                subLayerIds: null,
                minScale: 0,
                maxScale: 0,
                type: "Feature Layer",
                geometryType: layer.geometryType,
            },
        ],
        tables: [],
    };
}
/** What a client learns about a layer: its fields, its symbols, and what may be asked of it. */
export function layerInfo({ description, layer }) {
    const { name, geometryType, displayField, fields, renderer, features } = layer;
    return {
        currentVersion: 11.3,
        id: 0,
        name,
        type: "Feature Layer",
        description,
        copyrightText,
        geometryType,
        sourceSpatialReference: spatialReference(degrees),
        minScale: 0,
        maxScale: 0,
        defaultVisibility: true,
        extent: extentInfo(features),
        drawingInfo: { renderer, transparency: 0, labelingInfo: null },
        hasM: false,
        hasZ: false,
        hasAttachments: false,
        htmlPopupType: "esriServerHTMLPopupTypeNone",
        displayField,
        objectIdField: "OBJECTID",
        globalIdField: "",
        typeIdField: null,
        fields: fields.map(fieldInfo),
        types: [],
        templates: [],
        relationships: [],
        capabilities: "Query",
        maxRecordCount,
        standardMaxRecordCount: maxRecordCount,
        supportedQueryFormats: "JSON, geoJSON",
        supportsStatistics: false,
        supportsAdvancedQueries: true,
        supportsCoordinatesQuantization: true,
        useStandardizedQueries: true,
        dateFieldsTimeReference: { timeZone: "UTC", respectsDaylightSaving: false },
        advancedQueryCapabilities: {
            supportsPagination: true,
            supportsOrderBy: true,
            supportsDistinct: false,
            supportsStatistics: false,
            supportsReturningQueryExtent: true,
            supportsReturningGeometryCentroid: false,
            supportsQueryWithDistance: false,
            supportsSqlExpression: false,
            useStandardizedQueries: true,
        },
    };
}
/** How many features one answer has at most. */
export const maxRecordCount = 1000;
const copyrightText = "Sample data of the sandbox portal";
/** A field as every answer describes it. */
export function fieldInfo({ domain = null, nullable = true, editable = false, ...field }) {
    return { ...field, nullable, editable, domain, defaultValue: null };
}
function extentInfo(features) {
    return {
        ...extentOf(features.map(({ geometry }) => geometry)),
        spatialReference: spatialReference(degrees),
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoibGF5ZXItaW5mby5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbImxheWVyLWluZm8udHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFFLE9BQU8sRUFBRSxRQUFRLEVBQUUsZ0JBQWdCLEVBQUUsTUFBTSxlQUFlLENBQUM7QUFHcEUsMEVBQTBFO0FBQzFFLE1BQU0sVUFBVSxXQUFXLENBQUMsRUFBRSxXQUFXLEVBQUUsS0FBSyxFQUFXO0lBQ3pELE9BQU87UUFDTCxjQUFjLEVBQUUsSUFBSTtRQUNwQixrQkFBa0IsRUFBRSxXQUFXO1FBQy9CLGdCQUFnQixFQUFFLEtBQUs7UUFDdkIsY0FBYztRQUNkLHFCQUFxQixFQUFFLGVBQWU7UUFDdEMsWUFBWSxFQUFFLE9BQU87UUFDckIsV0FBVztRQUNYLGFBQWE7UUFDYixnQkFBZ0IsRUFBRSxnQkFBZ0IsQ0FBQyxPQUFPLENBQUM7UUFDM0MsYUFBYSxFQUFFLFVBQVUsQ0FBQyxLQUFLLENBQUMsUUFBUSxDQUFDO1FBQ3pDLFVBQVUsRUFBRSxVQUFVLENBQUMsS0FBSyxDQUFDLFFBQVEsQ0FBQztRQUN0QyxvQkFBb0IsRUFBRSxLQUFLO1FBQzNCLEtBQUssRUFBRSxvQkFBb0I7UUFDM0IsTUFBTSxFQUFFO1lBQ047Z0JBQ0UsRUFBRSxFQUFFLENBQUM7Z0JBQ0wsSUFBSSxFQUFFLEtBQUssQ0FBQyxJQUFJO2dCQUNoQixhQUFhLEVBQUUsQ0FBQyxDQUFDO2dCQUNqQixpQkFBaUIsRUFBRSxJQUFJO2dCQUN2QixXQUFXLEVBQUUsSUFBSTtnQkFDakIsUUFBUSxFQUFFLENBQUM7Z0JBQ1gsUUFBUSxFQUFFLENBQUM7Z0JBQ1gsSUFBSSxFQUFFLGVBQWU7Z0JBQ3JCLFlBQVksRUFBRSxLQUFLLENBQUMsWUFBWTthQUNqQztTQUNGO1FBQ0QsTUFBTSxFQUFFLEVBQUU7S0FDWCxDQUFDO0FBQ0osQ0FBQztBQUVELGdHQUFnRztBQUNoRyxNQUFNLFVBQVUsU0FBUyxDQUFDLEVBQUUsV0FBVyxFQUFFLEtBQUssRUFBVztJQUN2RCxNQUFNLEVBQUUsSUFBSSxFQUFFLFlBQVksRUFBRSxZQUFZLEVBQUUsTUFBTSxFQUFFLFFBQVEsRUFBRSxRQUFRLEVBQUUsR0FBRyxLQUFLLENBQUM7SUFDL0UsT0FBTztRQUNMLGNBQWMsRUFBRSxJQUFJO1FBQ3BCLEVBQUUsRUFBRSxDQUFDO1FBQ0wsSUFBSTtRQUNKLElBQUksRUFBRSxlQUFlO1FBQ3JCLFdBQVc7UUFDWCxhQUFhO1FBQ2IsWUFBWTtRQUNaLHNCQUFzQixFQUFFLGdCQUFnQixDQUFDLE9BQU8sQ0FBQztRQUNqRCxRQUFRLEVBQUUsQ0FBQztRQUNYLFFBQVEsRUFBRSxDQUFDO1FBQ1gsaUJBQWlCLEVBQUUsSUFBSTtRQUN2QixNQUFNLEVBQUUsVUFBVSxDQUFDLFFBQVEsQ0FBQztRQUM1QixXQUFXLEVBQUUsRUFBRSxRQUFRLEVBQUUsWUFBWSxFQUFFLENBQUMsRUFBRSxZQUFZLEVBQUUsSUFBSSxFQUFFO1FBQzlELElBQUksRUFBRSxLQUFLO1FBQ1gsSUFBSSxFQUFFLEtBQUs7UUFDWCxjQUFjLEVBQUUsS0FBSztRQUNyQixhQUFhLEVBQUUsNkJBQTZCO1FBQzVDLFlBQVk7UUFDWixhQUFhLEVBQUUsVUFBVTtRQUN6QixhQUFhLEVBQUUsRUFBRTtRQUNqQixXQUFXLEVBQUUsSUFBSTtRQUNqQixNQUFNLEVBQUUsTUFBTSxDQUFDLEdBQUcsQ0FBQyxTQUFTLENBQUM7UUFDN0IsS0FBSyxFQUFFLEVBQUU7UUFDVCxTQUFTLEVBQUUsRUFBRTtRQUNiLGFBQWEsRUFBRSxFQUFFO1FBQ2pCLFlBQVksRUFBRSxPQUFPO1FBQ3JCLGNBQWM7UUFDZCxzQkFBc0IsRUFBRSxjQUFjO1FBQ3RDLHFCQUFxQixFQUFFLGVBQWU7UUFDdEMsa0JBQWtCLEVBQUUsS0FBSztRQUN6Qix1QkFBdUIsRUFBRSxJQUFJO1FBQzdCLCtCQUErQixFQUFFLElBQUk7UUFDckMsc0JBQXNCLEVBQUUsSUFBSTtRQUM1Qix1QkFBdUIsRUFBRSxFQUFFLFFBQVEsRUFBRSxLQUFLLEVBQUUsc0JBQXNCLEVBQUUsS0FBSyxFQUFFO1FBQzNFLHlCQUF5QixFQUFFO1lBQ3pCLGtCQUFrQixFQUFFLElBQUk7WUFDeEIsZUFBZSxFQUFFLElBQUk7WUFDckIsZ0JBQWdCLEVBQUUsS0FBSztZQUN2QixrQkFBa0IsRUFBRSxLQUFLO1lBQ3pCLDRCQUE0QixFQUFFLElBQUk7WUFDbEMsaUNBQWlDLEVBQUUsS0FBSztZQUN4Qyx5QkFBeUIsRUFBRSxLQUFLO1lBQ2hDLHFCQUFxQixFQUFFLEtBQUs7WUFDNUIsc0JBQXNCLEVBQUUsSUFBSTtTQUM3QjtLQUNGLENBQUM7QUFDSixDQUFDO0FBRUQsZ0RBQWdEO0FBQ2hELE1BQU0sQ0FBQyxNQUFNLGNBQWMsR0FBRyxJQUFJLENBQUM7QUFFbkMsTUFBTSxhQUFhLEdBQUcsbUNBQW1DLENBQUM7QUFFMUQsNENBQTRDO0FBQzVDLE1BQU0sVUFBVSxTQUFTLENBQUMsRUFBRSxNQUFNLEdBQUcsSUFBSSxFQUFFLFFBQVEsR0FBRyxJQUFJLEVBQUUsUUFBUSxHQUFHLEtBQUssRUFBRSxHQUFHLEtBQUssRUFBUztJQUM3RixPQUFPLEVBQUUsR0FBRyxLQUFLLEVBQUUsUUFBUSxFQUFFLFFBQVEsRUFBRSxNQUFNLEVBQUUsWUFBWSxFQUFFLElBQUksRUFBRSxDQUFDO0FBQ3RFLENBQUM7QUFFRCxTQUFTLFVBQVUsQ0FBQyxRQUFtQjtJQUNyQyxPQUFPO1FBQ0wsR0FBRyxRQUFRLENBQUMsUUFBUSxDQUFDLEdBQUcsQ0FBQyxDQUFDLEVBQUUsUUFBUSxFQUFFLEVBQUUsRUFBRSxDQUFDLFFBQVEsQ0FBQyxDQUFDO1FBQ3JELGdCQUFnQixFQUFFLGdCQUFnQixDQUFDLE9BQU8sQ0FBQztLQUM1QyxDQUFDO0FBQ0osQ0FBQyJ9
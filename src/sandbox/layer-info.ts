import { degrees, extentOf, spatialReference } from "./geometry.ts";
import type { FeatureLayer, LayerField } from "./layers.ts";

/** The version of the sandbox's ArcGIS Server. */
export const serverVersion = 11.3;

/** The largest number of features in a response. */
export const maxRecordCount = 1000;

const copyrightText = "Sample data of the sandbox portal";

/** The description of a feature service. */
export function serviceInfo(layer: FeatureLayer) {
  const { description, definition } = layer;
  return {
    currentVersion: serverVersion,
    serviceDescription: description,
    hasVersionedData: false,
    maxRecordCount,
    supportedQueryFormats: "JSON, geoJSON",
    capabilities: "Query",
    description,
    copyrightText,
    spatialReference: spatialReference(degrees),
    initialExtent: extentInfo(layer),
    fullExtent: extentInfo(layer),
    allowGeometryUpdates: false,
    units: "esriDecimalDegrees",
    layers: [
      {
        id: 0,
        name: definition.name,
        parentLayerId: -1,
        defaultVisibility: true,
        subLayerIds: null,
        minScale: 0,
        maxScale: 0,
        type: "Feature Layer",
        geometryType: definition.geometryType,
      },
    ],
    tables: [],
  };
}

/** The description of a layer: its fields, its symbols, and the queries that it supports. */
export function layerInfo(layer: FeatureLayer) {
  const { drawingInfo, fields, ...definition } = layer.definition;
  return {
    currentVersion: serverVersion,
    id: 0,
    type: "Feature Layer",
    ...definition,
    description: layer.description,
    copyrightText,
    sourceSpatialReference: spatialReference(degrees),
    minScale: 0,
    maxScale: 0,
    defaultVisibility: true,
    extent: extentInfo(layer),
    ...(drawingInfo && { drawingInfo: { transparency: 0, labelingInfo: null, ...drawingInfo } }),
    hasM: false,
    hasZ: false,
    hasAttachments: false,
    htmlPopupType: "esriServerHTMLPopupTypeNone",
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

/** A field as the layer and its query responses describe it. */
export function fieldInfo({ domain = null, nullable = true, editable = false, ...field }: LayerField) {
  return { alias: field.name, ...field, nullable, editable, domain, defaultValue: null };
}

function extentInfo({ features }: FeatureLayer) {
  const extent = extentOf(features.map(({ geometry }) => geometry));
  return { ...extent, spatialReference: spatialReference(degrees) };
}

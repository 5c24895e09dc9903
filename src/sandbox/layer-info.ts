import { degrees, extentOf, spatialReference } from "./geometry.ts";
import type { Feature, Field, Service } from "./layers.ts";

/** What a client learns about a service before it asks for its layers. */
export function serviceInfo({ description, layer }: Service) {
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
export function layerInfo({ description, layer }: Service) {
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
export function fieldInfo({ domain = null, nullable = true, editable = false, ...field }: Field) {
  return { ...field, nullable, editable, domain, defaultValue: null };
}

function extentInfo(features: Feature[]) {
  return {
    ...extentOf(features.map(({ geometry }) => geometry)),
    spatialReference: spatialReference(degrees),
  };
}

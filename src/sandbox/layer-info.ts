import { readSampleData } from "./data.ts";
import { degrees, extentOf, spatialReference } from "./geometry.ts";
import type { FeatureLayer, LayerField } from "./layers.ts";

/** What is the same for every service and every layer. */
const same = readSampleData<{
  service: { currentVersion: number; maxRecordCount: number };
  layerOfService: object;
  layer: object;
  drawingInfo: object;
}>("layer-info");

/** The version of the sandbox's ArcGIS Server, and the largest number of features in a response. */
export const { currentVersion: serverVersion, maxRecordCount } = same.service;

/** The description of a feature service. */
export function serviceInfo(layer: FeatureLayer) {
  const { description, definition } = layer;
  const { name, geometryType } = definition;
  const extent = extentInfo(layer);
  return {
    ...same.service,
    serviceDescription: description,
    description,
    initialExtent: extent,
    fullExtent: extent,
    layers: [{ ...same.layerOfService, name, geometryType }],
  };
}

/** The description of a layer: its fields, its symbols, and the queries that it supports. */
export function layerInfo(layer: FeatureLayer) {
  const { drawingInfo, fields, ...definition } = layer.definition;
  return {
    ...same.layer,
    ...definition,
    description: layer.description,
    extent: extentInfo(layer),
    ...(drawingInfo && { drawingInfo: { ...same.drawingInfo, ...drawingInfo } }),
    fields: fields.map(fieldInfo),
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

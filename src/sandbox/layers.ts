import districts from "./data/districts.json" with { type: "json" };
import same from "./data/layer-info.json" with { type: "json" };
import streetTrees from "./data/street-trees.json" with { type: "json" };
import { degrees, extentOf, type LayerGeometry, spatialReference } from "./geometry.ts";
import type { FeatureAttributes } from "./where-clause.ts";

/** A field of a layer, as ArcGIS describes it. */
export interface LayerField {
  name: string;
  /** Such as `esriFieldTypeString`. Dates are milliseconds since 1970. */
  type: string;
  alias?: string;
  length?: number;
  nullable?: boolean;
  editable?: boolean;
  domain?: object | null;
}

/** A feature of a layer. */
export interface LayerFeature {
  attributes: FeatureAttributes;
  /** In degrees (WGS 84). The outer ring of a polygon is clockwise. */
  geometry: LayerGeometry;
}

/**
 * A feature service with one layer, in the format of a feature collection layer of ArcGIS: a layer definition and a
 * feature set. ArcGIS shares whole services, so each layer has its own rights.
 */
export interface SandboxLayer {
  /** The name in the URL: `rest/services/{serviceName}/FeatureServer/0`. */
  serviceName: string;
  description?: string;
  /** The ID of the group whose members may read the layer. Without one, every member of the organization may. */
  group?: string;
  layerDefinition: {
    name: string;
    geometryType: "esriGeometryPoint" | "esriGeometryPolygon";
    displayField?: string;
    drawingInfo?: { renderer: object };
    /** One of them has the type `esriFieldTypeOID`. */
    fields: LayerField[];
  };
  featureSet: { features: LayerFeature[] };
}

/** A layer as the feature server reads it. */
export type FeatureLayer = ReturnType<typeof createLayer>;

/** The sample layers: districts for the whole organization, street trees for the group City Trees. */
export const sampleLayers = [districts, streetTrees] as SandboxLayer[];

/** @throws Error when the layer has no object IDs. */
export function createLayer(layer: SandboxLayer) {
  const { serviceName, description = "", group, layerDefinition, featureSet } = layer;
  const objectIdField = layerDefinition.fields.find(({ type }) => type === "esriFieldTypeOID")?.name;
  const hasIds = featureSet.features.every(({ attributes }) =>
    Number.isInteger(attributes[objectIdField ?? ""]),
  );
  if (!objectIdField || !hasIds) {
    throw new Error(
      `The layer ${serviceName} needs a field of the type esriFieldTypeOID, and every feature a whole number in it.`,
    );
  }
  const definition = { displayField: objectIdField, ...layerDefinition, objectIdField };
  return { serviceName, description, group, definition, features: featureSet.features };
}

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

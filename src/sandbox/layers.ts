import { readSampleData } from "./data.ts";
import type { LayerGeometry } from "./geometry.ts";
import type { FeatureAttributes } from "./where-clause.ts";

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
export function sampleLayers(): SandboxLayer[] {
  return [readSampleData("districts"), readSampleData("street-trees")];
}

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

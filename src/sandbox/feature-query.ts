import {
  degrees,
  extentOf,
  projected,
  quantized,
  spatialReference,
  toGeoJson,
  transformOf,
} from "./geometry.ts";
import { fieldInfo, maxRecordCount } from "./layer-info.ts";
import type { FeatureLayer, LayerFeature } from "./layers.ts";
import {
  booleanParam,
  countParam,
  featureFilter,
  featureOrder,
  fieldNames,
  QueryError,
  quantizationParam,
  wkidParam,
} from "./query-parameters.ts";
import { param, type RequestParams } from "./request-params.ts";

const unsupported = ["outStatistics", "groupByFieldsForStatistics", "distance"];

/**
 * The response to `query` of a layer, as Esri JSON or as GeoJSON.
 * https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/
 *
 * @throws QueryError
 */
export function queryFeatures({ definition, features }: FeatureLayer, params: RequestParams): object {
  for (const name of unsupported) {
    if (param(params, name)) throw new QueryError(`'${name}' is not supported.`);
  }
  if (booleanParam(params, "returnDistinctValues", false)) {
    throw new QueryError("'returnDistinctValues' is not supported.");
  }
  const { objectIdField, displayField, geometryType } = definition;
  const names = definition.fields.map(({ name }) => name);
  const wkid = wkidParam(params, "outSR");
  const found = features
    .filter(featureFilter(params, names, objectIdField))
    .toSorted(featureOrder(param(params, "orderByFields") ?? objectIdField, names));

  const count = found.length;
  if (booleanParam(params, "returnExtentOnly", false)) {
    const extent = extentOf(found.map(({ geometry }) => projected(geometry, wkid))) ?? emptyExtent;
    return {
      ...(booleanParam(params, "returnCountOnly", false) && { count }),
      extent: { ...extent, spatialReference: spatialReference(wkid) },
    };
  }
  if (booleanParam(params, "returnCountOnly", false)) return { count };
  if (booleanParam(params, "returnIdsOnly", false)) {
    return {
      objectIdFieldName: objectIdField,
      objectIds: found.map(({ attributes }) => attributes[objectIdField]),
    };
  }

  const start = countParam(params, "resultOffset", 0);
  const page = found.slice(
    start,
    start + Math.min(countParam(params, "resultRecordCount", maxRecordCount), maxRecordCount),
  );
  const transferLimit = start + page.length < count && { exceededTransferLimit: true };
  const fields = fieldNames(param(params, "outFields") ?? `${objectIdField},${displayField}`, names);
  const withGeometry = booleanParam(params, "returnGeometry", true);
  const attributesOf = ({ attributes }: LayerFeature) =>
    Object.fromEntries(fields.map((name) => [name, attributes[name] ?? null]));

  if (param(params, "f") === "geojson") {
    return {
      type: "FeatureCollection",
      ...(wkid !== degrees && { crs: { type: "name", properties: { name: `EPSG:${wkid}` } } }),
      ...(transferLimit && { properties: transferLimit, ...transferLimit }),
      features: page.map((feature) => ({
        type: "Feature",
        id: feature.attributes[objectIdField],
        geometry: withGeometry ? toGeoJson(projected(feature.geometry, wkid)) : null,
        properties: attributesOf(feature),
      })),
    };
  }
  const quantization = quantizationParam(params);
  const geometryOf = (feature: LayerFeature) => {
    const geometry = projected(feature.geometry, wkid);
    return quantization ? quantized(geometry, quantization) : geometry;
  };
  return {
    objectIdFieldName: objectIdField,
    uniqueIdField: { name: objectIdField, isSystemMaintained: true },
    globalIdFieldName: "",
    ...(withGeometry && { geometryType, spatialReference: spatialReference(wkid) }),
    ...(withGeometry && quantization && { transform: transformOf(quantization) }),
    fields: definition.fields.filter(({ name }) => fields.includes(name)).map(fieldInfo),
    ...transferLimit,
    features: page.map((feature) => ({
      attributes: attributesOf(feature),
      ...(withGeometry && { geometry: geometryOf(feature) }),
    })),
  };
}

const emptyExtent = { xmin: "NaN", ymin: "NaN", xmax: "NaN", ymax: "NaN" };

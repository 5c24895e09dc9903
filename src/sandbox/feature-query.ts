import { degrees, extentOf, projected, spatialReference, toGeoJson } from "./geometry.ts";
import { type FeatureLayer, fieldInfo, type LayerFeature, maxRecordCount } from "./layers.ts";
import { featureFilter, featureOrder, fieldNames, parseQuery } from "./query-parameters.ts";
import type { RequestParams } from "./request-params.ts";

/**
 * The response to `query` of a layer, as Esri JSON or as GeoJSON.
 * https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/
 *
 * @throws ArcGISError
 */
export function queryFeatures({ definition, features }: FeatureLayer, params: RequestParams): object {
  const query = parseQuery(params);
  const { objectIdField, displayField, geometryType } = definition;
  const names = definition.fields.map(({ name }) => name);
  const { outSR: wkid, returnGeometry } = query;
  const found = features
    .filter(featureFilter(query, names, objectIdField))
    .toSorted(featureOrder(query.orderByFields ?? objectIdField, names));

  const count = found.length;
  if (query.returnExtentOnly) {
    const extent = extentOf(found.map(({ geometry }) => projected(geometry, wkid))) ?? emptyExtent;
    return {
      ...(query.returnCountOnly && { count }),
      extent: { ...extent, spatialReference: spatialReference(wkid) },
    };
  }
  if (query.returnCountOnly) return { count };
  if (query.returnIdsOnly) {
    const objectIds = found.map(({ attributes }) => attributes[objectIdField]);
    return { objectIdFieldName: objectIdField, objectIds };
  }

  const start = query.resultOffset;
  const page = found.slice(start, start + Math.min(query.resultRecordCount, maxRecordCount));
  const transferLimit = start + page.length < count && { exceededTransferLimit: true };
  const fields = fieldNames(query.outFields ?? `${objectIdField},${displayField}`, names);
  const attributesOf = ({ attributes }: LayerFeature) =>
    Object.fromEntries(fields.map((name) => [name, attributes[name] ?? null]));

  if (query.f === "geojson") {
    return {
      type: "FeatureCollection",
      ...(wkid !== degrees && { crs: { type: "name", properties: { name: `EPSG:${wkid}` } } }),
      ...(transferLimit && { properties: transferLimit, ...transferLimit }),
      features: page.map((feature) => ({
        type: "Feature",
        id: feature.attributes[objectIdField],
        geometry: returnGeometry ? toGeoJson(projected(feature.geometry, wkid)) : null,
        properties: attributesOf(feature),
      })),
    };
  }
  return {
    objectIdFieldName: objectIdField,
    uniqueIdField: { name: objectIdField, isSystemMaintained: true },
    globalIdFieldName: "",
    ...(returnGeometry && { geometryType, spatialReference: spatialReference(wkid) }),
    fields: definition.fields.filter(({ name }) => fields.includes(name)).map(fieldInfo),
    ...transferLimit,
    features: page.map((feature) => ({
      attributes: attributesOf(feature),
      ...(returnGeometry && { geometry: projected(feature.geometry, wkid) }),
    })),
  };
}

const emptyExtent = { xmin: "NaN", ymin: "NaN", xmax: "NaN", ymax: "NaN" };

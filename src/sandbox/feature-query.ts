import { type Params, text } from "./answers.ts";
import {
  degrees,
  extentOf,
  geoJsonOf,
  projected,
  quantized,
  spatialReference,
  transformOf,
} from "./geometry.ts";
import { fieldInfo, maxRecordCount } from "./layer-info.ts";
import type { Feature, Service } from "./layers.ts";
import {
  byFields,
  fieldsOf,
  flag,
  matches,
  QueryError,
  quantizationOf,
  referenceOf,
  whole,
} from "./query-parameters.ts";
import type { Attributes } from "./where.ts";

/**
 * Answers `query` of a layer, in Esri's JSON or as GeoJSON.
 * https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/
 *
 * @throws QueryError
 */
export function queryFeatures({ layer }: Service, params: Params): object {
  for (const name of ["outStatistics", "groupByFieldsForStatistics", "distance"]) {
    if (text(params, name)) throw new QueryError(`'${name}' is not supported.`);
  }
  if (flag(params, "returnDistinctValues", false))
    throw new QueryError("'returnDistinctValues' is not supported.");
  const names = layer.fields.map(({ name }) => name);
  const reference = referenceOf(params, "outSR", degrees);
  const found = layer.features
    .filter(matches(params, names))
    .toSorted(byFields(text(params, "orderByFields") ?? "OBJECTID", names));
  const ids = found.map(({ attributes }) => attributes.OBJECTID);

  if (flag(params, "returnExtentOnly", false)) {
    const extent = extentOf(found.map(({ geometry }) => projected(geometry, reference)));
    const count = flag(params, "returnCountOnly", false) ? { count: found.length } : {};
    return { ...count, extent: { ...(extent ?? nowhere), spatialReference: spatialReference(reference) } };
  }
  if (flag(params, "returnCountOnly", false)) return { count: found.length };
  if (flag(params, "returnIdsOnly", false)) return { objectIdFieldName: "OBJECTID", objectIds: ids };

  const start = whole(params, "resultOffset", 0);
  const most = Math.min(whole(params, "resultRecordCount", maxRecordCount), maxRecordCount);
  const page = found.slice(start, start + most);
  const more = start + page.length < found.length && { exceededTransferLimit: true };
  const fields = fieldsOf(text(params, "outFields") ?? `OBJECTID,${layer.displayField}`, names);
  const withGeometry = flag(params, "returnGeometry", true);
  const attributesOf = (attributes: Attributes) =>
    Object.fromEntries(fields.map((name) => [name, attributes[name] ?? null]));

  if (text(params, "f") === "geojson") {
    return {
      type: "FeatureCollection",
      ...(reference !== degrees && { crs: { type: "name", properties: { name: `EPSG:${reference}` } } }),
      ...(more && { properties: more, ...more }),
      features: page.map(({ attributes, geometry }) => ({
        type: "Feature",
        id: attributes.OBJECTID,
        geometry: withGeometry ? geoJsonOf(projected(geometry, reference)) : null,
        properties: attributesOf(attributes),
      })),
    };
  }
  const steps = quantizationOf(params);
  const geometryOf = ({ geometry }: Feature) => {
    const there = projected(geometry, reference);
    return steps ? quantized(there, steps) : there;
  };
  return {
    objectIdFieldName: "OBJECTID",
    uniqueIdField: { name: "OBJECTID", isSystemMaintained: true },
    globalIdFieldName: "",
    ...(withGeometry && { geometryType: layer.geometryType, spatialReference: spatialReference(reference) }),
    ...(withGeometry && steps && { transform: transformOf(steps) }),
    fields: layer.fields.filter(({ name }) => fields.includes(name)).map(fieldInfo),
    ...more,
    features: page.map((feature) => ({
      attributes: attributesOf(feature.attributes),
      ...(withGeometry && { geometry: geometryOf(feature) }),
    })),
  };
}

const nowhere = { xmin: "NaN", ymin: "NaN", xmax: "NaN", ymax: "NaN" };

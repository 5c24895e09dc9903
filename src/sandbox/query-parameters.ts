import { z } from "zod";
import { invalidQuery } from "./arcgis-json.ts";
import { degrees, type Envelope, envelopeInDegrees, intersects, supportedWkid } from "./geometry.ts";
import type { LayerFeature } from "./layers.ts";
import { param, type RequestParams } from "./request-params.ts";
import { parseWhereClause } from "./where-clause.ts";

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue("not JSON");
    return z.NEVER;
  }
});

const reference = z
  .object({ wkid: z.number().optional(), latestWkid: z.number().optional() })
  .transform(({ wkid, latestWkid }) => supportedWkid(latestWkid) ?? supportedWkid(wkid))
  .pipe(z.number());
/** A WKID, or JSON. */
const spatialReference = z
  .union([json.pipe(z.number()).transform((wkid) => ({ wkid })), json])
  .pipe(reference);

const box = z.object({
  xmin: z.number(),
  ymin: z.number(),
  xmax: z.number(),
  ymax: z.number(),
  spatialReference: reference.optional(),
});
const point = z
  .object({ x: z.number(), y: z.number(), spatialReference: reference.optional() })
  .transform(({ x, y, ...more }) => ({ ...more, xmin: x, ymin: y, xmax: x, ymax: y }));
/** In the simple syntax, numbers with commas between them. */
const numbers = z.string().transform((list) => {
  const [x, y, ...more] = list.split(",").map((part) => Number(part.trim() || Number.NaN));
  return more.length > 0 ? { xmin: x, ymin: y, xmax: more[0], ymax: more[1] } : { x, y };
});

const flag = z.stringbool({ truthy: ["true"], falsy: ["false"] });
/** A number of records; a negative one counts as 0. */
const count = z
  .string()
  .regex(/^-?\d{1,9}$/)
  .transform((text) => Math.max(0, Number(text)));
const objectIds = z
  .string()
  .regex(/^[\s\d]+(?:,[\s\d]+)*$/)
  .transform((list) => new Set(list.split(",").map(Number)));
const unsupported = z.undefined();

const Query = z.object({
  where: z.string().default("1=1"),
  objectIds: objectIds.optional(),
  geometry: z
    .union([json, numbers])
    .pipe(z.union([box, point]))
    .optional(),
  geometryType: z.enum(["esriGeometryEnvelope", "esriGeometryPoint"]).optional(),
  spatialRel: z.enum(["esriSpatialRelIntersects", "esriSpatialRelEnvelopeIntersects"]).optional(),
  inSR: spatialReference.default(degrees),
  outSR: spatialReference.default(degrees),
  outFields: z.string().optional(),
  orderByFields: z.string().optional(),
  resultOffset: count.default(0),
  resultRecordCount: count.default(Number.POSITIVE_INFINITY),
  returnGeometry: flag.default(true),
  returnCountOnly: flag.default(false),
  returnIdsOnly: flag.default(false),
  returnExtentOnly: flag.default(false),
  returnDistinctValues: flag.refine((isAsked) => !isAsked).optional(),
  f: z.string().optional(),
  outStatistics: unsupported,
  groupByFieldsForStatistics: unsupported,
  distance: unsupported,
});
export type Query = z.infer<typeof Query>;

/** @throws ArcGISError that names the parameter */
export function parseQuery(params: RequestParams): Query {
  const given = Object.keys(Query.shape).map((name) => [name, param(params, name)]);
  const { data, error } = Query.safeParse(Object.fromEntries(given));
  if (data) return data;
  throw invalidQuery(
    `'${String(error.issues[0]?.path[0])}' is not valid, or has a value that is not supported.`,
  );
}

/** `where`, `objectIds` and `geometry` together. */
export function featureFilter(
  { where, objectIds, geometry: place, inSR }: Query,
  names: string[],
  objectIdField: string,
): (feature: LayerFeature) => boolean {
  const matches = parseWhereClause(where, names);
  const area: Envelope | undefined = place && envelopeInDegrees(place, place.spatialReference ?? inSR);
  return ({ attributes, geometry }) =>
    matches(attributes) &&
    (objectIds === undefined || objectIds.has(Number(attributes[objectIdField]))) &&
    (area === undefined || intersects(geometry, area));
}

/** `orderByFields` as a function for `sort`; NULL comes first. */
export function featureOrder(list: string, names: string[]) {
  const orders = list.split(",").map((part) => {
    const [, name = "", direction = "ASC"] = /^\s*(\w+)(?:\s+(ASC|DESC))?\s*$/i.exec(part) ?? [];
    return { name: fieldName(name, names, "orderByFields"), sign: /^desc$/i.test(direction) ? -1 : 1 };
  });
  return (one: LayerFeature, other: LayerFeature): number => {
    for (const { name, sign } of orders) {
      const [left = null, right = null] = [one.attributes[name], other.attributes[name]];
      if (left === right) continue;
      return left === null || (right !== null && left < right) ? -sign : sign;
    }
    return 0;
  };
}

/** `outFields` as the names of fields. */
export function fieldNames(list: string, names: string[]): string[] {
  if (list.trim() === "*") return names;
  return list.split(",").map((name) => fieldName(name.trim(), names, "outFields"));
}

function fieldName(name: string, names: string[], parameter: string): string {
  const found = names.find((each) => each.toUpperCase() === name.toUpperCase());
  if (!found) throw invalidQuery(`'${parameter}' is not valid.`);
  return found;
}

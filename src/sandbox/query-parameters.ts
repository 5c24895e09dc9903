import {
  degrees,
  type Envelope,
  envelopeInDegrees,
  intersects,
  type Quantization,
  supportedWkid,
} from "./geometry.ts";
import type { LayerFeature } from "./layers.ts";
import { param, type RequestParams } from "./request-params.ts";
import { type FeatureAttributes, parseWhereClause, WhereClauseError } from "./where-clause.ts";

/*
 * The parameters of a query. Each function throws a QueryError for a value that is not valid.
 */

/** The message names the parameter that is not valid. */
export class QueryError extends Error {}

/** `where`, `objectIds` and `geometry` together. */
export function featureFilter(
  params: RequestParams,
  names: string[],
  objectIdField: string,
): (feature: LayerFeature) => boolean {
  const where = whereParam(param(params, "where") ?? "1=1", names);
  const ids = objectIdsParam(param(params, "objectIds"));
  const box = geometryParam(params);
  return ({ attributes, geometry }) =>
    where(attributes) &&
    (ids === undefined || ids.has(Number(attributes[objectIdField]))) &&
    (box === undefined || intersects(geometry, box));
}

function whereParam(where: string, names: string[]): (attributes: FeatureAttributes) => boolean {
  try {
    return parseWhereClause(where, names);
  } catch (error) {
    if (error instanceof WhereClauseError) throw new QueryError(`'where' is not valid: ${error.message}.`);
    throw error;
  }
}

function objectIdsParam(list: string | undefined): Set<number> | undefined {
  if (list === undefined) return undefined;
  const ids = list.split(",").map((each) => each.trim());
  if (!ids.every((each) => /^\d{1,10}$/.test(each))) throw new QueryError("'objectIds' is not valid.");
  return new Set(ids.map(Number));
}

const coordinateNames = new Map([
  ["esriGeometryEnvelope", ["xmin", "ymin", "xmax", "ymax"]],
  ["esriGeometryPoint", ["x", "y"]],
]);

/** `geometry` (an envelope or a point) in degrees. */
function geometryParam(params: RequestParams): Envelope | undefined {
  const value = param(params, "geometry");
  if (value === undefined) return undefined;
  const names = coordinateNames.get(param(params, "geometryType") ?? "esriGeometryEnvelope");
  if (!names) throw new QueryError("'geometryType' is not supported.");
  const relation = param(params, "spatialRel") ?? "esriSpatialRelIntersects";
  if (!/^esriSpatialRel(?:Envelope)?Intersects$/.test(relation)) {
    throw new QueryError("'spatialRel' is not supported.");
  }

  const { spatialReference, ...content } = value.startsWith("{")
    ? jsonObject(value, "geometry")
    : simpleGeometry(value, names);
  const [xmin = 0, ymin = 0, xmax = xmin, ymax = ymin] = names.map((name) =>
    finite(content[name], "geometry"),
  );
  const wkid = spatialReference ? wkidOf(spatialReference, "geometry") : wkidParam(params, "inSR");
  return envelopeInDegrees({ xmin, ymin, xmax, ymax }, wkid);
}

/** The simple syntax: numbers with commas between them. */
function simpleGeometry(list: string, names: string[]): Record<string, unknown> {
  const numbers = list.split(",").map((part) => (part.trim() === "" ? undefined : Number(part)));
  return Object.fromEntries(names.map((name, index) => [name, numbers[index]]));
}

/** `quantizationParameters`, when there are any. */
export function quantizationParam(params: RequestParams): Quantization | undefined {
  const name = "quantizationParameters";
  const value = param(params, name);
  if (value === undefined) return undefined;
  const { extent, tolerance = 1, originPosition = "upperLeft" } = jsonObject(value, name);
  const { xmin, ymax } = Object(extent);
  if (finite(tolerance, name) <= 0 || originPosition !== "upperLeft") {
    throw new QueryError(`'${name}' is not valid.`);
  }
  return { tolerance: finite(tolerance, name), xmin: finite(xmin, name), ymax: finite(ymax, name) };
}

/** `orderByFields` as a function for `sort`; NULL comes first. */
export function featureOrder(
  list: string,
  names: string[],
): (one: LayerFeature, other: LayerFeature) => number {
  const orders = list.split(",").map((part) => {
    const [, name = "", direction = "ASC"] = /^\s*(\w+)(?:\s+(ASC|DESC))?\s*$/i.exec(part) ?? [];
    return { name: fieldName(name, names, "orderByFields"), sign: /^desc$/i.test(direction) ? -1 : 1 };
  });
  return (one, other) => {
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
  if (!found) throw new QueryError(`'${parameter}' is not valid.`);
  return found;
}

/** The WKID of a spatial reference, written as a number or as JSON. Default: degrees. */
export function wkidParam(params: RequestParams, name: string): number {
  const value = param(params, name);
  if (value === undefined) return degrees;
  return wkidOf(value.startsWith("{") ? jsonObject(value, name) : { wkid: Number(value) }, name);
}

function wkidOf(reference: unknown, name: string): number {
  const { wkid, latestWkid } = Object(reference);
  const supported = supportedWkid(Number(latestWkid)) ?? supportedWkid(Number(wkid));
  if (!supported) throw new QueryError(`'${name}' has a spatial reference that is not supported.`);
  return supported;
}

function jsonObject(json: string, name: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json));
  } catch {
    throw new QueryError(`'${name}' is not valid.`);
  }
}

function finite(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new QueryError(`'${name}' is not valid.`);
  return value;
}

/** A number of records; a negative one counts as 0. */
export function countParam(params: RequestParams, name: string, fallback: number): number {
  const value = param(params, name);
  if (value === undefined) return fallback;
  if (!/^-?\d{1,9}$/.test(value)) throw new QueryError(`'${name}' is not valid.`);
  return Math.max(0, Number(value));
}

export function booleanParam(params: RequestParams, name: string, fallback: boolean): boolean {
  const value = param(params, name)?.toLowerCase() ?? String(fallback);
  if (value !== "true" && value !== "false") throw new QueryError(`'${name}' is not valid.`);
  return value === "true";
}

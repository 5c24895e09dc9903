import { type Params, text } from "./answers.ts";
import {
  degrees,
  type Envelope,
  envelopeInDegrees,
  intersects,
  knownReference,
  type Quantization,
} from "./geometry.ts";
import type { Feature } from "./layers.ts";
import { parseWhere, WhereError } from "./where.ts";

/*
 * The parameters of a query. Each function here throws a QueryError for a value that makes no sense.
 */

/** A parameter that makes no sense; the message says which. */
export class QueryError extends Error {}

/** `where`, `objectIds` and `geometry` together. */
export function matches(params: Params, names: string[]): (feature: Feature) => boolean {
  const where = whereOf(text(params, "where") ?? "1=1", names);
  const ids = idsOf(text(params, "objectIds"));
  const box = boxOf(params);
  return ({ attributes, geometry }) =>
    where(attributes) &&
    (ids === undefined || ids.has(attributes.OBJECTID)) &&
    (box === undefined || intersects(geometry, box));
}

function whereOf(where: string, names: string[]) {
  try {
    return parseWhere(where, names);
  } catch (error) {
    if (error instanceof WhereError) throw new QueryError(`'where' is not valid: ${error.message}.`);
    throw error;
  }
}

function idsOf(list: string | undefined): Set<number> | undefined {
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
function boxOf(params: Params): Envelope | undefined {
  const given = text(params, "geometry");
  if (given === undefined) return undefined;
  const names = coordinateNames.get(text(params, "geometryType") ?? "esriGeometryEnvelope");
  if (!names) throw new QueryError("'geometryType' is not supported.");
  const relation = text(params, "spatialRel") ?? "esriSpatialRelIntersects";
  if (!/^esriSpatialRel(?:Envelope)?Intersects$/.test(relation)) {
    throw new QueryError("'spatialRel' is not supported.");
  }

  const { spatialReference, ...content } = given.startsWith("{")
    ? objectIn(given, "geometry")
    : inOrder(given, names);
  const [xmin = 0, ymin = 0, xmax = xmin, ymax = ymin] = names.map((name) =>
    finite(content[name], "geometry"),
  );
  const reference = spatialReference
    ? wkidOf(spatialReference, "geometry")
    : referenceOf(params, "inSR", degrees);
  return envelopeInDegrees({ xmin, ymin, xmax, ymax }, reference);
}

/** The short form of a geometry: its numbers with commas between them. */
function inOrder(list: string, names: string[]): Record<string, unknown> {
  const numbers = list.split(",").map((part) => (part.trim() === "" ? undefined : Number(part)));
  return Object.fromEntries(names.map((name, index) => [name, numbers[index]]));
}

/** `quantizationParameters`, when there are any. */
export function quantizationOf(params: Params): Quantization | undefined {
  const name = "quantizationParameters";
  const given = text(params, name);
  if (given === undefined) return undefined;
  const { extent, tolerance = 1, originPosition = "upperLeft" } = objectIn(given, name);
  const { xmin, ymin, xmax, ymax } = Object(extent);
  const isUsable = finite(tolerance, name) > 0 && originPosition === "upperLeft";
  if (!isUsable) throw new QueryError(`'${name}' is not valid.`);
  return {
    tolerance: finite(tolerance, name),
    extent: {
      xmin: finite(xmin, name),
      ymin: finite(ymin, name),
      xmax: finite(xmax, name),
      ymax: finite(ymax, name),
    },
  };
}

/** `orderByFields` as a function that sorts; NULL comes first. */
export function byFields(list: string, names: string[]): (one: Feature, other: Feature) => number {
  const orders = list.split(",").map((part) => {
    const [, name = "", direction = "ASC"] = /^\s*(\w+)(?:\s+(ASC|DESC))?\s*$/i.exec(part) ?? [];
    return { name: fieldOf(name, names, "orderByFields"), sign: /^desc$/i.test(direction) ? -1 : 1 };
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
export function fieldsOf(list: string, names: string[]): string[] {
  if (list.trim() === "*") return names;
  return list.split(",").map((name) => fieldOf(name.trim(), names, "outFields"));
}

function fieldOf(name: string, names: string[], parameter: string): string {
  const found = names.find((each) => each.toUpperCase() === name.toUpperCase());
  if (!found) throw new QueryError(`'${parameter}' is not valid.`);
  return found;
}

/** A spatial reference, written as its id or as JSON. */
export function referenceOf(params: Params, name: string, usual: number): number {
  const given = text(params, name);
  if (given === undefined) return usual;
  return wkidOf(given.startsWith("{") ? objectIn(given, name) : { wkid: Number(given) }, name);
}

function wkidOf(reference: unknown, name: string): number {
  const { wkid, latestWkid } = Object(reference);
  const known = knownReference(Number(latestWkid)) ?? knownReference(Number(wkid));
  if (known === undefined) throw new QueryError(`'${name}' has a spatial reference that is not supported.`);
  return known;
}

function objectIn(json: string, name: string): Record<string, unknown> {
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
export function whole(params: Params, name: string, usual: number): number {
  const given = text(params, name);
  if (given === undefined) return usual;
  if (!/^-?\d{1,9}$/.test(given)) throw new QueryError(`'${name}' is not valid.`);
  return Math.max(0, Number(given));
}

/** A parameter that is true or false. */
export function flag(params: Params, name: string, usual: boolean): boolean {
  const given = text(params, name)?.toLowerCase() ?? String(usual);
  if (given !== "true" && given !== "false") throw new QueryError(`'${name}' is not valid.`);
  return given === "true";
}

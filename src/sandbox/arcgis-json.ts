import type { Request, Response } from "express";
import { param, paramsOf } from "./request-params.ts";

/**
 * An error of ArcGIS, which routes throw. As JSON it is `{error: {code, message, ...}}`, and travels with HTTP status 200.
 * The shapes are those in Esri/arcgis-rest-js, packages/arcgis-rest-request/test/mocks/errors.ts and
 * ArcGISIdentityManager.test.ts.
 */
export class ArcGISError extends Error {
  readonly #error: object;

  constructor(error: { message: string; [name: string]: unknown }) {
    super(error.message);
    this.#error = error;
  }

  toJSON() {
    return { error: this.#error };
  }
}

/** The general shape. */
export function arcgisError(code: number, message: string, details: string[] = []): ArcGISError {
  return new ArcGISError({ code, message, details });
}

/** The shape of `oauth2/token`: the words of RFC 6749, 5.2, inside ArcGIS's envelope. */
export function oauthError(code: number, error: string, message: string): ArcGISError {
  return new ArcGISError({ code, error, error_description: message, message, details: [] });
}

/** A missing parameter. Only here, `details` is left out (Esri/arcgis-rest-js issue 1290). */
export function notSpecified(parameter: string): ArcGISError {
  const message = `${parameter} not specified`;
  return new ArcGISError({ code: 400, error: "invalid_request", error_description: message, message });
}

export const invalidRefreshToken = oauthError(498, "invalid_request", "Invalid refresh_token");

/** For a token that is unknown, expired or revoked. */
export const invalidToken = arcgisError(498, "Invalid token.");

export const tokenRequired = new ArcGISError({
  code: 499,
  message: "Token Required",
  messageCode: "GWM_0003",
  details: ["Token Required"],
});

export const notPermitted = arcgisError(
  403,
  "You do not have permissions to access this resource or perform this operation.",
);

/** The error of a query; `detail` names the parameter. */
export function invalidQuery(detail: string): ArcGISError {
  return arcgisError(400, "Cannot perform query. Invalid query parameters.", [detail]);
}

/** Sends JSON. Without `f`, sends a page that shows the same, as ArcGIS does. */
export function sendJson(req: Request, res: Response, body: object): void {
  const format = param(paramsOf(req), "f") ?? "html";
  const json = JSON.stringify(body, undefined, 2);
  if (format === "html") res.render("json", { title: req.path, json });
  else if (format === "pjson") res.type("json").send(json);
  else res.json(body);
}

import type { Request, Response } from "express";
import { param, paramsOf } from "./request-params.ts";

/*
 * The shapes of ArcGIS's errors. They travel with HTTP status 200. Seen in Esri/arcgis-rest-js,
 * packages/arcgis-rest-request/test/mocks/errors.ts and ArcGISIdentityManager.test.ts.
 */

/** The general shape: `{error: {code, message, details}}`. */
export function arcgisError(code: number, message: string, details: string[] = []) {
  return { error: { code, message, details } };
}

/** The shape of `oauth2/token`: the words of RFC 6749, 5.2, inside ArcGIS's envelope. */
export function oauthError(code: number, error: string, description: string) {
  return { error: { code, error, error_description: description, message: description, details: [] } };
}

/** A missing parameter. Only here, `details` is left out (Esri/arcgis-rest-js issue 1290). */
export function notSpecified(parameter: string) {
  const description = `${parameter} not specified`;
  return {
    error: { code: 400, error: "invalid_request", error_description: description, message: description },
  };
}

export const invalidClientId = oauthError(400, "invalid_client_id", "Invalid client_id");

export const invalidRefreshToken = oauthError(498, "invalid_request", "Invalid refresh_token");

/** For a token that is unknown, expired or revoked. */
export const invalidToken = arcgisError(498, "Invalid token.");

export const tokenRequired = {
  error: { code: 499, message: "Token Required", messageCode: "GWM_0003", details: ["Token Required"] },
};

export const notPermitted = arcgisError(
  403,
  "You do not have permissions to access this resource or perform this operation.",
);

/** Thrown by a route: `sendJson` sends the body, with status 200. */
export class ArcGISError extends Error {
  readonly body: object;

  constructor(body: object) {
    super("an error of the ArcGIS REST API");
    this.body = body;
  }
}

/** The error of a query; `detail` names the parameter. */
export function invalidQuery(detail: string): ArcGISError {
  return new ArcGISError(arcgisError(400, "Cannot perform query. Invalid query parameters.", [detail]));
}

/** Sends JSON. Without `f`, sends a page that shows the same, as ArcGIS does. */
export function sendJson(req: Request, res: Response, body: object): void {
  const format = param(paramsOf(req), "f") ?? "html";
  const json = JSON.stringify(body, undefined, 2);
  if (format === "html") res.render("json", { title: req.path, json });
  else if (format === "pjson") res.type("json").send(json);
  else res.json(body);
}

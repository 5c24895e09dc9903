import type { Request, Response } from "express";

/*
 * The shapes of ArcGIS's errors. They travel with HTTP status 200. Seen in Esri/arcgis-rest-js,
 * packages/arcgis-rest-request/test/mocks/errors.ts and ArcGISIdentityManager.test.ts.
 */

/** The general shape: `{error: {code, message, details}}`. */
export function arcgisError(code: number, message: string) {
  return { error: { code, message, details: [] as string[] } };
}

/** The shape of `oauth2/token`: the words of RFC 6749, 5.2, inside ArcGIS's envelope. */
export function oauthError(code: number, error: string, description: string) {
  return { error: { code, error, error_description: description, message: description, details: [] } };
}

/** A parameter is missing. Here, and only here, `details` is left out (Esri/arcgis-rest-js issue 1290). */
export function notSpecified(parameter: string) {
  const description = `${parameter} not specified`;
  return {
    error: { code: 400, error: "invalid_request", error_description: description, message: description },
  };
}

/** For a client id that nobody has registered. */
export const invalidClientId = oauthError(400, "invalid_client_id", "Invalid client_id");

/** For a token that is forged, over or revoked. */
export const invalidToken = arcgisError(498, "Invalid token.");

/** For no token at all. */
export const tokenRequired = {
  error: { code: 499, message: "Token Required", messageCode: "GWM_0003", details: ["Token Required"] },
};

/** Parameters of a query or a form, as they were sent: a repeated one is a list. */
export type Params = Record<string, string | string[]>;

/** Gives a parameter that was sent exactly once and is not empty. */
export function text(params: Params, name: string): string | undefined {
  const value = Object.hasOwn(params, name) ? params[name] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Query and form together: ArcGIS takes a parameter from either. The form wins. */
export function paramsOf(req: Request): Params {
  return { ...(req.query as Params), ...(req.body as Params | undefined) };
}

/** Answers JSON to `f=json` and `f=pjson`, and to anything else a page that shows the same, as ArcGIS does. */
export function answer(req: Request, res: Response, body: object): void {
  const format = text(paramsOf(req), "f");
  if (format === "json") res.json(body);
  else if (format === "pjson") res.type("json").send(JSON.stringify(body, undefined, 2));
  else res.render("answer", { title: req.path, json: JSON.stringify(body, undefined, 2) });
}

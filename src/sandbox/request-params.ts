import type { Request } from "express";

/** Parameters of a query or a form; a repeated one is a list. */
export type RequestParams = Record<string, string | string[]>;

/** The value of a parameter that was sent exactly once and is not empty. */
export function param(params: RequestParams, name: string): string | undefined {
  const value = Object.hasOwn(params, name) ? params[name] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Query and form together: ArcGIS reads a parameter from either. The form wins. */
export function paramsOf(req: Request): RequestParams {
  return { ...(req.query as RequestParams), ...(req.body as RequestParams | undefined) };
}

/** The access token, from where ArcGIS reads it: one of two headers, the query or the form. */
export function accessTokenOf(req: Request): string | undefined {
  for (const name of ["X-Esri-Authorization", "Authorization"]) {
    const [, token] = /^Bearer +(\S+)$/i.exec(req.get(name) ?? "") ?? [];
    if (token) return token;
  }
  return param(paramsOf(req), "token");
}

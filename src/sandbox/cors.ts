import type { RequestHandler } from "express";
import type { SandboxContext } from "./context.ts";

/**
 * Lets the pages of registered apps read responses, with or without cookies, as ArcGIS does for its allowed
 * origins. Here these are the origins of the redirect URIs.
 */
export function allowApps({ clients }: Pick<SandboxContext, "clients">): RequestHandler {
  return (req, res, next) => {
    const origin = req.get("Origin");
    const redirectUris = clients.flatMap(({ redirectUris }) => redirectUris);
    res.vary("Origin");
    if (origin && redirectUris.some((uri) => new URL(uri).origin === origin)) {
      res.set({
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Esri-Authorization, X-Requested-With",
        "Access-Control-Allow-Methods": "GET, HEAD, POST",
      });
    }
    if (req.method === "OPTIONS") res.status(204).end();
    else next();
  };
}

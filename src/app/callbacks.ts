import type { RequestHandler } from "express";
import type { Config } from "./config/config.ts";

/** The route of the callback below its portal's path: the last segment of the redirect URI. */
export function callbackRoute({ callbackPath }: Pick<Config, "callbackPath">): string {
  return `/${segmentsOf(callbackPath).at(-1)}`;
}

/**
 * Routes requests for callbacks. If the app is mounted in another one, or behind a proxy that removes a prefix, it sees
 * only the end of the redirect URI's path.
 */
export function callbacks(configs: readonly Config[]): RequestHandler {
  const routes = new Map<string, Config>();
  for (const config of configs) {
    const segments = segmentsOf(config.callbackPath);
    const ends = segments.map((_, index) => `/${segments.slice(index).join("/")}`);
    for (const end of ends) if (end.includes(config.portalPath)) routes.set(end.toLowerCase(), config);
  }
  return (req, res, next) => {
    const config = routes.get(req.path.toLowerCase().replace(/\/$/, ""));
    if (config) {
      const [query = ""] = /\?.*/s.exec(req.url) ?? [];
      req.url = config.portalPath + callbackRoute(config) + query;
      // The callback's own URL works once.
      const base = req.baseUrl + config.portalPath;
      res.locals.signInUrl = `${base}/sign-in?returnTo=${encodeURIComponent(`${base}/`)}`;
    }
    next();
  };
}

function segmentsOf(path: string): string[] {
  return path.replace(/\/$/, "").split("/").slice(1);
}

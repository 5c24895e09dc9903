import type { RequestHandler } from "express";
import type { Config } from "./config/config.ts";

const withoutSlash = (path: string) => path.replace(/\/$/, "");

/** The route of the callback below its portal's path: the last segment of the redirect URI. */
export function callbackRoute({ callbackPath }: Pick<Config, "callbackPath">): string {
  return `/${withoutSlash(callbackPath).split("/").at(-1)}`;
}

/**
 * Routes requests for callbacks. If the app is mounted in another one, or behind a proxy that removes a prefix, it sees
 * only the end of the redirect URI's path.
 */
export function callbacks(configs: readonly Config[]): RequestHandler {
  const callbackPaths = configs.map((config) => withoutSlash(config.callbackPath).toLowerCase());
  return (req, res, next) => {
    const end = withoutSlash(req.path).toLowerCase();
    const config = configs.findLast(
      ({ portalPath }, index) => end.includes(portalPath) && callbackPaths[index]?.endsWith(end),
    );
    if (config && end !== "") {
      const [query = ""] = /\?.*/s.exec(req.url) ?? [];
      req.url = config.portalPath + callbackRoute(config) + query;
      // The callback's own URL works once.
      const base = req.baseUrl + config.portalPath;
      res.locals.signInUrl = `${base}/sign-in?returnTo=${encodeURIComponent(`${base}/`)}`;
    }
    next();
  };
}

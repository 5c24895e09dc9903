import express, { type Router } from "express";
import type { Config } from "../app/config/config.ts";
import { firstPortal } from "../app/config/portals.ts";
import { AppError } from "../errors.ts";
import { proxyTargets } from "../proxy/targets.ts";
import { redirect } from "../redirect.ts";
import { callbackRoutes } from "./callback.ts";
import { keepOpener } from "./sign-in.ts";
import { renderChoice } from "./views.ts";

/**
 * The portals of PORTALS, beside the one of PORTAL_URL. Each is this app once more, below a path of its own
 * (/portals/{id}), with its own callback, and with a session of its own in the browser: what happens at one portal
 * changes nothing at another, and no session holds the tokens of two.
 *
 * @param addRoutes adds all routes of one portal
 */
export function portals(config: Config, addRoutes: (router: Router, config: Config) => void): Router {
  const router = express.Router();
  const all = [config, ...config.furtherPortals];

  for (const further of config.furtherPortals) {
    const routes = express.Router();
    addRoutes(routes, further);
    const isTarget = targetsOf(further);
    // The redirect URI may have a path that lies deeper than this app: what stands before the portal's own is no matter.
    const callback = callbackRoutes(further.callbackPath).filter((path) => path.includes(further.portalPath));
    router.all(callback, (req, _res, next) => {
      // In place, as a request may name its host before the path (RFC 9112, 3.2.2).
      req.url = req.url.replace(req.path, (path) =>
        path.slice(path.toLowerCase().indexOf(further.portalPath)),
      );
      next();
    });
    router.use(further.portalPath, routes);
    // The address that is asked for decides whose token goes there: a page may use /proxy for all portals.
    router.all("/proxy", (req, res, next) => (isTarget(req.originalUrl) ? routes(req, res, next) : next()));
  }

  /**
   * GET /sign-in?portal=id - leads to that portal. The person chooses where none is named, and no place to come back
   * to either: that would belong to one of them, and so does a window that a page has opened.
   */
  router.get("/sign-in", (req, res, next) => {
    const { portal: id, ...wishes } = req.query as Record<string, string>;
    const isOpen = id === undefined && wishes.returnTo === undefined && wishes.popup === undefined;
    if (isOpen) return renderChoice(res, all, wishes);
    const further = config.furtherPortals.find(({ portalId }) => portalId === id);
    if (!further) return next();
    if (wishes.popup === "1") keepOpener(res);
    const query = new URLSearchParams({ returnTo: `${req.baseUrl}/`, ...wishes });
    redirect(res, `${req.baseUrl}${further.portalPath}/sign-in?${query}`, 302);
  });

  // A portal that is not there is not to be taken for the first one.
  router.use(["/sign-in", "/sign-out"], (req, _res, next) => {
    const { portal: id = firstPortal } = req.query;
    if (id !== firstPortal) throw new AppError("not_found");
    next();
  });
  return router;
}

function targetsOf(config: Config): (requestUrl: string) => boolean {
  const targetOf = proxyTargets(config);
  return (requestUrl) => {
    try {
      targetOf(requestUrl);
      return true;
    } catch {
      return false;
    }
  };
}

import express, { type Router } from "express";
import { isAllowedTarget } from "../proxy/arcgis-proxy.ts";
import { callbackRoute } from "./callbacks.ts";
import { firstPortal } from "./config/portals.ts";
import { AppError } from "./errors.ts";
import { render } from "./pages/views.ts";
import type { PortalMount } from "./portal-mount.ts";
import { requestPath } from "./request-path.ts";

/**
 * The portals of PORTALS, in addition to PORTAL_URL. Each has the same routes below its own path (/portals/{id}), with
 * its own callback, and its own session in the browser.
 */
export function portals(main: PortalMount, further: { mount: PortalMount; router: Router }[]): Router {
  const router = express.Router();
  const all = [main, ...further.map(({ mount }) => mount)].map(({ config }) => config);

  // A sign-in leads to none of these, nor to an ambiguous path. The library ensures that for its own routes only.
  const ownRoutes = all.flatMap((config) =>
    ["/sign-in", "/sign-out", "/signed-in", callbackRoute(config)].map((path) => config.portalPath + path),
  );
  router.get(
    all.map(({ portalPath }) => `${portalPath}/sign-in`),
    (req, _res, next) => {
      const { returnTo, ...params } = req.query as Record<string, string>;
      const path = requestPath(String(returnTo))?.folded;
      if (path === undefined || ownRoutes.some((route) => path === (req.baseUrl + route).toLowerCase()))
        req.url = `${req.path}?${new URLSearchParams(params)}`;
      next();
    },
  );

  for (const { mount, router: routes } of further) {
    const { portalPath, portal, proxyAllow: allow } = mount.config;
    router.use(portalPath, routes, () => {
      throw new AppError("not_found");
    });
    // The URL decides whose token it gets: a page may use /proxy for all portals.
    router.all("/proxy", (req, res, next) =>
      isAllowedTarget(req.originalUrl, { portal, allow }) ? routes(req, res, next) : next(),
    );
  }

  /**
   * GET /sign-in?portal=id - leads to that portal. Without `portal`, the visitor chooses, unless there is a `returnTo` or a
   * window that a page has opened: these belong to one portal.
   */
  router.get("/sign-in", (req, res, next) => {
    const { portal: id, ...params } = req.query as Record<string, string>;
    const isOpen = id === undefined && params.returnTo === undefined && params.popup === undefined;
    if (isOpen) return render(res, "choice", "choice.title", { choices: all, params });
    const named = further.find(({ mount }) => mount.config.portalId === id);
    if (!named) return next();
    if (params.popup === "1") res.set("Cross-Origin-Opener-Policy", "unsafe-none");
    const query = new URLSearchParams({ returnTo: `${req.baseUrl}/`, ...params });
    res.status(302).set("Location", `${req.baseUrl}${named.mount.config.portalPath}/sign-in?${query}`).end();
  });

  // An unknown portal must not lead to the first one.
  router.use(["/sign-in", "/sign-out"], (req, _res, next) => {
    const { portal: id = firstPortal } = req.query;
    if (id !== firstPortal) throw new AppError("not_found");
    next();
  });
  return router;
}

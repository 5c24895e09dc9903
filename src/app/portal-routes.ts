import express, { type RequestHandler, type Router } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import session from "express-session";
import { isPrefetch } from "../index.ts";
import { allowOnly } from "./allow-only.ts";
import { addApi } from "./api.ts";
import { callbackRoute } from "./callbacks.ts";
import type { Config } from "./config/config.ts";
import { AppError } from "./errors.ts";
import { addRefusedAuth } from "./forward-auth.ts";
import { addEmbed } from "./pages/embed.ts";
import { addHome } from "./pages/home.ts";
import { addMap } from "./pages/map.ts";
import { addSignIns } from "./pages/sign-ins.ts";
import { render } from "./pages/views.ts";
import type { PortalMount } from "./portal-mount.ts";
import { addProxy } from "./proxy.ts";

/** All routes of one portal. The most frequent ones come before express-session, and only read the session. */
export function portalRoutes(mount: PortalMount, limit: RequestHandler): Router {
  const { config, auth, shareSession } = mount;
  const callback = callbackRoute(config).replace(/[()[\]{}?+!:*\\]/g, "\\$&");
  const router = express.Router();
  // All in one router: Express lets a turn of the event loop pass for each that has no route for a request.
  addHome(router, mount);
  addProxy(router, mount);
  addApi(router, mount);
  addRefusedAuth(router);
  router.use(mount.assets);

  router.all(["/sign-in", "/signed-in", "/signed-out", callback], allowOnly("GET, HEAD"));
  router.all("/sign-out", allowOnly("GET, HEAD, POST"));
  router.get(["/sign-in", callback], limit);
  // The last page of a window that was opened to sign in (/sign-in?popup=1).
  router.get("/signed-in", (_req, res) => {
    res.set("Cross-Origin-Opener-Policy", "unsafe-none");
    render(res, "signed-in", "signed-in.title");
  });
  // Pages go here when their session has ended, so that nothing of the user stays on the screen (session-watch.js).
  router.get("/signed-out", auth.readOnly, (req, res) => {
    render(res, "signed-out", "signed-out.title", {
      signInHref: req.arcgis.signInUrl(String(req.query.returnTo)),
    });
  });
  if (shareSession) router.use(session(auth.sessionOptions));
  router.use(auth);
  addSignIns(router, mount);
  addMap(router, mount);
  addEmbed(router, mount);
  return router;
}

/** Limits requests per minute and address; for IPv6 per network, because one customer has a whole network. */
export function signInLimit(perMinute: Config["rateLimit"]): RequestHandler {
  if (perMinute === false) return (_req, _res, next) => next();
  return rateLimit({
    windowMs: 60_000,
    limit: perMinute,
    skip: (req) => req.method === "HEAD" || isPrefetch(req),
    // Over a Unix socket, clients without a trusted proxy have no address: they are counted together.
    keyGenerator: ({ ip = "" }) => ipKeyGenerator(ip, 64),
    standardHeaders: "draft-8",
    legacyHeaders: false,
    // Its warnings would go to the console. Our configuration checks the same things.
    validate: false,
    handler: (_req, _res, next) => next(new AppError("rate_limited")),
  });
}

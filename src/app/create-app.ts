/**
 * The whole server, to start it or to mount it in an app of yours.
 *
 * @module arcgis-sign-in/server
 */
import { channel } from "node:diagnostics_channel";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import express, { type Express, type Request, type Router } from "express";
import type { Logger } from "pino";
import { type ArcGISAuth, arcgisAuth } from "../index.ts";
import type { SealedStore } from "../session-store.ts";
import { accessOf } from "./access.ts";
import { autoSignIn } from "./auto-sign-in.ts";
import { browserName } from "./browser-name.ts";
import { callbackRoute, callbacks } from "./callbacks.ts";
import type { Config } from "./config/config.ts";
import { firstPortal } from "./config/portals.ts";
import { errorPage } from "./error-page.ts";
import { AppError } from "./errors.ts";
import { logEvent } from "./events.ts";
import { warnOfForeignCookie } from "./foreign-cookie.ts";
import { forwardAuth } from "./forward-auth.ts";
import { addHealth } from "./health.ts";
import { openLog } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { logActions } from "./operator-log.ts";
import { accountPath, openViews, renderConfirm } from "./pages/views.ts";
import type { PortalMount } from "./portal-mount.ts";
import { portalRoutes, signInLimit } from "./portal-routes.ts";
import { portals } from "./portals.ts";
import { requestLog } from "./request-log.ts";
import { addressesWithoutPorts, refuseRewritten } from "./reverse-proxy.ts";
import { boundHeaders, securityHeaders } from "./security-headers.ts";
import { addSecurityTxt } from "./security-txt.ts";
import { siteFolder } from "./site-folder.ts";
import { openStore } from "./store.ts";

export type { Logo } from "./config/brand.ts";
export { type Config, ConfigError, type LoadOptions, loadConfig } from "./config/config.ts";
export type { RedisAddress } from "./config/redis-url.ts";
export { createHttpServer, type HttpLimits, type HttpServerOptions } from "./http-server.ts";

export interface AppOptions {
  /** From `loadConfig()`. */
  config: Config;
  /** The sessions; opened from the configuration by default. */
  store?: SealedStore;
  /** To the standard output by default. */
  log?: Logger;
  /**
   * Whether the app runs express-session itself and keeps the sign-in in `req.session.arcgis`, as Esri's tutorial does.
   * By default it has a separate session, so that an app around it keeps its own `req.session`.
   */
  shareSession?: boolean;
  /** A sentence on every page, such as that this is only a demo: a key of the catalogs, or the text itself. */
  notice?: string | undefined;
  /**
   * Buttons on the start page of a signed-in user, and with `visitors` also on that of a visitor; `href` is a path of this
   * app, `label` a key of the catalogs or a text.
   */
  links?: { href: string; label: string; visitors?: boolean }[] | undefined;
  /** Aborted when the server begins to stop: from then on /readyz responds 503. */
  stopping?: AbortSignal;
  /** Adds your own routes, behind the sign-in and in front of the 404 page. */
  routes?: ((site: Site) => void) | undefined;
}

/** What your own routes need. */
export interface Site {
  router: Router;
  /** "main" for the portal of PORTAL_URL. For each of PORTALS, `routes` runs once more, below /portals/{id}. */
  portalId: string;
  /** Guards such as `auth.requireSignIn()`; `req.arcgis` has the user and their identity. */
  auth: ArcGISAuth;
}

/** The whole server as an Express app. */
export interface App extends Express {
  /**
   * The same for `createServer`, but GET /auth does not go through Express, which would take as long as the rest: a
   * reverse proxy sends one with every request.
   */
  listener: RequestListener;
  /** Finishes pending revocations (1.5 s at most), and closes the store if the app opened it. */
  close(): Promise<void>;
}

/**
 * Makes the server as an Express app. Let it listen, or mount it in another app:
 * `host.use("/gis", await createApp({ config }))`, with a redirect URI below that path.
 * @throws ConfigError when the session folder cannot be used, or for a mistake in VIEWS_DIR
 */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, shareSession = false, notice, links = [], stopping, routes } = options;
  const views = openViews(config, notice);
  const log = options.log ?? (await openLog(config.logLevel));
  const { store, close } = options.store
    ? { store: options.store, close: async () => {} }
    : await openStore(config, log);
  let metrics: Promise<Metrics> | undefined;
  const getMetrics = () => {
    metrics ??= import("./metrics.ts").then(({ createMetrics }) =>
      createMetrics(async () => (await store.admin.names()).length),
    );
    return metrics;
  };
  const count = (change: (metrics: Metrics) => void) => void getMetrics().then(change);
  const onPortalRequest = (message: unknown) => {
    const { url, seconds } = message as { url: string; seconds: number };
    count((metrics) => metrics.portalRequest(url, seconds));
  };
  const portalRequests = channel("arcgis-sign-in:portal-request");
  portalRequests.subscribe(onPortalRequest);

  const endLogging = logActions(store, log);

  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("trust proxy", config.trustProxy);
  app.set("query parser", "simple");
  Object.assign(app.locals, { links, views });

  const access = accessOf(config.access);
  const configs = [config, ...config.furtherPortals];
  const isAtRoot = config.callbackPath === callbackRoute(config);
  const mounts: PortalMount[] = [];
  for (const each of configs) mounts.push(mountOf(each));
  const limit = signInLimit(config.rateLimit);
  const [main, ...further] = mounts.map((mount) => ({ mount, router: routerOf(mount) }));
  if (!main) throw new TypeError("createApp: config has no portal");

  const countRequest = (req: Request, seconds: number) => count((metrics) => metrics.request(req, seconds));
  const isTrusted = (address?: string) => app.get("trust proxy fn")(address, 0);
  const authRoutes = new Map(
    mounts.map((mount) => [`${mount.config.portalPath}/auth`, forwardAuth(mount, isTrusted)]),
  );
  for (const [path, handler] of authRoutes) app.get(path, handler);
  app.use(addressesWithoutPorts, requestLog(log, countRequest), boundHeaders, securityHeaders(config));
  addSecurityTxt(app, config);
  app.use(callbacks(configs));
  if (further.length > 0) app.use(portals(main.mount, further));
  addHealth(app, { ...main.mount, log }, getMetrics, stopping);
  app.use(main.router, refuseRewritten, siteFolder(main.mount), () => {
    throw new AppError("not_found");
  });
  app.use(errorPage(log, (code) => count((metrics) => metrics.refusal(code))));
  return Object.assign(app, {
    listener(req: IncomingMessage, res: ServerResponse) {
      const [path = ""] = req.url?.split("?", 1) ?? [];
      const auth = req.method === "GET" ? authRoutes.get(path) : undefined;
      if (auth) void auth(req, res, () => app(req, res));
      else app(req, res);
    },
    async close() {
      portalRequests.unsubscribe(onPortalRequest);
      endLogging();
      await Promise.all(mounts.map(({ auth }) => auth.close()));
      await close();
    },
  });

  /** The library for one portal, with a session cookie of its own: no session holds the tokens of two portals. */
  function mountOf(config: Config): PortalMount {
    const { portalId, allowedOrgs, clientId, clientSecret, redirectUri, portal, pkce, cookieName } = config;
    const portalLog = configs.length > 1 ? log.child({ portal: portalId }) : log;
    const auto = autoSignIn(config);
    const auth = arcgisAuth({
      ...{ clientId, clientSecret, redirectUri, portal, pkce, cookieName, store, shareSession },
      sessionKey: portalId === firstPortal ? "arcgis" : `arcgis:${portalId}`,
      basePath: "",
      callbackPath: callbackRoute(config),
      portalServerUrl: config.portalServerUrl,
      sessionSecret: config.sessionSecrets,
      encryptionKey: config.encryptionKeys,
      expiration: config.tokenExpirationMinutes,
      allowedOrganizations: allowedOrgs.length > 0 ? allowedOrgs : undefined,
      signOutOfPortal: config.alsoSignOutPortal,
      // An app at `/` that needs a sign-in would lead to the portal, where form-action lets no form of ours end.
      signedOutPath:
        config.isInFront && access.judge("/", undefined).refusal ? "/account" : accountPath(config),
      passRefusals: true,
      browserOf: (req) => browserName(req.get("User-Agent")),
      confirmSignOut({ arcgis: { user, csrfToken } }, res) {
        if (user) renderConfirm(res, { user, csrfToken });
      },
      onEvent(event) {
        logEvent(portalLog, event);
        count((metrics) => metrics.event(event));
        if (event.type === "sign-in" && event.req) warnOfForeignCookie(event.req, portalLog, config);
        const { res } = (event.req ?? {}) as Partial<Request>;
        if (res && event.username) res.locals.signedInAs = event.username;
        if (res && ["sign-in-started", "sign-out"].includes(event.type)) auto.stop(res);
        // What pages have stored about the user. If the app has only a path of this origin, others share the storage.
        // The cache only if the files of SITE_DIR are in it: Chromium takes seconds for that (crbug.com/40233601).
        const storage = app.path() === "" && isAtRoot ? '"storage"' : [];
        const cleared = [config.siteDir === undefined ? [] : '"cache"', storage].flat().join(", ");
        if (cleared && event.type === "sign-out") res?.set("Clear-Site-Data", cleared);
      },
    });
    return {
      config,
      auth,
      shareSession,
      store,
      access,
      auto,
      mounts,
      assets: views.assets,
      log: portalLog,
      count,
    };
  }

  function routerOf(mount: PortalMount): Router {
    const own = express.Router();
    routes?.({ router: own, portalId: mount.config.portalId, auth: mount.auth });
    return portalRoutes(mount, limit).use(own);
  }
}

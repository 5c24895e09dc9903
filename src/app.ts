import express, { type Express, type Router } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import type { Logger } from "pino";
import type { Config } from "./app/config/config.ts";
import { firstPortal } from "./app/config/portals.ts";
import { personalRequest } from "./arcgis/request.ts";
import { revocations } from "./arcgis/revocations.ts";
import { type TokenKeeper, tokenKeeper } from "./arcgis/tokens.ts";
import { AppError } from "./errors.ts";
import { type Guards, guards } from "./guards.ts";
import { api } from "./routes/api.ts";
import { assets } from "./routes/assets.ts";
import { autoSignIn } from "./routes/auto-sign-in.ts";
import { embed } from "./routes/embed.ts";
import { map } from "./routes/map.ts";
import { operations } from "./routes/operations.ts";
import { pages } from "./routes/pages.ts";
import { portals } from "./routes/portals.ts";
import { proxy } from "./routes/proxy.ts";
import { signIn } from "./routes/sign-in.ts";
import { signIns } from "./routes/sign-ins.ts";
import { views } from "./routes/views.ts";
import { apart } from "./session/apart.ts";
import { flowCookie } from "./session/flow.ts";
import { formTokens } from "./session/form-token.ts";
import { keyRing } from "./session/seal.ts";
import type { SealedStore } from "./session/sealed-store.ts";
import { readOnlySessions, sessions } from "./session/session.ts";
import { boundHeaders, errorPage, requestLog, securityHeaders } from "./web.ts";

/** What the server is made of. */
export interface AppParts {
  config: Config;
  /** Where the sessions are kept. */
  store: SealedStore;
  log: Logger;
  /** A sentence that every page shows, such as that this is only a demo. */
  notice?: string;
  /** Buttons on the start page of somebody who is signed in; `href` is a path of this app. */
  links?: { href: string; label: string }[];
  /** Aborted when the server begins to stop: from then on /readyz sends visitors elsewhere. */
  stopping?: AbortSignal;
  /** Adds your own routes, which ours do not hide. */
  routes?: (site: Site) => void;
}

/** What your own routes need. */
export interface Site extends Guards {
  router: Router;
  /** "main" for the portal of PORTAL_URL. For each of PORTALS your routes are made once more, below /portals/{id}. */
  portalId: string;
  /** Gives the identity of whoever is signed in, with a fresh token; the guard before it has seen to the session. */
  identityOf: TokenKeeper["identityOf"];
  /**
   * The `request` option for the functions of `@esri/arcgis-rest-*`: it has a time limit, follows no redirect with
   * a token, writes none into an address, and renews one that is refused.
   */
  request: ReturnType<typeof personalRequest>;
}

/**
 * The whole server as an Express app. It listens by itself, or it is mounted in another app:
 * `host.use("/gis", createApp({ config, store, log }))`, with a redirect URI below that path.
 */
export function createApp({
  config,
  store,
  log: appLog,
  notice,
  links = [],
  stopping,
  routes,
}: AppParts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("trust proxy", config.trustProxy);
  app.set("query parser", "simple");
  Object.assign(app.locals, { notice, links, tokenHandover: config.tokenHandover });
  views(app);

  const allPortals = [config, ...config.furtherPortals];
  const forms = formTokens(config.sessionSecrets);
  const limit = signInLimit(config.rateLimit);
  const waiting = revocations({ store, log: appLog });
  store.onExpired = (identity) => waiting.revoke(identity);
  const keepers = new Map<Config, TokenKeeper>(
    allPortals.map((config) => [
      config,
      tokenKeeper({ config, store, revocations: waiting, log: logOf(config) }),
    ]),
  );
  const keeperOf = (config: Config) => keepers.get(config) as TokenKeeper;
  store.onClose = () =>
    Promise.all([...[...keepers.values()].map((keeper) => keeper.settle()), waiting.close()]);

  function logOf({ severalPortals, portalId }: Config): Logger {
    return severalPortals ? appLog.child({ portal: portalId }) : appLog;
  }

  /** Adds all that has to do with one portal. `config` is that portal's own. */
  function addRoutes(router: Router, config: Config): void {
    const log = logOf(config);
    const flows = flowCookie(keyRing(config.encryptionKeys), config);
    const withSession = apart(sessions(config, store));
    const withView = apart(readOnlySessions(config, store));
    // An answer of /proxy may leave late, when the browser has another cookie.
    const withBareView = apart(readOnlySessions(config, store, { prolong: false }));
    const auto = autoSignIn(config);
    const tokens = keeperOf(config);
    const guard = guards({ config, store, tokens, withSession, log });
    const { memberOnly, requireSignIn } = guard;
    const shared = { config, store, forms, withSession, revocations: waiting, log };

    // In front, as they are asked most: a map has a hundred tiles, and each layer before them takes its time.
    router.use(pages({ config, portals: allPortals, store, forms, withView, auto, keeperOf }));
    router.use(proxy({ config, tokens, withView: withBareView, memberOnly }));
    router.use(signIn({ ...shared, portals: allPortals, flows, limit, auto }));
    router.use(signIns({ ...shared, recheck: tokens.recheck, requireSignIn }));
    router.use(assets());
    router.use(map({ config, forms, requireSignIn }));
    router.use(api({ config, tokens, withSession, memberOnly }));
    router.use(embed({ config, requireSignIn }));
    if (config.portalId === firstPortal) router.use(operations({ config, store, stopping, log }));
    if (routes) {
      const own = express.Router();
      const { portalId } = config;
      routes({ router: own, portalId, identityOf: tokens.identityOf, request: personalRequest(), ...guard });
      router.use(own);
    }
  }

  app.use(requestLog(appLog), boundHeaders, securityHeaders(config));
  if (config.furtherPortals.length > 0) app.use(portals(config, addRoutes));
  addRoutes(app, config);
  app.use(() => {
    throw new AppError("not_found");
  });
  app.use(errorPage(appLog));
  return app;
}

/** So many requests a minute and address; IPv6 by network, for one customer has a whole network of addresses. */
function signInLimit(perMinute: Config["rateLimit"]) {
  if (perMinute === false) return ((_req, _res, next) => next()) as express.RequestHandler;
  return rateLimit({
    windowMs: 60_000,
    limit: perMinute,
    // Over a Unix socket nobody has an address, unless a trusted proxy tells it: they are counted together.
    keyGenerator: ({ ip = "" }) => ipKeyGenerator(ip, 64),
    standardHeaders: "draft-8",
    legacyHeaders: false,
    // Its warnings go to the console. What they warn of is checked with the configuration.
    validate: false,
    handler: (_req, _res, next) => next(new AppError("rate_limited")),
  });
}

export { type Config, ConfigError, loadConfig, parseConfig } from "./app/config/config.ts";
export { createHttpServer } from "./http-server.ts";
export { type FileStoreOptions, fileStore } from "./session/file-store.ts";
export { openStore } from "./session/open-store.ts";
export { keyRing } from "./session/seal.ts";
export {
  type SealedFileStore,
  type SealedFileStoreOptions,
  sealedFileStore,
} from "./session/sealed-file-store.ts";
export { SealedStore } from "./session/sealed-store.ts";

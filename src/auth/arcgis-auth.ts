import type { IncomingMessage } from "node:http";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { NextFunction, Request, RequestHandler, Response, Router } from "express";
import type { SessionOptions } from "express-session";
import { isBelow } from "./arcgis/trusted-urls.ts";
import { type ArcGISContext, type Auth, createAuth } from "./auth-context.ts";
import { AuthError } from "./errors.ts";
import { type Guards, guards } from "./guards.ts";
import type { ArcGISAuthOptions } from "./options.ts";
import type { SealedStore } from "./session/sealed-store.ts";
import { signInRoutes } from "./sign-in.ts";

/** Middleware for `app.use`, with guards that work anywhere in the app. */
export interface ArcGISAuth extends RequestHandler, Guards {
  readonly store: SealedStore;
  /** For `shareSession`: `app.use(session(auth.sessionOptions))` before `app.use(auth)`. */
  readonly sessionOptions: SessionOptions;
  /**
   * Puts `req.arcgis` on requests of a route that only reads: cheap, and with `shareSession` also in front of
   * session(). The sign-in was validated (`req.arcgis.validate`). Use it where you use `auth`, not deeper.
   */
  readonly readOnly: RequestHandler;
  /**
   * The same for a request of any kind, such as a WebSocket upgrade. Sends no cookie without `res`, so a response may be
   * slow. With `touch: false` it does not count as use of the session: for what pages request without their user.
   */
  contextOf(req: IncomingMessage, options?: { touch?: boolean; res?: Response }): Promise<ArcGISContext>;
  /** The identity of the user who makes a request; `undefined` when no user is signed in. */
  identityOf(req: IncomingMessage): Promise<ArcGISIdentityManager | undefined>;
  /** Revokes tokens at their portal: within 3 s, or later if the portal is down. Never rejects. */
  revoke(identities: ArcGISIdentityManager | ArcGISIdentityManager[]): Promise<void>;
  /** Tries the revocations that wait for their portal, now; returns how many are left. */
  revokePending(): Promise<number>;
  /** Stops timers, stores what is still to be stored (1.5 s at most), and closes the store unless it is yours. */
  close(): Promise<void>;
}

/** The mounts that a request has passed, in order. */
const mountsOf = new WeakMap<Request, Auth[]>();

/**
 * Sign-in with ArcGIS Online or ArcGIS Enterprise for an Express app: the routes /sign-in, /sign-out and the callback,
 * and `req.arcgis` on every request behind it. Throws a TypeError that lists all problems of the options.
 */
export function arcgisAuth(options: ArcGISAuthOptions): ArcGISAuth {
  const auth = createAuth(options);
  const { settings } = auth;
  const routers = new Map<string, Router>();

  /** The routes as this mount sees them: `app.use(auth)` and `app.use("/gis", auth)` both work. */
  function routerFor(baseUrl: string): Router {
    // Express matches a mount in any spelling, and baseUrl has that of the request.
    const requested = settings.proxyPrefix + baseUrl;
    const isFit = isBelowAnyCase(settings.callbackPath, requested);
    const mount = isFit ? settings.callbackPath.slice(0, requested.length) : requested;
    const known = routers.get(mount.toLowerCase());
    if (known) return known;
    if (!settings.callbackRoute && !isFit)
      throw new AuthError("not_mounted", {
        message: `arcgisAuth is mounted at "${mount}", and the callback ${settings.callbackPath} is not below it`,
      });
    const base = isBelowAnyCase(settings.basePath, mount) ? settings.basePath : mount + settings.basePath;
    const escaped = (path: string) => path.replace(/[()[\]{}?+!:*\\]/g, "\\$&") || "/";
    const relative = (path: string) => escaped(path.slice(mount.length));
    const router = signInRoutes(auth, {
      base,
      callback: settings.callbackRoute ? escaped(settings.callbackRoute) : relative(settings.callbackPath),
      signIn: relative(`${base}/sign-in`),
      signOut: relative(`${base}/sign-out`),
      signedIn: relative(`${base}/signed-in`),
    });
    auth.base = base;
    routers.set(mount.toLowerCase(), router);
    return router;
  }

  function problemOfSharing(req: Request): string | undefined {
    if (!auth.isShared(req)) return req.session ? "it has another store" : "req.session is missing";
    // What reads the cookie itself, such as identityOf(), would not find the session.
    const isFound = auth.cookie.idIn(req) === req.sessionID || !(auth.properties.identity in req.session);
    return isFound ? undefined : "it has another name or secret";
  }

  const handler = async (req: Request, res: Response, next: NextFunction) => {
    const router = routerFor(req.baseUrl);
    // express-session has no session for "OPTIONS *".
    const problem = settings.shareSession && req.path.startsWith("/") && problemOfSharing(req);
    if (problem)
      throw new AuthError("not_mounted", {
        message: `shareSession: app.use(session(auth.sessionOptions)) must come before app.use(auth): ${problem}`,
      });
    const mounts = mountsOf.get(req) ?? [];
    mountsOf.set(req, [...mounts, auth]);
    // With several mounts, the first is the default; inside its own base path each is itself.
    const isHere =
      auth.base !== "" && isBelowAnyCase(settings.proxyPrefix + req.baseUrl + req.path, auth.base);
    if (mounts.length === 0 || isHere) req.arcgis = await auth.contextOf(req, res);
    router(req, res, next);
  };

  const readOnly = async (req: Request, res: Response, next: NextFunction) => {
    routerFor(req.baseUrl);
    req.arcgis = await auth.contextOf(req, res);
    await req.arcgis.validate();
    next();
  };
  const { store, cookie, revoker, close } = auth;
  const shared = { name: cookie.name, cookie: cookie.options, secret: settings.sessionSecrets, store };
  const bound = guards(() => auth);
  return Object.assign(handler, bound, {
    store,
    sessionOptions: { ...shared, resave: false, saveUninitialized: false },
    readOnly,
    contextOf: (req: IncomingMessage, options: { touch?: boolean; res?: Response } = {}) =>
      auth.contextOf(req, options.res, options.touch),
    async identityOf(req: IncomingMessage) {
      const context = await auth.contextOf(req);
      return (await context.validate()) && context.identity();
    },
    revoke: revoker.revoke,
    revokePending: revoker.retry,
    close,
  });
}

/** Guards for routes behind exactly one arcgisAuth. */
export const { requireSignIn, requireOrganization, requireRole, requirePrivilege, requireGroup } = guards(
  (req) => {
    const [auth, ...others] = mountsOf.get(req) ?? [];
    if (!auth || others.length > 0)
      throw new AuthError("not_mounted", {
        message: auth
          ? "this route is behind several arcgisAuth: use auth.requireSignIn() of one of them"
          : "this route runs before arcgisAuth: app.use(auth) first, or use auth.requireSignIn()",
      });
    return auth;
  },
);

function isBelowAnyCase(path: string, base: string): boolean {
  return isBelow(path.toLowerCase(), base.toLowerCase());
}

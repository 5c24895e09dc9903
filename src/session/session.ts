import { promisify } from "node:util";
import type { Request, RequestHandler, Response } from "express";
import session, { type SessionData } from "express-session";
import type { IdentityManager } from "../arcgis/identity-manager.ts";
import type { Profile } from "../arcgis/profile.ts";
import type { Config } from "../config.ts";
import type { SealedStore } from "./sealed-store.ts";

declare module "express-session" {
  interface SessionData {
    /** Who is signed in, with their tokens. It is deserialized when a route asks for it. */
    identity: IdentityManager;
    /** What the portal says about them. */
    profile: Profile;
    /** When the session was last made to live longer (ms since 1970). */
    prolongedAt: number;
  }
}

/** The session's cookie: an opaque signed id and nothing else. `__Host-` binds it to this very host (RFC 6265bis, 4.1.3.2). */
function cookieOf({ secure }: Config) {
  return {
    name: secure ? "__Host-arcgis.sid" : "arcgis.sid",
    // Lax, not Strict: with Strict the browser would come back from the portal without its cookies.
    cookie: { httpOnly: true, sameSite: "lax", path: "/", secure },
  } as const;
}

/**
 * Gives routes `req.session`. A stranger gets no cookie and costs no file: only a sign-in fills a session.
 * Routes that do without this cost no reading either.
 */
export function sessions(config: Config, store: SealedStore): RequestHandler {
  const load = session({
    ...cookieOf(config),
    secret: config.sessionSecrets,
    store,
    resave: false,
    saveUninitialized: false,
  });

  return (req, res, next) => {
    load(req, res, (error?: unknown) => {
      const identity = req.session?.identity;
      // Tokens of another portal or application, from before the configuration was changed, are no sign-in here.
      if (identity && (identity.portal !== config.portal || identity.clientId !== config.clientId)) {
        delete (req.session as Partial<typeof req.session>).identity;
      }
      next(error);
    });
  };
}

/**
 * Starts a session under a new id, in place of the one this request came with, and waits until it is kept.
 * @throws AppError store_unavailable; then the old session stays as it was, and no cookie is sent.
 */
export async function startSession(req: Request, data: Partial<SessionData>): Promise<void> {
  await promisify(req.session.regenerate.bind(req.session))();
  Object.assign(req.session, data);
  try {
    await promisify(req.session.save.bind(req.session))();
  } catch (error) {
    delete (req as Partial<Request>).session;
    throw error;
  }
}

/**
 * Lets the browser keep its cookie until `endsAt` (ms since 1970): a new refresh token prolongs the session.
 * express-session sends a cookie again when something in the session has changed.
 */
export function prolongCookie({ session }: Request, endsAt: number): void {
  session.prolongedAt = Date.now();
  session.cookie.maxAge = endsAt - session.prolongedAt;
}

/**
 * Ends the session, here and in the browser.
 * @throws AppError store_unavailable; then the person is still signed in.
 */
export async function endSession(req: Request, res: Response, config: Config): Promise<void> {
  await promisify(req.session.destroy.bind(req.session))();
  const { name, cookie } = cookieOf(config);
  res.clearCookie(name, cookie);
}

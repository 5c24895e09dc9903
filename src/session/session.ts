import { createHmac, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { parseCookie } from "cookie";
import type { Request, RequestHandler, Response } from "express";
import session, { type SessionData } from "express-session";
import type { Config } from "../app/config/config.ts";
import type { IdentityManager } from "../arcgis/identity-manager.ts";
import type { Profile } from "../arcgis/profile.ts";
import { cookieNames } from "./cookie-names.ts";
import type { SealedStore, SessionView } from "./sealed-store.ts";
import { freeze } from "./session-content.ts";

declare module "express-session" {
  interface SessionData {
    /** Who is signed in, with their tokens. It is deserialized when a route asks for it. */
    identity: IdentityManager;
    /** What the portal says about them. */
    profile: Profile;
    /** The browser that signed in, in words such as "Firefox on Linux"; missing when it is not known. */
    browser: string | undefined;
    /** When the session was last made to live longer (ms since 1970). */
    prolongedAt: number;
  }
}

/** An end that moves by less is not worth another cookie. */
const toleranceMs = 60 * 60_000;

/** What a request sees that has no session. */
const nobody = freeze({ cookie: { originalMaxAge: null, expires: null } }) as unknown as Request["session"];

/** The session's cookie: an opaque signed id and nothing else. */
function cookieOf(config: Config) {
  const { secure } = config;
  return {
    name: cookieNames(config).session,
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
      if (req.session && isForeign(req.session, config))
        delete (req.session as Partial<SessionData>).identity;
      next(error);
    });
  };
}

/**
 * Gives routes that only look at it a `req.session` that nobody can change: whoever tries gets a TypeError. It is
 * not for routes that need a token, which may have to be renewed.
 *
 * The same cookie, the same store, and none of what express-session does to find out whether a session was
 * changed: a third of the time of a small page.
 *
 * @param options `prolong: false` sends no cookie: it is for answers that may leave when the browser has another
 */
export function readOnlySessions(
  config: Config,
  store: SealedStore,
  { prolong: tellsEnd = true }: { prolong?: boolean } = {},
): RequestHandler {
  return (req, res, next) => {
    // Like express-session, it leaves a session alone that is there already.
    if (req.session) return next();
    req.session = nobody;
    const { cookie, id } = cookieIn(req, config);
    if (id === undefined) return next();

    store.look(id, (error, view) => {
      if (view && !isForeign(view, config)) {
        req.sessionID = id;
        req.session = view as unknown as Request["session"];
        if (tellsEnd) prolong(res, cookie, view, config);
      }
      next(error);
    });
  };
}

/** Shows a request with a read-only session what is stored of it now, after it was refreshed or has ended. */
export async function lookAgain(
  req: Request,
  res: Response,
  config: Config,
  store: SealedStore,
): Promise<void> {
  const view = await promisify(store.look.bind(store))(req.sessionID);
  req.session = (view as unknown as Request["session"]) ?? nobody;
  if (view) prolong(res, cookieIn(req, config).cookie, view, config);
}

/** A new refresh token prolongs a session, and the browser has to know. */
function prolong(res: Response, cookie: string, { end, toldEnd }: SessionView, config: Config): void {
  if (end > toldEnd + toleranceMs) sendCookie(res, cookie, end, config);
}

/** Tokens of another portal or application, from before the configuration was changed, are no sign-in here. */
function isForeign({ identity }: Partial<SessionData>, { portal, clientId }: Config): boolean {
  return identity !== undefined && (identity.portal !== portal || identity.clientId !== clientId);
}

/**
 * Looks at the session that this browser has at a portal, also at one whose routes these are not. Gives `undefined`
 * when nobody is signed in there.
 * @throws AppError store_unavailable
 */
export async function sessionAt(req: Request, config: Config, store: SealedStore) {
  const { id } = cookieIn(req, config);
  if (id === undefined) return undefined;
  const view = await promisify(store.look.bind(store))(id);
  return view?.identity && !isForeign(view, config) ? { id, ...view, identity: view.identity } : undefined;
}

function cookieIn(req: Request, config: Config): { cookie: string; id: string | undefined } {
  const cookie = parseCookie(req.headers.cookie ?? "")[cookieOf(config).name] ?? "";
  return { cookie, id: signedId(cookie, config.sessionSecrets) };
}

/** The session id in a cookie of express-session, `s:{id}.{signature}`, when one of the secrets has signed it. */
function signedId(cookie: string, secrets: string[]): string | undefined {
  const [, id = "", signature = ""] = /^s:(.*)\.([^.]*)$/s.exec(cookie) ?? [];
  const given = Buffer.from(`${signature}=`);
  const isSigned = secrets.some((secret) => {
    const expected = createHmac("sha256", secret).update(id).digest("base64");
    return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected));
  });
  return isSigned ? id : undefined;
}

/** Whether this request has a session cookie under our name that none of our secrets has signed. */
export function hasForeignCookie(req: Request, config: Config): boolean {
  const { cookie, id } = cookieIn(req, config);
  return cookie !== "" && id === undefined;
}

function sendCookie(res: Response, value: string, end: number, config: Config): void {
  const { name, cookie } = cookieOf(config);
  res.cookie(name, value, { ...cookie, expires: new Date(end) });
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
 * @param options `isNobodys`: its identity was taken out already, and it may as well stay where it is
 * @throws AppError store_unavailable; then the person is still signed in.
 */
export async function endSession(
  req: Request,
  res: Response,
  config: Config,
  { isNobodys = false }: { isNobodys?: boolean } = {},
): Promise<void> {
  await promisify(req.session.destroy.bind(req.session))().catch((error) => {
    if (!isNobodys) throw error;
  });
  const { name, cookie } = cookieOf(config);
  res.clearCookie(name, cookie);
}

import { type ArcGISIdentityManager, ArcGISRequestError } from "@esri/arcgis-rest-request";
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import type { SessionData } from "express-session";
import type { Logger } from "pino";
import type { Config } from "../app/config/config.ts";
import { IdentityManager, oauthOptions, portalSignOut } from "../arcgis/identity-manager.ts";
import { fetchProfile, type Profile, profileWithout } from "../arcgis/profile.ts";
import type { Revocations } from "../arcgis/revocations.ts";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";
import { reasonOf } from "../reason.ts";
import { redirect } from "../redirect.ts";
import { localPath } from "../return-to.ts";
import type { FlowCookie } from "../session/flow.ts";
import type { FormTokens } from "../session/form-token.ts";
import type { SealedStore } from "../session/sealed-store.ts";
import { endSession, hasForeignCookie, startSession } from "../session/session.ts";
import { allowOnly } from "../web.ts";
import type { AutoSignIn } from "./auto-sign-in.ts";
import { browserName } from "./browser-name.ts";
import { callbackRoutes, readCallback } from "./callback.ts";
import { isClickOnOurPage, isFromOurPage, refusePrefetch } from "./fetch-metadata.ts";
import { renderConfirm, renderSignedIn } from "./views.ts";
import { wishesOf } from "./wishes.ts";

export interface SignInParts {
  config: Config;
  /** All portals: no sign-in leads to the sign-in or the sign-out of any of them. */
  portals: Config[];
  flows: FlowCookie;
  store: SealedStore;
  forms: FormTokens;
  /** Gives `req.session`. */
  withSession: RequestHandler;
  /** Slows down who asks too often. */
  limit: RequestHandler;
  auto: AutoSignIn;
  revocations: Revocations;
  log: Logger;
}

/** The last page of a window that was opened to sign in. */
const windowDone = "/signed-in";

/** The sign-in and the sign-out, in the order in which a visitor meets them. */
export function signIn({
  config,
  portals,
  store,
  flows,
  forms,
  withSession,
  limit,
  auto,
  revocations,
  log,
}: SignInParts): Router {
  const router = express.Router();
  const options = oauthOptions(config);
  const callback = callbackRoutes(config.callbackPath);
  const ownPaths = portals.flatMap(pathsOf);

  // 0. To ask what a link leads to, or to load it in advance, is no visit: nothing begins, ends or is used up.
  router.head(["/sign-in", ...callback, "/sign-out"], (_req, res) => void res.status(204).end());
  router.get(["/sign-in", ...callback, "/sign-out"], refusePrefetch);

  // 1. The visitor wants to sign in: this browser remembers that, and goes to the portal.
  router.get("/sign-in", limit, (req, res) => {
    // The browser would drop the cookie, and the sign-in would go in circles.
    if (config.secure && !req.secure) throw new AppError("insecure_connection");
    const root = req.baseUrl.slice(0, req.baseUrl.length - config.portalPath.length);
    const notTo = ownPaths.map((path) => root + path);
    const wanted = localPath(req.query.returnTo, config.origin, notTo) ?? homeOf(req);
    const returnTo = req.query.popup === "1" ? req.baseUrl + windowDone : wanted;
    if (returnTo !== wanted) keepOpener(res);

    auto.noMore(res);
    const { state, codeChallenge } = flows.start(req, res, returnTo);
    const proof = config.pkce ? { codeChallenge } : {};
    IdentityManager.authorize({ ...options, ...proof, ...wishesOf(req), state }, res);
    counts.signInsStarted.add("all");
  });

  // 2. One eternity later, the portal sends the browser back with a one-time code. No page repeats that address:
  //    what went wrong here is tried again from the beginning, and leads to where this one would have.
  router.get(callback, (_req, res, next) => {
    res.locals.signIn = `${config.portalPath}/sign-in`;
    next();
  });
  router.get(callback, limit, withSession, (req, res) => revocations.expect(finishSignIn(req, res)));
  router.use(callback, ((error, _req, _res, next) => {
    counts.signIns.add(error instanceof AppError ? error.code : "internal");
    next(error);
  }) as ErrorRequestHandler);

  async function finishSignIn(req: Request, res: Response): Promise<void> {
    const { state, code, error } = readCallback(req, config);
    const { codeVerifier, returnTo } = flows.finish(req, res, state);
    res.locals.signIn = config.portalPath + signInFor(req, returnTo);
    if (error) throw new AppError(error);

    const proof = config.pkce ? { codeVerifier } : {};
    const identity = await IdentityManager.exchangeAuthorizationCode({ ...options, ...proof }, code).catch(
      codeRefused,
    );
    let replaced: IdentityManager | undefined;
    try {
      const profile = await profileOf(identity, req);
      // Reloaded or closed meanwhile: the cookie would reach nobody, and the session would be nobody's.
      if (res.destroyed) {
        log.info({ ...traceOf(req), event: "sign-in", user: identity.username }, "the browser has gone");
        return await revocations.revoke(identity);
      }
      // Also one that is no sign-in here any more, as the configuration has changed: its tokens are as good as ever.
      replaced = (await store.read(req.sessionID))?.identity;
      await startSession(req, { identity, profile, browser: browserName(req.get("User-Agent")) });
    } catch (reason) {
      // Nobody will ever use these tokens.
      await revocations.revoke(identity);
      throw reason;
    }
    if (hasForeignCookie(req, config)) {
      log.warn(
        { ...traceOf(req), event: "cookie-replaced" },
        "the browser had a session cookie that SESSION_SECRET has not signed: another server on this host name needs a COOKIE_NAME of its own",
      );
    }
    log.info({ ...traceOf(req), event: "sign-in", user: identity.username }, "signed in");
    counts.signIns.add("signed_in");
    if (replaced) void revocations.revoke(replaced);

    if (returnTo === req.baseUrl + windowDone) keepOpener(res);
    redirect(res, returnTo);
  }

  // A page that wants to stay as it is signs in through a small window, which ends here (/sign-in?popup=1).
  router.get(windowDone, (_req, res) => {
    keepOpener(res);
    renderSignedIn(res);
  });

  // 3. The visitor wants to sign out. The tutorial's plain link does it when it is clicked on a page of ours;
  //    in any other way, such as a link or an image on another site, it only asks.
  router.get("/sign-out", withSession, async (req, res) => {
    const { identity, profile } = req.session;
    if (!identity) redirect(res, homeOf(req));
    else if (isClickOnOurPage(req)) await revocations.expect(signOut(req, res, identity));
    else {
      const person = { fullName: profile?.fullName ?? "", username: identity.username };
      renderConfirm(res, { person, formToken: forms.make(req.sessionID) });
    }
  });

  const form = express.urlencoded({ extended: false, limit: "8kb" });
  router.post("/sign-out", form, withSession, async (req, res) => {
    const { identity } = req.session;
    if (!identity) return redirect(res, homeOf(req));
    const sentHere = isFromOurPage(req, config.origin);
    if (!sentHere || !forms.check(req.body?.form_token, req.sessionID)) throw new AppError("form_refused");
    await revocations.expect(signOut(req, res, identity));
  });

  router.all(["/sign-in", windowDone, ...callback], allowOnly("GET, HEAD"));
  router.all("/sign-out", allowOnly("GET, HEAD, POST"));
  return router;

  /** Asks who this is. A slow portal does not stop a sign-in, unless the answer decides who may come in. */
  async function profileOf(identity: ArcGISIdentityManager, req: Request): Promise<Profile> {
    const everybodyMay = config.allowedOrgs.length === 0;
    const profile = await fetchProfile(identity).catch((error) => {
      if (!everybodyMay) throw error;
      log.warn({ ...traceOf(req), reason: reasonOf(error) }, "signed in without a profile");
      return profileWithout(identity.username);
    });
    if (!everybodyMay && !config.allowedOrgs.includes(profile.orgId ?? ""))
      throw new AppError("org_not_allowed");
    return profile;
  }

  async function signOut(req: Request, res: Response, identity: IdentityManager): Promise<void> {
    // The newest tokens, not those this request came with: they may have been renewed meanwhile. And once the
    // identity is taken out, a renewal still under way finds that it is too late.
    let latest = identity;
    const takeOut = (data: Partial<SessionData>) => {
      latest = data.identity ?? identity;
      delete data.identity;
    };
    // A full disk cannot be written, but the session can be removed all the same.
    const isNobodys = await store.update(req.sessionID, takeOut).catch(() => false);
    await endSession(req, res, config, { isNobodys });
    auto.noMore(res);
    log.info({ ...traceOf(req), event: "sign-out", user: identity.username }, "signed out");
    counts.signOuts.add("all");
    await revocations.revoke(latest);
    redirect(res, config.alsoSignOutPortal ? portalSignOut(config, homeOf(req)) : homeOf(req));
  }
}

/** A browser parts a window from the one that opened it at the first answer, redirects too, that asks for it. */
export function keepOpener(res: Response): void {
  res.set("Cross-Origin-Opener-Policy", "unsafe-none");
}

/** Where a sign-in and a sign-out at this portal happen, without the mount path. */
function pathsOf({ portalPath, callbackPath }: Config): string[] {
  const callback = callbackRoutes(callbackPath);
  const own = ["/sign-in", windowDone, "/sign-out", ...callback].map((path) => portalPath + path);
  return [...own, ...callback];
}

/** Where a sign-in begins that leads to this path, without the mount path. */
function signInFor(req: Request, returnTo: string): string {
  if (returnTo === homeOf(req)) return "/sign-in";
  if (returnTo === req.baseUrl + windowDone) return "/sign-in?popup=1";
  return `/sign-in?returnTo=${encodeURIComponent(returnTo)}`;
}

function homeOf(req: Request): string {
  return `${req.baseUrl}/`;
}

function traceOf({ ip, res }: Request): object {
  return { requestId: res?.locals.requestId, address: ip };
}

/** The portal reports a refused code as an error of its own; trouble on the way is an AppError already. */
function codeRefused(error: unknown): never {
  if (!(error instanceof ArcGISRequestError)) throw error;
  throw new AppError(Number(error.code) >= 500 ? "portal_unreachable" : "code_refused", { cause: error });
}

import express, { type ErrorRequestHandler, type Request, type Response, type Router } from "express";
import { IdentityManager } from "./arcgis/identity-manager.ts";
import { fetchProfile, minimalProfile, type UserProfile } from "./arcgis/user-profile.ts";
import type { Auth, SignInRecord } from "./auth-context.ts";
import { digest } from "./auth-transaction.ts";
import { authorizeParams } from "./authorize-params.ts";
import { exchangeFailed, isForeignCallback, parseCallback } from "./callback.ts";
import { AuthError, page } from "./errors.ts";
import { isSameOriginNavigation, redirect, refusePrefetch, safeReturnTo } from "./request-checks.ts";
import { endOfCookie } from "./session/expiry.ts";

/** Routes, relative to where Express mounts this router. `base` is the public path in front of them, such as "/gis". */
export type SignInPaths = Record<"base" | "signIn" | "callback" | "signOut" | "signedIn", string>;

/** Sign-in and sign-out. The tokens stay on the server; the browser gets a session ID. */
export function signInRoutes(auth: Auth, paths: SignInPaths): Router {
  const { settings, transactions, revoker, properties } = auth;
  const { oauth, origin, allowedOrganizations } = settings;
  const router = express.Router();
  const home = `${paths.base}/`;
  const signedOut = paths.base + (settings.signedOutPath ?? "/");
  const popupEnd = `${paths.base}/signed-in`;
  const ownPaths = [`${paths.base}/sign-in`, `${paths.base}/sign-out`, popupEnd, settings.callbackPath];

  // 0. A prefetch or a HEAD request is not a click: it neither starts nor ends a sign-in.
  router.all([paths.signIn, paths.callback, paths.signOut], refusePrefetch);

  // 1. The visitor wants to sign in. An auth transaction goes into a cookie, and the browser goes to the portal.
  //    A page that must not be left, such as a map, opens /sign-in?popup=1 in a popup, which ends at /signed-in.
  router.get(paths.signIn, (req, res) => {
    // Without https, browsers drop Secure cookies, and express-session does not send them.
    if (settings.isSecure && !req.secure)
      throw new AuthError("insecure_connection", { message: `not https here: set Express's "trust proxy"` });
    const requested = safeReturnTo(req.query.returnTo, origin, ownPaths);
    if (req.query.returnTo && requested === undefined) auth.emit({ type: "return-to-dropped", req });
    const returnTo = req.query.popup === "1" ? popupEnd : (requested ?? "");
    if (returnTo === popupEnd) keepOpener(res);
    const { state, codeChallenge } = transactions.begin(req, res, returnTo);
    const pkce = settings.pkce ? { code_challenge: codeChallenge, code_challenge_method: "S256" } : {};
    auth.emit({ type: "sign-in-started", req });
    IdentityManager.authorize({ ...oauth, state, params: { ...authorizeParams(req), ...pkce } }, res);
  });

  // 2. The portal sends the browser back with an authorization code. It is exchanged for tokens, which start a session.
  router.get(paths.callback, (req, res) => revoker.finishBeforeClose(completeSignIn(req, res)));
  async function completeSignIn(req: Request, res: Response): Promise<void> {
    const session = await auth.sessionOf(req, res);
    const { state, code, error } = parseCallback(req, oauth.portal);
    // The Back button, or a restored tab, loads the callback of a sign-in that has succeeded.
    const completed = auth.signInOf(session)?.states ?? [];
    if (completed.includes(digest(state))) return redirect(res, home);
    const { codeVerifier, returnTo } = transactions.claim(req, res, state);
    res.locals.returnTo = returnTo; // for the error handler at the end of this file
    if (error) throw new AuthError(error);

    const pkce = settings.pkce ? { codeVerifier } : {};
    const identity = await IdentityManager.exchangeAuthorizationCode({ ...oauth, ...pkce }, code).catch(
      exchangeFailed,
    );
    const { username } = identity;
    try {
      const user = await profileOf(req, identity);
      await settings.onSignIn?.({ req, user, identity });
      if (res.destroyed) {
        // The browser has disconnected and would not receive the cookie.
        auth.emit({ type: "sign-in-abandoned", req, username });
        return await revoker.revoke(identity);
      }
      const cookieEndsAt = endOfCookie(identity, Date.now() + auth.store.lifetimes.maxSeconds * 1000);
      const states = [...completed, digest(state)].slice(-6);
      const signIn = { user, states, browser: settings.browserOf?.(req), until: cookieEndsAt };
      const data = { [properties.identity]: identity, [properties.signIn]: signIn satisfies SignInRecord };
      const replaced = (await session.replace(data, cookieEndsAt - Date.now()))?.[properties.identity];
      if (replaced instanceof IdentityManager) void revoker.revoke(replaced);
    } catch (reason) {
      await revoker.revoke(identity); // no session has these tokens
      throw reason;
    }
    auth.emit({ type: "sign-in", req, username });
    if (returnTo === popupEnd) keepOpener(res);
    redirect(res, returnTo || home);
  }

  // The popup tells the page that opened it, and closes.
  router.get(paths.signedIn, (_req, res) => {
    keepOpener(res);
    const script = `<script>window.opener?.postMessage("arcgis-sign-in:done",location.origin);window.close()</script>`;
    res.send(page("Signed in", "You are signed in. You can close this window.", script));
  });

  // 3. The user wants to sign out. A click on a link of our own pages is enough; from elsewhere we ask first (CSRF).
  router.get(paths.signOut, async (req, res, next) => {
    req.arcgis = await auth.contextOf(req, res);
    if (!req.arcgis.user) return redirect(res, signedOut);
    if (isSameOriginNavigation(req)) return signOut(req, res, req.arcgis.user);
    res.set("Cache-Control", "no-store");
    if (settings.confirmSignOut) return settings.confirmSignOut(req, res, next);
    res.send(page("Sign out", "Sign out?", req.arcgis.signOutForm()));
  });

  router.post(paths.signOut, express.urlencoded({ extended: false, limit: "8kb" }), async (req, res) => {
    const { user, verifyForm } = await auth.contextOf(req, res);
    if (!user) return redirect(res, signedOut);
    verifyForm();
    await signOut(req, res, user);
  });

  /** Ends the session here, then revokes the tokens at the portal (within 3 s, or later). */
  async function signOut(req: Request, res: Response, user: UserProfile): Promise<void> {
    const session = await auth.sessionOf(req, res);
    const ended = await revoker.finishBeforeClose(session.end(Object.values(properties)));
    const identity = ended?.[properties.identity];
    // These are the latest tokens. A refresh in progress finds no session, and revokes its new tokens itself.
    if (identity instanceof IdentityManager) await revoker.revoke(identity);
    auth.emit({ type: "sign-out", req, username: user.username });
    await auth.hook(() => settings.onSignOut?.({ req, user }));
    const query = new URLSearchParams({ client_id: oauth.clientId, redirect_uri: origin + home });
    redirect(res, settings.signOutOfPortal ? `${oauth.portal}/oauth2/signout?${query}` : signedOut);
  }

  // 4. A step has failed. The error page's link starts a new sign-in, with the returnTo of the failed one.
  router.use(paths.callback, ((error, req, res, next) => {
    auth.emit({ type: "sign-in-failed", req, error });
    // An app that was here before may have left a cached 301 to the portal, which would bypass /sign-in every time.
    if (isForeignCallback(error)) res.set("Clear-Site-Data", '"cache"');
    next(error);
  }) as ErrorRequestHandler);
  router.use([paths.signIn, paths.callback, paths.signOut], ((error, _req, res, next) => {
    const returnTo = res.locals.returnTo || home;
    const query = returnTo === popupEnd ? "popup=1" : `returnTo=${encodeURIComponent(returnTo)}`;
    if (error instanceof AuthError) error.signInUrl = `${paths.base}/sign-in?${query}`;
    next(error);
  }) as ErrorRequestHandler);
  return router;

  /** If the profile cannot be fetched, the user name will do, unless the user's organization has to be checked. */
  async function profileOf(req: Request, identity: IdentityManager): Promise<UserProfile> {
    const user = await fetchProfile(identity, allowedOrganizations ? 10_000 : undefined).catch((error) => {
      if (allowedOrganizations) throw error;
      auth.emit({ type: "profile-failed", req, username: identity.username, error });
      return minimalProfile(identity.username);
    });
    if (allowedOrganizations && !allowedOrganizations.includes(user.orgId ?? ""))
      throw new AuthError("organization_not_allowed");
    return user;
  }
}

/** Helmet's default, same-origin, would separate a popup from its opener: on redirects, too. */
function keepOpener(res: Response): void {
  res.set("Cross-Origin-Opener-Policy", "unsafe-none");
}

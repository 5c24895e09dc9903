import express, { type Request, type Response, type Router } from "express";
import { IdentityManager } from "./arcgis/identity-manager.ts";
import { fetchProfile, minimalProfile, type UserProfile } from "./arcgis/user-profile.ts";
import type { Auth, SignInRecord } from "./auth-context.ts";
import { digest } from "./auth-transaction.ts";
import { authorizeParams } from "./authorize-params.ts";
import { codeRefused, parseCallback } from "./callback.ts";
import { AuthError, page } from "./errors.ts";
import { isSameOriginNavigation, redirect, refusePrefetch, safeReturnTo } from "./request-checks.ts";
import { endOf } from "./session/expiry.ts";

/** The routes below one public path, in the order in which a visitor meets them. */
export interface SignInPaths {
  /** Public, such as "/gis". */
  base: string;
  /** As this router sees them. */
  signIn: string;
  callback: string;
  signOut: string;
  signedIn: string;
}

/** Sign-in and sign-out. The tokens stay here; the browser gets the id of a session. */
export function signInRoutes(auth: Auth, paths: SignInPaths): Router {
  const { settings, transactions, revoker, keys } = auth;
  const { oauth, origin } = settings;
  const router = express.Router();
  const home = `${paths.base}/`;
  const windowEnd = `${paths.base}/signed-in`;
  const ownPaths = ["/sign-in", "/sign-out", "/signed-in"].map((path) => paths.base + path);

  // 0. A link that is loaded in advance, or only looked at, begins and ends nothing.
  router.all([paths.signIn, paths.callback, paths.signOut], refusePrefetch);

  // 1. The visitor wants to sign in: this browser remembers that, and goes to the portal. A page that wants to stay
  //    as it is does so in a small window (popup=1), which ends at /signed-in.
  router.get(paths.signIn, (req, res) => {
    // The browser would drop the cookie, and the sign-in would go in circles.
    if (settings.isSecure && !req.secure)
      throw new AuthError("insecure_connection", { message: `not https here: set Express's "trust proxy"` });
    const wanted = safeReturnTo(req.query.returnTo, origin, [...ownPaths, settings.callbackPath]) ?? "";
    const returnTo = req.query.popup === "1" ? windowEnd : wanted;
    if (returnTo === windowEnd) keepOpener(res);
    const { state, codeChallenge } = transactions.begin(req, res, returnTo);
    const pkce = settings.pkce ? { code_challenge: codeChallenge, code_challenge_method: "S256" } : {};
    auth.emit({ type: "sign-in-started", req });
    IdentityManager.authorize({ ...oauth, state, params: { ...authorizeParams(req), ...pkce } }, res);
  });

  // 2. The portal sends the browser back with a code. It is judged, exchanged, and becomes a session under a new id.
  router.get(paths.callback, (req, res) => revoker.expect(finish(req, res)));
  async function finish(req: Request, res: Response): Promise<void> {
    const session = await auth.sessionOf(req, res);
    const { state, code, error } = parseCallback(req, oauth.portal);
    const before = auth.signInOf(session)?.states ?? [];
    if (before.includes(digest(state))) return redirect(res, home); // Back, or a restored tab
    const { codeVerifier, returnTo } = transactions.complete(req, res, state);
    res.locals.returnTo = returnTo;
    if (error) throw new AuthError(error);

    const pkce = settings.pkce ? { codeVerifier } : {};
    const identity = await IdentityManager.exchangeAuthorizationCode({ ...oauth, ...pkce }, code).catch(
      codeRefused,
    );
    const { username, portal, clientId } = identity;
    let replaced: unknown;
    try {
      const user = await profileOf(req, identity);
      await settings.onSignIn?.({ req, user, identity });
      if (res.destroyed) {
        // Nobody would receive the cookie.
        auth.emit({ type: "sign-in-abandoned", req, username });
        return await revoker.revoke(identity);
      }
      const until = Math.min(endOf(identity), Date.now() + auth.store.lifetimes.maxSeconds * 1000);
      const states = [...before.slice(-5), digest(state)];
      const browser = settings.browserOf?.(req);
      const signIn: SignInRecord = { user, portal, clientId, states, browser, until };
      const data = { [keys.identity]: identity, [keys.signIn]: signIn };
      replaced = (await session.replace(data, until - Date.now()))?.[keys.identity];
    } catch (reason) {
      await revoker.revoke(identity); // nobody will ever use these tokens
      throw reason;
    }
    auth.emit({ type: "sign-in", req, username });
    if (replaced instanceof IdentityManager) void revoker.revoke(replaced);
    if (returnTo === windowEnd) keepOpener(res);
    redirect(res, returnTo || home);
  }

  router.get(paths.signedIn, (_req, res) => {
    keepOpener(res);
    const script = `<script>window.opener?.postMessage("arcgis-sign-in:done",location.origin);window.close()</script>`;
    res.send(page("Signed in", "You are signed in. You can close this window.", script));
  });

  // 3. The user wants to sign out. A link does it when it is clicked on our own page; from elsewhere it only asks.
  router.get(paths.signOut, async (req, res, next) => {
    req.arcgis = await auth.contextOf(req, res);
    if (!req.arcgis.user) return redirect(res, home);
    if (isSameOriginNavigation(req)) return signOut(req, res, req.arcgis.user);
    res.set("Cache-Control", "no-store");
    if (settings.confirmSignOut) return settings.confirmSignOut(req, res, next);
    res.send(page("Sign out", "Sign out?", req.arcgis.signOutForm()));
  });

  router.post(paths.signOut, express.urlencoded({ extended: false, limit: "8kb" }), async (req, res) => {
    const { user, verifyForm } = await auth.contextOf(req, res);
    if (!user) return redirect(res, home);
    verifyForm();
    await signOut(req, res, user);
  });

  // What goes wrong in a sign-in is tried again from its beginning, and leads to where that one would have.
  router.use(paths.callback, ((error, req, _res, next) => {
    auth.emit({ type: "sign-in-failed", req, error });
    next(error);
  }) as express.ErrorRequestHandler);
  router.use([paths.signIn, paths.callback, paths.signOut], ((error, _req, res, next) => {
    const { returnTo = "" } = res.locals;
    const query =
      returnTo === windowEnd ? "?popup=1" : returnTo && `?returnTo=${encodeURIComponent(returnTo)}`;
    if (error instanceof AuthError) error.signInUrl = `${paths.base}/sign-in${query}`;
    next(error);
  }) as express.ErrorRequestHandler);
  return router;

  /** A slow portal does not stop a sign-in, unless the profile decides who may come in. */
  async function profileOf(req: Request, identity: IdentityManager): Promise<UserProfile> {
    const allowed = settings.allowedOrganizations;
    const user = await fetchProfile(identity).catch((error) => {
      if (allowed) throw error;
      auth.emit({ type: "profile-failed", req, username: identity.username, error });
      return minimalProfile(identity.username);
    });
    if (allowed && !allowed.includes(user.orgId ?? "")) throw new AuthError("organization_not_allowed");
    return user;
  }

  /** Ends the session here first; what the portal does about it takes 3 s at most. */
  async function signOut(req: Request, res: Response, user: UserProfile): Promise<void> {
    const session = await auth.sessionOf(req, res);
    // The newest tokens: a refresh that is still in progress finds that it is too late, and revokes its own.
    const identity = (await revoker.expect(session.end(Object.values(keys))))?.[keys.identity];
    if (identity instanceof IdentityManager) await revoker.revoke(identity);
    auth.emit({ type: "sign-out", req, username: user.username });
    await auth.hook(() => settings.onSignOut?.({ req, user }));
    const query = new URLSearchParams({ client_id: oauth.clientId, redirect_uri: origin + home });
    redirect(res, settings.signOutOfPortal ? `${oauth.portal}/oauth2/signout?${query}` : home);
  }
}

/** A browser separates a window from the one that opened it at the first response, redirects included, that asks for it. */
function keepOpener(res: Response): void {
  res.set("Cross-Origin-Opener-Policy", "unsafe-none");
}

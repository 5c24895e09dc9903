import { ArcGISRequestError } from "@esri/arcgis-rest-request";
import express, { type ErrorRequestHandler, type Request, type Response, type Router } from "express";
import { IdentityManager } from "./arcgis/identity-manager.ts";
import { isUndecided } from "./arcgis/portal-request.ts";
import { isIssuer } from "./arcgis/trusted-urls.ts";
import { fetchProfile, minimalProfile, type UserProfile } from "./arcgis/user-profile.ts";
import type { Auth, SignInRecord } from "./auth-context.ts";
import { digest } from "./auth-transaction.ts";
import { AuthError, type AuthErrorCode, page } from "./errors.ts";
import { isSameOriginNavigation, redirect, refusePrefetch, safeReturnTo } from "./request-checks.ts";
import { endOf } from "./session/expiry.ts";

/** The routes as this router sees them; `base` is the public path in front of them, such as "/gis". */
export type SignInPaths = Record<"base" | "signIn" | "callback" | "signOut" | "signedIn", string>;

/** Sign-in and sign-out. The tokens stay here; the browser gets the ID of a session. */
export function signInRoutes(auth: Auth, paths: SignInPaths): Router {
  const { settings, transactions, revoker, keys } = auth;
  const { oauth, origin, allowedOrganizations } = settings;
  const router = express.Router();
  const home = `${paths.base}/`;
  const windowEnd = `${paths.base}/signed-in`;
  const ownPaths = [`${paths.base}/sign-in`, `${paths.base}/sign-out`, windowEnd, settings.callbackPath];

  // 0. A link that is loaded in advance, or only looked at, begins and ends nothing.
  router.all([paths.signIn, paths.callback, paths.signOut], refusePrefetch);

  // 1. The visitor wants to sign in: this browser remembers that, and goes to the portal. A page that wants to stay
  //    as it is does so in a small window (popup=1), which ends at /signed-in.
  router.get(paths.signIn, (req, res) => {
    // The browser would drop the cookie, and the sign-in would go in circles.
    if (settings.isSecure && !req.secure)
      throw new AuthError("insecure_connection", { message: `not https here: set Express's "trust proxy"` });
    const wanted = safeReturnTo(req.query.returnTo, origin, ownPaths) ?? "";
    const returnTo = req.query.popup === "1" ? windowEnd : wanted;
    if (returnTo === windowEnd) keepOpener(res);
    const { state, codeChallenge } = transactions.begin(req, res, returnTo);
    const pkce = settings.pkce ? { code_challenge: codeChallenge, code_challenge_method: "S256" } : {};
    auth.emit({ type: "sign-in-started", req });
    IdentityManager.authorize({ ...oauth, state, params: { ...authorizeParams(req), ...pkce } }, res);
  });

  // 2. The portal sends the browser back with a code. It is judged, exchanged, and becomes a session under a new ID.
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
    const { username } = identity;
    try {
      const user = await profileOf(req, identity);
      await settings.onSignIn?.({ req, user, identity });
      if (res.destroyed) {
        // The browser has disconnected and would not receive the cookie.
        auth.emit({ type: "sign-in-abandoned", req, username });
        return await revoker.revoke(identity);
      }
      // The browser keeps its cookie as long as the refresh token and the session live.
      const until = Math.min(endOf(identity), Date.now() + auth.store.lifetimes.maxSeconds * 1000);
      const states = [...before.slice(-5), digest(state)];
      const signIn: SignInRecord = { user, states, browser: settings.browserOf?.(req), until };
      const data = { [keys.identity]: identity, [keys.signIn]: signIn };
      const replaced = (await session.replace(data, until - Date.now()))?.[keys.identity];
      if (replaced instanceof IdentityManager) void revoker.revoke(replaced);
    } catch (reason) {
      await revoker.revoke(identity); // there is no session that could use these tokens
      throw reason;
    }
    auth.emit({ type: "sign-in", req, username });
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

  // 4. What goes wrong is tried again from the beginning, and leads to where the sign-in would have led.
  router.use(paths.callback, ((error, req, _res, next) => {
    auth.emit({ type: "sign-in-failed", req, error });
    next(error);
  }) as ErrorRequestHandler);
  router.use([paths.signIn, paths.callback, paths.signOut], ((error, _req, res, next) => {
    const { returnTo = "" } = res.locals;
    const query =
      returnTo === windowEnd ? "?popup=1" : returnTo && `?returnTo=${encodeURIComponent(returnTo)}`;
    if (error instanceof AuthError) error.signInUrl = `${paths.base}/sign-in${query}`;
    next(error);
  }) as ErrorRequestHandler);
  return router;

  /** A slow portal does not stop a sign-in, unless the profile decides who may come in. */
  async function profileOf(req: Request, identity: IdentityManager): Promise<UserProfile> {
    const user = await fetchProfile(identity).catch((error) => {
      if (allowedOrganizations) throw error;
      auth.emit({ type: "profile-failed", req, username: identity.username, error });
      return minimalProfile(identity.username);
    });
    if (allowedOrganizations?.includes(user.orgId ?? "") === false)
      throw new AuthError("organization_not_allowed");
    return user;
  }
}

/**
 * What a visitor may ask of the portal's sign-in page. From the browser: its first language, and its light or dark
 * scheme. From the query: `force_login=true` (to use another account), `username` (filled in), and `provider` (straight
 * to that social login, which an organization can switch on).
 */
function authorizeParams(req: Request) {
  const matching = (value: unknown, pattern: RegExp) =>
    typeof value === "string" && pattern.test(value) ? value : undefined;
  const social = matching(req.query.provider, /^(apple|facebook|github|google)$/);
  return {
    locale: matching(req.acceptsLanguages()[0], /^[a-z]{2,3}(-[a-z]{2})?$/i),
    style: matching(req.get("Sec-CH-Prefers-Color-Scheme"), /^(light|dark)$/),
    // Not documented; the Maps SDK sends these two (`forceLogin`, `forceUserId`).
    force_login: matching(req.query.force_login, /^true$/),
    prepopulatedusername: matching(req.query.username, /^[\w.@+-]{1,128}$/),
    socialLoginProviderName: social,
    autoAccountCreateForSocial: social && "true",
  };
}

/** RFC 6749, 4.1.2.1. The portal's own texts are not shown: they can be written into a link. */
const errorCodes = new Map<unknown, AuthErrorCode>([
  ["access_denied", "access_denied"],
  ["server_error", "portal_unreachable"],
  ["temporarily_unavailable", "portal_unreachable"],
]);

/** A state, with a code or an error. Repeated parameters are arrays, and not from the portal; nor is another issuer's. */
function parseCallback({ query: { state, code, error, iss } }: Request, portal: string) {
  const isText = (value: unknown, maxLength: number): value is string =>
    typeof value === "string" && value.length <= maxLength && /^[\x20-\x7e]+$/.test(value);
  if (!isText(state, 512) || Array.isArray(error) || !(iss === undefined || isIssuer(iss, portal)))
    throw new AuthError("callback_malformed");
  if (error !== undefined) return { state, code: "", error: errorCodes.get(error) ?? "sign_in_refused" };
  if (!isText(code, 2048)) throw new AuthError("callback_malformed");
  return { state, code };
}

/** Only a response about this code is a refusal; that of a busy portal is not. */
function codeRefused(cause: unknown): never {
  if (!(cause instanceof ArcGISRequestError)) throw cause;
  throw new AuthError(isUndecided(cause) ? "portal_unreachable" : "code_refused", { cause });
}

/** A browser separates a window from the one that opened it at the first response, redirects included, that asks for it. */
function keepOpener(res: Response): void {
  res.set("Cross-Origin-Opener-Policy", "unsafe-none");
}

import type { IncomingMessage } from "node:http";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Request, Response } from "express";
import { portalBackoff } from "./arcgis/backoff.ts";
import type { IdentityManager } from "./arcgis/identity-manager.ts";
import { isUnreachable, reachPortalAt, refreshingRequest } from "./arcgis/portal-request.ts";
import { type PendingRevocation, revocation } from "./arcgis/revocation.ts";
import { endOfToken, type IdentityStore, tokenRefresh } from "./arcgis/token-refresh.ts";
import { fetchProfile, minimalProfile, type UserProfile } from "./arcgis/user-profile.ts";
import { authTransactions } from "./auth-transaction.ts";
import { AuthError, type AuthErrorCode, isTemporary } from "./errors.ts";
import { type ArcGISAuthOptions, type AuthEvent, checkOptions } from "./options.ts";
import { csrfTokens, isSameOriginRequest, safeReturnTo, signOutForm } from "./request-checks.ts";
import { endOfCookie } from "./session/expiry.ts";
import { fileBackend } from "./session/file-backend.ts";
import { ownSession, type RequestSession } from "./session/request-session.ts";
import { keyRing } from "./session/seal.ts";
import { SealedStore } from "./session/sealed-store.ts";
import { sessionCookie } from "./session/session-cookie.ts";
import { sharedSession } from "./session/shared-session.ts";

/** What routes see of the sign-in: `req.arcgis`. What throws, throws an AuthError. */
export interface ArcGISContext extends Awaited<ReturnType<Auth["contextOf"]>> {}

declare global {
  namespace Express {
    interface Request {
      arcgis: ArcGISContext;
    }
  }
}

/** What a session holds beside the identity. */
export interface SignInRecord {
  user: UserProfile;
  /** Digests of the states of this browser's latest completed sign-ins: their callbacks may be loaded again. */
  states: string[];
  /** The browser that signed in (`browserOf`). */
  browser?: string | undefined;
  /** When the browser drops its cookie (ms since 1970). */
  until: number;
}

/** What the routes and guards of one mount share. */
export type Auth = ReturnType<typeof createAuth>;

/** Roles and groups change now and then (ms). */
const profileMs = 10 * 60_000;
/** Older than this, a profile does not count, even if the portal is down (ms). */
const maxProfileMs = 24 * 60 * 60_000;
/** A cookie that would move by less, and by less than half of its life, is not sent again. */
const prolongMs = 60 * 60_000;

/** Two mounts that kept their identities under one name would sign each other out. */
const sharedKeys = new WeakMap<SealedStore, Set<string>>();

export function createAuth(options: ArcGISAuthOptions) {
  const settings = checkOptions(options);
  const { oauth, sessionKey, shareSession, allowedOrganizations } = settings;
  const properties = { identity: sessionKey, signIn: `${sessionKey}SignIn` };
  const cookie = sessionCookie(settings.cookieName, settings.isSecure, settings.sessionSecrets);
  const csrf = csrfTokens(settings.sessionSecrets);
  const emit = (event: AuthEvent) => settings.onEvent?.(event);
  const report = (type: AuthEvent["type"], username?: string, error?: unknown) =>
    emit({ type, username, error });
  /** What hooks throw after the fact becomes an event. */
  const hook = async (run: () => unknown) => {
    const call = async () => run();
    await call().catch((error) => emit({ type: "hook-failed", error }));
  };
  const store =
    settings.store ??
    new SealedStore({
      ...settings,
      backend: fileBackend(settings.sessionDir ?? "./sessions"),
      onUnreadable: (record) => emit({ type: "unreadable", record }),
      onError: (error) => emit({ type: "store-failed", error }),
    });
  const claimed = sharedKeys.get(store) ?? new Set();
  if (shareSession && claimed.has(sessionKey))
    throw new TypeError(`arcgisAuth: sessionKey: "${sessionKey}" is in use by another mount of this session`);
  if (shareSession) sharedKeys.set(store, claimed.add(sessionKey));
  if (settings.portalServerUrl) reachPortalAt(oauth.portal, settings.portalServerUrl);

  const revoker = revocation((edit) => store.admin.changePending<PendingRevocation>(edit), report);
  const refresh = tokenRefresh({
    oauth,
    store: identityStore(store, properties),
    revoke: revoker.revoke,
    onTokens(identity) {
      const { username } = identity;
      emit({ type: "refresh", username });
      void hook(() => settings.onTokens?.({ username, identity }));
    },
    onError: report,
  });
  const onExpired = (identities: IdentityManager[]) => void revoker.revoke(identities.filter(isOurs));
  store.on("expired", onExpired);
  const askForProfile = portalBackoff({ firstMs: 30_000, maxMs: 30_000 }, isUnreachable);
  const request = refreshingRequest();
  const ownSessions = new WeakMap<IncomingMessage, Promise<RequestSession>>();

  /** One of another portal or app, from before the configuration was changed, is no sign-in here. */
  function isOurs({ portal, clientId }: IdentityManager): boolean {
    return portal === oauth.portal && clientId === oauth.clientId;
  }

  /** Whether session() has run, with our store. */
  function isShared(req: IncomingMessage): boolean {
    const { session, sessionStore } = req as Partial<Request>;
    return shareSession === true && session !== undefined && (sessionStore as unknown) === store;
  }

  /** The session of a request: that of the app, or read from its cookie, for which session() need not run. */
  async function sessionOf(req: IncomingMessage, res?: Response, touch = true): Promise<RequestSession> {
    if (isShared(req) && res) return sharedSession(req as Request, res, { store, cookie });
    const known = ownSessions.get(req) ?? ownSession(req, res, { store, cookie, touch });
    ownSessions.set(req, known);
    return known;
  }

  /** The sign-in that a session holds; that of Esri's tutorial has an identity only. */
  function signInOf(session: RequestSession): (SignInRecord & { identity: IdentityManager }) | undefined {
    const identity = session.get(properties.identity) as IdentityManager | undefined;
    if (session.id === undefined || !identity || !isOurs(identity)) return undefined;
    const record = session.get(properties.signIn) as SignInRecord | undefined;
    return { user: minimalProfile(identity.username), states: [], until: 0, ...record, identity };
  }

  /** Makes `req.arcgis`. */
  async function contextOf(req: IncomingMessage, res?: Response, touch?: boolean) {
    const session = await sessionOf(req, res, touch);
    const { id = "" } = session;
    let signIn = signInOf(session);
    /** Why no user is signed in. */
    let end: AuthErrorCode = "signed_out";

    /** A 401 in any place, such as in a function of ArcGIS REST JS, ends the sign-in of this request. */
    function failed(error: unknown): never {
      if (error instanceof AuthError && error.status < 500) {
        error.signInUrl = context.signInUrl();
        if (error.status === 401) [signIn, end] = [undefined, error.code];
      }
      throw error;
    }

    async function currentIdentity(): Promise<IdentityManager> {
      try {
        if (!signIn) throw new AuthError(end);
        const { identity } = signIn;
        identity.sharedRefresh = () =>
          revoker.finishBeforeClose(refresh.refreshOnce(id, identity.token)).catch(failed);
        await refresh.refreshIfDue(identity);
        await prolong();
        return identity;
      } catch (error) {
        return failed(error);
      }
    }

    /** The browser keeps its cookie as long as the sign-in lives, which an exchange of the refresh token prolongs. */
    async function prolong(): Promise<void> {
      if (!res || res.headersSent || !signIn) return;
      const { identity, ...record } = signIn;
      const until = endOfCookie(identity, session.ends.latest);
      if (until < record.until + Math.min(prolongMs, (until - Date.now()) / 2)) return;
      signIn.until = until;
      await session.prolong(properties.signIn, { ...record, until }, until - Date.now());
    }

    /** The stored profile, or a newer one when that is old. If the portal is down, rights stay as they were for a day. */
    async function currentProfile(user: UserProfile): Promise<UserProfile> {
      const { username, fetchedAt } = user;
      // A profile from the future was fetched while the clock was wrong: it is as old as it is early.
      const ageMs = Math.abs(Date.now() - fetchedAt);
      if (ageMs < profileMs) return user;
      const isEnough = ageMs < maxProfileMs;
      const send = async () =>
        fetchProfile(await context.identity()).catch((error) => {
          emit({ type: "profile-failed", req, username, error });
          throw error;
        });
      try {
        const profile = await (isEnough ? askForProfile({ id, username }, send) : send());
        // Not through the session: a request that only reads saves none.
        await store.update(id, (data) => {
          const stored = data as Record<string, object>;
          if (stored[properties.identity])
            stored[properties.signIn] = { ...stored[properties.signIn], user: profile };
        });
        if (signIn) signIn.user = profile;
        return profile;
      } catch (error) {
        if (isEnough && isUnreachable(error)) return user;
        throw error;
      }
    }

    const context = {
      /** Undefined when no user is signed in. Guards do not narrow it: read `identity.username`, or `user?.`. */
      get user(): UserProfile | undefined {
        return signIn?.user;
      },
      /** A real ArcGISIdentityManager with a good token. Throws 401 signed out, 502 to 504 trouble. */
      identity: (): Promise<ArcGISIdentityManager> => currentIdentity(),
      /**
       * The user, if the portal still accepts the sign-in: an expired access token is refreshed first. If the portal is
       * down, the sign-in counts.
       */
      async validate(): Promise<UserProfile | undefined> {
        try {
          if (signIn && endOfToken(signIn.identity) <= Date.now()) await context.identity();
          else await prolong();
        } catch (error) {
          if (signIn && !isTemporary(error)) throw error;
        }
        return signIn?.user;
      },
      /**
       * The user, if they may use this app: `validate`, and `allowedOrganizations` with a current profile, as in every
       * guard. `needsRights`: with a current profile in any case, at most ten minutes old while the portal responds.
       * Throws 401 signed_out or session_ended, 403 organization_not_allowed.
       */
      async authorize(needsRights = false): Promise<UserProfile> {
        const user = await context.validate();
        if (!user) return failed(new AuthError(end));
        if (!allowedOrganizations && !needsRights) return user;
        const profile = await currentProfile(user);
        if (allowedOrganizations?.includes(profile.orgId ?? "") === false)
          return failed(new AuthError("organization_not_allowed"));
        return profile;
      },
      /**
       * The token for a request to `url`: the portal's, or one for a server that is federated with it. `rejected` is a
       * token that the server did not accept (498, 499); another one is returned then.
       */
      async tokenFor(url: string, rejected?: string): Promise<string> {
        return (await currentIdentity()).tokenFor(url, rejected);
      },
      /** When something of the sign-in ends. Undefined when no user is signed in. */
      get expires() {
        if (!signIn) return undefined;
        const { identity, until } = signIn;
        const latest = until || endOfCookie(identity, session.ends.latest);
        return {
          /** When the access token is due for a refresh: some minutes before its end. */
          token: identity.tokenExpires,
          tokenEnd: new Date(endOfToken(identity)),
          /** Undefined where the portal does not say. */
          refreshToken: identity.refreshTokenExpires as Date | undefined,
          /** When the user has to sign in again. */
          signIn: new Date(latest),
          /** When the session ends unless it is used: `signIn` at the latest. */
          session: new Date(Math.min(session.ends.idle, latest)),
        };
      },
      /** Throws `csrf` unless this request is a form of our own page with its `csrf_token`. */
      verifyForm() {
        const { body } = req as Request;
        if (!isSameOriginRequest(req as Request, settings.origin))
          throw new AuthError("csrf", {
            cause: `not from this site; a program sends Origin: ${settings.origin}`,
          });
        if (!csrf.verify(body?.csrf_token, id))
          throw new AuthError("csrf", { cause: "no csrf_token, or that of another session" });
      },
      /** For the `request` option of ArcGIS REST JS: time limits, no tokens in URLs, one retry with a refreshed token. */
      request,
      /** Where to sign in, and come back to this URL. */
      signInUrl(returnTo = (req as Partial<Request>).originalUrl ?? ""): string {
        // The URL as it was requested may be anything, such as another site's. There is always a query: of an app that
        // was here before, browsers may keep a 301 for the bare path.
        const path = safeReturnTo(returnTo, settings.origin, []) ?? `${auth.base}/`;
        return `${auth.base}/sign-in?returnTo=${encodeURIComponent(path)}`;
      },
      /** For a link on a page of this app. */
      get signOutUrl(): string {
        return `${auth.base}/sign-out`;
      },
      /** For your own form: `<input type="hidden" name="csrf_token">`. Empty when no user is signed in. */
      get csrfToken(): string {
        return signIn ? csrf.create(id) : "";
      },
      /** A ready-made form with a button, as HTML. */
      signOutForm: (): string => signOutForm(context.signOutUrl, context.csrfToken),
      /** The name of this session's record; see `store.admin`. */
      get sessionName(): string | undefined {
        return session.id && store.admin.nameOf(session.id);
      },
    };
    return context;
  }

  const auth = {
    settings,
    /** The session's properties that hold the identity and the SignInRecord. */
    properties,
    store,
    cookie,
    emit,
    hook,
    revoker,
    isShared,
    sessionOf,
    signInOf,
    contextOf,
    /** Public path in front of the routes. A base path that the mount does not begin with is relative to it. */
    base: settings.basePath,
    transactions: authTransactions(keyRing([settings.encryptionKey].flat()), {
      cookiePrefix: settings.transactionCookiePrefix,
      isSecure: settings.isSecure,
      boundTo: JSON.stringify([oauth.portal, oauth.clientId, oauth.redirectUri]),
    }),

    async close(): Promise<void> {
      store.off("expired", onExpired);
      claimed.delete(sessionKey);
      await revoker.close();
      if (!settings.store) store.close();
    },
  };
  return auth;
}

function identityStore(store: SealedStore, properties: { identity: string; signIn: string }): IdentityStore {
  return {
    read: async (id) => ((await store.read(id)) as Record<string, IdentityManager>)?.[properties.identity],
    lock: (id, staleMs) => store.lock(id, staleMs),
    async replace(id, { refreshToken }, next) {
      let [isDone, isEmpty] = [false, false];
      const exists = await store.update(id, (session) => {
        const data = session as Record<string, unknown>;
        const stored = data[properties.identity] as IdentityManager | undefined;
        isDone = stored?.refreshToken === refreshToken;
        if (isDone && next) data[properties.identity] = next;
        else if (isDone) for (const name of Object.values(properties)) delete data[name];
        isEmpty = isDone && Object.keys(data).every((name) => name === "cookie");
      });
      if (exists && isEmpty) await store.take(id);
      return exists && isDone;
    },
  };
}

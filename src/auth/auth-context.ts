import type { IncomingMessage } from "node:http";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Request, Response } from "express";
import { isUnreachable, portalBackoff } from "./arcgis/backoff.ts";
import type { IdentityManager } from "./arcgis/identity-manager.ts";
import { type PortalRequest, portalRequest, refreshingRequest } from "./arcgis/portal-request.ts";
import { type PendingRevocation, revocation } from "./arcgis/revocation.ts";
import { endOfToken, type IdentityStore, tokenRefresh } from "./arcgis/token-refresh.ts";
import { forgetFederatedToken } from "./arcgis/trusted-urls.ts";
import { minimalProfile, type UserProfile } from "./arcgis/user-profile.ts";
import { authTransactions } from "./auth-transaction.ts";
import { currentProfile } from "./current-profile.ts";
import { AuthError, type AuthErrorCode, isTemporary } from "./errors.ts";
import { type ArcGISAuthOptions, type AuthEvent, checkOptions } from "./options.ts";
import { csrfTokens, isSameOriginRequest, safeReturnTo, signOutForm } from "./request-checks.ts";
import { endOf } from "./session/expiry.ts";
import { fileBackend } from "./session/file-backend.ts";
import { ownSession, type RequestSession } from "./session/request-session.ts";
import { keyRing } from "./session/seal.ts";
import { SealedStore } from "./session/sealed-store.ts";
import { sessionCookie } from "./session/session-cookie.ts";
import { sharedSession } from "./session/shared-session.ts";

/** What routes see of the sign-in: `req.arcgis`. */
export interface ArcGISContext {
  /** Undefined when nobody is signed in. Guards do not narrow it: read `identity.username`, or `user?.`. */
  readonly user: UserProfile | undefined;
  /** A real ArcGISIdentityManager with a good token. Throws an AuthError: 401 signed out, 502 to 504 trouble. */
  identity(): Promise<ArcGISIdentityManager>;
  /**
   * The user, if the portal still accepts the sign-in: an expired access token is refreshed first. If the portal is
   * down, the sign-in counts.
   */
  validate(): Promise<UserProfile | undefined>;
  /**
   * The user, if they may use this app: `validate`, and `allowedOrganizations` with a current profile. Throws an
   * AuthError: 401 signed_out or session_ended, 403 organization_not_allowed. Every guard does this.
   */
  authorize(): Promise<UserProfile>;
  /**
   * The token for a request to `url`: the portal's, or one for a server that is federated with it. `rejected` is a
   * token that the server did not accept (498, 499); another one is returned then.
   */
  tokenFor(url: string, rejected?: string): Promise<string>;
  /** When what expires; undefined when nobody is signed in. */
  readonly expires: Expirations | undefined;
  /** Throws an AuthError `csrf` unless this request is a form of our own page with its `csrf_token`. */
  verifyForm(): void;
  /** For the `request` option of ArcGIS REST JS: time limits, no tokens in URLs, one retry with a refreshed token. */
  readonly request: PortalRequest;
  /** Where to sign in, and come back to this URL. */
  signInUrl(returnTo?: string): string;
  readonly signOutUrl: string;
  /** For your own form: `<input type="hidden" name="csrf_token">`. Empty when nobody is signed in. */
  readonly csrfToken: string;
  /** A ready-made form with a button, as HTML. */
  signOutForm(): string;
  /** The name of this session's record; see `store.admin`. */
  readonly sessionName: string | undefined;
}

export interface Expirations {
  /** When the access token is due for a refresh: some minutes before its end. */
  token: Date;
  tokenEnd: Date;
  /** Undefined where the portal does not say. */
  refreshToken: Date | undefined;
  /** When the user has to sign in again. */
  signIn: Date;
}

declare global {
  namespace Express {
    interface Request {
      arcgis: ArcGISContext;
    }
  }
}

declare module "express-session" {
  interface SessionData {
    /** The signed-in user's identity, when the app shares its session with arcgisAuth (the name in Esri's tutorial). */
    arcgis: ArcGISIdentityManager;
    /** Of further mounts that share the session (`sessionKey`). */
    [mount: `arcgis:${string}`]: unknown;
  }
}

/** What a session holds beside the identity. */
export interface SignInRecord {
  user: UserProfile;
  /** Another portal or app, from before the configuration was changed, is no sign-in here. */
  portal: string;
  clientId: string;
  /** Digests of the states of this browser's latest finished sign-ins: their callbacks may be loaded again. */
  states: string[];
  /** The browser that signed in (`browserOf`). */
  browser?: string | undefined;
  /** When the browser drops its cookie (ms since 1970). */
  until: number;
}

/** What the routes and guards of one mount share. */
export type Auth = ReturnType<typeof createAuth>;

/** A cookie that would move by less, and by less than half of its life, is not sent again. */
const prolongMs = 60 * 60_000;
/** Two mounts that kept their identities under one name would sign each other out. */
const sharedKeys = new WeakMap<SealedStore, Set<string>>();

export function createAuth(options: ArcGISAuthOptions) {
  const settings = checkOptions(options);
  const { oauth, sessionKey } = settings;
  const keys = { identity: sessionKey, signIn: `${sessionKey}SignIn` };
  const cookie = sessionCookie(settings);
  const csrf = csrfTokens(settings.sessionSecrets);
  const emit = (event: AuthEvent) => settings.onEvent?.(event);
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
  if (settings.shareSession && claimed.has(sessionKey))
    throw new TypeError(`arcgisAuth: sessionKey: "${sessionKey}" is in use by another mount of this session`);
  if (settings.shareSession) sharedKeys.set(store, claimed.add(sessionKey));

  const revoker = revocation({
    pending: { change: (edit) => store.admin.changePending<PendingRevocation>(edit) },
    onDone: (type, username, error) => emit({ type, username, error }),
  });
  const refresh = tokenRefresh({
    oauth,
    store: identityStore(store, keys),
    revoke: revoker.revoke,
    onTokens(identity) {
      const { username } = identity;
      emit({ type: "refresh", username });
      void hook(() => settings.onTokens?.({ username, identity }));
    },
    onError: (type, username, error) => emit({ type, username, error }),
  });
  const onExpired = (identities: IdentityManager[]) => {
    void revoker.revoke(identities.filter(isOurs));
  };
  store.on("expired", onExpired);
  const profileBackoff = portalBackoff({ firstMs: 30_000, maxMs: 30_000 }, isUnreachable);
  const request = refreshingRequest(portalRequest());
  const ownSessions = new WeakMap<IncomingMessage, Promise<RequestSession>>();

  function isOurs(identity: unknown): identity is IdentityManager {
    const { portal, clientId } = Object(identity) as Partial<IdentityManager>;
    const isIdentity = identity instanceof ArcGISIdentityManager;
    return isIdentity && portal === oauth.portal && clientId === oauth.clientId;
  }

  function isShared(req: IncomingMessage): req is Request {
    const { session, sessionStore } = req as Partial<Request>;
    return settings.shareSession === true && session !== undefined && (sessionStore as unknown) === store;
  }

  /** The session of a request: that of the app, or read from its cookie, for which session() need not run. */
  async function sessionOf(req: IncomingMessage, res?: Response): Promise<RequestSession> {
    if (isShared(req) && res) return sharedSession(req, res, { store, cookie });
    const known = ownSessions.get(req) ?? ownSession(req, res, { store, cookie });
    ownSessions.set(req, known);
    return known;
  }

  /** The sign-in that a session holds; that of Esri's tutorial has an identity only. */
  function signInOf(session: RequestSession): SignInRecord | undefined {
    if (session.id === undefined || !session.has(keys.identity)) return undefined;
    const record = session.get(keys.signIn) as SignInRecord | undefined;
    const defaults = { states: [], until: 0 };
    if (record?.portal === oauth.portal && record.clientId === oauth.clientId)
      return { ...defaults, ...record };
    const identity = session.get(keys.identity);
    return isOurs(identity) ? { ...defaults, user: minimalProfile(identity.username), ...oauth } : undefined;
  }

  /** `req.arcgis`, and what only guards need. */
  async function contextOf(req: IncomingMessage, res?: Response) {
    const session = await sessionOf(req, res);
    const { id = "" } = session;
    let signIn = signInOf(session);
    let identity: IdentityManager | undefined;
    /** Why nobody is signed in. */
    let end: AuthErrorCode = "signed_out";

    function storedIdentity(): IdentityManager {
      identity ??= signIn && (session.get(keys.identity) as IdentityManager);
      if (signIn && isOurs(identity)) return identity;
      signIn = undefined;
      throw new AuthError(end);
    }

    /** The browser keeps its cookie as long as the sign-in lives, which an exchange of the refresh token prolongs. */
    async function prolong(current: IdentityManager): Promise<void> {
      const until = Math.min(session.endsAt, endOf(current));
      const leastMs = Math.min(prolongMs, (until - Date.now()) / 2);
      if (!res || res.headersSent || !signIn || until < signIn.until + leastMs) return;
      signIn = { ...signIn, until };
      await session.prolong(keys.signIn, signIn, until - Date.now());
    }

    /** Not through the session: a request that only reads saves none. */
    async function storeProfile(user: UserProfile): Promise<void> {
      if (!signIn) return;
      signIn = { ...signIn, user };
      const edit = (data: object) => keys.identity in data && Object.assign(data, { [keys.signIn]: signIn });
      await store.update(id, (data) => void edit(data));
    }

    function refusal(code: AuthErrorCode): AuthError {
      return Object.assign(new AuthError(code), { signInUrl: context.signInUrl() });
    }

    const context = {
      get user() {
        return signIn?.user;
      },
      async identity() {
        try {
          const current = await refresh.identityFor(id, storedIdentity());
          identity = current as IdentityManager;
          await prolong(current);
          return current;
        } catch (error) {
          if (error instanceof AuthError && error.status === 401) {
            signIn = undefined;
            end = error.code;
            error.signInUrl = context.signInUrl();
          }
          throw error;
        }
      },
      async validate() {
        try {
          if (signIn && endOfToken(storedIdentity()) <= Date.now()) await context.identity();
          else if (signIn) await prolong(storedIdentity());
        } catch (error) {
          if (signIn && !isTemporary(error)) throw error;
        }
        return signIn?.user;
      },
      async authorize() {
        const user = await context.validate();
        if (!user) throw refusal(end);
        if (!settings.allowedOrganizations) return user;
        const profile = await context.currentProfile();
        if (settings.allowedOrganizations.includes(profile.orgId ?? "")) return profile;
        throw refusal("organization_not_allowed");
      },
      /** For decisions about rights. */
      async currentProfile() {
        if (!signIn) throw refusal("signed_out");
        const { user } = signIn;
        return currentProfile(user, {
          session: { id, username: user.username },
          backoff: profileBackoff,
          identity: context.identity,
          store: storeProfile,
          onFailure: (error) => emit({ type: "profile-failed", req, username: user.username, error }),
        });
      },
      async tokenFor(url: string, rejected?: string) {
        const current = await context.identity();
        if (rejected !== undefined && rejected === current.token) await current.refreshCredentials();
        else if (rejected !== undefined) forgetFederatedToken(rejected);
        return current.getToken(url);
      },
      get expires() {
        if (!signIn) return undefined;
        const current = storedIdentity();
        const { tokenExpires: token, refreshTokenExpires: refreshToken } = current;
        const tokenEnd = new Date(endOfToken(current));
        return { token, tokenEnd, refreshToken, signIn: new Date(signIn.until || endOf(current)) };
      },
      verifyForm() {
        const { body } = req as Request;
        if (!isSameOriginRequest(req as Request, settings.origin) || !csrf.verify(body?.csrf_token, id))
          throw new AuthError("csrf");
      },
      request,
      signInUrl(returnTo = (req as Partial<Request>).originalUrl ?? "") {
        // The URL as it was requested may be anything, such as another site's.
        const path = returnTo && (safeReturnTo(returnTo, settings.origin, []) ?? `${auth.base}/`);
        return `${auth.base}/sign-in${path && `?returnTo=${encodeURIComponent(path)}`}`;
      },
      get signOutUrl() {
        return `${auth.base}/sign-out`;
      },
      get csrfToken() {
        return signIn ? csrf.create(id) : "";
      },
      signOutForm: () => signOutForm(context.signOutUrl, context.csrfToken),
      sessionName: session.id && store.admin.nameOf(session.id),
    };
    return context satisfies ArcGISContext;
  }

  const auth = {
    settings,
    keys,
    store,
    cookie,
    csrf,
    emit,
    hook,
    revoker,
    signInOf,
    contextOf,
    /** Public path in front of the routes. A base path that the mount does not begin with is relative to it. */
    base: settings.basePath,
    transactions: authTransactions(keyRing([options.encryptionKey].flat()), {
      cookiePrefix: settings.transactionCookiePrefix,
      isSecure: settings.isSecure,
      boundTo: JSON.stringify([oauth.portal, oauth.clientId, oauth.redirectUri]),
    }),

    /** The session that a route of ours may change. */
    async sessionOf(req: Request, res: Response): Promise<RequestSession> {
      // express-session has none for "OPTIONS *".
      const isAsterisk = !req.path.startsWith("/");
      if (!settings.shareSession || isShared(req) || isAsterisk) return sessionOf(req, res);
      throw new AuthError("not_mounted", {
        message: "shareSession: app.use(session(auth.sessionOptions)) must come before app.use(auth)",
      });
    },

    async close(): Promise<void> {
      store.off("expired", onExpired);
      claimed.delete(sessionKey);
      void revoker.expect(refresh.settle());
      await revoker.close();
      if (!settings.store) store.close();
    },
  };
  return auth;
}

function identityStore(store: SealedStore, keys: { identity: string; signIn: string }): IdentityStore {
  return {
    read: async (id) => ((await store.read(id)) as Record<string, IdentityManager>)?.[keys.identity],
    lock: (id, staleMs) => store.lock(id, staleMs),
    async replace(id, identity, onlyIf) {
      let result = { isDone: false, isEmpty: false };
      const exists = await store.update(id, (session) => {
        const data = session as Record<string, unknown>;
        const stored = data[keys.identity] as IdentityManager | undefined;
        const isDone = stored !== undefined && onlyIf(stored);
        if (isDone && identity) data[keys.identity] = identity;
        else if (isDone) for (const name of Object.values(keys)) delete data[name];
        result = { isDone, isEmpty: isDone && Object.keys(data).every((name) => name === "cookie") };
      });
      if (exists && result.isEmpty) await store.take(id);
      return exists && result.isDone;
    },
  };
}

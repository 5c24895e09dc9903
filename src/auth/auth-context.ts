import type { IncomingMessage } from "node:http";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Request, Response } from "express";
import type { IdentityManager } from "./arcgis/identity-manager.ts";
import { type PortalRequest, portalRequest, refreshingRequest } from "./arcgis/portal-request.ts";
import { type PendingRevocation, revocation } from "./arcgis/revocation.ts";
import { endOfToken, type IdentityStore, tokenRefresh } from "./arcgis/token-refresh.ts";
import { forgetFederatedToken } from "./arcgis/trusted-urls.ts";
import { minimalProfile, type UserProfile } from "./arcgis/user-profile.ts";
import { authTransactions } from "./auth-transaction.ts";
import { AuthError, isTemporary } from "./errors.ts";
import { type ArcGISAuthOptions, type AuthEvent, checkOptions } from "./options.ts";
import { csrfTokens, signOutForm } from "./request-checks.ts";
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
   * down, the sign-in counts. Guards do this.
   */
  validate(): Promise<UserProfile | undefined>;
  /**
   * The token for a request to `url`: the portal's, or one for a server that is federated with it. `rejected` is a
   * token that the server did not accept (498, 499); another one is returned then.
   */
  tokenFor(url: string, rejected?: string): Promise<string>;
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
  /** When the browser drops its cookie (ms since 1970). */
  until: number;
}

/** What the routes and guards of one mount share. */
export type Auth = ReturnType<typeof createAuth>;

/** A cookie that would move by less is not sent again. */
const prolongMs = 60 * 60_000;
const sharedKeys = new WeakMap<SealedStore, Set<string>>();

export function createAuth(options: ArcGISAuthOptions) {
  const settings = checkOptions(options);
  const { oauth, sessionKey } = settings;
  const keys = { identity: sessionKey, signIn: `${sessionKey}SignIn` };
  const cookie = sessionCookie(settings);
  const csrf = csrfTokens(settings.sessionSecrets);
  const emit = (event: AuthEvent) => settings.onEvent?.(event);
  const store =
    settings.store ??
    new SealedStore({
      ...settings,
      backend: fileBackend(settings.sessionDir ?? "./sessions"),
      onUnreadable: (record) => emit({ type: "unreadable", record }),
      onError: (error) => emit({ type: "store-failed", error }),
    });
  if (settings.shareSession) claimKey(store, sessionKey);

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
    for (const identity of identities) if (isOurs(identity)) void revoker.revoke(identity);
  };
  store.on("expired", onExpired);
  const request = refreshingRequest(portalRequest());
  const sessions = new WeakMap<IncomingMessage, Promise<RequestSession>>();

  /** What hooks throw after the fact becomes an event. */
  async function hook(run: () => unknown): Promise<void> {
    try {
      await run();
    } catch (error) {
      emit({ type: "hook-failed", error });
    }
  }

  function isOurs(identity: unknown): identity is IdentityManager {
    return (
      identity instanceof ArcGISIdentityManager &&
      identity.portal === oauth.portal &&
      identity.clientId === oauth.clientId
    );
  }

  /** The session that this request may change: the app's, if it is shared. */
  async function sessionOf(req: Request, res: Response): Promise<RequestSession> {
    if (!settings.shareSession) return readSession(req, res);
    if (!req.session || (req.sessionStore as unknown) !== store)
      throw new AuthError("not_mounted", {
        message: "shareSession: app.use(session(auth.sessionOptions)) must come before app.use(auth)",
      });
    return sharedSession(req, res, { store, cookie });
  }

  /** The same session for those who only read: from its cookie, without express-session. */
  function readSession(req: IncomingMessage, res?: Response): Promise<RequestSession> {
    const known = sessions.get(req) ?? ownSession(req, res, { store, cookie });
    sessions.set(req, known);
    return known;
  }

  /** The sign-in that a session holds; that of Esri's tutorial has an identity only. */
  function signInOf(session: RequestSession): SignInRecord | undefined {
    if (session.id === undefined || !session.has(keys.identity)) return undefined;
    const record = session.get(keys.signIn) as SignInRecord | undefined;
    if (record?.portal === oauth.portal && record.clientId === oauth.clientId)
      return { ...record, states: record.states ?? [], until: record.until ?? 0 };
    const identity = session.get(keys.identity);
    if (!isOurs(identity)) return undefined;
    return { user: minimalProfile(identity.username), ...oauth, states: [], until: 0 };
  }

  function contextFor(
    req: IncomingMessage,
    res: Response | undefined,
    session: RequestSession,
  ): ArcGISContext {
    let signIn = signInOf(session);
    const id = session.id ?? "";
    let identity: IdentityManager | undefined;

    function storedIdentity(): IdentityManager {
      identity ??= signIn && (session.get(keys.identity) as IdentityManager);
      if (!isOurs(identity)) throw signedOut(new AuthError("signed_out"));
      return identity;
    }

    function signedOut(error: unknown): unknown {
      if (!(error instanceof AuthError) || error.status !== 401) return error;
      signIn = undefined;
      error.signInUrl = context.signInUrl();
      return error;
    }

    /** The browser keeps its cookie as long as the sign-in lives, which an exchange of the refresh token prolongs. */
    async function prolong(current: IdentityManager): Promise<void> {
      const until = Math.min(session.endsAt, endOf(current));
      if (!res || res.headersSent || !signIn || until < signIn.until + prolongMs) return;
      signIn = { ...signIn, until };
      await session.prolong(keys.signIn, signIn, until - Date.now());
    }

    const context: ArcGISContext = {
      get user() {
        return signIn?.user;
      },
      async identity() {
        try {
          const current = await refresh.identityFor(id, storedIdentity());
          await prolong(current);
          return current;
        } catch (error) {
          throw signedOut(error);
        }
      },
      async validate() {
        try {
          if (!signIn) return undefined;
          const current = storedIdentity();
          if (endOfToken(current) <= Date.now()) await context.identity();
          else await prolong(current);
        } catch (error) {
          if (!isTemporary(error) && !(error instanceof AuthError && error.status === 401)) throw error;
        }
        return signIn?.user;
      },
      async tokenFor(url, rejected) {
        const current = (await context.identity()) as IdentityManager;
        if (rejected !== undefined && rejected === current.token) await current.refreshCredentials();
        else if (rejected !== undefined) forgetFederatedToken(rejected);
        return current.getToken(url);
      },
      request,
      signInUrl(returnTo = (req as Partial<Request>).originalUrl ?? "") {
        const query =
          returnTo === "" || returnTo.length > 2_000 ? "" : `?returnTo=${encodeURIComponent(returnTo)}`;
        return `${auth.base}/sign-in${query}`;
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
    return context;
  }

  const auth = {
    settings,
    keys,
    store,
    cookie,
    csrf,
    emit,
    hook,
    sessionOf,
    signInOf,
    revoker,
    /** Public path in front of the routes. A base path that the mount does not begin with is relative to it. */
    base: settings.basePath,
    transactions: authTransactions(keyRing([options.encryptionKey].flat()), {
      cookiePrefix: settings.transactionCookiePrefix,
      isSecure: settings.isSecure,
      boundTo: JSON.stringify([oauth.portal, oauth.clientId, oauth.redirectUri]),
    }),

    /** The context of a request whose session this may change. */
    contextOf: async (req: Request, res: Response) => contextFor(req, res, await sessionOf(req, res)),

    /** The context for those who only read, anywhere: also in front of session(), and without a response. */
    readContext: async (req: IncomingMessage, res?: Response) => {
      const shared = req as Partial<Request>;
      const isShared = settings.shareSession && shared.session && (shared.sessionStore as unknown) === store;
      return contextFor(
        req,
        res,
        isShared && res ? await sessionOf(req as Request, res) : await readSession(req, res),
      );
    },

    async storeProfile(req: Request, res: Response, user: UserProfile): Promise<void> {
      const { id } =
        settings.shareSession && !req.session ? await readSession(req, res) : await sessionOf(req, res);
      const edit = (data: Record<string, unknown>) => {
        const record = data[keys.signIn] as SignInRecord | undefined;
        const { portal, clientId } = oauth;
        data[keys.signIn] = { portal, clientId, states: [], until: 0, ...record, user };
      };
      if (id !== undefined)
        await store.update(id, (data) => data[keys.identity as "arcgis"] && edit(data as never));
    },

    async close(): Promise<void> {
      store.off("expired", onExpired);
      sharedKeys.get(store)?.delete(sessionKey);
      await refresh.settle();
      await revoker.close();
      if (!settings.store) store.close();
    },
  };
  return auth;
}

/** Two mounts that kept their identities under one name would sign each other out. */
function claimKey(store: SealedStore, key: string): void {
  const claimed = sharedKeys.get(store) ?? new Set();
  if (claimed.has(key))
    throw new TypeError(
      `arcgisAuth:\n- sessionKey: "${key}" is in use by another mount that shares this session`,
    );
  sharedKeys.set(store, claimed.add(key));
}

function identityStore(store: SealedStore, keys: { identity: string; signIn: string }): IdentityStore {
  return {
    read: async (id) => ((await store.read(id)) as Record<string, IdentityManager>)?.[keys.identity],
    lock: (id, staleMs) => store.lock(id, staleMs),
    async replace(id, identity, onlyIf) {
      let isDone = false;
      let isEmpty = false;
      const exists = await store.update(id, (session) => {
        const data = session as Record<string, unknown>;
        const stored = data[keys.identity] as IdentityManager | undefined;
        isDone = stored !== undefined && onlyIf(stored);
        isEmpty = false;
        if (!isDone) return;
        if (identity) data[keys.identity] = identity;
        else for (const name of Object.values(keys)) delete data[name];
        isEmpty = Object.keys(data).every((name) => name === "cookie");
      });
      if (exists && isEmpty) await store.take(id);
      return exists && isDone;
    },
  };
}

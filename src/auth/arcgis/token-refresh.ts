import { AuthError, isTemporary } from "../errors.ts";
import { backoff, portalBackoff } from "./backoff.ts";
import type { IdentityManager, OAuthOptions } from "./identity-manager.ts";
import { isRejection } from "./portal-request.ts";

/** What this needs of the session store. */
export interface IdentityStore {
  read(id: string): Promise<IdentityManager | undefined>;
  /** Stores `next`, or removes the identity, if its refresh token still is that of `stored`; false otherwise. */
  replace(id: string, stored: IdentityManager, next?: IdentityManager): Promise<boolean>;
  lock(id: string, staleMs: number): Promise<() => Promise<void>>;
}

export interface TokenRefreshOptions {
  oauth: OAuthOptions;
  store: IdentityStore;
  revoke(identity: IdentityManager): Promise<void>;
  /** Called once per refresh, after the tokens are stored. */
  onTokens(identity: IdentityManager): void;
  onError(type: `refresh-${"failed" | "rejected" | "unsaved"}`, username: string, error: unknown): void;
}

/** Longer than a token request can take. */
const staleMs = 15_000;
const saveAgainMs = 5_000;

/**
 * One refresh per session, however many requests and processes wait for it: those in this process share a promise,
 * those in others a lock, and the holder of the lock looks at the store first.
 */
export function tokenRefresh({ oauth, store, revoke, onTokens, onError }: TokenRefreshOptions) {
  const inProgress = new Map<string, Promise<IdentityManager>>();
  const askPortal = portalBackoff({ firstMs: 500, maxMs: 30_000 });
  // A server that rejects every token must not make us ask the portal for one at every request.
  const rejections = backoff({ firstMs: 5_000, maxMs: 5 * 60_000 });
  /** Tokens that the store has not taken. The stored ones may have expired with the exchange, so these must not be lost. */
  const unsaved = new Map<string, { identity: IdentityManager; storedToken: string }>();
  const timer = setInterval(saveAgain, saveAgainMs).unref();

  /** Gives an identity a good token. If the portal is down, one that still works will do; or else it is a 502 or 504. */
  async function refreshIfDue(sessionId: string, identity: IdentityManager): Promise<void> {
    identity.refresh = () => refreshOnce(sessionId, identity.token);
    if (!isDue(identity)) return;
    await identity.refreshCredentials().catch((error) => {
      if (!isTemporary(error) || Date.now() >= endOfToken(identity)) throw error;
    });
  }

  /** Gets another token than `rejected`. */
  function refreshOnce(sessionId: string, rejected: string): Promise<IdentityManager> {
    const key = `${sessionId} ${rejected}`;
    const refresh =
      inProgress.get(key) ?? lockedRefresh(sessionId, rejected).finally(() => inProgress.delete(key));
    inProgress.set(key, refresh);
    return refresh;
  }

  async function lockedRefresh(sessionId: string, rejected: string): Promise<IdentityManager> {
    const unlock = await store.lock(sessionId, staleMs);
    try {
      const stored = await store.read(sessionId);
      if (stored?.portal !== oauth.portal || stored?.clientId !== oauth.clientId)
        return await signedOut(sessionId, unsaved.get(sessionId)?.identity);
      // Another process has stored newer tokens than those that wait here.
      if (unsaved.get(sessionId)?.storedToken !== stored.token) unsaved.delete(sessionId);
      if (!isDue(stored) && (stored.token !== rejected || rejections.isWaiting(sessionId))) return stored;
      const latest = unsaved.get(sessionId)?.identity ?? stored;
      const isKept = latest !== stored && !isDue(latest);
      const refreshed = isKept ? latest : await requestTokens(sessionId, stored, latest);
      await save(sessionId, stored, refreshed);
      return refreshed;
    } finally {
      await unlock();
    }
  }

  async function requestTokens(id: string, stored: IdentityManager, latest: IdentityManager) {
    const send = () =>
      latest.refreshed(oauth.clientSecret).catch((error) => {
        onError(isRejection(error) ? "refresh-rejected" : "refresh-failed", stored.username, error);
        throw error;
      });
    try {
      const refreshed = await askPortal({ id, username: stored.username }, send);
      if (!isDue(stored)) rejections.failed(id);
      return refreshed;
    } catch (cause) {
      if (!isRejection(cause))
        throw cause instanceof AuthError ? cause : new AuthError("portal_unreachable", { cause });
      // The sign-in has ended with this refresh token, unless another process has a newer one.
      await store.replace(id, stored);
      unsaved.delete(id);
      throw new AuthError("session_ended", { cause });
    }
  }

  /** Stored before it is used: an exchange has ended the old pair. Nothing is stored if the user signed out meanwhile. */
  async function save(sessionId: string, stored: IdentityManager, refreshed: IdentityManager): Promise<void> {
    const isStored = await store.replace(sessionId, stored, refreshed).catch((error) => {
      if (!unsaved.has(sessionId)) onError("refresh-unsaved", stored.username, error);
      unsaved.set(sessionId, { identity: refreshed, storedToken: stored.token });
      throw error;
    });
    if (!isStored) await signedOut(sessionId, refreshed);
    unsaved.delete(sessionId);
    onTokens(refreshed);
  }

  /** The session is gone: these tokens are of no use to anyone. */
  async function signedOut(sessionId: string, identity: IdentityManager | undefined): Promise<never> {
    unsaved.delete(sessionId);
    if (identity) await revoke(identity);
    throw new AuthError("signed_out");
  }

  async function saveAgain(): Promise<void> {
    await Promise.allSettled([...unsaved].map(([id, { storedToken }]) => refreshOnce(id, storedToken)));
  }

  /** Waits for the refreshes in progress, and tries once more to store what could not be stored. */
  async function close(): Promise<void> {
    clearInterval(timer);
    await Promise.allSettled(inProgress.values());
    await saveAgain();
  }

  return { refreshIfDue, close };
}

/** When the access token stops working (ms since 1970). */
export function endOfToken({ tokenEndsAt, tokenExpires }: IdentityManager): number {
  return (tokenEndsAt ?? tokenExpires)?.getTime() ?? 0;
}

/** Whether the access token is to be refreshed: it expires soon (the margin is in token-response.ts). */
function isDue({ tokenExpires }: IdentityManager): boolean {
  return Date.now() >= (tokenExpires?.getTime() ?? 0);
}

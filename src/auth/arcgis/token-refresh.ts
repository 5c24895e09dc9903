import { AuthError, isTemporary } from "../errors.ts";
import { backoff, portalBackoff } from "./backoff.ts";
import type { IdentityManager, OAuthOptions } from "./identity-manager.ts";
import { isRejection } from "./portal-request.ts";

/** What this needs of the session store. */
export interface IdentityStore {
  read(id: string): Promise<IdentityManager | undefined>;
  /** Replaces `stored` by `next`, or removes it; returns false if the session has another refresh token by now. */
  replace(id: string, stored: IdentityManager, next?: IdentityManager): Promise<boolean>;
  /** Resolves to `unlock`. */
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

/** A lock this old was left by a process that ended: a token request takes 10 s at most (portal-request.ts). */
const staleLockMs = 15_000;
const saveAgainMs = 5_000;

/**
 * One refresh per session, however many requests and processes wait for it. Requests of this process share a promise.
 * Processes share a lock: its holder reads the store first, where another may have put new tokens meanwhile.
 */
export function tokenRefresh({ oauth, store, revoke, onTokens, onError }: TokenRefreshOptions) {
  const inProgress = new Map<string, Promise<IdentityManager>>();
  const withBackoff = portalBackoff({ firstMs: 500, maxMs: 30_000 });
  /** After a refresh because a server rejected the token, the next of these waits: it may reject every token. */
  const earlyRefreshes = backoff({ firstMs: 5_000, maxMs: 5 * 60_000 });
  /** New tokens that could not be stored. They must not be lost: an exchange has ended the stored ones. */
  const unsaved = new Map<string, { identity: IdentityManager; storedToken: string }>();
  const timer = setInterval(saveAgain, saveAgainMs).unref();

  /** Throws 502 to 504 if the portal or the store is in trouble, unless the access token has not expired yet. */
  async function refreshIfDue(sessionId: string, identity: IdentityManager): Promise<void> {
    identity.sharedRefresh = () => refreshOnce(sessionId, identity.token);
    if (!isDue(identity)) return;
    await identity.refreshCredentials().catch((error) => {
      if (!isTemporary(error) || Date.now() >= endOfToken(identity)) throw error;
    });
  }

  /** Returns another access token than `oldToken`, which is due or was rejected by a server. */
  function refreshOnce(sessionId: string, oldToken: string): Promise<IdentityManager> {
    const key = `${sessionId} ${oldToken}`;
    const refresh =
      inProgress.get(key) ?? lockedRefresh(sessionId, oldToken).finally(() => inProgress.delete(key));
    inProgress.set(key, refresh);
    return refresh;
  }

  async function lockedRefresh(sessionId: string, oldToken: string): Promise<IdentityManager> {
    const unlock = await store.lock(sessionId, staleLockMs);
    try {
      const stored = await store.read(sessionId);
      // Signed out, or signed in to the portal or app that was configured before.
      if (stored?.portal !== oauth.portal || stored.clientId !== oauth.clientId)
        return await throwSignedOut(sessionId, unsaved.get(sessionId)?.identity);
      // Another process has stored newer tokens than those that wait here.
      if (unsaved.get(sessionId)?.storedToken !== stored.token) unsaved.delete(sessionId);
      const isReplaced = stored.token !== oldToken; // by another request or process
      if (!isDue(stored) && (isReplaced || earlyRefreshes.isWaiting(sessionId))) return stored;
      const waiting = unsaved.get(sessionId)?.identity;
      const isGood = waiting && !isDue(waiting);
      const refreshed = isGood ? waiting : await refreshAtPortal(sessionId, stored, waiting ?? stored);
      await save(sessionId, stored, refreshed);
      return refreshed;
    } finally {
      await unlock();
    }
  }

  async function refreshAtPortal(id: string, stored: IdentityManager, latest: IdentityManager) {
    const send = () =>
      latest.requestRefresh(oauth.clientSecret).catch((error) => {
        onError(isRejection(error) ? "refresh-rejected" : "refresh-failed", stored.username, error);
        throw error;
      });
    try {
      const refreshed = await withBackoff({ id, username: stored.username }, send);
      if (!isDue(stored)) earlyRefreshes.failed(id);
      return refreshed;
    } catch (cause) {
      if (!isRejection(cause))
        throw cause instanceof AuthError ? cause : new AuthError("portal_unreachable", { cause });
      // The sign-in has ended. If another process has stored newer tokens, they stay, but this request fails.
      await store.replace(id, stored);
      unsaved.delete(id);
      throw new AuthError("session_ended", { cause });
    }
  }

  /** Tokens are stored before they are used, since an exchange has ended the old ones; unless the user has signed out. */
  async function save(sessionId: string, stored: IdentityManager, refreshed: IdentityManager): Promise<void> {
    const isStored = await store.replace(sessionId, stored, refreshed).catch((error) => {
      if (!unsaved.has(sessionId)) onError("refresh-unsaved", stored.username, error);
      unsaved.set(sessionId, { identity: refreshed, storedToken: stored.token });
      throw error;
    });
    if (!isStored) await throwSignedOut(sessionId, refreshed);
    unsaved.delete(sessionId);
    onTokens(refreshed);
  }

  /** Revokes new tokens that no session has anymore. */
  async function throwSignedOut(sessionId: string, identity: IdentityManager | undefined): Promise<never> {
    unsaved.delete(sessionId);
    if (identity) await revoke(identity);
    throw new AuthError("signed_out");
  }

  /** A refresh stores the unsaved tokens instead of asking the portal, unless they are due themselves. */
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

/** Whether to refresh the access token: it expires soon, or has expired (token-response.ts has the margin). */
function isDue({ tokenExpires }: IdentityManager): boolean {
  return Date.now() >= (tokenExpires?.getTime() ?? 0);
}

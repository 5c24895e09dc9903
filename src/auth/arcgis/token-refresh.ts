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
  onError(type: `refresh-${"failed" | "rejected"}`, username: string, error: unknown): void;
}

/** A lock this old was left by a process that ended: a token request takes 10 s at most (portal-request.ts). */
const staleLockMs = 15_000;

/**
 * One refresh per session, however many requests and processes wait for it. Requests of this process share a promise.
 * Processes share a lock: its holder reads the store first, where another may have put new tokens meanwhile.
 */
export function tokenRefresh({ oauth, store, revoke, onTokens, onError }: TokenRefreshOptions) {
  const inProgress = new Map<string, Promise<IdentityManager>>();
  const withBackoff = portalBackoff({ firstMs: 500, maxMs: 30_000 });
  /** After a refresh because a server rejected the token, the next of these waits: it may reject every token. */
  const earlyRefreshes = backoff({ firstMs: 5_000, maxMs: 5 * 60_000 });

  /** Throws 502 to 504 if the portal or the store is in trouble, unless the access token has not expired yet. */
  async function refreshIfDue(identity: IdentityManager): Promise<void> {
    if (!isDue(identity)) return;
    await identity.refreshCredentials().catch((error) => {
      if (!isTemporary(error) || Date.now() >= endOfToken(identity)) throw error;
    });
  }

  /** The `sharedRefresh` of identities: returns another access token than `oldToken`, which is due or was rejected. */
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
        throw new AuthError("signed_out");
      const isReplaced = stored.token !== oldToken; // by another request or process
      if (!isDue(stored) && (isReplaced || earlyRefreshes.isWaiting(sessionId))) return stored;
      const refreshed = await refreshAtPortal(sessionId, stored);
      onTokens(refreshed);
      return refreshed;
    } finally {
      await unlock();
    }
  }

  /** After a failure of the portal, or of the store with the new tokens, the session waits. */
  async function refreshAtPortal(id: string, stored: IdentityManager): Promise<IdentityManager> {
    const { username } = stored;
    const send = async () => {
      try {
        const refreshed = await stored.requestRefresh(oauth.clientSecret);
        // Before they are used, since an exchange has ended the old ones.
        if (await store.replace(id, stored, refreshed)) return refreshed;
        await revoke(refreshed); // the user has signed out meanwhile
      } catch (error) {
        onError(isRejection(error) ? "refresh-rejected" : "refresh-failed", username, error);
        // The sign-in has ended. If another process has stored newer tokens, they stay, but this request fails.
        if (isRejection(error)) await store.replace(id, stored);
        throw error;
      }
      throw new AuthError("signed_out");
    };
    try {
      const refreshed = await withBackoff({ id, username }, send);
      if (!isDue(stored)) earlyRefreshes.extendWait(id);
      return refreshed;
    } catch (cause) {
      if (isRejection(cause)) throw new AuthError("session_ended", { cause });
      throw cause instanceof AuthError ? cause : new AuthError("portal_unreachable", { cause });
    }
  }

  return { refreshOnce, refreshIfDue };
}

/** When the access token stops working (ms since 1970). */
export function endOfToken({ tokenEndsAt, tokenExpires }: IdentityManager): number {
  return (tokenEndsAt ?? tokenExpires)?.getTime() ?? 0;
}

/** Whether to refresh the access token: it expires soon, or has expired (token-response.ts has the margin). */
function isDue({ tokenExpires }: IdentityManager): boolean {
  return Date.now() >= (tokenExpires?.getTime() ?? 0);
}

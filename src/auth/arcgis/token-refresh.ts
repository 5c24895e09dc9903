import { AuthError, isTemporary } from "../errors.ts";
import { backoff, portalBackoff } from "./backoff.ts";
import type { IdentityManager, OAuthOptions } from "./identity-manager.ts";
import { isRejection } from "./portal-request.ts";
import { unsavedTokens } from "./unsaved-tokens.ts";

/** What this needs of the session store. */
export interface IdentityStore {
  read(sessionId: string): Promise<IdentityManager | undefined>;
  /** Stores `identity`, or removes it, if what is stored at that moment passes `onlyIf`; false otherwise. */
  replace(sessionId: string, identity: IdentityManager | undefined, onlyIf: Check): Promise<boolean>;
  lock(sessionId: string, staleMs: number): Promise<() => Promise<void>>;
}

type Check = (stored: IdentityManager) => boolean;

export interface TokenRefreshOptions {
  oauth: OAuthOptions;
  store: IdentityStore;
  revoke(identity: IdentityManager): Promise<void>;
  /** Called once per refresh, after the tokens are stored and outside of all locks. */
  onTokens(identity: IdentityManager): void;
  onError(type: `refresh-${"failed" | "rejected" | "unsaved"}`, username: string, error: unknown): void;
}

/** Longer than a token request can take. */
const staleMs = 15_000;

/**
 * Returns an identity with a good token. One refresh per session, however many requests and processes wait for it:
 * those in this process share a promise, those in others a lock, and whoever gets the lock looks at the store first.
 */
export function tokenRefresh({ oauth, store, revoke, onTokens, onError }: TokenRefreshOptions) {
  const inProgress = new Map<string, Promise<IdentityManager>>();
  const portal = portalBackoff({ firstMs: 500, maxMs: 30_000 });
  // A server that rejects every token must not make us ask the portal for one at every request.
  const rejections = backoff({ firstMs: 5_000, maxMs: 5 * 60_000, factor: 3 });
  const unsaved = unsavedTokens({ refresh: refreshOnce, revoke });

  /** A session's identity, refreshed if need be. If the portal is down, a token that still works will do. */
  async function identityFor(sessionId: string, identity: IdentityManager): Promise<IdentityManager> {
    if (!isFresh(identity)) {
      const refreshed = await refreshOnce(sessionId, identity.token).catch((error) => {
        if (isTemporary(error) && Date.now() < endOfToken(identity)) return identity;
        throw error;
      });
      identity.adopt(refreshed);
    }
    identity.refresh = () => refreshOnce(sessionId, identity.token);
    return identity;
  }

  async function refreshOnce(
    sessionId: string,
    rejected: string,
    isSecond = false,
  ): Promise<IdentityManager> {
    const running = await inProgress.get(sessionId);
    // It may have begun for an older token, and have brought the very one that is rejected now.
    if (running && (running.token !== rejected || isSecond)) return running;
    if (inProgress.has(sessionId)) return refreshOnce(sessionId, rejected, true);
    const refresh = lockedRefresh(sessionId, rejected).finally(() => inProgress.delete(sessionId));
    inProgress.set(sessionId, refresh);
    return refresh;
  }

  async function lockedRefresh(sessionId: string, rejected: string): Promise<IdentityManager> {
    const unlock = await store.lock(sessionId, staleMs);
    let refreshed: IdentityManager;
    try {
      const stored = await store.read(sessionId);
      if (stored?.portal !== oauth.portal || stored?.clientId !== oauth.clientId) {
        // Signed out, or from before another portal was configured.
        await unsaved.drop(sessionId);
        throw new AuthError("signed_out");
      }
      const isOther = stored.token !== rejected || rejections.isWaiting(sessionId);
      if (isFresh(stored) && isOther) return stored;
      const latest = unsaved.get(sessionId) ?? stored;
      refreshed = latest !== stored && isFresh(latest) ? latest : await request(sessionId, stored, latest);
      await save(sessionId, stored, refreshed);
    } finally {
      await unlock();
    }
    onTokens(refreshed);
    return refreshed;
  }

  /** Stored before it is used: an exchange has ended the old pair. Nothing is stored if the user signed out meanwhile. */
  async function save(sessionId: string, stored: IdentityManager, refreshed: IdentityManager): Promise<void> {
    const isStored = await store.replace(sessionId, refreshed, hasTokenOf(stored)).catch((error) => {
      if (!unsaved.get(sessionId)) onError("refresh-unsaved", stored.username, error);
      unsaved.keep(sessionId, refreshed, stored.token);
      throw error;
    });
    unsaved.forget(sessionId);
    if (isStored) return;
    await revoke(refreshed);
    throw new AuthError("signed_out");
  }

  async function request(id: string, stored: IdentityManager, latest: IdentityManager) {
    const { username } = stored;
    try {
      const send = () =>
        latest.refreshed(oauth.clientSecret).catch((error) => {
          onError(isRejection(error) ? "refresh-rejected" : "refresh-failed", username, error);
          throw error;
        });
      const refreshed = await portal.run({ id, username }, send);
      if (isFresh(stored)) rejections.failed(id);
      return refreshed;
    } catch (cause) {
      if (!isRejection(cause))
        throw cause instanceof AuthError ? cause : new AuthError("portal_unreachable", { cause });
      // This refresh token is of no use anymore: the sign-in is over, unless another process has a newer one.
      await store.replace(id, undefined, hasTokenOf(stored));
      unsaved.forget(id);
      throw new AuthError("session_ended", { cause });
    }
  }

  /** Waits for the refreshes in progress, and stores what could not be stored. */
  const settle = () => Promise.allSettled(inProgress.values()).then(unsaved.settle);

  return { identityFor, settle };
}

/** When the access token stops working (ms since 1970). */
export function endOfToken({ tokenEndsAt, tokenExpires }: IdentityManager): number {
  return (tokenEndsAt ?? tokenExpires)?.getTime() ?? 0;
}

function isFresh({ tokenExpires }: IdentityManager): boolean {
  return Date.now() < (tokenExpires?.getTime() ?? 0);
}

function hasTokenOf({ refreshToken }: IdentityManager): Check {
  return (stored) => stored.refreshToken === refreshToken;
}

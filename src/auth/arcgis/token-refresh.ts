import { AuthError, isTemporary } from "../errors.ts";
import { backoff, portalPause } from "./backoff.ts";
import type { IdentityManager, OAuthOptions } from "./identity-manager.ts";
import { isRejection } from "./portal-request.ts";
import { unsavedTokens } from "./unsaved-tokens.ts";

/** What this needs of the session store. */
export interface IdentityStore {
  read(sessionId: string): Promise<IdentityManager | undefined>;
  /** Stores `identity`, or removes it, if what is stored at that moment passes `onlyIf`; false otherwise. */
  replace(
    sessionId: string,
    identity: IdentityManager | undefined,
    onlyIf: (stored: IdentityManager) => boolean,
  ): Promise<boolean>;
  lock(sessionId: string, staleMs: number): Promise<() => Promise<void>>;
}

export interface TokenRefreshOptions {
  oauth: OAuthOptions;
  store: IdentityStore;
  revoke(identity: IdentityManager): Promise<void>;
  /** Called once per refresh, after the tokens are stored and outside of all locks. */
  onTokens(identity: IdentityManager): void;
  onError(type: "refresh-failed" | "refresh-rejected", username: string, error: unknown): void;
}

/** Longer than a token request can take. */
const staleMs = 15_000;

/**
 * Returns an identity with a good token. One refresh per session, however many requests and processes wait for it:
 * those in this process share a promise, those in others a lock, and whoever gets the lock looks at the store first.
 */
export function tokenRefresh({ oauth, store, revoke, onTokens, onError }: TokenRefreshOptions) {
  const inProgress = new Map<string, Promise<IdentityManager>>();
  const failures = backoff({ firstMs: 500, maxMs: 30_000, factor: 2 });
  // A server that rejects every token must not make us ask the portal for one at every request.
  const rejections = backoff({ firstMs: 5_000, maxMs: 5 * 60_000, factor: 3 });
  const portal = portalPause();
  const unsaved = unsavedTokens({ refresh: refreshOnce, revoke });

  /** The identity of a session, refreshed if its token is about to expire. If the portal is down, a token that still works will do. */
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
    rejectedToken: string,
    isSecond = false,
  ): Promise<IdentityManager> {
    const running = inProgress.get(sessionId);
    if (running) {
      const refreshed = await running;
      // It may have begun for an older token, and have brought the very one that is rejected now.
      if (refreshed.token !== rejectedToken || isSecond) return refreshed;
      return refreshOnce(sessionId, rejectedToken, true);
    }
    const refresh = lockedRefresh(sessionId, rejectedToken).finally(() => inProgress.delete(sessionId));
    inProgress.set(sessionId, refresh);
    return refresh;
  }

  async function lockedRefresh(sessionId: string, rejectedToken: string): Promise<IdentityManager> {
    const unlock = await store.lock(sessionId, staleMs);
    let refreshed: IdentityManager;
    try {
      const stored = await store.read(sessionId);
      // Signed out, or from before another portal or app was configured: nobody's tokens here.
      if (!stored || stored.portal !== oauth.portal || stored.clientId !== oauth.clientId) {
        await unsaved.drop(sessionId);
        throw new AuthError("signed_out");
      }
      const isAnother = stored.token !== rejectedToken || rejections.isWaiting(sessionId);
      if (isFresh(stored) && isAnother) return stored;
      const inHand = unsaved.get(sessionId);
      refreshed =
        inHand && isFresh(inHand) ? inHand : await requestTokens(sessionId, stored, inHand ?? stored);
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
      unsaved.keep(sessionId, refreshed, stored.token);
      throw error;
    });
    unsaved.forget(sessionId);
    if (isStored) return;
    await revoke(refreshed);
    throw new AuthError("signed_out");
  }

  async function requestTokens(
    sessionId: string,
    stored: IdentityManager,
    latest: IdentityManager,
  ): Promise<IdentityManager> {
    const { username } = stored;
    if (failures.isWaiting(sessionId) || !portal.mayTry())
      throw new AuthError("portal_unreachable", { cause: "backoff after a failed refresh" });
    try {
      const refreshed = await latest.refreshed(oauth.clientSecret);
      failures.succeeded(sessionId);
      portal.succeeded();
      if (isFresh(stored)) rejections.failed(sessionId);
      return refreshed;
    } catch (cause) {
      if (isRejection(cause)) {
        // The portal will not take this refresh token again: the sign-in is over, unless another process has a newer one.
        portal.succeeded();
        await store.replace(sessionId, undefined, hasTokenOf(stored));
        unsaved.forget(sessionId);
        onError("refresh-rejected", username, cause);
        throw new AuthError("session_ended", { cause });
      }
      failures.failed(sessionId);
      if (isUnreachable(cause)) portal.failed(username);
      onError("refresh-failed", username, cause);
      throw cause instanceof AuthError ? cause : new AuthError("portal_unreachable", { cause });
    }
  }

  return { identityFor, settle: unsaved.settle };
}

/** When the access token stops working (ms since 1970). */
export function endOfToken({ tokenEndsAt, tokenExpires }: IdentityManager): number {
  return (tokenEndsAt ?? tokenExpires)?.getTime() ?? 0;
}

function isFresh({ tokenExpires }: IdentityManager): boolean {
  return Date.now() < (tokenExpires?.getTime() ?? 0);
}

function hasTokenOf({ refreshToken }: IdentityManager): (stored: IdentityManager) => boolean {
  return (stored) => stored.refreshToken === refreshToken;
}

function isUnreachable(error: unknown): boolean {
  return error instanceof AuthError && ["portal_unreachable", "portal_timeout"].includes(error.code);
}

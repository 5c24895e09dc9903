import type { IdentityManager } from "./identity-manager.ts";

export interface UnsavedTokensOptions {
  /** Refreshes a session, which stores what is kept here. */
  refresh(sessionId: string, token: string): Promise<unknown>;
  revoke(identity: IdentityManager): Promise<void>;
}

const retry = { firstMs: 1_000, maxMs: 60_000 };

/**
 * Tokens that the portal has issued and the store has not taken. Nobody else has them, and those in the store may
 * have expired with the exchange: so they stay here, and a timer tries again, until they are stored or revoked.
 */
export function unsavedTokens({ refresh, revoke }: UnsavedTokensOptions) {
  const kept = new Map<string, { identity: IdentityManager; storedToken: string }>();

  function retryLater(sessionId: string, ms: number): void {
    setTimeout(async () => {
      await save(sessionId);
      if (kept.has(sessionId)) retryLater(sessionId, Math.min(ms * 2, retry.maxMs));
    }, ms).unref();
  }

  async function save(sessionId: string): Promise<void> {
    const held = kept.get(sessionId);
    // Whatever fails now is tried again later.
    if (held) await refresh(sessionId, held.storedToken).catch(() => {});
  }

  return {
    get: (sessionId: string): IdentityManager | undefined => kept.get(sessionId)?.identity,

    keep(sessionId: string, identity: IdentityManager, storedToken: string): void {
      if (!kept.has(sessionId)) retryLater(sessionId, retry.firstMs);
      kept.set(sessionId, { identity, storedToken });
    },

    forget: (sessionId: string): void => void kept.delete(sessionId),

    /** The session is gone: nobody will use these tokens. */
    async drop(sessionId: string): Promise<void> {
      const identity = kept.get(sessionId)?.identity;
      kept.delete(sessionId);
      if (identity) await revoke(identity);
    },

    /** Tries once more to store all of them. */
    async settle(): Promise<void> {
      await Promise.all([...kept.keys()].map(save));
    },
  };
}

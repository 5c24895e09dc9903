const maxKeys = 10_000;

export interface Backoff {
  isWaiting(key: string): boolean;
  /** Starts the wait after a failure: `firstMs`, then `factor` times as long with each failure in a row. */
  failed(key: string): void;
  succeeded(key: string): void;
}

/** Waiting after failures, for each key by itself. Monotonic, so clock changes don't matter. */
export function backoff({
  firstMs,
  maxMs,
  factor,
}: {
  firstMs: number;
  maxMs: number;
  factor: number;
}): Backoff {
  const waits = new Map<string, { ms: number; until: number }>();
  return {
    isWaiting: (key) => performance.now() < (waits.get(key)?.until ?? 0),
    failed(key) {
      const now = performance.now();
      const before = waits.get(key);
      // A failure long after the last wait is a first one.
      const isInARow = before !== undefined && now < before.until + 2 * before.ms + 60_000;
      const ms = isInARow ? Math.min(before.ms * factor, maxMs) : firstMs;
      waits.delete(key);
      waits.set(key, { ms, until: now + ms });
      const [oldest] = waits.keys();
      if (waits.size > maxKeys && oldest !== undefined) waits.delete(oldest);
    },
    succeeded: (key) => void waits.delete(key),
  };
}

/** Trouble of so many users is trouble of the portal. */
const minUsers = 3;
/** Longer than a token request can take. */
const probeMs = 12_000;

/**
 * Leaves a portal alone that cannot be reached for several users: then one request at a time tries it, and the
 * others fail at once. What one user can cause, pauses nobody else.
 */
export function portalPause() {
  const users = new Set<string>();
  let until = 0;
  let ms = 500;
  return {
    /** True for everybody as a rule; during a pause for nobody; after it for one caller, the probe. */
    mayTry(): boolean {
      if (users.size < minUsers) return true;
      const now = performance.now();
      if (now < until) return false;
      until = now + probeMs;
      return true;
    },
    /** Only if the portal could not be reached: every other failure may be about this user. */
    failed(username: string, error: unknown): void {
      const isUnreachable = ["portal_unreachable", "portal_timeout"].includes(Object(error).code);
      if (!isUnreachable) return;
      if (users.size < minUsers) users.add(username);
      if (users.size < minUsers) return;
      until = performance.now() + ms;
      ms = Math.min(ms * 2, 30_000);
    },
    succeeded(): void {
      users.clear();
      ms = 500;
    },
  };
}

import { AuthError } from "../errors.ts";
import { isRejection } from "./portal-request.ts";

const maxKeys = 10_000;

export interface Backoff {
  isWaiting(key: string): boolean;
  /** Starts the wait after a failure: `firstMs`, then `factor` times as long with each failure in a row. */
  failed(key: string): void;
  succeeded(key: string): void;
  hasFailed(key: string): boolean;
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
      const isInARow = before !== undefined && now < before.until + Math.max(before.ms, 60_000);
      const ms = isInARow ? Math.min(before.ms * factor, maxMs) : firstMs;
      waits.delete(key);
      waits.set(key, { ms, until: now + ms });
      const [oldest] = waits.keys();
      if (waits.size > maxKeys && oldest !== undefined) waits.delete(oldest);
    },
    succeeded: (key) => void waits.delete(key),
    hasFailed: (key) => waits.has(key),
  };
}

/** Trouble of so many users, within this time and without a success, is trouble of the portal (ms). */
export const minUsers = 3;
const windowMs = 60_000;
const pauseMs = 2_000;

export interface PortalBackoff {
  /** Whether `run` would throw at this moment. */
  isWaiting(sessionId: string): boolean;
  /** Sends a request of a session, unless it has to wait: then it throws `portal_unreachable`. */
  run<T>(session: { id: string; username: string }, send: () => Promise<T>): Promise<T>;
}

/**
 * After a failed request its session waits, and nobody else: it may be about this user. Only a portal that cannot be
 * reached for several users is left alone by everybody, shortly; then one request at a time probes it.
 */
export function portalBackoff(
  waits: { firstMs: number; maxMs: number },
  isFailure: (error: unknown) => boolean = (error) => !isRejection(error),
): PortalBackoff {
  const sessions = backoff({ ...waits, factor: 2 });
  const failing = new Map<string, number>();
  let pausedUntil = 0;
  let isProbing = false;

  function isDown(): boolean {
    for (const [username, at] of failing) if (at + windowMs < performance.now()) failing.delete(username);
    return failing.size >= minUsers;
  }

  function isWaiting(sessionId: string): boolean {
    if (sessions.isWaiting(sessionId)) return true;
    // A session that has failed comes second: it may fail again, and other users could not end the pause.
    const until = sessions.hasFailed(sessionId) ? pausedUntil + pauseMs : pausedUntil;
    return isDown() && (isProbing || performance.now() < until);
  }

  return {
    isWaiting,
    async run({ id, username }, send) {
      if (isWaiting(id)) throw new AuthError("portal_unreachable", { cause: "backoff after a failure" });
      const isProbe = isDown();
      isProbing ||= isProbe;
      try {
        const result = await send();
        sessions.succeeded(id);
        failing.clear();
        return result;
      } catch (error) {
        if (isFailure(error)) sessions.failed(id);
        if (isUnreachable(error)) {
          failing.set(username, performance.now());
          pausedUntil = performance.now() + pauseMs;
        } else if (isRejection(error)) failing.clear();
        throw error;
      } finally {
        if (isProbe) isProbing = false;
      }
    },
  };
}

/** Whether the portal could not be reached at all. An error that it reports is about what was sent. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof AuthError && ["portal_unreachable", "portal_timeout"].includes(error.code);
}

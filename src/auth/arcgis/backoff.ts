import { AuthError } from "../errors.ts";
import { isRejection, isUnreachable } from "./portal-request.ts";

const maxKeys = 10_000;

/**
 * Waiting after failures, for each key by itself: `firstMs`, then twice as long with each failure in a row. Monotonic,
 * so clock changes don't matter.
 */
export function backoff({ firstMs, maxMs }: { firstMs: number; maxMs: number }) {
  const waits = new Map<string, { ms: number; until: number }>();
  return {
    isWaiting: (key: string): boolean => performance.now() < (waits.get(key)?.until ?? 0),
    hasFailed: (key: string): boolean => waits.has(key),
    succeeded: (key: string): void => void waits.delete(key),
    extendWait(key: string): void {
      const now = performance.now();
      const before = waits.get(key);
      // A failure long after the last wait is a first one.
      const isInARow = before !== undefined && now < before.until + Math.max(before.ms, 60_000);
      const ms = isInARow ? Math.min(before.ms * 2, maxMs) : firstMs;
      waits.delete(key);
      waits.set(key, { ms, until: now + ms });
      const [oldest] = waits.keys();
      if (waits.size > maxKeys && oldest !== undefined) waits.delete(oldest);
    },
  };
}

/** Trouble of so many users, within this time and without a success, is trouble of the portal (ms). */
export const minUsers = 3;
const windowMs = 60_000;
const pauseMs = 2_000;

/**
 * Returns a function that sends a request of a session, unless it has to wait: then it throws `portal_unreachable`.
 *
 * After a failed request only its session waits: the failure may be about this user. Only a portal that cannot be
 * reached for several users is paused for all users, shortly; then one request every 2 s probes it.
 */
export function portalBackoff(
  waits: Parameters<typeof backoff>[0],
  isFailure: (error: unknown) => boolean = (error) => !isRejection(error),
) {
  const sessions = backoff(waits);
  const failing = new Map<string, number>();
  let pausedUntil = 0;

  return async <T>(
    { id, username }: { id: string; username: string },
    send: () => Promise<T>,
  ): Promise<T> => {
    const now = performance.now();
    for (const [user, at] of failing) if (at + windowMs < now) failing.delete(user);
    const isDown = failing.size >= minUsers;
    // A session that has failed comes second: it may fail again, and other users could not end the pause.
    const resumesAt = sessions.hasFailed(id) ? pausedUntil + pauseMs : pausedUntil;
    if (sessions.isWaiting(id) || (isDown && now < resumesAt))
      throw new AuthError("portal_unreachable", { cause: "backoff after a failure" });
    // The others wait for what becomes of this probe.
    if (isDown) pausedUntil = now + pauseMs;
    try {
      const result = await send();
      sessions.succeeded(id);
      failing.clear();
      return result;
    } catch (error) {
      if (isFailure(error)) sessions.extendWait(id);
      if (isUnreachable(error)) {
        failing.set(username, performance.now());
        pausedUntil = performance.now() + pauseMs;
      } else if (isRejection(error)) failing.clear();
      throw error;
    }
  };
}

import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";

/** When sessions end. */
export interface Lifetimes {
  /** A session ends when it was not used for so long (seconds), or for its cookie's `maxAge` if that is less. */
  idleSeconds: number;
  /** A session ends so long after it was created (seconds). */
  maxSeconds: number;
}

const day = 24 * 60 * 60;
export const defaultLifetimes: Lifetimes = { idleSeconds: 14 * day, maxSeconds: 30 * day };

/** Clocks of servers may differ by this much (ms). */
export const skewMs = 5 * 60_000;

/** When the user has to sign in again: the tokens of this identity cannot be refreshed anymore (ms since 1970). */
export function endOfSignIn({ refreshToken, refreshTokenExpires, tokenExpires }: ArcGISIdentityManager) {
  return (refreshToken ? refreshTokenExpires : tokenExpires)?.getTime() ?? Infinity;
}

/** When the browser may drop the session's cookie: the sign-in has ended, or the session (ms since 1970). */
export function endOfCookie(identity: ArcGISIdentityManager, sessionEndsAt: number): number {
  return Math.min(endOfSignIn(identity), sessionEndsAt);
}

/** Of a session. Times in ms (since 1970). */
export interface Times {
  createdAt: number;
  lastAccess: number;
  /** Of its cookie; `Infinity` for one that ends with the browser. */
  maxAgeMs: number;
}

/**
 * How long accesses after a touch go without one, because each is a disk access: a hundredth of the idle time, and one
 * minute at most (ms).
 */
export function unnotedMs(idleMs: number): number {
  return Math.min(60_000, idleMs / 100);
}

/** When a session ends (ms since 1970): `latest` in any case, `idle` if it is not used before. What went unnoted counts. */
export function endsOf({ createdAt, lastAccess, maxAgeMs }: Times, { idleSeconds, maxSeconds }: Lifetimes) {
  const idleMs = Math.min(idleSeconds * 1000, maxAgeMs);
  return { latest: createdAt + maxSeconds * 1000, idle: lastAccess + idleMs + unnotedMs(idleMs) };
}

/** A session from the future is not valid either: setting the clock back would make it live forever. */
export function isExpired(times: Times, lifetimes: Lifetimes): boolean {
  const now = Date.now();
  const { latest, idle } = endsOf(times, lifetimes);
  return now >= latest || now >= idle || now < times.createdAt - skewMs;
}

/** Whether to touch the session; a last access in the future, from when the clock was wrong, is corrected. */
export function isTouchDue(
  { lastAccess, maxAgeMs }: Omit<Times, "createdAt">,
  { idleSeconds }: Lifetimes,
  now: number,
) {
  const idleMs = Math.min(idleSeconds * 1000, maxAgeMs);
  return now >= lastAccess + unnotedMs(idleMs) || now < lastAccess - skewMs;
}

import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";

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
/** Last access is exact to the minute: a touch at every request would be a disk access each. */
const touchEveryMs = 60_000;

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

/** A session from the future is not valid either: setting the clock back would make it live forever. */
export function isExpired(
  { createdAt, lastAccess, maxAgeMs }: Times,
  { idleSeconds, maxSeconds }: Lifetimes,
) {
  const now = Date.now();
  const idleMs = Math.min(idleSeconds * 1000, maxAgeMs);
  return now >= createdAt + maxSeconds * 1000 || now >= lastAccess + idleMs || now < createdAt - skewMs;
}

/** Whether to touch the session; a last access in the future, from when the clock was wrong, is corrected. */
export function isTouchDue({ lastAccess, maxAgeMs }: Omit<Times, "createdAt">, now: number) {
  return now >= lastAccess + Math.min(touchEveryMs, maxAgeMs / 10) || now < lastAccess - skewMs;
}

import type { Content } from "./session-content.ts";

/** By so much the clocks of two servers may differ. */
const toleranceMs = 5 * 60_000;
/** How exactly the last use is known: noting every single request would be a disk write each. */
const notedEveryMs = 60_000;

export interface LifetimeOptions {
  /** A session ends when it was not used for so long (seconds). */
  idleSeconds: number;
  /** A session ends so long after its sign-in, used or not (seconds). */
  maxSeconds: number;
}

/** How long sessions live. All times are in ms since 1970, and come from what is sealed. */
export function lifetime({ idleSeconds, maxSeconds }: LifetimeOptions) {
  return {
    /** When a session ends, however often it is used: no later than its tokens can be renewed. */
    endOf: ({ createdAt, identities }: Pick<Content, "createdAt" | "identities">): number =>
      Math.min(createdAt + maxSeconds * 1000, renewableUntil(identities)),

    isOver: ({ seenAt, end }: { seenAt: number; end: number }, now: number): boolean =>
      !(now < end && now < seenAt + idleSeconds * 1000),

    /**
     * Whether a session is not to be believed, as it was made in the future: or setting the clock back would make
     * it immortal. It is not over, for the clock may be put right again.
     */
    isFromTheFuture: ({ createdAt }: { createdAt: number }, now: number): boolean =>
      createdAt >= now + toleranceMs,

    /** Whether the use of a session is worth a note; one from the future, when the clock was wrong, is put right. */
    isWorthANote: (notedAt: number, now: number): boolean =>
      now >= notedAt + notedEveryMs || now < notedAt - toleranceMs,
  };
}

export type Lifetime = ReturnType<typeof lifetime>;

/**
 * When the first of the identities can no longer be renewed. `Infinity` when the portal does not say (ArcGIS
 * Enterprise before 10.9.1).
 */
export function renewableUntil(identities: Content["identities"]): number {
  const ends = Object.values(identities).map((text) => {
    const { refreshToken, refreshTokenExpires, tokenExpires } = JSON.parse(text);
    const end = Date.parse(refreshToken ? refreshTokenExpires : tokenExpires);
    return Number.isNaN(end) ? Infinity : end;
  });
  return Math.min(Infinity, ...ends);
}

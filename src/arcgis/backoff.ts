import { AppError } from "../errors.ts";
import { isRefusal } from "./request.ts";

/** The first time in which a refused token is not refreshed again, and the longest (ms). */
const refused = { firstMs: 5_000, longestMs: 5 * 60_000 };

/**
 * Counts the time in which a token that was refreshed just now is not refreshed again, though it is refused: three
 * times as long with each refusal in a row, for there are servers that refuse every token. Monotonic, so clock changes
 * don't matter.
 */
export function refusalBackoff() {
  const known = new Map<string, { ms: number; until: number }>();

  return {
    has: (sessionId: string): boolean => performance.now() < (known.get(sessionId)?.until ?? 0),

    /** @param wasRefused whether it was a refusal that the token was refreshed for, and not its age */
    begin(sessionId: string, wasRefused: boolean): void {
      const now = performance.now();
      const before = known.get(sessionId);
      // As soon as the last backoff was over, or soon after.
      const isInARow = wasRefused && before !== undefined && now < before.until + before.ms;
      const ms = isInARow ? Math.min(before.ms * 3, refused.longestMs) : refused.firstMs;
      remember(known, sessionId, { ms, until: now + ms }, 2 * ms);
    },
  };
}

/** After a failure a session waits, twice as long with each failure in a row (ms). */
const failed = { firstMs: 500, longestMs: 30_000 };
/** The portal as a whole is paused when the requests of so many users have failed, and nobody's has succeeded since. */
export const mostFailing = 3;
/** A failure counts against the portal for so long, and pauses it for so long (ms). */
const portal = { countsMs: 60_000, pauseMs: 2_000 };

/** Whose request it is. */
interface Asker {
  sessionId: string;
  username: string;
}

/** Limits how often a portal in trouble is asked: one user's trouble must not be everybody's. */
export interface PortalBackoff {
  /** Whether `run` would refuse to ask at this moment. */
  isOn(asker: Asker): boolean;
  /**
   * Runs `ask`, unless it is too early.
   * @throws AppError portal_unreachable when it is; what `ask` throws otherwise
   */
  run<T>(asker: Asker, ask: () => Promise<T>): Promise<T>;
}

/**
 * Backoff is per session, because a response to one session's token says nothing about others. Only when the portal cannot be
 * reached for several users is it paused for everybody, shortly; then one request at a time goes through as a probe.
 *
 * @param limits how long a session waits after its first failure, and at most (ms)
 * @param isFailure tells the errors after which it waits
 */
export function portalBackoff(
  { firstMs, longestMs } = failed,
  isFailure: (error: unknown) => boolean = (error) => !isRefusal(error),
): PortalBackoff {
  const sessions = new Map<string, { ms: number; until: number }>();
  const failing = new Map<string, number>();
  let pausedUntil = 0;
  let isProbing = false;

  function isInTrouble(now: number): boolean {
    for (const [username, at] of failing) {
      if (now < at + portal.countsMs) break;
      failing.delete(username);
    }
    return failing.size >= mostFailing;
  }

  function isOn({ sessionId }: Asker): boolean {
    const now = performance.now();
    if (now < (sessions.get(sessionId)?.until ?? 0)) return true;
    return isInTrouble(now) && (isProbing || now < pausedUntil);
  }

  function fail({ sessionId, username }: Asker, before: { ms: number } | undefined, error: unknown): void {
    const now = performance.now();
    const ms = before ? Math.min(before.ms * 2, longestMs) : firstMs;
    remember(sessions, sessionId, { ms, until: now + ms }, ms + longestMs);
    if (!isPortalTrouble(error)) return;
    failing.delete(username);
    failing.set(username, now);
    if (isInTrouble(now)) pausedUntil = now + portal.pauseMs;
  }

  return {
    isOn,
    async run(asker, ask) {
      if (isOn(asker)) throw new AppError("portal_unreachable", { cause: "backoff after a failure" });
      const before = sessions.get(asker.sessionId);
      const isProbe = isInTrouble(performance.now());
      if (isProbe) isProbing = true;
      try {
        const result = await ask();
        sessions.delete(asker.sessionId);
        failing.clear();
        return result;
      } catch (error) {
        if (isFailure(error)) fail(asker, before, error);
        // The portal can be reached, whatever it says about this session.
        else if (isRefusal(error)) failing.clear();
        throw error;
      } finally {
        if (isProbe) isProbing = false;
      }
    },
  };
}

/** Whether the portal could not be reached at all. An error that it reports is about the token that it was shown. */
export function isPortalTrouble(error: unknown): boolean {
  return error instanceof AppError && ["portal_unreachable", "portal_timeout"].includes(error.code);
}

function remember<T>(known: Map<string, T>, key: string, value: T, ms: number): void {
  known.set(key, value);
  setTimeout(() => {
    if (known.get(key) === value) known.delete(key);
  }, ms).unref();
}

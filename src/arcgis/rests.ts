/** The first rest, and the longest (ms). */
const rest = { firstMs: 5_000, longestMs: 5 * 60_000 };

/**
 * Counts the time in which a token that was renewed just now is not renewed again, though it is refused: three
 * times as long with each refusal in a row, for there are servers that refuse every token. By a clock that nobody
 * can set.
 */
export function rests() {
  const known = new Map<string, { ms: number; until: number }>();

  return {
    has: (sessionId: string): boolean => performance.now() < (known.get(sessionId)?.until ?? 0),

    /** @param wasRefused whether it was a refusal that the token was renewed for, and not its age */
    begin(sessionId: string, wasRefused: boolean): void {
      const now = performance.now();
      const before = known.get(sessionId);
      // As soon as the last rest was over, or soon after.
      const isInARow = wasRefused && before !== undefined && now < before.until + before.ms;
      const ms = isInARow ? Math.min(before.ms * 3, rest.longestMs) : rest.firstMs;
      const mine = { ms, until: now + ms };
      known.set(sessionId, mine);
      setTimeout(() => {
        if (known.get(sessionId) === mine) known.delete(sessionId);
      }, 2 * ms).unref();
    },
  };
}

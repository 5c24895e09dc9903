/** Answers that are good for a while, by key. */
export interface Remembered<T> {
  /** What is known for this key, or what `ask` gives: once for all who want it at the same time. */
  get(key: string, ask: () => Promise<T>): Promise<T>;
  /** Forgets an answer that has turned out to be good no more. */
  forget(answer: T): void;
}

/** Enough for every person and server of a large organisation. */
const most = 1_000;

/** Remembers answers for so long (ms, by a clock that nobody can set). A failure is not remembered. */
export function remembered<T>(lifeMs: number): Remembered<T> {
  const known = new Map<string, { pending: Promise<T>; answer?: T; until: number }>();

  return {
    get(key, ask) {
      const found = known.get(key);
      if (found && performance.now() < found.until) return found.pending;
      const entry: { pending: Promise<T>; answer?: T; until: number } = {
        pending: ask(),
        until: performance.now() + lifeMs,
      };
      entry.pending.then(
        (answer) => {
          entry.answer = answer;
        },
        () => {
          if (known.get(key) === entry) known.delete(key);
        },
      );
      known.delete(key);
      known.set(key, entry);
      const [oldest] = known.keys();
      if (known.size > most && oldest !== undefined) known.delete(oldest);
      return entry.pending;
    },

    forget(answer) {
      for (const [key, entry] of known) if (entry.answer === answer) known.delete(key);
    },
  };
}

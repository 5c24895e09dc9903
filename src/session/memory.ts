/** A file system may note times only every 10 ms or so: what was written twice in that time can look the same. */
const settledAfterMs = 100;

/**
 * Remembers what was made of records, as long as they are in the same version. The oldest go first.
 *
 * @param most how many of them
 */
export function memory<T>(most: number) {
  const kept = new Map<string, { version: string; sightedAt: number; made?: T }>();

  return {
    /** Gives what was made of this version of a record; `undefined` when that is not known for certain. */
    recall(name: string, version: string): T | undefined {
      const known = kept.get(name);
      return known?.version === version ? known.made : undefined;
    },

    /**
     * Remembers what was made of a version. It counts only if it was read a while after that version was first
     * seen, by a clock that nobody can set: then no other state of the record can have had the same one. Before
     * that only the sight of it is kept, which is all there is to most sessions that nobody comes back to.
     *
     * @param readAt when the reading began (ms, `performance.now`)
     */
    remember(name: string, version: string, made: T, readAt: number): void {
      const known = kept.get(name);
      const sightedAt = known?.version === version ? known.sightedAt : performance.now();
      const isSettled = readAt - sightedAt >= settledAfterMs;
      kept.delete(name);
      kept.set(name, { version, sightedAt, ...(isSettled && { made }) });
      const [oldest] = kept.keys();
      if (kept.size > most && oldest) kept.delete(oldest);
    },

    forget: (name: string): boolean => kept.delete(name),
  };
}

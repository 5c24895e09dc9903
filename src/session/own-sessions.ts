import { setTimeout as sleep } from "node:timers/promises";
import pMap from "p-map";
import type { Inventory, SessionFacts } from "./inventory.ts";

/** A user name means nothing without its portal: the same name at another one is somebody else. */
export interface Person {
  portal: string;
  username: string;
}

/** Where else a person is signed in. */
export interface OwnSessions {
  /**
   * Gives the sessions of a person that still count, the one of this name among them, the one used last first.
   * `isComplete` is false when there are so many sessions of others that not all could be looked through in time;
   * that goes on, and the next answer is a better one. Rejects when the store fails.
   */
  of(person: Person, here: string): Promise<{ sessions: SessionFacts[]; isComplete: boolean }>;
}

/** Nobody waits longer than this for sessions to be looked through (ms). */
const usualPatienceMs = 5_000;
/** Most of the time a look waits for a disk or a network. */
const looksAtOnce = 32;

/**
 * Finds the sessions of one person among all of them.
 *
 * There is no index beside the records, which could be wrong after a crash. Whose a record is never changes: so
 * each process opens each record once for that, and remembers it. Later it asks for the names of all records, and
 * opens only those it has not seen yet: 30 ms for 10,000 of them, 0.4 s for 100,000. The first time takes 2 s for
 * every 10,000 in files, and 1 s in Redis.
 */
export function ownSessions(all: Inventory, { patienceMs = usualPatienceMs } = {}): OwnSessions {
  const owners = new Map<string, readonly string[]>();
  let round = Promise.resolve();
  let nextRound: Promise<void> | undefined;
  let restUntil = 0;

  async function lookThrough(): Promise<void> {
    const names = await all.names();
    const isThere = new Set(names);
    for (const name of owners.keys()) if (!isThere.has(name)) owners.delete(name);
    const unknown = names.filter((name) => !owners.has(name));
    await pMap(
      unknown,
      async (name) => {
        const found = await all.look(name);
        // What does not open, or has gone meanwhile, is nobody's.
        owners.set(name, found && "identities" in found ? found.identities.map(keyOf) : []);
      },
      { concurrency: looksAtOnce },
    );
  }

  /** Whoever comes while a round is under way waits for the one after it: what was kept meanwhile is in that one. */
  function newRound(): Promise<void> {
    nextRound ??= round
      .catch(() => {})
      // Somebody who asks all the time leaves the server half of its time.
      .then(() => sleep(Math.max(0, restUntil - performance.now())))
      .then(() => {
        nextRound = undefined;
        const begin = performance.now();
        round = lookThrough().finally(() => {
          restUntil = 2 * performance.now() - begin;
        });
        return round;
      });
    return nextRound;
  }

  return {
    async of(person, here) {
      const end = new AbortController();
      const late = sleep(patienceMs, false, { signal: end.signal, ref: false });
      const done = newRound().then(() => true);
      const isComplete = await Promise.race([done, late]).finally(() => {
        end.abort();
        // The one that came second has nobody who waits for it.
        for (const one of [done, late]) one.catch(() => {});
      });

      const key = keyOf(person);
      const names = [...owners].flatMap(([name, keys]) => (keys.includes(key) ? name : []));
      const sessions: SessionFacts[] = [];
      await pMap(
        [...new Set([here, ...names])],
        async (name) => {
          const found = await all.look(name);
          if (!found || "trouble" in found || !found.isAlive) return;
          if (found.identities.some((identity) => keyOf(identity) === key)) sessions.push(found);
        },
        { concurrency: looksAtOnce },
      );
      return { sessions: sessions.sort((one, other) => other.seenAt - one.seenAt), isComplete };
    },
  };
}

/** A portal's address has no space. */
function keyOf({ portal, username }: Person): string {
  return `${portal} ${username}`;
}

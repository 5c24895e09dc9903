import { setTimeout as sleep } from "node:timers/promises";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import pMap from "p-map";
import type { Logger } from "pino";
import { reasonOf } from "../reason.ts";
import type { SealedStore } from "../session/sealed-store.ts";
import { revocationQueue } from "./revocation-queue.ts";

/** Takes tokens back at their portal, sooner or later. */
export interface Revocations {
  /**
   * Revokes the tokens of identities at the portal, within 3 s each. What cannot be done now waits in the store and
   * is done later, also after a restart. Never throws: nobody is kept signed in by a portal that is down.
   */
  revoke(...identities: ArcGISIdentityManager[]): Promise<void>;
  /** Tries again what is waiting, now; gives how many are left. */
  retry(): Promise<number>;
  /** Tells of work that may bring tokens which are to be revoked: `close` waits for it. Gives it back. */
  expect<T>(work: Promise<T>): Promise<T>;
  /** Lets everything that is not revoked yet wait in the store, before the process ends. Takes 1.5 s at most. */
  close(): Promise<void>;
}

/** A portal is asked about so many tokens side by side. */
const atOnce = 8;
/** The end of the process waits so long for tokens that are on their way (ms). */
const lastMs = 1_500;
/** How long until the next try, twice as long after each that failed (ms). */
const pause = { firstMs: 5_000, longestMs: 10 * 60_000 };

/** Works at the queue of revocations as long as the process lives, and begins with what an earlier run has left. */
export function revocations({ store, log }: { store: SealedStore; log: Logger }): Revocations {
  const queue = revocationQueue({ store, log });
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosing = false;
  const unfinished = new Set<ArcGISIdentityManager>();
  const expected = new Set<Promise<unknown>>();
  again(0);

  function again(ms: number): void {
    clearTimeout(timer);
    if (isClosing) return;
    timer = setTimeout(() => void retry().catch(trouble), ms).unref();
  }

  async function retry(): Promise<number> {
    let done = 0;
    const left = await queue.work((count) => {
      done = count;
    });
    failures = left > 0 && done === 0 ? failures + 1 : 0;
    // Also when nothing is left: another process, such as an operator's command, may add to the queue.
    again(left > 0 ? Math.min(pause.firstMs * 2 ** failures, pause.longestMs) : pause.longestMs);
    return left;
  }

  function trouble(error: Error): void {
    log.warn({ event: "revoke", reason: reasonOf(error) }, "pending revocations could not be read");
    again(pause.longestMs);
  }

  /** Also those that are being added: the queue keeps each token once. */
  async function keepUnfinished(): Promise<void> {
    if (unfinished.size > 0) await queue.add([...unfinished]).catch(trouble);
  }

  async function revokeOne(identity: ArcGISIdentityManager): Promise<void> {
    try {
      if (!isClosing && (await queue.revoke(identity))) return;
      await queue.add([identity]).then(() => again(pause.firstMs), trouble);
    } finally {
      unfinished.delete(identity);
    }
  }

  return {
    retry,
    async revoke(...identities) {
      for (const identity of identities) unfinished.add(identity);
      await pMap(identities, revokeOne, { concurrency: atOnce });
    },
    expect(work) {
      expected.add(work);
      const done = () => void expected.delete(work);
      work.then(done, done);
      return work;
    },
    async close() {
      isClosing = true;
      clearTimeout(timer);
      // First of all, because the process may not have the time for more.
      await keepUnfinished();
      if (expected.size === 0) return;
      await Promise.race([Promise.allSettled(expected), sleep(lastMs, undefined, { ref: false })]);
      await keepUnfinished();
    },
  };
}

import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Logger } from "pino";
import { reasonOf } from "../reason.ts";
import type { SealedStore } from "../session/sealed-store.ts";
import { revocationQueue } from "./revocation-queue.ts";

/** Takes tokens back at their portal, sooner or later. */
export interface Revocations {
  /**
   * Takes an identity's tokens back at the portal, within 3 s. What cannot be done now waits in the store and
   * is done later, also after a restart. Never throws: nobody is kept signed in by a portal that is down.
   */
  revoke(identity: ArcGISIdentityManager): Promise<void>;
  /** Tries again what is waiting, now; gives how many are left. */
  retry(): Promise<number>;
}

/** How long until the next try, twice as long after each that failed (ms). */
const pause = { firstMs: 5_000, longestMs: 10 * 60_000 };

/** Works at the queue of revocations as long as the process lives, and begins with what an earlier run has left. */
export function revocations({ store, log }: { store: SealedStore; log: Logger }): Revocations {
  const queue = revocationQueue({ store, log });
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  again(0);

  function again(ms: number): void {
    clearTimeout(timer);
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

  return {
    retry,
    async revoke(identity) {
      if (await queue.revoke(identity)) return;
      await queue.add([identity]).then(() => again(pause.firstMs), trouble);
    },
  };
}

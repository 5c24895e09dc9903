import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Logger } from "pino";
import { counts } from "../metrics/counts.ts";
import { reasonOf } from "../reason.ts";
import type { SealedStore } from "../session/sealed-store.ts";
import { IdentityManager } from "./identity-manager.ts";
import { isRefusal } from "./request.ts";

/** A token that is to be revoked as soon as its portal can be reached. */
interface PendingRevocation {
  portal: string;
  clientId: string;
  username: string;
  /** The refresh token, or the access token of an identity that has none. */
  token: string;
  /** When it dies by itself, and is forgotten here (ms since 1970). */
  until: number;
}

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
/** No refresh token of ArcGIS lives longer than 90 days, where the portal does not say. */
const longestLifeMs = 90 * 24 * 60 * 60_000;

/** Makes the queue of revocations, and begins with what an earlier run has left. */
export function revocations({ store, log }: { store: SealedStore; log: Logger }): Revocations {
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  again(0);

  function again(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void retry().catch(trouble), ms).unref();
  }

  async function retry(): Promise<number> {
    let waiting: PendingRevocation[] = [];
    await store.changePending<PendingRevocation>((items) => {
      waiting = items.filter(({ until }) => Date.now() < until);
      return waiting;
    });
    const done = new Set<string>();
    const down = new Set<string>();
    for (const item of waiting) {
      // One that does not get through is enough to know of a portal: the others would only wait, too.
      if (down.has(item.portal)) continue;
      if (await revokeNow(item)) done.add(item.token);
      else down.add(item.portal);
    }
    if (done.size > 0)
      await store.changePending<PendingRevocation>((items) => items.filter(({ token }) => !done.has(token)));
    const left = waiting.length - done.size;
    failures = left > 0 && done.size === 0 ? failures + 1 : 0;
    if (left > 0) again(Math.min(pause.firstMs * 2 ** failures, pause.longestMs));
    return left;
  }

  /** True when there is nothing more to do about this one. */
  async function revokeNow({ portal, clientId, username, token }: PendingRevocation): Promise<boolean> {
    try {
      await IdentityManager.destroy(
        new ArcGISIdentityManager({ portal, clientId, username, refreshToken: token }),
      );
      counts.revocations.add("revoked");
      return true;
    } catch (error) {
      counts.revocations.add("failed");
      log.warn({ event: "revoke", user: username, reason: reasonOf(error) }, "not revoked");
      // The portal has answered, and would answer the same tomorrow.
      return isRefusal(error);
    }
  }

  function trouble(error: Error): void {
    log.warn({ event: "revoke", reason: reasonOf(error) }, "pending revocations could not be read");
    again(pause.longestMs);
  }

  return {
    retry,
    async revoke({ portal, clientId, username, refreshToken, token, refreshTokenExpires }) {
      const until = refreshTokenExpires?.getTime() ?? Date.now() + longestLifeMs;
      const item = { portal, clientId, username, token: refreshToken ?? token, until };
      if (await revokeNow(item)) return;
      await store.changePending((items) => [...items, item]).then(() => again(pause.firstMs), trouble);
    },
  };
}

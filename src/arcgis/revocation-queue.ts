import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import pMap from "p-map";
import type { Logger } from "pino";
import { counts } from "../metrics/counts.ts";
import { reasonOf } from "../reason.ts";
import type { PendingList } from "../session/pending.ts";
import { isPortalTrouble, mostFailing } from "./backoff.ts";
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

/** Works at what waits to be revoked, when it is told to. */
export interface RevocationQueue {
  /**
   * Takes an identity's tokens back at the portal now, within 3 s. Gives false when that was not to be had; true
   * when the portal has answered, whatever it has said.
   */
  revoke(identity: ArcGISIdentityManager): Promise<boolean>;
  /**
   * Lets the tokens of these identities wait in the store.
   * @throws Error when the store fails
   */
  add(identities: readonly ArcGISIdentityManager[]): Promise<void>;
  /**
   * Goes through all that wait, and gives how many are left.
   * @param onDone is told after each one
   * @throws Error when the store fails
   */
  work(onDone?: (done: number, of: number) => void): Promise<number>;
}

/** No refresh token of ArcGIS lives longer than 90 days, where the portal does not say. */
const longestLifeMs = 90 * 24 * 60 * 60_000;
/** A portal is asked about so many side by side. */
const atOnce = 8;

/** The tokens that are to be revoked, in the store: so a restart loses none, and every process sees them. */
export function revocationQueue({
  store,
  log,
}: {
  store: PendingList;
  log: Pick<Logger, "warn">;
}): RevocationQueue {
  /** True when there is nothing more to do about this one. */
  async function revokeNow(
    { portal, clientId, username, token }: PendingRevocation,
    onTrouble = () => {},
  ): Promise<boolean> {
    try {
      await IdentityManager.destroy(
        new ArcGISIdentityManager({ portal, clientId, username, refreshToken: token }),
      );
      counts.revocations.add("revoked");
      return true;
    } catch (error) {
      counts.revocations.add("failed");
      log.warn({ event: "revoke", user: username, reason: reasonOf(error) }, "not revoked");
      if (isPortalTrouble(error)) onTrouble();
      // The portal has answered, and would answer the same tomorrow.
      return isRefusal(error);
    }
  }

  return {
    revoke: (identity) => revokeNow(revocationOf(identity)),

    add: (identities) =>
      store.changePending<PendingRevocation>((items) => {
        const known = new Set(items.map(({ token }) => token));
        return [...items, ...identities.map(revocationOf).filter(({ token }) => !known.has(token))];
      }),

    async work(onDone = () => {}) {
      let waiting: PendingRevocation[] = [];
      await store.changePending<PendingRevocation>((items) => {
        waiting = items.filter(({ until }) => Date.now() < until);
        return waiting.length < items.length ? waiting : items;
      });
      const done = new Set<string>();
      const failing = new Map<string, Set<string>>();
      await pMap(
        waiting,
        async (item) => {
          const { portal, username, token } = item;
          const users = failing.get(portal) ?? new Set();
          failing.set(portal, users);
          // A portal that cannot be reached for several users is down: the others would only wait, too.
          if (users.size >= mostFailing) return;
          if (await revokeNow(item, () => users.add(username))) {
            done.add(token);
            users.clear();
          }
          onDone(done.size, waiting.length);
        },
        { concurrency: atOnce },
      );
      if (done.size > 0)
        await store.changePending<PendingRevocation>((items) =>
          items.filter(({ token }) => !done.has(token)),
        );
      return waiting.filter(({ token }) => !done.has(token)).length;
    },
  };
}

function revocationOf(identity: ArcGISIdentityManager): PendingRevocation {
  const { portal, clientId, username, refreshToken, token, refreshTokenExpires } = identity;
  const until = refreshTokenExpires?.getTime() ?? Date.now() + longestLifeMs;
  return { portal, clientId, username, token: refreshToken ?? token, until };
}

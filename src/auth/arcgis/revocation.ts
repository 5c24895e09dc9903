import { setTimeout as sleep } from "node:timers/promises";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import pMap from "p-map";
import { minUsers } from "./backoff.ts";
import { IdentityManager } from "./identity-manager.ts";
import { isRejection, isUnreachable } from "./portal-request.ts";

/** A token that waits to be revoked: its portal was down. */
export interface PendingRevocation extends ReturnType<typeof toPending> {}

/** Where they wait, for every process and across restarts. `edit` may be called again, with newer items. */
type ChangePending = (edit: (items: PendingRevocation[]) => PendingRevocation[]) => Promise<void>;
type OnDone = (type: "revoke" | "revoke-failed" | "store-failed", username?: string, error?: unknown) => void;

/** No refresh token lives longer, where the portal does not say. */
const maxLifeMs = 90 * 24 * 60 * 60_000;
const retryMs = 60_000;
const concurrency = 8;
/** The end of the process waits so long for tokens that are on their way (ms). */
const closeMs = 1_500;

/** Revokes tokens at their portal: within 3 s, or later if the portal is down. Never rejects. */
export function revocation(changePending: ChangePending, onDone: OnDone) {
  const unfinished = new Set<PendingRevocation>();
  const inProgress = new Set<Promise<unknown>>();
  let retrying: Promise<number> | undefined;
  const retryLater = () => void retry().catch(queueFailed);
  const soon = setTimeout(retryLater, 0).unref();
  const timer = setInterval(retryLater, retryMs).unref();

  async function revoke(identities: ArcGISIdentityManager | ArcGISIdentityManager[]): Promise<void> {
    const items = [identities].flat().map(toPending);
    for (const item of items) unfinished.add(item);
    await queue(await attempt(items));
    for (const item of items) unfinished.delete(item);
  }

  /** Returns those to try again. A portal that several users cannot reach is down: the others would only wait, too. */
  async function attempt(items: PendingRevocation[]): Promise<PendingRevocation[]> {
    const failing = new Map(items.map(({ portal }) => [portal, new Set<string>()]));
    const work = async (item: PendingRevocation) => {
      const { portal, clientId, username, token } = item;
      const users = failing.get(portal) ?? new Set();
      if (users.size >= minUsers) return item;
      try {
        const identity = new ArcGISIdentityManager({ portal, clientId, username, refreshToken: token });
        await IdentityManager.destroy(identity);
        onDone("revoke", username);
      } catch (error) {
        onDone("revoke-failed", username, error);
        if (isUnreachable(error)) users.add(username);
        if (!isRejection(error)) return item;
      }
      users.clear();
      return []; // a rejected token needs no revocation
    };
    return (await pMap(items, work, { concurrency })).flat();
  }

  async function queue(items: PendingRevocation[]): Promise<void> {
    if (items.length === 0) return;
    await changePending((waiting) => unexpired([...waiting, ...items])).catch(queueFailed);
  }

  function queueFailed(error: unknown): void {
    onDone("store-failed", undefined, error);
  }

  /** Tries what waits, now; returns how many are left. Calls at the same time share one run. */
  function retry(): Promise<number> {
    retrying ??= retryAll().finally(() => {
      retrying = undefined;
    });
    return retrying;
  }

  async function retryAll(): Promise<number> {
    let waiting: PendingRevocation[] = [];
    await changePending((items) => {
      waiting = unexpired(items);
      return waiting;
    });
    const left = new Set(await attempt(waiting));
    const done = new Set(waiting.filter((item) => !left.has(item)).map(({ token }) => token));
    if (done.size > 0) await changePending((items) => items.filter(({ token }) => !done.has(token)));
    return left.size;
  }

  /** Makes `close` wait for work that may end with tokens to revoke. Returns the work. */
  function finishBeforeClose<T>(work: Promise<T>): Promise<T> {
    inProgress.add(work);
    const done = () => inProgress.delete(work);
    work.then(done, done);
    return work;
  }

  /** Stops, and queues what is not revoked yet, and what comes within 1.5 s. */
  async function close(): Promise<void> {
    clearTimeout(soon);
    clearInterval(timer);
    // At once: the process may have no time for more.
    await queue([...unfinished]);
    await Promise.race([Promise.allSettled(inProgress), sleep(closeMs, undefined, { ref: false })]);
    await queue([...unfinished]);
  }

  return { revoke, retry, finishBeforeClose, close };
}

/** Each token once: another process may have added it, too. */
function unexpired(items: PendingRevocation[]): PendingRevocation[] {
  const unique = new Map(items.map((item) => [item.token, item]));
  return [...unique.values()].filter(({ until }) => Date.now() < until);
}

/** What is stored of an identity whose tokens are to be revoked later. */
export function toPending(identity: ArcGISIdentityManager) {
  const { portal, clientId, username, refreshToken, token, refreshTokenExpires } = identity;
  /** When it expires by itself (ms since 1970). */
  const until = refreshTokenExpires?.getTime() ?? Date.now() + maxLifeMs;
  return { portal, clientId, username, token: refreshToken ?? token, until };
}

import { setTimeout as sleep } from "node:timers/promises";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import pMap from "p-map";
import { isUnreachable, minUsers } from "./backoff.ts";
import { IdentityManager } from "./identity-manager.ts";
import { isRejection } from "./portal-request.ts";

/** A token that waits to be revoked: its portal was down. */
export interface PendingRevocation {
  portal: string;
  clientId: string;
  username: string;
  /** The refresh token, or the access token of an identity that has none. */
  token: string;
  /** When it expires by itself (ms since 1970). */
  until: number;
}

type Edit = (items: PendingRevocation[]) => PendingRevocation[];

/** Where they wait, for every process and across restarts. `edit` may be called again, with newer items. */
export interface PendingRevocations {
  change(edit: Edit): Promise<void>;
}

type OnDone = (type: "revoke" | "revoke-failed", username?: string, error?: unknown) => void;

/** No refresh token lives longer, where the portal does not say. */
const maxLifeMs = 90 * 24 * 60 * 60_000;
const backoff = { firstMs: 5_000, maxMs: 10 * 60_000 };
const concurrency = 8;
/** The end of the process waits so long for tokens that are on their way (ms). */
const closeMs = 1_500;

/** Revokes tokens at their portal: within 3 s, or later if the portal is down. Never rejects. */
export function revocation({ pending, onDone }: { pending: PendingRevocations; onDone: OnDone }) {
  const unfinished = new Set<PendingRevocation>();
  const expected = new Set<Promise<unknown>>();
  let failures = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout;
  schedule(0);

  function schedule(ms: number): void {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(() => void retry().catch(queueFailed), ms).unref();
  }

  function queueFailed(error: unknown): void {
    onDone("revoke-failed", undefined, error);
    schedule(backoff.maxMs);
  }

  async function queue(added: PendingRevocation[]): Promise<void> {
    if (added.length === 0) return;
    const tokens = new Set(added.map(({ token }) => token));
    await pending
      .change((items) => [...items.filter(({ token }) => !tokens.has(token)), ...added])
      .then(() => schedule(backoff.firstMs), queueFailed);
  }

  async function revoke(identities: ArcGISIdentityManager | ArcGISIdentityManager[]): Promise<void> {
    const items = [identities].flat().map(toPending);
    for (const item of items) unfinished.add(item);
    const revokeOrQueue = async (item: PendingRevocation) => {
      if (!(await revokeNow(item))) await queue([item]);
      unfinished.delete(item);
    };
    await pMap(items, revokeOrQueue, { concurrency });
  }

  /** True when nothing is left to do: revoked, or rejected for good. */
  async function revokeNow(
    { portal, clientId, username, token }: PendingRevocation,
    failing?: Set<string>,
  ): Promise<boolean> {
    const identity = new ArcGISIdentityManager({ portal, clientId, username, refreshToken: token });
    try {
      await IdentityManager.destroy(identity);
      onDone("revoke", username);
      return true;
    } catch (error) {
      onDone("revoke-failed", username, error);
      if (isUnreachable(error)) failing?.add(username);
      return isRejection(error);
    }
  }

  /** Tries what waits, now; returns how many are left. */
  async function retry(): Promise<number> {
    let waiting: PendingRevocation[] = [];
    await pending.change((items) => {
      waiting = items.filter(({ until }) => Date.now() < until);
      return waiting;
    });
    const done = new Set<string>();
    const users = new Map(waiting.map(({ portal }) => [portal, new Set<string>()]));
    const work = async (item: PendingRevocation) => {
      const failing = users.get(item.portal);
      // A portal that several users cannot reach is down: the others would only wait, too.
      if (!failing || failing.size >= minUsers || !(await revokeNow(item, failing))) return;
      done.add(item.token);
      failing.clear();
    };
    await pMap(waiting, work, { concurrency });
    if (done.size > 0) await pending.change((items) => items.filter(({ token }) => !done.has(token)));
    const left = waiting.filter(({ token }) => !done.has(token)).length;
    failures = left > 0 && done.size === 0 ? failures + 1 : 0;
    // Also with nothing left: another process may add to the list.
    schedule(left > 0 ? Math.min(backoff.firstMs * 2 ** failures, backoff.maxMs) : backoff.maxMs);
    return left;
  }

  /** Work that may bring tokens which are to be revoked: `close` waits for it. */
  function expect<T>(work: Promise<T>): Promise<T> {
    expected.add(work);
    const done = () => expected.delete(work);
    work.then(done, done);
    return work;
  }

  /** Stops, and queues what is not revoked yet, and what comes within 1.5 s. */
  async function close(): Promise<void> {
    isClosed = true;
    clearTimeout(timer);
    // At once: the process may have no time for more.
    await queue([...unfinished]);
    await Promise.race([Promise.allSettled(expected), sleep(closeMs, undefined, { ref: false })]);
    await queue([...unfinished]);
  }

  return { revoke, retry, expect, close };
}

function toPending(identity: ArcGISIdentityManager): PendingRevocation {
  const { portal, clientId, username, refreshToken, token, refreshTokenExpires } = identity;
  const until = refreshTokenExpires?.getTime() ?? Date.now() + maxLifeMs;
  return { portal, clientId, username, token: refreshToken ?? token, until };
}

import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
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

/** Revokes tokens at their portal: within 3 s, or later if the portal is down. Never rejects. */
export function revocation({ pending, onDone }: { pending: PendingRevocations; onDone: OnDone }) {
  const inProgress = new Set<Promise<void>>();
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

  function revoke(identity: ArcGISIdentityManager): Promise<void> {
    const { portal, clientId, username, refreshToken, token, refreshTokenExpires } = identity;
    const until = refreshTokenExpires?.getTime() ?? Date.now() + maxLifeMs;
    const item = { portal, clientId, username, token: refreshToken ?? token, until };
    const queue = () =>
      pending.change((items) => [...items, item]).then(() => schedule(backoff.firstMs), queueFailed);
    const work = revokeNow(item)
      .then((isDone) => (isDone ? undefined : queue()))
      .finally(() => inProgress.delete(work));
    inProgress.add(work);
    return work;
  }

  /** True when nothing is left to do: revoked, or rejected for good. */
  async function revokeNow({ portal, clientId, username, token }: PendingRevocation): Promise<boolean> {
    const identity = new ArcGISIdentityManager({ portal, clientId, username, refreshToken: token });
    try {
      await IdentityManager.destroy(identity);
      onDone("revoke", username);
      return true;
    } catch (error) {
      onDone("revoke-failed", username, error);
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
    const [done, down] = [new Set<string>(), new Set<string>()];
    const next = waiting.values();
    const worker = async () => {
      // One failure is enough to know that a portal is down.
      for (const item of next)
        if (!down.has(item.portal)) (await revokeNow(item)) ? done.add(item.token) : down.add(item.portal);
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    if (done.size > 0) await pending.change((items) => items.filter(({ token }) => !done.has(token)));
    const left = waiting.length - done.size;
    failures = left > 0 && done.size === 0 ? failures + 1 : 0;
    // Also with nothing left: another process may add to the list.
    schedule(left > 0 ? Math.min(backoff.firstMs * 2 ** failures, backoff.maxMs) : backoff.maxMs);
    return left;
  }

  /** Stops the timer, and waits until what is in progress is done or queued (3 s at most). */
  async function close(): Promise<void> {
    isClosed = true;
    clearTimeout(timer);
    await Promise.allSettled(inProgress);
  }

  return { revoke, retry, close };
}

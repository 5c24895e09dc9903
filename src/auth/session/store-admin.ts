import { randomUUID } from "node:crypto";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { SessionData } from "express-session";
import { AuthError } from "../errors.ts";
import { isExpired, type Lifetimes } from "./expiry.ts";
import type { SessionBackend, StoredRecord } from "./file-backend.ts";
import type { KeyRing } from "./seal.ts";
import { liveParts, openRecord, problemWith, recordName, sealRecord } from "./sealed-record.ts";
import { deserialize, identitiesIn } from "./serializer.ts";

/** A session as seen from outside. Times in ms since 1970. */
export interface SessionInfo {
  /** The name of its record, which does not reveal its id. Logs show the beginning of it. */
  name: string;
  /** What is in it: identity managers, profiles, data of the app. */
  data: Partial<SessionData>;
  createdAt: number;
  /** Exact to the minute. */
  lastAccess: number;
  /** When it ends, however often it is used. */
  endsAt: number;
  /** Expired sessions are deleted later. */
  isExpired: boolean;
  isOnNewestKey: boolean;
}

/** All sessions, for those who are not a request of one of them. Every method rejects when the backend fails. */
export interface StoreAdmin {
  /** The name of the record of a session id. */
  nameOf(id: string): string;
  names(): Promise<string[]>;
  /** The session; the problem when it does not open; `undefined` when there is none (anymore). */
  inspect(name: string): Promise<SessionInfo | { problem: string } | undefined>;
  /** Ends a session for good, and returns what was in it at that moment: revoke its identities (`auth.revoke`). */
  end(name: string): Promise<Partial<SessionData> | undefined>;
  /** Seals a session with the newest key, whatever its requests do meanwhile. */
  reseal(name: string): Promise<"resealed" | "on newest key" | "unreadable" | "gone">;
  /** Removes sessions that nobody used for the idle time. Runs by itself every hour. */
  reap(): Promise<void>;
  /** Changes the sealed list of revocations that wait for their portal. */
  changePending<Item>(change: (items: Item[]) => Item[]): Promise<void>;
  /** Tries everything that sessions need of the place where they are kept; rejects naming the step that failed. */
  probe(): Promise<void>;
  stop(): void;
}

interface StoreAdminOptions {
  backend: SessionBackend;
  keys: KeyRing;
  lifetimes: Lifetimes;
  onExpired(identities: ArcGISIdentityManager[]): unknown;
  onError(error: unknown): void;
}

/** Grace period before the reaper deletes an expired session. */
const graceMs = 60_000;
/** How many it reads and deletes at a time: mostly, that is waiting for a disk. */
const concurrency = 16;
const reapEveryMs = 60 * 60_000;
const skewMs = 5 * 60_000;

export function storeAdmin({ backend, keys, lifetimes, onExpired, onError }: StoreAdminOptions): StoreAdmin {
  const clocks = () => ({ wall: Date.now(), monotonic: performance.now() });
  let last = clocks();
  let isStopped = false;

  /** Not when the clock was set since the last time: it may be a mistake, and be put right before the next. */
  function reapUnlessSet(): void {
    const now = clocks();
    const jumpMs = now.wall - last.wall - (now.monotonic - last.monotonic);
    last = now;
    if (Math.abs(jumpMs) <= skewMs) admin.reap().catch(onError);
  }

  async function remove(name: string): Promise<void> {
    const record = await backend.read(name);
    const opened = record && openRecord(keys, name, record);
    if (opened && !isExpired(opened, lifetimes)) return;
    await backend.take(name);
    if (opened) onExpired(identitiesIn(liveParts(opened)).map(([, identity]) => identity));
  }

  /** Where nothing can be removed: a session that holds nothing is nobody's. */
  async function empty(name: string, reason: unknown): Promise<StoredRecord | undefined> {
    let last: StoredRecord | undefined;
    const change = (record: StoredRecord) => {
      last = record;
      const opened = openRecord(keys, name, record);
      const { cookie = "{}" } = opened?.parts ?? {};
      return opened && sealRecord(keys, name, { ...opened, parts: { cookie } });
    };
    const isEmpty = await backend.update(name, change).catch(() => false);
    if (!isEmpty) throw reason;
    return last;
  }

  const timers = [setTimeout(reapUnlessSet, 60_000), setInterval(reapUnlessSet, reapEveryMs)];
  for (const timer of timers) timer.unref();

  const admin: StoreAdmin = {
    nameOf: recordName,
    names: () => backend.names(),
    stop() {
      isStopped = true;
      timers.forEach(clearTimeout);
    },

    async inspect(name) {
      const record = await backend.read(name);
      const opened = record && openRecord(keys, name, record);
      if (!opened) return record && { problem: problemWith(keys, record) };
      const { createdAt, lastAccess, parts } = opened;
      const endsAt = createdAt + lifetimes.maxSeconds * 1000;
      const state = {
        isExpired: isExpired(opened, lifetimes),
        isOnNewestKey: keys.keyOf(record.text) === "newest",
      };
      return { name, data: deserialize(parts), createdAt, lastAccess, endsAt, ...state };
    },

    async end(name) {
      const record = await backend.take(name).catch((error) => empty(name, error));
      const opened = record && openRecord(keys, name, record);
      return opened && deserialize(opened.parts);
    },

    async reseal(name) {
      let outcome: Awaited<ReturnType<StoreAdmin["reseal"]>> = "gone";
      await backend.update(name, (record) => {
        outcome = "on newest key";
        if (keys.keyOf(record.text) === "newest") return undefined;
        const opened = openRecord(keys, name, record);
        outcome = opened ? "resealed" : "unreadable";
        return opened && sealRecord(keys, name, opened);
      });
      return outcome;
    },

    async reap() {
      if (backend.forgets) return;
      const idleSince = Date.now() - lifetimes.idleSeconds * 1000 - graceMs;
      const names = await backend.names(idleSince);
      // A session stays for the next process once this one ends: it may not live until the tokens are revoked.
      while (names.length > 0 && !isStopped)
        await Promise.all(names.splice(0, concurrency).map((name) => remove(name).catch(onError)));
    },

    async changePending(change) {
      await backend.replace("pending-revocations", (text) => {
        const before = (text && keys.open(text, "revocation")) || "[]";
        const after = JSON.stringify(change(JSON.parse(before)));
        // One that does not open waits for its key, unless something new is to be kept.
        if (after === before && (after === "[]" || keys.keyOf(text ?? "") === "newest")) return text;
        return after === "[]" ? undefined : keys.seal(after, "revocation");
      });
    },

    async probe() {
      const name = `probe-${randomUUID()}`;
      await backend.probe?.().catch((cause) => {
        throw new AuthError("store_unavailable", { cause });
      });
      const steps: Record<string, () => Promise<unknown>> = {
        create: () => backend.create(name, "probe"),
        read: () => backend.read(name),
        update: () => backend.update(name, () => "probed"),
        touch: () => backend.touch(name, Date.now()),
        lock: async () => (await backend.lock(name, 1_000)).unlock(),
        replace: () => backend.replace(name, (text) => text && undefined),
        take: () => backend.take(name),
      };
      for (const [step, run] of Object.entries(steps))
        await run().catch((cause) => {
          const reason = new Error(`${step}: ${Object(cause).message}`, { cause });
          throw new AuthError("store_unavailable", { cause: reason });
        });
    },
  };
  return admin;
}

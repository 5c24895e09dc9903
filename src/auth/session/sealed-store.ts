import { randomUUID } from "node:crypto";
import type { Request } from "express";
import { type Session, type SessionData, Store } from "express-session";
import { AuthError } from "../errors.ts";
import { defaultLifetimes, isExpired, isTouchDue, type Lifetimes } from "./expiry.ts";
import type { SessionBackend, StoredRecord } from "./file-backend.ts";
import { type LegacySessions, takeOver } from "./legacy-file-store.ts";
import { startReaper } from "./reaper.ts";
import { recordCache } from "./record-cache.ts";
import { type KeyRing, keyRing } from "./seal.ts";
import { liveParts, type Opened, openRecord, recordName, sealRecord } from "./sealed-record.ts";
import { deserialize, identitiesIn, type Parts, serialize, threeWayMerge } from "./serializer.ts";
import { type SessionAdmin, sessionAdmin } from "./session-admin.ts";

export interface SealedStoreOptions extends Partial<Lifetimes> {
  backend: SessionBackend;
  /** 32 characters or more. A list: the first seals, all open. */
  encryptionKey: string | readonly string[];
  /** Takes over the sessions that session-file-store has left, each when its browser comes back. */
  legacy?: LegacySessions | undefined;
  /** A record is there and does not open. */
  onUnreadable?: ((record: string) => void) | undefined;
  /** Work in the background failed. */
  onError?: ((error: unknown) => void) | undefined;
}

type Done = (error?: unknown) => void;

/** Grace period before the reaper deletes an expired session. */
const graceMs = 60_000;

/**
 * An express-session store that keeps nothing readable: each session is sealed for its own id. Unreadable means
 * absent. A session that was loaded is only ever updated, so a late save cannot bring back one that was destroyed;
 * and what others stored meanwhile (a refreshed token) stays, unless this request changed the same property.
 *
 * Emits "expired" with the identities of a session whose tokens nobody will use anymore.
 */
export class SealedStore extends Store {
  /** Set by express-session when the store meets its middleware. */
  declare generate: (req: Request) => void;
  /** All sessions, for operators and "where am I signed in". */
  readonly sessions: SessionAdmin;
  readonly lifetimes: Lifetimes;
  readonly #options: SealedStoreOptions;
  readonly #backend: SessionBackend;
  readonly #keys: KeyRing;
  readonly #stopReaper: () => void;
  readonly #cache = recordCache();
  /** What a session object in memory had in common with the store when they last met. */
  readonly #loaded = new WeakMap<object, Pick<Opened, "parts" | "lastAccess" | "maxAgeMs">>();

  constructor(options: SealedStoreOptions) {
    super();
    const { idleSeconds, maxSeconds } = options;
    this.lifetimes = {
      idleSeconds: idleSeconds ?? defaultLifetimes.idleSeconds,
      maxSeconds: maxSeconds ?? defaultLifetimes.maxSeconds,
    };
    this.#options = options;
    this.#backend = options.backend;
    this.#keys = keyRing([options.encryptionKey].flat());
    this.sessions = sessionAdmin({ backend: this.#backend, keys: this.#keys, lifetimes: this.lifetimes });
    this.#stopReaper = startReaper(() => this.reap(), this.#failed);
  }

  /** express-session's way to read. */
  override get(id: string, done: (error: unknown, data?: SessionData | null) => void): void {
    settle(this.#load(id), done);
  }

  /** Called by express-session with what `get` returned. */
  override createSession(req: Request, data: SessionData): Session & SessionData {
    const session = super.createSession(req, data);
    const loaded = this.#loaded.get(data);
    if (loaded) this.#loaded.set(session, loaded);
    return session;
  }

  /** Creates a session that is new; updates one that was loaded, as long as it still exists. */
  override set(id: string, session: SessionData, done: Done = () => {}): void {
    settle(this.#save(recordName(id), session), done);
  }

  async #save(name: string, session: SessionData): Promise<void> {
    const mine = serialize(session);
    const base = this.#loaded.get(session)?.parts;
    if (base === undefined) {
      const text = sealRecord(this.#keys, name, { createdAt: Date.now(), parts: mine });
      await this.#backend.create(name, text).catch(unavailable);
    } else if (hasChanges(base, mine)) {
      await this.#update(name, (stored) => threeWayMerge(base, mine, stored));
    }
    const maxAgeMs = session.cookie?.originalMaxAge ?? Infinity;
    this.#loaded.set(session, { parts: mine, lastAccess: Date.now(), maxAgeMs });
  }

  override touch(id: string, session: SessionData, done: Done = () => {}): void {
    settle(this.#touch(recordName(id), this.#loaded.get(session)), done);
  }

  override destroy(id: string, done: Done = () => {}): void {
    settle(this.take(id), (error) => done(error));
  }

  /** Ends a session for good; returns what was stored last, a refresh of this very moment included. */
  async take(id: string): Promise<Partial<SessionData> | undefined> {
    const name = recordName(id);
    this.#cache.delete(name);
    const record = await this.#backend.take(name).catch(unavailable);
    await this.#options.legacy?.remove(id);
    const opened = record && this.#open(name, record);
    return opened && deserialize(opened.parts);
  }

  /** What is stored of a session at this moment. Does not count as an access. */
  async read(id: string): Promise<Partial<SessionData> | undefined> {
    const opened = await this.#find(id);
    return opened && deserialize(liveParts(opened));
  }

  /** The same as texts, straight from the cache: parse only what you need. Counts as an access. */
  async readParts(id: string): Promise<{ parts: Parts; endsAt: number } | undefined> {
    const opened = await this.#find(id);
    if (!opened) return undefined;
    this.#touch(recordName(id), opened).catch(this.#failed);
    return { parts: liveParts(opened), endsAt: opened.createdAt + this.lifetimes.maxSeconds * 1000 };
  }

  /**
   * Changes a session whatever requests do meanwhile; false when it does not exist anymore. `change` is called again,
   * with newer data, when somebody else was faster.
   */
  update(id: string, change: (data: Partial<SessionData>) => void): Promise<boolean> {
    return this.#update(recordName(id), (parts) => {
      const data = deserialize(parts);
      change(data);
      return serialize(data);
    });
  }

  /** Waits, for 20 s at most, until this caller alone, of all processes, may refresh the session's tokens. */
  async lock(id: string, staleMs: number): Promise<() => Promise<void>> {
    const { unlock } = await this.#backend.lock(recordName(id), staleMs).catch(unavailable);
    return unlock;
  }

  /** Changes the sealed list, beside the sessions, of revocations that wait for their portal. */
  async changePending<Item>(change: (items: Item[]) => Item[]): Promise<void> {
    const keys = this.#keys;
    const edit = (text: string | undefined) => {
      const before = text === undefined ? undefined : keys.open(text, "revocation");
      const after = JSON.stringify(change(JSON.parse(before ?? "[]")));
      // Sealed with a key that is absent: it waits for that key, unless something new is to be kept.
      if (after === (before ?? "[]")) return text;
      return after === "[]" ? undefined : keys.seal(after, "revocation");
    };
    await this.#backend.replace("pending-revocations", edit).catch(unavailable);
  }

  /** The name of a session's record; see `sessions`. */
  nameOf(id: string): string {
    return recordName(id);
  }

  /** Removes sessions that nobody used for the idle time. Runs by itself every hour. */
  async reap(): Promise<void> {
    if (this.#backend.forgets) return;
    const idleSince = Date.now() - this.lifetimes.idleSeconds * 1000 - graceMs;
    for (const name of await this.#backend.names(idleSince)) {
      const record = await this.#backend.read(name);
      const opened = record && this.#open(name, record);
      if (opened && !isExpired(opened, this.lifetimes)) continue;
      await this.#backend.take(name);
      if (opened)
        this.emit(
          "expired",
          identitiesIn(liveParts(opened)).map(([, identity]) => identity),
        );
    }
  }

  /** Tries everything that sessions need of the place where they are kept; rejects naming the step that failed. */
  async probe(): Promise<void> {
    const [name, backend] = [`probe-${randomUUID()}`, this.#backend];
    const steps: Record<string, () => Promise<unknown>> = {
      create: () => backend.create(name, "probe"),
      read: () => backend.read(name),
      update: () => backend.update(name, () => "probed"),
      touch: () => backend.touch(name, Date.now()),
      lock: async () => (await backend.lock(name, 1_000)).unlock(),
      replace: () => backend.replace(name, (text) => text && undefined),
      remove: () => backend.take(name),
    };
    for (const [step, run] of Object.entries(steps))
      await run().catch((cause) => unavailable(new Error(`${step}: ${Object(cause).message}`, { cause })));
  }

  close(): void {
    this.#stopReaper();
  }

  async #load(id: string): Promise<SessionData | null> {
    const opened = await this.#find(id);
    if (!opened) return null;
    const parts = liveParts(opened);
    const data = deserialize(parts) as unknown as SessionData;
    const { cookie } = data;
    const leftMs = opened.createdAt + this.lifetimes.maxSeconds * 1000 - Date.now();
    // The browser keeps its cookie no longer than the session can live.
    if (cookie?.originalMaxAge) cookie.originalMaxAge = Math.min(cookie.originalMaxAge, leftMs);
    this.#loaded.set(data, { ...opened, parts });
    return data;
  }

  async #find(id: string): Promise<Opened | undefined> {
    const name = recordName(id);
    const opened = await this.#read(name).catch(unavailable);
    if (opened) return isExpired(opened, this.lifetimes) ? undefined : opened;
    const { legacy } = this.#options;
    const seal = ({ lastAccess, parts }: Pick<Opened, "lastAccess" | "parts">) =>
      sealRecord(this.#keys, name, { createdAt: lastAccess, parts });
    const taken =
      legacy && (await takeOver(legacy, id, { name, backend: this.#backend, seal }).catch(unavailable));
    return taken && this.#open(name, taken);
  }

  async #read(name: string): Promise<Opened | undefined> {
    const version = this.#backend.version?.(name);
    if (this.#backend.version && version === undefined) return undefined;
    const cached = this.#cache.get(name, version);
    if (cached) return cached;
    const record = await this.#backend.read(name);
    const opened = record && this.#open(name, record);
    if (opened) this.#cache.set(name, record.version, opened);
    return opened;
  }

  #open(name: string, record: StoredRecord): Opened | undefined {
    const opened = openRecord(this.#keys, name, record);
    if (!opened) this.#options.onUnreadable?.(name.slice(0, 8));
    else if (this.#keys.keyOf(record.text) === "older") this.sessions.reseal(name).catch(this.#failed);
    return opened;
  }

  async #update(name: string, next: (stored: Parts) => Parts): Promise<boolean> {
    let latest: { isSame?: boolean; thrown?: unknown } = {};
    const change = (record: StoredRecord) => {
      latest = {};
      const opened = this.#open(name, record);
      if (!opened) return undefined;
      try {
        const parts = next(opened.parts);
        latest.isSame = JSON.stringify(parts) === JSON.stringify(opened.parts);
        return latest.isSame ? undefined : sealRecord(this.#keys, name, { ...opened, parts });
      } catch (thrown) {
        latest = { thrown }; // not the store's failure
        return undefined;
      }
    };
    const isWritten = await this.#backend.update(name, change).catch(unavailable);
    if ("thrown" in latest) throw latest.thrown;
    return isWritten || latest.isSame === true;
  }

  async #touch(name: string, opened: Pick<Opened, "lastAccess" | "maxAgeMs"> | undefined): Promise<void> {
    const now = Date.now();
    if (!opened || !isTouchDue(opened, now)) return;
    opened.lastAccess = now;
    await this.#backend.touch(name, now).catch(unavailable);
  }

  #failed = (error: unknown): void => this.#options.onError?.(error);
}

/** The cookie's dates move with every request and are not worth a write. */
function hasChanges({ cookie: _a, ...base }: Parts, { cookie: _b, ...mine }: Parts): boolean {
  return JSON.stringify(base) !== JSON.stringify(mine);
}

function unavailable(cause: unknown): never {
  throw new AuthError("store_unavailable", { cause });
}

function settle<T>(work: Promise<T>, done: (error: unknown, value?: T) => void): void {
  work.then((value) => done(null, value), done);
}

import type { Request } from "express";
import { type Session, type SessionData, Store } from "express-session";
import { AuthError } from "../errors.ts";
import { defaultLifetimes, endsOf, isExpired, isTouchDue, type Lifetimes } from "./expiry.ts";
import type { SessionBackend, StoredRecord } from "./file-backend.ts";
import { type LegacySessions, takeOver } from "./legacy-file-store.ts";
import { reaper } from "./reaper.ts";
import { cachedReader } from "./record-cache.ts";
import { type KeyRing, keyRing } from "./seal.ts";
import { liveParts, type Opened, openRecord, problemWith, recordName, sealRecord } from "./sealed-record.ts";
import {
  deserialize,
  hasChangedIdentity,
  hasChanges,
  hideIdentities,
  type Parts,
  serialize,
  threeWayMerge,
} from "./serializer.ts";
import { type StoreAdmin, storeAdmin } from "./store-admin.ts";

export interface SealedStoreOptions extends Partial<Lifetimes> {
  /** Where the records are: `fileBackend(path)`, `redisBackend(client)`, or your own. */
  backend: SessionBackend;
  /** 32 characters or more. A list: the first seals, all open. */
  encryptionKey: string | readonly string[];
  /** Takes over the sessions that session-file-store has left, each when its browser comes back. */
  legacy?: LegacySessions | undefined;
  /** A record is there and does not open; gets the beginning of its name. */
  onUnreadable?: ((record: string, problem: string) => void) | undefined;
  /** Work in the background failed. */
  onError?: ((error: unknown) => void) | undefined;
}

type Done = (error?: unknown) => void;
/** What a session object was loaded from, or last saved as: the base of the three-way merge. */
type Base = Pick<Opened, "parts" | "lastAccess" | "maxAgeMs">;

/**
 * An express-session store of sealed records, each for its own session ID. One that does not open counts as absent. A
 * session that was loaded is only ever updated, so a late save cannot bring back a destroyed one, and what others stored
 * meanwhile (a refreshed token) stays unless this request changed the same property. Emits "expired" with the identities.
 */
export class SealedStore extends Store {
  /** Set by the middleware of express-session. */
  declare generate: (req: Request) => void;
  readonly lifetimes: Lifetimes;
  /** All sessions, for operators and for "where am I signed in". `reap` removes the expired ones now. */
  readonly admin: StoreAdmin & { reap(): Promise<void> };
  /** Ends the removal of expired sessions. The backend stays open. */
  readonly close: () => void;
  readonly #options: SealedStoreOptions;
  readonly #keys: KeyRing;
  readonly #read: (name: string) => Promise<Opened | undefined>;
  readonly #bases = new WeakMap<object, Base>();

  constructor(options: SealedStoreOptions) {
    super();
    const { backend, encryptionKey } = options;
    const { idleSeconds = defaultLifetimes.idleSeconds, maxSeconds = defaultLifetimes.maxSeconds } = options;
    this.#options = options;
    this.#keys = keyRing([encryptionKey].flat());
    this.#read = cachedReader(backend, this.#open);
    this.lifetimes = { idleSeconds, maxSeconds };
    const onExpired = this.emit.bind(this, "expired");
    const { reap, stop } = reaper(backend, this.#keys, this.lifetimes, onExpired, this.#failed);
    this.admin = { ...storeAdmin(backend, this.#keys, this.lifetimes), reap };
    this.close = stop;
  }

  override get(id: string, done: (error: unknown, data?: SessionData | null) => void): void {
    settle(this.#load(id), done);
  }

  async #load(id: string): Promise<SessionData | null> {
    const opened = await this.#find(id);
    if (!opened) return null;
    const parts = liveParts(opened);
    const data = deserialize(parts) as unknown as SessionData;
    // The browser keeps its cookie no longer than the session can live.
    if (data.cookie?.originalMaxAge)
      data.cookie.originalMaxAge = Math.min(
        data.cookie.originalMaxAge,
        endsOf(opened, this.lifetimes).latest - Date.now(),
      );
    hideIdentities(data);
    this.#bases.set(data, { ...opened, parts });
    return data;
  }

  /** Called by express-session with what `get` returned. */
  override createSession(req: Request, data: SessionData): Session & SessionData {
    const session = super.createSession(req, data);
    const base = this.#bases.get(data);
    if (base) this.#bases.set(session, base);
    hideIdentities(data, session);
    return session;
  }

  /** Creates a session that is new; updates one that was loaded, as long as it still exists. */
  override set(id: string, session: SessionData, done: Done = () => {}): void {
    settle(this.#save(id, session), done);
  }

  async #save(id: string, session: SessionData): Promise<void> {
    const name = recordName(id);
    const mine = serialize(session);
    const before = this.#bases.get(session);
    const maxAgeMs = session.cookie?.originalMaxAge ?? Infinity;
    const base = { parts: mine, lastAccess: before?.lastAccess ?? Date.now(), maxAgeMs };
    // Before any await: a second save of the same new session must update, not create.
    this.#bases.set(session, base);
    try {
      if (before === undefined) {
        const text = sealRecord(this.#keys, name, { createdAt: Date.now(), parts: mine });
        await this.#options.backend.create(name, text).catch(unavailable);
      } else if (hasChanges(before.parts, mine)) {
        await this.#update(name, (stored) => threeWayMerge(before.parts, mine, stored));
        // express-session touches only what it does not save.
        await this.#touch(id, base);
      }
    } catch (error) {
      if (before) this.#bases.set(session, before);
      else this.#bases.delete(session);
      throw error;
    }
  }

  /** express-session calls this when it sees no change. Identities are hidden from it, so they are compared here. */
  override touch(id: string, session: SessionData, done: Done = () => {}): void {
    const base = this.#bases.get(session);
    if (base && hasChangedIdentity(base.parts, session)) this.set(id, session, done);
    else settle(this.#touch(id, base), done);
  }

  async #touch(id: string, base: Omit<Base, "parts"> | undefined): Promise<void> {
    const now = Date.now();
    if (!base || !isTouchDue(base, this.lifetimes, now)) return;
    base.lastAccess = now;
    await this.#options.backend.touch(recordName(id), now).catch(unavailable);
  }

  override destroy(id: string, done: Done = () => {}): void {
    settle(this.take(id), (error) => done(error));
  }

  /** Ends a session for good; returns what was stored last, a refresh of this very moment included. */
  async take(id: string): Promise<Partial<SessionData> | undefined> {
    const data = await this.admin.end(recordName(id)).catch(unavailable);
    await this.#options.legacy?.remove(id);
    return data;
  }

  /** What is stored of a session at this moment. Does not count as an access. */
  async read(id: string): Promise<Partial<SessionData> | undefined> {
    const opened = await this.#find(id);
    return opened && deserialize(liveParts(opened));
  }

  /** The same as texts, straight from the cache: parse only what you need. Counts as an access unless `touch` is false. */
  async readParts(id: string, touch = true) {
    const opened = await this.#find(id);
    if (!opened) return undefined;
    if (touch) this.#touch(id, opened).catch(this.#failed);
    return { parts: liveParts(opened), ends: endsOf(opened, this.lifetimes), lastAccess: opened.lastAccess };
  }

  /**
   * Changes a session whatever requests do meanwhile; false when it does not exist anymore. `change` is called again,
   * with newer data, when another process was faster.
   */
  update(id: string, change: (data: Partial<SessionData>) => void): Promise<boolean> {
    return this.#update(recordName(id), (parts) => {
      const data = deserialize(parts);
      change(data);
      return serialize(data);
    });
  }

  async #update(name: string, next: (stored: Parts) => Parts): Promise<boolean> {
    let isSame = false;
    // What `next` throws is passed on as it is: the store works.
    let isCallerAtFault = false;
    const change = (record: StoredRecord) => {
      isSame = false;
      const opened = this.#open(name, record);
      if (!opened) return undefined;
      isCallerAtFault = true;
      const parts = next(opened.parts);
      isCallerAtFault = false;
      isSame = JSON.stringify(parts) === JSON.stringify(opened.parts);
      return isSame ? undefined : sealRecord(this.#keys, name, { ...opened, parts });
    };
    const isWritten = await this.#options.backend
      .update(name, change)
      .catch((error) => (isCallerAtFault ? Promise.reject(error) : unavailable(error)));
    return isWritten || isSame;
  }

  /** Waits, for 20 s at most, until this caller alone, of all processes, may refresh the session's tokens. */
  async lock(id: string, staleMs: number): Promise<() => Promise<void>> {
    return (await this.#options.backend.lock(recordName(id), staleMs).catch(unavailable)).unlock;
  }

  async #find(id: string): Promise<Opened | undefined> {
    const name = recordName(id);
    const found = this.#read(name).then((stored) => stored ?? this.#takeOver(id, name));
    const opened = await found.catch(unavailable);
    return opened && !isExpired(opened, this.lifetimes) ? opened : undefined;
  }

  async #takeOver(id: string, name: string): Promise<Opened | undefined> {
    const { legacy, backend } = this.#options;
    const seal = (createdAt: number, parts: Parts) => sealRecord(this.#keys, name, { createdAt, parts });
    const isThere = legacy && (await takeOver(legacy, id, { name, backend, seal }));
    return isThere ? this.#read(name) : undefined;
  }

  /** What opens with an older key is sealed with the newest. */
  readonly #open = (name: string, record: StoredRecord): Opened | undefined => {
    const opened = openRecord(this.#keys, name, record);
    if (!opened) this.#options.onUnreadable?.(name.slice(0, 8), problemWith(this.#keys, record));
    else if (!opened.isOnNewestKey) this.admin.reseal(name).catch(this.#failed);
    return opened;
  };

  readonly #failed = (error: unknown): void => this.#options.onError?.(error);
}

function unavailable(cause: unknown): never {
  throw new AuthError("store_unavailable", { cause });
}

function settle<T>(work: Promise<T>, done: (error: unknown, value?: T) => void): void {
  work.then((value) => done(null, value), done);
}

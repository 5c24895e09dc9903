import type { Request } from "express";
import session, { type SessionData } from "express-session";
import type { IdentityManager } from "../arcgis/identity-manager.ts";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";
import { type Inventory, inventory } from "./inventory.ts";
import { type Lifetime, type LifetimeOptions, lifetime } from "./lifetime.ts";
import { memory } from "./memory.ts";
import { onGenerate } from "./on-generate.ts";
import { pendingList } from "./pending.ts";
import { reaper } from "./reaper.ts";
import type { RecordStore, SealedRecord } from "./record-store.ts";
import type { KeyRing } from "./seal.ts";
import { type OpenRecord, type RecordSeals, recordName, recordSeals } from "./sealed-record.ts";
import { type Content, fold, freeze, merge, putTogether, takeApart, unfold } from "./session-content.ts";

export interface SealedStoreOptions extends LifetimeOptions {
  /** Where the sealed records are kept. */
  records: RecordStore;
  keys: KeyRing;
  /** Properties that routes only ever set as a whole: express-session need not look into them for changes. */
  wholes?: readonly string[];
  /** Told of a record that is there and does not open, and of work in the background that failed. */
  warn?: (message: string, details: object) => void;
}

/** What requests need of a record, until somebody writes it again. Times in ms since 1970. */
interface Opened {
  createdAt: number;
  seenAt: number;
  end: number;
  /** JSON, so that no two requests have an object in common. */
  data: string;
  identities: Content["identities"];
  /** What all requests have in common that only look at it. */
  view?: SessionView;
  /** When this process last wanted its use to be noted. */
  notedAt: number;
}

/** A session that nobody can change, its identity managers included. */
export interface SessionView extends Readonly<Partial<SessionData>> {
  /** When it is over, however often it is used, and the end that the browser was told (ms since 1970). */
  readonly end: number;
  readonly toldEnd: number;
}

type Done = (error?: unknown) => void;

/** Sessions that are kept open, of about 10 KB each with the view that requests share. */
const mostOpened = 2_000;

/**
 * An express-session store that keeps nothing readable. Every session is sealed for its own id before it
 * leaves the process, and an `ArcGISIdentityManager` in it is serialized and deserialized on the way.
 *
 * Unreadable means absent: a record that does not open is "no session" and a line in the log. When the place
 * of the records fails, every method answers with `AppError("store_unavailable")`.
 */
export class SealedStore extends session.Store {
  /** Given by express-session when the store meets its middleware. */
  declare generate: (req: Request) => void;
  /** Given by the app: takes the tokens of a session back that is over, before it is removed. */
  onExpired?: (identity: IdentityManager) => Promise<unknown>;
  /** Given by the app: writes what is still to be kept, before the place of the records is closed. */
  onClose?: () => Promise<unknown>;
  /** All sessions as they look from outside. */
  readonly inventory: Inventory;
  readonly #options: SealedStoreOptions;
  readonly #seals: RecordSeals;
  readonly #life: Lifetime;
  readonly #reaper: ReturnType<typeof reaper>;
  readonly #opened = memory<Opened>(mostOpened);
  /** Sessions generated here and not kept yet, each with the id it replaces. Only these may be created. */
  readonly #generated = new WeakMap<object, { replaces?: string }>();
  /** What was last written of a session: after `regenerate()` express-session saves the same thing twice. */
  readonly #written = new WeakMap<object, string>();

  constructor(options: SealedStoreOptions) {
    super();
    this.#options = options;
    this.inventory = inventory(options);
    this.#seals = recordSeals(options.keys);
    this.#life = lifetime(options);
    this.#reaper = reaper({
      ...options,
      seals: this.#seals,
      life: this.#life,
      onExpired: async (identity) => this.onExpired?.(identity),
    });
    onGenerate(this, (made) => this.#generated.set(made, {}));
  }

  /** Gives the session's data, or `null` when there is none, it is over, or it does not open. */
  override get(id: string, done: (error: unknown, data?: SessionData | null) => void): void {
    this.#find(id, done, ({ data, identities, end }) => {
      const own = fold(data, identities, this.#options.wholes ?? []);
      // The browser is to keep the cookie as long as the session can live.
      Object.assign(own.cookie, { expires: new Date(end), originalMaxAge: end - Date.now() });
      return own;
    });
  }

  /**
   * Gives what `get` gives, to look at: every request gets the same object, and whoever tries to change it a
   * TypeError. That spares each request to make a session of its own, and its identity managers.
   */
  look(id: string, done: (error: unknown, view?: SessionView | null) => void): void {
    this.#find(id, done, (opened) => {
      opened.view ??= viewOf(opened);
      return opened.view;
    });
  }

  /** Creates a session that was generated by this process; changes any other as long as it exists. */
  override set(id: string, data: SessionData, done: Done = () => {}): void {
    this.#save(recordName(id), data).then(() => done(), failing(done));
  }

  /** Ends a session for good: a request that is still under way does not bring it back. */
  override destroy(id: string, done: Done = () => {}): void {
    this.#options.records.remove(recordName(id)).then(() => done(), failing(done));
  }

  /**
   * Gives the request a new session under a new id. The old session is removed once the new one is kept, not
   * before: a sign-in that fails half-way leaves the person signed in as they were.
   */
  override regenerate(req: Request, done: Done): void {
    const replaces = this.#generated.has(req.session) ? undefined : req.sessionID;
    this.generate(req);
    this.#generated.set(req.session, { replaces });
    done();
  }

  /** Makes `req.session` of stored data; its identity managers are made when they are asked for. */
  override createSession(req: Request, data: SessionData): session.Session & SessionData {
    const created = super.createSession(req, data);
    unfold(created, data);
    return created;
  }

  /**
   * Changes what is stored of a session, whatever its requests are doing meanwhile: this is how a renewed
   * token is kept. Gives false when the session does not exist (any more).
   *
   * @param change is called again, with newer data, when somebody else was faster
   */
  async update(id: string, change: (data: Partial<SessionData>) => void): Promise<boolean> {
    const next = (stored: Content) => {
      const data = putTogether(stored);
      change(data);
      return takeApart(data);
    };
    return this.#change(recordName(id), next).catch(unavailable);
  }

  /** Gives what is stored of a session at this moment, and when it ends at the latest (ms since 1970). */
  async read(id: string): Promise<(Partial<SessionData> & { endsAt: number }) | undefined> {
    const name = recordName(id);
    const record = await this.#options.records.read(name).catch(unavailable);
    const open = record && this.#open(name, record);
    return open && { ...putTogether(open.content), endsAt: this.#life.endOf(open.content) };
  }

  /** Ends a session for good, like `destroy`. */
  async end(id: string): Promise<void> {
    await this.#options.records.remove(recordName(id)).catch(unavailable);
  }

  /** Waits until this process alone may refresh the session's tokens; 20 s at most. */
  lock(id: string, staleMs: number): Promise<() => Promise<void>> {
    return this.#options.records.lock(recordName(id), staleMs).catch(unavailable);
  }

  /** Changes the list of revocations that wait for their portal; in between it is sealed like a session. */
  changePending<Item>(change: (items: Item[]) => Item[]): Promise<void> {
    return pendingList(this.#options.records, this.#options.keys).changePending(change);
  }

  /** Removes the sessions that are over. It does so by itself every hour. */
  reap(): Promise<void> {
    return this.#reaper.reap();
  }

  /** How many sessions are kept, those that are over and not yet removed among them. */
  async count(): Promise<number> {
    const names = await this.#options.records.names().catch(unavailable);
    return names.length;
  }

  /** Resolves when sessions can be kept. */
  ping(): Promise<void> {
    return this.#options.records.ping();
  }

  async close(): Promise<void> {
    this.#reaper.stop();
    await this.onClose?.();
    await this.#options.records.close();
  }

  #find<T>(id: string, done: (error: unknown, found?: T | null) => void, show: (opened: Opened) => T): void {
    const name = recordName(id);
    const give = (opened: Opened | null) =>
      done(null, opened && this.#use(name, opened) ? show(opened) : null);
    let opened: Opened | null | undefined;
    try {
      opened = this.#recall(name);
    } catch (cause) {
      failing(done)(cause);
      return;
    }
    if (opened === undefined) this.#load(name).then(give, failing(done));
    else give(opened);
  }

  /** What is known of a record without reading it: `null` when there is none, `undefined` when it must be read. */
  #recall(name: string): Opened | null | undefined {
    const { records } = this.#options;
    if (!records.version) return undefined;
    const version = records.version(name);
    if (version !== undefined) return this.#opened.recall(name, version);
    this.#opened.forget(name);
    return null;
  }

  async #load(name: string): Promise<Opened | null> {
    const { records } = this.#options;
    const readAt = performance.now();
    const record = await records.read(name);
    const open = record && this.#open(name, record);
    if (!open) return null;

    const { content, seenAt } = open;
    const opened = {
      createdAt: content.createdAt,
      seenAt,
      end: this.#life.endOf(content),
      data: JSON.stringify(content.data),
      identities: content.identities,
      notedAt: 0,
    };
    if (record.version) this.#opened.remember(name, record.version, opened, readAt);
    return opened;
  }

  /** Notes the use of a session now and then; gives false when it is over. */
  #use(name: string, opened: Opened): boolean {
    const now = Date.now();
    if (this.#life.isFromTheFuture(opened, now) || this.#life.isOver(opened, now)) return false;
    if (this.#life.isWorthANote(opened.seenAt, now) && this.#life.isWorthANote(opened.notedAt, now)) {
      opened.notedAt = now;
      this.#noteUse(name, now);
    }
    return true;
  }

  async #save(name: string, data: SessionData): Promise<void> {
    const content = takeApart(data);
    const text = JSON.stringify({ ...content, data: { ...content.data, cookie: undefined } });
    if (this.#written.get(data) === text) return;

    const generated = this.#generated.get(data);
    if (generated) {
      await this.#create(name, data, content, generated);
    } else {
      await this.#change(name, (stored) => merge(stored, data));
    }
    this.#written.set(data, text);
  }

  async #create(
    name: string,
    data: SessionData,
    content: Omit<Content, "createdAt">,
    generated: { replaces?: string },
  ): Promise<void> {
    const { records } = this.#options;
    const now = Date.now();
    data.cookie.maxAge = this.#life.endOf({ ...content, createdAt: now }) - now;
    // Once: whoever saves it again while this is under way changes it.
    this.#generated.delete(data);
    const record = this.#seals.seal(name, { content: { ...content, createdAt: now }, seenAt: now });
    await records.create(name, record).catch((error) => {
      this.#generated.set(data, generated);
      throw error;
    });
    if (generated.replaces) await records.remove(recordName(generated.replaces));
  }

  #change(name: string, next: (stored: Content) => Omit<Content, "createdAt">): Promise<boolean> {
    return this.#options.records.change(name, (record) => {
      const open = this.#open(name, record);
      if (!open) return undefined;
      return this.#seals.withContent(name, record, { ...open.content, ...next(open.content) });
    });
  }

  #noteUse(name: string, now: number): void {
    const { records, warn } = this.#options;
    const note = (record: SealedRecord) => {
      // Other requests of this moment, here or in another process, had the same to note.
      const isDue = this.#life.isWorthANote(this.#seals.openSeen(name, record), now);
      return isDue ? this.#seals.withUse(name, record, now) : undefined;
    };
    records
      .change(name, note)
      .catch((error: Error) => warn?.("the use of a session could not be noted", { reason: error.message }));
  }

  #open(name: string, record: SealedRecord): OpenRecord | undefined {
    const open = this.#seals.open(name, record);
    if (!open) {
      const reason = this.#seals.troubleWith(record);
      this.#options.warn?.("a session could not be opened", {
        event: "unreadable",
        record: name.slice(0, 8),
        reason,
      });
    }
    return open;
  }
}

function viewOf({ data, identities, end }: Opened): SessionView {
  const content = { data: JSON.parse(data), identities };
  const toldEnd = Date.parse(content.data.cookie.expires);
  Object.assign(content.data.cookie, { expires: new Date(end) });
  return freeze({ ...putTogether(content), end, toldEnd });
}

/** Throws what is to be said when the place of the records fails. */
export function unavailable(cause: unknown): never {
  counts.storeErrors.add("all");
  throw new AppError("store_unavailable", { cause });
}

function failing(done: (error: unknown) => void): (cause: unknown) => void {
  return (cause) => {
    counts.storeErrors.add("all");
    done(new AppError("store_unavailable", { cause }));
  };
}

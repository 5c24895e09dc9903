import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type expressSession from "express-session";
import type { Session, SessionData, Store } from "express-session";
import { secret } from "../app/config/secrets.ts";
import { fileStore } from "./file-store.ts";
import { lifetime } from "./lifetime.ts";
import { onGenerate } from "./on-generate.ts";
import { reaper } from "./reaper.ts";
import type { SealedRecord } from "./record-store.ts";
import { keyRing } from "./seal.ts";
import { recordName, recordSeals } from "./sealed-record.ts";
import { type Content, takeApart } from "./session-content.ts";
import { tutorialFiles } from "./tutorial-files.ts";

export interface SealedFileStoreOptions {
  /** The folder of the sealed session files, such as `./sessions`. */
  path: string;
  /** Secrets of 32 characters or more, newest first: the first seals, all open. */
  keys: string | readonly string[];
  /** A session ends when it was not used for so long (seconds; 14 days), or for its cookie's `maxAge` if that is less. */
  idleSeconds?: number;
  /** A session ends so long after it was made, used or not (seconds; 30 days). */
  maxSeconds?: number;
  /**
   * Takes over what session-file-store has left, each session when its browser comes back. `secret` is what it was
   * given to encrypt them; `path` is their folder when it is another one. Leave this out after `idleSeconds`: till then
   * whoever can write there can put one person's old file in another's place, and without a `secret` write any session.
   */
  legacy?: { secret?: string | readonly string[]; path?: string };
  /** Told of what cannot be read or written; on the console when it is left out. No secret is in it. */
  warn?: (message: string, details: object) => void;
}

/** What express-session takes as `store`. */
export interface SealedFileStore extends Store {
  /** How many sessions there are. */
  length(done: (error: unknown, length?: number) => void): void;
  /** Ends all sessions. */
  clear(done?: (error?: unknown) => void): void;
  /** Ends the timer that removes what is over. */
  close(): Promise<void>;
}

const dayInSeconds = 86_400;
const staleMs = 15_000;

/**
 * Makes a session store for any Express app, in place of session-file-store:
 * `session({ store: sealedFileStore(session, { path, keys }), ... })`.
 *
 * Every session is one file, sealed for its own id. An `ArcGISIdentityManager` that is put into `req.session`, under
 * any name, comes out as one; no encoder or decoder is needed. The app's own settings of express-session hold:
 * cookie, `rolling`, `resave`, `saveUninitialized`, `unset`.
 *
 * Unlike other stores it does not bring back a session that was destroyed while a request was under way, and it ends
 * sessions whose tokens can no longer be renewed.
 *
 * @param session express-session, as your app imports it
 * @throws TypeError for a key that is too short or easy to guess; Error when the folder cannot be used
 */
export function sealedFileStore(
  session: typeof expressSession,
  options: SealedFileStoreOptions,
): SealedFileStore {
  const { path, idleSeconds = 14 * dayInSeconds, maxSeconds = 30 * dayInSeconds, warn = onConsole } = options;
  const seals = recordSeals(keyRing(checked(options.keys)));
  const records = fileStore({ path, idleSeconds, warn, repaired: (message) => warn(message, {}) });
  const life = lifetime({ idleSeconds, maxSeconds });
  const old = options.legacy && tutorialFiles({ path, ...options.legacy, warn });
  const { stop } = reaper({ records, seals, life, onExpired: async () => {}, warn });

  /** Sessions that express-session has made and that are not kept yet. Only these may be created. */
  const generated = new WeakSet<object>();
  /** What was in a session when a request got it: what it has left as it was is not written again. */
  const given = new WeakMap<object, Given>();

  async function load(id: string): Promise<SessionData | null> {
    const name = recordName(id);
    const record = (await records.read(name)) ?? (await takeOver(id, name));
    if (!record) return null;
    const open = seals.open(name, record);
    if (!open) {
      warn("a session could not be opened", { record: name.slice(0, 8), reason: seals.troubleWith(record) });
      return null;
    }

    const { content, seenAt } = open;
    const now = Date.now();
    const isOver =
      life.isOver({ seenAt, end: life.endOf(content) }, now) || now >= seenAt + maxAgeOf(content);
    if (isOver || life.isFromTheFuture(content, now)) return null;
    noteUse(name, content, seenAt, now);

    const managers = Object.entries(content.identities).map(([property, text]) => [
      property,
      ArcGISIdentityManager.deserialize(text),
    ]);
    const data = { ...content.data, ...Object.fromEntries(managers) };
    given.set(data, givenOf(data));
    return data;
  }

  /** The session that session-file-store has kept under this id: it is sealed, and its old file removed. */
  async function takeOver(id: string, name: string): Promise<SealedRecord | undefined> {
    if (!(await old?.has(id))) return undefined;
    const unlock = await records.lock(name, staleMs);
    try {
      // Another request, or another process, may have been faster.
      const there = await records.read(name);
      const found = there ? undefined : await old?.read(id);
      if (!found) return there;
      const { lastUsed: seenAt, ...content } = found;
      const record = seals.seal(name, { content: { ...content, createdAt: seenAt }, seenAt });
      await records.create(name, record);
      if (await old?.discard(id)) return record;
      await records.remove(name);
      return undefined;
    } finally {
      await unlock();
    }
  }

  /** Beside the request, and not for every one: a use within the last minute, or tenth of `maxAge`, says the same. */
  function noteUse(name: string, content: Content, seenAt: number, now: number): void {
    const isDue = (noted: number) => life.isWorthANote(noted, now) || now >= noted + maxAgeOf(content) / 10;
    if (!isDue(seenAt)) return;
    const note = (record: SealedRecord) =>
      isDue(seals.openSeen(name, record)) ? seals.withUse(name, record, now) : undefined;
    records
      .change(name, note)
      .catch((error: Error) => warn("the use of a session could not be noted", { reason: error.message }));
  }

  async function save(id: string, data: SessionData): Promise<void> {
    const name = recordName(id);
    const now = Date.now();
    const taken = takeApart(data);
    const latest = givenOf(data);

    if (generated.delete(data)) {
      const record = seals.seal(name, { content: { ...taken, createdAt: now }, seenAt: now });
      await records.create(name, record).catch((error) => {
        generated.add(data);
        throw error;
      });
    } else {
      const before = given.get(data);
      if (before?.text === latest.text) return;
      await records.change(name, (record) => {
        const open = seals.open(name, record);
        if (!open) return undefined;
        const identities = { ...taken.identities };
        for (const [property, text] of Object.entries(identities)) {
          // Left as it was here, it may have been renewed by another request meanwhile.
          const stored = open.content.identities[property];
          if (stored !== undefined && before?.identities[property] === text) identities[property] = stored;
        }
        return seals.seal(name, { content: { ...open.content, ...taken, identities }, seenAt: now });
      });
    }
    given.set(data, latest);
  }

  class SessionStore extends session.Store {
    get(id: string, done: (error: unknown, data?: SessionData | null) => void): void {
      load(id).then((data) => done(null, data), done);
    }

    set(id: string, data: SessionData, done: (error?: unknown) => void = () => {}): void {
      save(id, data).then(() => done(), done);
    }

    destroy(id: string, done: (error?: unknown) => void = () => {}): void {
      Promise.all([records.remove(recordName(id)), old?.remove(id)]).then(() => done(), done);
    }

    override createSession(
      req: Parameters<Store["createSession"]>[0],
      data: SessionData,
    ): Session & SessionData {
      const before = given.get(data);
      const created = super.createSession(req, data);
      if (before) given.set(created, before);
      return created;
    }

    override length(done: (error: unknown, length?: number) => void): void {
      records.names().then(({ length }) => done(null, length), done);
    }

    override clear(done: (error?: unknown) => void = () => {}): void {
      const removeAll = async () => {
        for (const name of await records.names()) await records.remove(name);
        await old?.clear();
      };
      removeAll().then(() => done(), done);
    }

    async close(): Promise<void> {
      stop();
      await records.close();
    }
  }

  const store = new SessionStore();
  onGenerate(store, (made) => generated.add(made));
  return store;
}

/** A session's content as text, to tell whether it has changed. */
interface Given {
  text: string;
  identities: Content["identities"];
}

function givenOf(session: object): Given {
  const { data, identities } = takeApart(session);
  // When its cookie ends moves with each request, and is not taken from here.
  const cookie = { ...JSON.parse(JSON.stringify(data.cookie ?? {})), expires: undefined };
  return { text: JSON.stringify([{ ...data, cookie }, identities]), identities };
}

/** How long an unused session of this cookie lives (ms); `Infinity` for one that ends with its browser. */
function maxAgeOf({ data }: Content): number {
  const { originalMaxAge } = Object(data.cookie) as { originalMaxAge?: unknown };
  return typeof originalMaxAge === "number" ? originalMaxAge : Infinity;
}

function checked(keys: string | readonly string[]): readonly string[] {
  const list = [keys].flat() as readonly string[];
  for (const [index, key] of list.entries()) {
    const problem = secret.safeParse(key).error?.issues[0]?.message;
    if (problem !== undefined) throw new TypeError(`keys: value ${index + 1} ${problem}`);
  }
  return list;
}

function onConsole(message: string, details: object): void {
  console.warn(`[sealed-file-store] ${message}`, JSON.stringify(details));
}

import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, type Stats } from "node:fs";
import { opendir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import session from "express-session";
import sessionFileStore from "session-file-store";
import { lock, preventCommit } from "./file-lock.ts";
import { move, readSmallFile, remove, removeDurably, touch, writeDurably } from "./safe-file.ts";
import { isOpenOnWindows, restrictOnWindows } from "./windows-rights.ts";

/**
 * Where sealed records are kept. A record is a text; its `lastAccess` is beside it, so touching it rewrites nothing.
 * Every method rejects when the place itself fails; "not there" is no failure.
 */
export interface SessionBackend {
  /** `undefined` when there is none. */
  read(name: string): Promise<StoredRecord | undefined>;
  /** Cheap: changes whenever the record changes; `undefined`: there is none. A backend without it is read every time. */
  version?(name: string): string | undefined;
  /** Stores a new record, whose `lastAccess` is now. */
  create(name: string, text: string): Promise<void>;
  /**
   * Replaces a record with what `change` returns, alone; `undefined` changes nothing. False when nothing was written.
   * `change` may be called again, with newer data.
   */
  update(name: string, change: (record: StoredRecord) => string | undefined): Promise<boolean>;
  /** The same for a text that need not exist: `change` gets `undefined` then, and returning `undefined` removes it. */
  replace(name: string, change: (text: string | undefined) => string | undefined): Promise<void>;
  /** Sets the `lastAccess` (ms since 1970) of a record that may be gone. */
  touch(name: string, lastAccess: number): Promise<void>;
  /** Removes a record for good, even while it is being changed, and returns what was in it. */
  take(name: string): Promise<StoredRecord | undefined>;
  /** Rejects after 20 s. `unlock` never rejects. */
  lock(name: string, staleMs: number): Promise<{ unlock(): Promise<void> }>;
  /** Names of all session records; with `idleSince` (ms since 1970), of those not accessed since then that are still there. */
  names(idleSince?: number): Promise<string[]>;
  /** Rejects with what is missing for the other methods to work, such as a right. */
  probe?(): Promise<void>;
}

/** A record as a backend returns it. */
export interface StoredRecord {
  text: string;
  lastAccess: number;
  version?: string | undefined;
  /** Something else is in the record's place: what is wrong with it. */
  problem?: string;
}

export interface FileBackendOptions {
  /** Called when other users could open the folder, and its mode was put right. */
  onRepaired?: (message: string) => void;
}

const sessionFile = /^([0-9a-f]{64})\.session$/;
/** Of processes that were killed. */
const leftover = /\.(temp|lock|refresh)$|^probe-/;
const leftoverMs = 60_000;
/** Far above any session: a larger file is not ours. Hundreds of thousands of revocations may wait for a portal. */
const [maxBytes, maxListBytes] = [256 * 1024, 128 * 1024 * 1024];
/** Writing takes milliseconds. */
const staleMs = 5_000;

/**
 * Sessions as files of mode 0600, one each, in a folder of mode 0700 that several processes may share.
 * @throws Error when the folder is a symbolic link, belongs to another user, or cannot be created
 */
export function fileBackend(path: string, { onRepaired }: FileBackendOptions = {}): SessionBackend {
  const folder = resolve(path);
  prepare(folder, onRepaired);
  // The package lists its folder. Reading and writing is ours: docs/tutorial.md, step 5, says why.
  const packageStore = new (sessionFileStore(session))({ path: folder, fileExtension: "", reapInterval: -1 });
  const { list } = packageStore as unknown as { list(done: (error: unknown, files: string[]) => void): void };

  function fileOf(name: string, ending = ".session"): string {
    if (!/^[\w-]{1,100}$/.test(name)) throw new TypeError("not the name of a record");
    return join(folder, name + ending);
  }

  const backend: SessionBackend = {
    read: async (name) => read(fileOf(name), maxBytes),
    version(name) {
      const stats = statsOf(fileOf(name));
      return stats && versionOf(stats);
    },
    async create(name, text) {
      // Removed while the server runs.
      if (!existsSync(folder)) prepare(folder, onRepaired);
      await writeDurably(fileOf(name), text, { lastAccess: Date.now() });
    },
    update: async (name, next) =>
      change(fileOf(name), maxBytes, (record) => (record && next(record)) ?? record?.text ?? ""),
    async replace(name, next) {
      if (!existsSync(folder)) prepare(folder, onRepaired);
      await change(fileOf(name, ""), maxListBytes, (record) => next(record?.text || undefined) ?? "");
    },
    touch: async (name, lastAccess) => touch(fileOf(name), lastAccess),
    /** Takes no lock: a sign-out need not wait, and a full disk has no room for a lock. */
    async take(name) {
      const [file, aside] = [fileOf(name), fileOf(name, `.${randomUUID()}.temp`)];
      const isPrevented = await preventCommit(`${file}.lock`);
      const before = await read(file, maxBytes);
      if (!before && !isPrevented) return undefined;
      // Where it cannot be moved, it may still be removed.
      const isAside = await move(file, aside).catch(() => false);
      // A reaper may remove what is aside, too.
      const record = (isAside ? await read(aside, maxBytes) : undefined) ?? before;
      const isRemoved = await removeDurably(isAside ? aside : file);
      // Until there is neither a file nor a holder that may have read it: then nothing can bring it back.
      return isPrevented || isRemoved ? ((await backend.take(name)) ?? record) : undefined;
    },
    lock: async (name, ms) => lock(fileOf(name, ".refresh"), ms),

    async names(idleSince) {
      if (idleSince === undefined) {
        const files = await promisify(list.bind(packageStore))();
        return files.flatMap((file) => sessionFile.exec(file)?.[1] ?? []);
      }
      const names: string[] = [];
      // A hundred at a time, with requests in between: all files of a large folder at once would make them wait.
      for await (const { name: file } of await opendir(folder, { bufferSize: 100 })) {
        const [, name] = sessionFile.exec(file) ?? [];
        const place = join(folder, file);
        if (name && isIdle(place, idleSince)) names.push(name);
        if (leftover.test(file) && isAbandoned(place)) await remove(place).catch(() => {});
      }
      return names;
    },

    async probe() {
      const name = `probe-${randomUUID()}`;
      await backend.create(name, "probe");
      await backend.update(name, () => "probed");
      await backend.take(name);
    },
  };
  return backend;
}

async function read(path: string, maxBytes: number): Promise<StoredRecord | undefined> {
  const file = await readSmallFile(path, maxBytes);
  if (!file?.stats) return file && { ...file, lastAccess: Date.now() };
  // Within one tick of the file system's clock two states may look the same: too new to be cached.
  const version = Math.abs(Date.now() - file.stats.ctimeMs) > 100 ? versionOf(file.stats) : undefined;
  return { text: file.text, lastAccess: file.stats.mtimeMs, version };
}

function versionOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

/** Replaces a file with what `next` returns, alone; "" removes it. False when there is nothing to change. */
async function change(
  path: string,
  maxBytes: number,
  next: (record: StoredRecord | undefined) => string,
): Promise<boolean> {
  // No lock is taken when there is nothing to change: that leaves a full or read-only disk alone.
  let record = await read(path, maxBytes);
  if (next(record) === (record?.text ?? "")) return false;
  for (;;) {
    const { temp, isHeld, unlock } = await lock(`${path}.lock`, staleMs);
    try {
      record = await read(path, maxBytes);
      const text = next(record);
      if (text === (record?.text ?? "")) return false;
      // What has taken the file's place may be a folder, which cannot be replaced. No step both checks the lock and
      // removes: only a process that is suspended right between the two, for `staleMs`, removes what is newer.
      if (record?.problem || (text === "" && (await isHeld()))) await removeDurably(path);
      if (text === "") return true;
      if (await writeDurably(path, text, { temp, lastAccess: record?.lastAccess })) return true;
    } finally {
      await unlock();
    }
  }
}

/** It blocks for 5 us: a thread of the pool would take five times as long. */
function statsOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function isIdle(path: string, since: number): boolean {
  const stats = statsOf(path);
  return stats?.isFile() === true && stats.mtimeMs < since;
}

/** Locks and temp files live for seconds: one from the future is abandoned, too. */
function isAbandoned(path: string): boolean {
  const stats = statsOf(path);
  return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) > leftoverMs;
}

/** What is in the folder is for this server's own user alone. */
function prepare(folder: string, onRepaired: FileBackendOptions["onRepaired"]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stats = lstatSync(folder);
  if (!stats.isDirectory()) throw unusable(folder, "is not a folder (a symbolic link is not accepted)");
  // What an administrator has set is left alone, as long as it keeps other users out.
  if (isOpenOnWindows(folder) !== false) restrictOnWindows(folder);
  if (process.platform === "win32") return;
  if (stats.uid !== process.getuid?.()) throw unusable(folder, "belongs to another user");
  if ((stats.mode & 0o077) === 0) return;
  chmodSync(folder, 0o700);
  onRepaired?.(`other users could open the folder ${folder}; its mode is 0700 now`);
}

/** With the folder's `path`, as in the errors of Node. */
function unusable(path: string, problem: string): Error {
  return Object.assign(new Error(`${path} ${problem}`), { path });
}

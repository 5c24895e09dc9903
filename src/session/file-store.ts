import { randomUUID } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, type Stats } from "node:fs";
import { opendir } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import session from "express-session";
import sessionFileStore from "session-file-store";
import { type Lock, lock, preventCommit } from "./file-lock.ts";
import type { RecordStore, SealedRecord } from "./record-store.ts";
import { createFile, readSmallFile, remove, removeDurably, writeDurably } from "./safe-file.ts";

export interface FileStoreOptions {
  /** The folder. It is made when it is missing, and its mode is always 0700. */
  path: string;
  /** A file that was not written for so long is over: the sealed store notes each use within a minute. */
  idleSeconds: number;
  /** Told when the folder's permissions had to be put right. */
  repaired?: (message: string) => void;
  /** Told of a file that is there and cannot be a record. */
  warn?: (message: string, details: object) => void;
}

const extension = ".session";
const recordFile = /^[0-9a-f]{64}\.session$/;
/** Locks and temp files, also those of earlier versions. */
const leftoverFile = /\.(lock|refresh|temp|draft|lease)$/;
/** Here wait the tokens that are still to be revoked. */
const pendingFile = "pending-revocations";
/** Changing a file takes milliseconds: after so long, its lock is abandoned. */
const staleMs = 5_000;
/** A sign-out changes two files. No request waits longer than 20 s for locks. */
const changeWaitMs = 10_000;
const waitMs = 20_000;
/** Far above any session: a larger file is not ours, and is not read into memory. */
const largestFile = 256 * 1024;
/** `revoke --all` may leave hundreds of thousands of pending revocations, of about 1 KB each. */
const largestPendingFile = 256 * 1024 * 1024;
/** Grace period before the reaper deletes expired sessions, temp files and locks. */
const graceMs = 60_000;
/** The reaper lets others work so often. */
const pauseEveryMs = 5;
/** So many it removes side by side: most of the time it waits for a disk, or for a portal. */
const removedAtOnce = 16;

/**
 * Keeps records as files, one a session, in a folder that several processes may share.
 *
 * session-file-store names, lists and clears the files. Its way of reading and writing them is not used: it
 * waits a quarter of a second for a missing file, deletes what it cannot decode, hangs on a pipe, brings back
 * a session that was destroyed meanwhile, and leaves files that everybody on the machine may read.
 *
 * @throws Error when the folder is a symbolic link, belongs to another user, or cannot be made.
 */
export function fileStore({ path, idleSeconds, repaired, warn }: FileStoreOptions): Required<RecordStore> {
  const folder = resolve(path);
  prepareFolder(folder, repaired);
  const PackageStore = sessionFileStore(session) as unknown as new (
    options: object,
  ) => {
    list(done: (error: unknown, files: string[]) => void): void;
  };
  const files = new PackageStore({ path: folder, fileExtension: extension, reapInterval: -1 });
  const list = promisify(files.list.bind(files));

  function fileOf(name: string, ending = extension): string {
    if (!recordFile.test(name + extension)) {
      throw new TypeError("a record's name has 64 hexadecimal digits");
    }
    return folder + sep + name + ending;
  }

  /** A file is never written to, only replaced: another state is another inode, or at least another time. */
  function versionOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  }

  /** Blocks for the 5 us that this takes. On a thread of the pool it would cost each request five times as much. */
  function version(name: string): string | undefined {
    const about = lstatSync(fileOf(name), { throwIfNoEntry: false });
    return about && versionOf(about);
  }

  async function read(name: string): Promise<SealedRecord | undefined> {
    const unusable = (reason: string) =>
      void warn?.("a session file cannot be used", { record: name.slice(0, 8), reason });
    const file = await readSmallFile(fileOf(name), largestFile);
    if (!file) return undefined;
    if (!("text" in file)) return unusable(file.unusable);
    const [content, seen, ...more] = file.text.split("\n");
    if (!content || !seen || more.length > 0) return unusable("it is damaged");
    return { content, seen, version: versionOf(file.stats) };
  }

  /** Replaces a file with what `next` returns; false when it returns nothing. Tries again when the lock was lost. */
  async function replace(path: string, next: (held: Lock) => Promise<string | undefined>): Promise<boolean> {
    const deadline = performance.now() + changeWaitMs;
    while (performance.now() < deadline) {
      const held = await lock(`${path}.lock`, staleMs, deadline - performance.now());
      try {
        const text = await next(held);
        if (text === undefined) return false;
        if (await writeDurably(path, text, { lock: held })) return true;
      } finally {
        await held.unlock();
      }
    }
    throw new Error("the lock was lost again and again");
  }

  async function change(name: string, next: (record: SealedRecord) => SealedRecord | undefined) {
    if (version(name) === undefined) return false;
    return replace(fileOf(name), async () => {
      const record = await read(name);
      const changed = record && next(record);
      return changed && textOf(changed);
    });
  }

  /** Takes no lock: a sign-out need not wait, and a full disk has no room for one. */
  async function removeRecord(name: string): Promise<boolean> {
    const path = fileOf(name);
    const wasPrevented = await preventCommit(`${path}.lock`);
    const existed = await removeDurably(path);
    // Until there is neither a file nor a lock holder that may have read it: then nothing can bring it back.
    return existed || wasPrevented ? (await removeRecord(name)) || existed : false;
  }

  async function reap(farewell = async (_name: string) => true): Promise<void> {
    const leftBehind: string[] = [];
    let pauseAt = performance.now() + pauseEveryMs;
    for await (const { name } of await opendir(folder, { bufferSize: 1_000 })) {
      if (isLeftBehind(name)) leftBehind.push(name);
      // Not while looking at the next ones: a folder from which something is being removed keeps everybody waiting.
      if (leftBehind.length === removedAtOnce) await removeAll(leftBehind.splice(0), farewell);
      if (performance.now() < pauseAt) continue;
      await nextTurn();
      pauseAt = performance.now() + pauseEveryMs;
    }
    await removeAll(leftBehind, farewell);
  }

  /** Whether an entry was not written for so long that it is abandoned. Blocks as `version` does, for the same reason. */
  function isLeftBehind(entry: string): boolean {
    const isRecord = recordFile.test(entry);
    if (!isRecord && !leftoverFile.test(entry)) return false;
    const about = lstatSync(join(folder, entry), { throwIfNoEntry: false });
    if (!about || (isRecord && !about.isFile())) return false;
    const ageMs = Date.now() - about.mtimeMs;
    // Locks and temp files live for seconds: one from the future is abandoned, too.
    return isRecord ? ageMs > graceMs + idleSeconds * 1000 : Math.abs(ageMs) > graceMs;
  }

  async function removeAll(entries: string[], farewell: (name: string) => Promise<boolean>): Promise<void> {
    await Promise.all(entries.map((entry) => removeEntry(entry, farewell)));
  }

  async function removeEntry(entry: string, farewell: (name: string) => Promise<boolean>): Promise<void> {
    try {
      if (recordFile.test(entry) && !(await farewell(nameOf(entry)))) return;
      await remove(join(folder, entry));
    } catch (error) {
      const { message: reason } = error as Error;
      warn?.("a session file could not be removed", { record: entry.slice(0, 8), reason });
    }
  }

  async function changePending(next: (text: string | undefined) => string | undefined): Promise<void> {
    const path = join(folder, pendingFile);
    await replace(path, async (held) => {
      const file = await readSmallFile(path, largestPendingFile);
      const before = file && "text" in file ? file.text : undefined;
      const after = next(before);
      if (after === before) return undefined;
      // A folder cannot be replaced by a file.
      if (file && before === undefined) await remove(path);
      if (after === undefined && held.isHeld()) await removeDurably(path);
      return after;
    });
  }

  return {
    read,
    version,
    create: async (name, record) => void (await writeDurably(fileOf(name), textOf(record))),
    change,
    remove: removeRecord,
    lock: async (name, ms) => (await lock(fileOf(name, ".refresh"), ms, waitMs)).unlock,
    async changePending(next) {
      // The usual case, at every start: nothing waits, and nothing is to wait.
      const isThere = lstatSync(join(folder, pendingFile), { throwIfNoEntry: false });
      if (isThere || next(undefined) !== undefined) await changePending(next);
    },
    names: async () => (await list()).filter((file) => recordFile.test(file)).map(nameOf),
    reap,
    async ping() {
      const probe = join(folder, `${randomUUID()}.temp`);
      await createFile(probe, "probe");
      await remove(probe);
    },
    async close() {},
  };
}

/** Makes the folder or puts its mode right: what lies in it is for this server's own user alone. */
function prepareFolder(path: string, repaired: FileStoreOptions["repaired"]): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const about = lstatSync(path);
  if (!about.isDirectory()) throw new Error(`${path} is not a folder (a symbolic link will not do)`);
  if (process.platform === "win32") return;
  if (about.uid !== process.getuid?.()) throw new Error(`${path} belongs to another user`);
  if ((about.mode & 0o077) === 0) return;
  chmodSync(path, 0o700);
  repaired?.(`other users could open the folder ${path}; its mode is 0700 now`);
}

function nameOf(file: string): string {
  return file.slice(0, -extension.length);
}

function textOf({ content, seen }: SealedRecord): string {
  return `${content}\n${seen}`;
}

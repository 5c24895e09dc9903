import { randomUUID } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  type Stats,
} from "node:fs";
import { lstat, opendir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import session from "express-session";
import sessionFileStore from "session-file-store";
import { leaseFile, leaseFileSoon } from "./file-lease.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { RecordStore, SealedRecord } from "./record-store.ts";
import { removeFile, replaceFile, writeWhole } from "./shared-file.ts";
import { draftExtension, unless } from "./turns.ts";

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
const leaseExtension = ".lease";
/** Here wait the tokens that are still to be revoked. */
const pendingFile = "pending-revocations";
const pendingLeaseMs = 5_000;
/** Far above any session: a larger file is not ours, and is not read into memory. */
const largestFile = 256 * 1024;
/** What is over is left alone for a minute more, and so are drafts and leases: nobody needs them any longer. */
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
  // Processes take turns by their drafts. Within this one, a queue spares them the waiting.
  const inTurn = oneAtATime();

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

  /** Blocks, too: at 10 us, a seventh of what four steps on the pool's threads take. */
  async function read(name: string): Promise<SealedRecord | undefined> {
    const path = fileOf(name);
    const unusable = (reason: string) =>
      void warn?.("a session file cannot be used", { record: name.slice(0, 8), reason });
    let file: number;
    try {
      // O_NOFOLLOW: a link is not ours. O_NONBLOCK: a pipe would keep us waiting for ever.
      file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      const code = String((error as NodeJS.ErrnoException).code);
      if (code === "ENOENT") return undefined;
      if (!["ELOOP", "ENXIO", "EACCES"].includes(code)) throw error;
      // Throws when the whole folder is shut: that is more than one bad file.
      lstatSync(path);
      return unusable(`it cannot be opened (${code})`);
    }
    try {
      const about = fstatSync(file);
      if (!about.isFile()) return unusable("it is not a regular file");
      if (about.size > largestFile) return unusable("it is far too large");
      const [content, seen, ...more] = readFileSync(file, "latin1").split("\n");
      if (!content || !seen || more.length > 0) return unusable("it is damaged");
      return { content, seen, version: versionOf(about) };
    } finally {
      closeSync(file);
    }
  }

  async function change(name: string, next: (record: SealedRecord) => SealedRecord | undefined) {
    if (version(name) === undefined) return false;
    return replaceFile(fileOf(name), async () => {
      const record = await read(name);
      const changed = record && next(record);
      return changed && textOf(changed);
    });
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

  /** Whether nobody has written here for so long that nobody will. Blocks as `version` does, for the same reason. */
  function isLeftBehind(entry: string): boolean {
    const isRecord = recordFile.test(entry);
    const isTurn = entry.endsWith(draftExtension) || entry.endsWith(leaseExtension);
    if (!isRecord && !isTurn) return false;
    const about = lstatSync(join(folder, entry), { throwIfNoEntry: false });
    if (!about || (isRecord && !about.isFile())) return false;
    return Date.now() > about.mtimeMs + graceMs + (isRecord ? idleSeconds * 1000 : 0);
  }

  async function removeAll(entries: string[], farewell: (name: string) => Promise<boolean>): Promise<void> {
    await Promise.all(entries.map((entry) => remove(entry, farewell)));
  }

  async function remove(entry: string, farewell: (name: string) => Promise<boolean>): Promise<void> {
    const path = join(folder, entry);
    try {
      if (!recordFile.test(entry)) await rm(path, { recursive: true, force: true });
      else if (await farewell(nameOf(entry))) await unlink(path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return;
      warn?.("a session file could not be removed", { record: entry.slice(0, 8), reason: message });
    }
  }

  async function changePending(next: (text: string | undefined) => string | undefined): Promise<void> {
    const path = join(folder, pendingFile);
    // The usual case, at every start: nothing waits, and nothing is to wait.
    if (!(await lstat(path).catch(unless("ENOENT"))) && next(undefined) === undefined) return;
    const release = await leaseFileSoon(path + leaseExtension, pendingLeaseMs);
    try {
      const before = await readFile(path, "latin1").catch(unless("ENOENT"));
      const after = next(before);
      if (after === undefined) await unlink(path).catch(unless("ENOENT"));
      else if (after !== before) await writeWhole(path, after);
    } finally {
      await release();
    }
  }

  return {
    read,
    version,
    create: (name, record) => inTurn(name, async () => writeWhole(fileOf(name), textOf(record))),
    change: (name, next) => inTurn(name, () => change(name, next)),
    remove: (name) => inTurn(name, async () => removeFile(fileOf(name))),
    lease: async (name, ms) => leaseFile(fileOf(name, leaseExtension), ms),
    changePending: (next) => inTurn(pendingFile, () => changePending(next)),
    names: async () => (await list()).filter((file) => recordFile.test(file)).map(nameOf),
    reap,
    async ping() {
      const probe = join(folder, randomUUID() + draftExtension);
      await writeFile(probe, "probe", { flag: "wx", mode: 0o600 });
      await unlink(probe);
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

import { randomUUID } from "node:crypto";
import { chmodSync, constants, lstatSync, mkdirSync } from "node:fs";
import { lstat, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import session from "express-session";
import sessionFileStore from "session-file-store";
import { leaseFile, leaseFileSoon } from "./file-lease.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { RecordStore, SealedRecord } from "./record-store.ts";

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
/** Here wait the tokens that are still to be revoked. */
const pendingFile = "pending-revocations";
const pendingLeaseMs = 5_000;
const leaseExtension = ".lease";
const changeExtension = `.change${leaseExtension}`;
const changeLeaseMs = 5_000;
const draftExtension = ".draft";
const draftLifeMs = 60_000;
const reapEveryMs = 60 * 60_000;
/** Far above any session: a larger file is not ours, and is not read into memory. */
const largestFile = 256 * 1024;

/**
 * Keeps records as files, one a session.
 *
 * session-file-store names, lists and clears the files. Its way of reading and writing them is not used: it
 * waits a quarter of a second for a missing file, deletes what it cannot decode, hangs on a pipe, brings back
 * a session that was destroyed meanwhile, and leaves files that everybody on the machine may read.
 *
 * @throws Error when the folder is a symbolic link, belongs to another user, or cannot be made.
 */
export function fileStore({
  path,
  idleSeconds,
  repaired,
  warn,
}: FileStoreOptions): RecordStore & { reap(): Promise<void> } {
  const folder = resolve(path);
  prepareFolder(folder, repaired);
  const PackageStore = sessionFileStore(session) as unknown as new (
    options: object,
  ) => {
    list(done: (error: unknown, files: string[]) => void): void;
  };
  const files = new PackageStore({ path: folder, fileExtension: extension, reapInterval: -1 });
  const list = promisify(files.list.bind(files));
  const inTurn = oneAtATime();
  const reaper = setInterval(() => void reap().catch(() => {}), reapEveryMs).unref();

  function fileOf(name: string, ending = extension): string {
    if (!/^[0-9a-f]{64}$/.test(name)) throw new TypeError("a record's name has 64 hexadecimal digits");
    return join(folder, name + ending);
  }

  async function read(name: string): Promise<SealedRecord | undefined> {
    const path = fileOf(name);
    const unusable = (reason: string) =>
      void warn?.("a session file cannot be used", { record: name.slice(0, 8), reason });
    // O_NOFOLLOW: a link is not ours. O_NONBLOCK: a pipe would keep a thread waiting for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(path, flags).catch(async (error: NodeJS.ErrnoException) => {
      const code = String(error.code);
      if (code === "ENOENT") return undefined;
      if (!["ELOOP", "ENXIO", "EACCES"].includes(code)) throw error;
      // Throws when the whole folder is shut: that is more than one bad file.
      await lstat(path);
      return unusable(`it cannot be opened (${code})`);
    });
    if (!file) return undefined;
    try {
      const about = await file.stat();
      if (!about.isFile()) return unusable("it is not a regular file");
      if (about.size > largestFile) return unusable("it is far too large");
      const [content, seen, ...more] = (await file.readFile("latin1")).split("\n");
      return content && seen && more.length === 0 ? { content, seen } : unusable("it is damaged");
    } finally {
      await file.close();
    }
  }

  /** One at a time in this process, and among all that share the folder. */
  function alone<T>(name: string, task: () => Promise<T>): Promise<T> {
    return inTurn(name, async () => {
      // A full disk keeps nobody signed in, and a change would fail by itself.
      const release = await leaseFileSoon(fileOf(name, changeExtension), changeLeaseMs).catch(
        noneIf("ENOSPC", "EDQUOT", "EROFS", "EACCES"),
      );
      try {
        return await task();
      } finally {
        await release?.();
      }
    });
  }

  async function write(name: string, { content, seen }: SealedRecord): Promise<void> {
    await writeAtomically(fileOf(name), `${content}\n${seen}`);
  }

  /** Removes files that nobody has used for the idle time, and drafts of a killed process. Opens no file. */
  async function reap(): Promise<void> {
    for (const name of await readdir(folder)) {
      const lifeMs = name.endsWith(extension)
        ? idleSeconds * 1000
        : name.endsWith(draftExtension) || name.endsWith(leaseExtension)
          ? draftLifeMs
          : Infinity;
      const file = join(folder, name);
      const about = await lstat(file).catch(noneIf("ENOENT"));
      if (about?.isFile() && about.mtimeMs + lifeMs < Date.now()) await unlink(file).catch(noneIf("ENOENT"));
    }
  }

  return {
    read,
    create: (name, record) => inTurn(name, () => write(name, record)),
    change: (name, next) =>
      alone(name, async () => {
        const record = await read(name);
        const changed = record && next(record);
        if (changed) await write(name, changed);
        return changed !== undefined;
      }),
    // In turn, so that a write under way cannot bring the file back.
    remove: (name) =>
      alone(name, async () => (await unlink(fileOf(name)).then(() => true, noneIf("ENOENT"))) ?? false),
    lease: (name, ms) => leaseFile(fileOf(name, leaseExtension), ms),
    changePending: (next) =>
      inTurn(pendingFile, async () => {
        const path = join(folder, pendingFile);
        // The usual case, at every start: nothing waits, and nothing is to wait.
        if (!(await lstat(path).catch(noneIf("ENOENT"))) && next(undefined) === undefined) return;
        const release = await leaseFileSoon(`${path}${leaseExtension}`, pendingLeaseMs);
        try {
          const before = await readFile(path, "latin1").catch(noneIf("ENOENT"));
          const after = next(before);
          if (after === undefined) await unlink(path).catch(noneIf("ENOENT"));
          else if (after !== before) await writeAtomically(path, after);
        } finally {
          await release();
        }
      }),
    names: async () => (await list()).map((file) => file.slice(0, -extension.length)),
    reap,
    async ping() {
      const probe = join(folder, `${randomUUID()}${draftExtension}`);
      await (await open(probe, "wx", 0o600)).close();
      await unlink(probe);
    },
    async close() {
      clearInterval(reaper);
    },
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

/** All or nothing: the old file stays until the new one is safely on the disk. */
async function writeAtomically(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}${draftExtension}`;
  const file = await open(draft, "wx", 0o600);
  try {
    try {
      await file.writeFile(text, "latin1");
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(noneIf("ENOENT"));
    throw error;
  }
}

/** A `catch` that gives `undefined` for these error codes of the operating system and rethrows all others. */
function noneIf(...codes: string[]): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (!codes.includes(error.code ?? "")) throw error;
    return undefined;
  };
}

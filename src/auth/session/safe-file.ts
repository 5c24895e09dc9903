import { randomUUID } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { type FileHandle, lutimes, open, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What is at a path. Without `stats`, another program has the file open just now (on Windows). */
export type SmallFile = { text: string; stats: Stats } | { unusable: string; stats: Stats | undefined };

// Windows has neither. Without them, a link would lead out of the folder, and a pipe would block its reader forever.
const { O_WRONLY, O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
const [firstPauseMs, lastPauseMs] = [5, 2_560];

/** Reads a small regular file. It blocks for about 10 us, a seventh of what the thread pool takes. */
export function readNow(path: string, maxBytes: number): SmallFile | undefined {
  let file: number;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return undefined;
    if (isBusy(error)) return { unusable: `it is in use (${code})`, stats: undefined };
    // Throws when the whole folder is closed: that is more than one bad file.
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() && code !== "EACCES") throw error;
    return stats && { unusable: `it cannot be opened (${code})`, stats };
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) return { unusable: "it is not a regular file", stats };
    if (stats.size > maxBytes) return { unusable: "it is far too large", stats };
    return { text: readFileSync(file, "latin1"), stats };
  } finally {
    closeSync(file);
  }
}

/** The same; on Windows, it waits until other programs have closed the file. */
export async function readSmallFile(path: string, maxBytes: number): Promise<SmallFile | undefined> {
  for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
    const file = readNow(path, maxBytes);
    if (file?.stats || !file || pauseMs > lastPauseMs) return file;
    await sleep(pauseMs);
  }
}

/** Creates a file of mode 0600. Returns false when there is something at this path, whatever it is. */
export async function createFile(path: string, text: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) === "EEXIST" || isBusy(error)) return false;
    throw error;
  }
  try {
    await file.writeFile(text, "latin1").finally(() => file.close());
    return true;
  } catch (error) {
    // A full disk may have room for the name only.
    await rm(path, { force: true });
    throw error;
  }
}

export interface WriteOptions {
  /** The file's mtime (ms); the present by default. */
  lastAccess?: number | undefined;
  /** The write happens only while this lock is held, and once; see `lock` in file-lock.ts. */
  lock?: { temp: string; isHeld(): boolean } | undefined;
}

/** Replaces a file: all or nothing, and durably. Returns false when the lock was lost; nothing has changed then. */
export async function writeDurably(path: string, text: string, options: WriteOptions = {}): Promise<boolean> {
  const { lastAccess, lock } = options;
  const temp = lock?.temp ?? `${path}.${randomUUID()}.temp`;
  try {
    // Breaking a lock removes its temp file, which must not be created again.
    const file = await open(temp, lock ? O_WRONLY | O_NOFOLLOW | O_NONBLOCK : "wx", 0o600);
    try {
      await file.writeFile(text, "latin1");
      if (lastAccess !== undefined) await file.utimes(lastAccess / 1000, lastAccess / 1000);
      await file.sync();
    } finally {
      await file.close();
    }
    if (lock && !lock.isHeld()) return false;
    await whileBusy(() => rename(temp, path));
  } catch (error) {
    if (lock && codeOf(error) === "ENOENT") return false;
    await rm(temp, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/** Sets a file's mtime (ms), if it exists. A link is not followed. */
export async function touch(path: string, lastAccess: number): Promise<void> {
  const step = () => lutimes(path, lastAccess / 1000, lastAccess / 1000);
  await whileBusy(step).catch((error) => {
    if (codeOf(error) !== "ENOENT") throw error;
  });
}

/** Removes a file durably, or anything else at its path. Returns false when there was nothing. */
export async function removeDurably(path: string): Promise<boolean> {
  const existed = await remove(path);
  if (existed) await syncFolder(dirname(path));
  return existed;
}

/** The same without waiting for the disk: for what may come back after a power cut. */
export async function remove(path: string): Promise<boolean> {
  try {
    await whileBusy(() => unlink(path));
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
    await rm(path, { recursive: true, force: true });
    return true;
  }
}

/** On Windows, a file cannot be replaced or removed while it is open in any program: tries again for 5 s. */
export async function whileBusy<T>(step: () => Promise<T>): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
    try {
      return await step();
    } catch (error) {
      if (!isBusy(error) || pauseMs > lastPauseMs) throw error;
    }
    await sleep(pauseMs);
  }
}

function isBusy(error: unknown): boolean {
  return process.platform === "win32" && ["EPERM", "EACCES", "EBUSY"].includes(codeOf(error));
}

export function codeOf(error: unknown): string {
  return String(Object(error).code);
}

const syncing = new Map<string, Promise<void>>();
const nextSync = new Map<string, Promise<void>>();

/** Makes the names in a folder durable. Callers that arrive during a sync share the next one. */
function syncFolder(folder: string): Promise<void> {
  // Windows cannot, and need not.
  if (process.platform === "win32") return Promise.resolve();
  const start = () => {
    nextSync.delete(folder);
    const sync = syncNow(folder).finally(() => {
      if (syncing.get(folder) === sync) syncing.delete(folder);
    });
    syncing.set(folder, sync);
    return sync;
  };
  const current = syncing.get(folder);
  if (!current) return start();
  const next = nextSync.get(folder) ?? current.then(start, start);
  nextSync.set(folder, next);
  return next;
}

async function syncNow(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}

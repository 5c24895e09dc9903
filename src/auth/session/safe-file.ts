import { randomUUID } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { lutimes, open, rename, rm, unlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// Without them (Windows has neither), a link would lead out of the folder, and a pipe would block its reader forever.
const { O_WRONLY, O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/**
 * Reads a small regular file, synchronously: it blocks for 10 us, a seventh of what the thread pool takes. `problem` says
 * why what is there cannot be a text of ours.
 */
export function readSmallFile(path: string, maxBytes: number) {
  return whileBusy(async (): Promise<{ text: string; stats?: Stats; problem?: string } | undefined> => {
    let file: number;
    try {
      file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      // Throws when the whole folder is closed: that is more than one bad file.
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (isBusy(error) || (stats?.isFile() && codeOf(error) !== "EACCES")) throw error;
      return stats && { text: "", problem: `it cannot be opened (${codeOf(error)})` };
    }
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) return { text: "", problem: "it is not a regular file" };
      if (stats.size > maxBytes) return { text: "", problem: "it is far too large" };
      return { text: readFileSync(file, "latin1"), stats };
    } finally {
      closeSync(file);
    }
  });
}

/** Creates a file of mode 0600. Returns false when there is something at this path, whatever it is. */
export async function createFile(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { encoding: "latin1", flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST" || isBusy(error)) return false;
    // A full disk may have room for the name only.
    if (["ENOSPC", "EDQUOT"].includes(codeOf(error))) await rm(path, { force: true });
    throw error;
  }
}

export interface WriteOptions {
  /** The file's mtime (ms); the present by default. */
  lastAccess?: number | undefined;
  /** The temp file of a lock (see file-lock.ts). Losing the lock removes it, so that the write cannot happen. */
  temp?: string | undefined;
}

/** Replaces a file: all or nothing, and durably. Returns false when the lock was lost; nothing has changed then. */
export async function writeDurably(path: string, text: string, options: WriteOptions = {}): Promise<boolean> {
  const { lastAccess, temp = `${path}.${randomUUID()}.temp` } = options;
  try {
    const file = await open(temp, options.temp ? O_WRONLY | O_NOFOLLOW | O_NONBLOCK : "wx", 0o600);
    try {
      await file.writeFile(text, "latin1");
      if (lastAccess !== undefined) await file.utimes(lastAccess / 1000, lastAccess / 1000);
      await file.sync();
    } finally {
      await file.close();
    }
    await whileBusy(() => rename(temp, path));
  } catch (error) {
    if (options.temp && codeOf(error) === "ENOENT") return false;
    await rm(temp, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/** Sets a file's mtime (ms), if it exists. A link is not followed. */
export async function touch(path: string, lastAccess: number): Promise<void> {
  await ifFound(() => lutimes(path, lastAccess / 1000, lastAccess / 1000));
}

/** Renames a file. Returns false when there is none. */
export function move(path: string, to: string): Promise<boolean> {
  return ifFound(() => rename(path, to));
}

/** Removes whatever is at a path, durably. Returns false when there was nothing. */
export async function removeDurably(path: string): Promise<boolean> {
  const existed = await remove(path);
  if (existed) await syncFolder(dirname(path));
  return existed;
}

/** The same without waiting for the disk: for what may come back after a power cut. */
export function remove(path: string): Promise<boolean> {
  return ifFound(async () => {
    try {
      await unlink(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") throw error;
      // A folder has taken the file's place.
      await rm(path, { recursive: true });
    }
  });
}

async function ifFound(step: () => Promise<void>): Promise<boolean> {
  try {
    await whileBusy(step);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** On Windows, a file cannot be read, replaced or removed while some programs have it open: tries again for 5 s. */
async function whileBusy<T>(step: () => Promise<T>, tries = 200): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!isBusy(error) || tries === 0) throw error;
  }
  // They are counted, because each takes longer on a busy machine.
  await sleep(Math.random() * 50);
  return whileBusy(step, tries - 1);
}

function isBusy(error: unknown): boolean {
  return process.platform === "win32" && ["EPERM", "EACCES", "EBUSY"].includes(codeOf(error));
}

export function codeOf(error: unknown): string {
  return String(Object(error).code);
}

/** Of folders: what makes their names durable and has not begun. It is for all who have changed a name until then. */
const nextSync = new Map<string, Promise<void>>();

/** Makes the names in a folder durable. Windows cannot, and need not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const sync = async () => {
    const handle = await open(folder).finally(() => nextSync.delete(folder));
    await handle.sync().finally(() => handle.close());
  };
  const shared = nextSync.get(folder) ?? sync();
  nextSync.set(folder, shared);
  await shared;
}

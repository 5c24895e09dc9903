import { chmodSync, lstatSync, mkdirSync, type Stats } from "node:fs";
import { opendir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Lock, lock } from "./file-lock.ts";
import { codeOf, readSmallFile, remove, removeDurably, touch, writeDurably } from "./safe-file.ts";

/**
 * Where sealed records are kept. A record is a text; its `lastAccess` is beside it, so touching it rewrites nothing.
 * Every method rejects when the place itself fails; "not there" is no failure.
 */
export interface SessionBackend {
  read(name: string): Promise<StoredRecord | undefined>;
  /** Cheap: changes whenever the record changes; `undefined`: there is none. A backend without it is read every time. */
  version?(name: string): string | undefined;
  create(name: string, text: string): Promise<void>;
  /**
   * Replaces a record with what `change` returns, alone; `undefined` changes nothing. False when nothing was written.
   * `change` may be called again, with newer data.
   */
  update(name: string, change: (record: StoredRecord) => string | undefined): Promise<boolean>;
  /** The same for a text that need not exist: `change` gets `undefined` then, and returning `undefined` removes it. */
  replace(name: string, change: (text: string | undefined) => string | undefined): Promise<void>;
  touch(name: string, lastAccess: number): Promise<void>;
  /** Removes a record for good and returns what was in it. */
  take(name: string): Promise<StoredRecord | undefined>;
  /** Rejects after 20 s. `unlock` never rejects. */
  lock(name: string, staleMs: number): Promise<{ unlock(): Promise<void> }>;
  /** Names of all session records; with `idleSince`, of those not accessed since then (ms since 1970). */
  names(idleSince?: number): Promise<string[]>;
  /** Whether it forgets idle records by itself. */
  forgets?: boolean;
}

export interface StoredRecord {
  text: string;
  lastAccess: number;
  version?: string | undefined;
}

export interface FileBackendOptions {
  /** Called when other users could open the folder, and its mode was put right. */
  onRepaired?: (message: string) => void;
}

const sessionFile = /^([0-9a-f]{64})\.session$/;
/** Of killed processes; `.draft` and `.lease` are of earlier versions. */
const leftover = /\.(temp|lock|refresh|draft|lease)$|^probe-/;
const leftoverMs = 60_000;
/** Far above any session: a larger file is not ours. The list of revocations may grow while a portal is down. */
const [maxBytes, maxListBytes] = [256 * 1024, 16 * 1024 * 1024];
/** Writing takes milliseconds. */
const staleMs = 5_000;

/**
 * Sessions as files of mode 0600, one each, in a folder of mode 0700 that several processes may share.
 * @throws Error when the folder is a symbolic link, belongs to another user, or cannot be created
 */
export function fileBackend(path: string, { onRepaired }: FileBackendOptions = {}): SessionBackend {
  const folder = resolve(path);
  prepare(folder, onRepaired);
  const fileOf = (name: string, ending = ".session") => join(folder, name + ending);
  const versionOf = ({ ino, size, mtimeMs, ctimeMs }: Stats) => `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  const statsOf = (file: string) => lstatSync(file, { throwIfNoEntry: false });

  async function read(name: string): Promise<StoredRecord | undefined> {
    const file = await readSmallFile(fileOf(name), maxBytes);
    // Something else is in its place: the store reports a text that does not open.
    if (!file || "unusable" in file) return file && { text: file.unusable, lastAccess: Date.now() };
    const { text, stats } = file;
    // Within one tick of the file system's clock two states may look the same: too new to be cached.
    const version = Math.abs(Date.now() - stats.ctimeMs) > 100 ? versionOf(stats) : undefined;
    return { text, lastAccess: stats.mtimeMs, version };
  }

  async function locked<T>(name: string, work: (held: Lock) => Promise<T>): Promise<T> {
    const held = await lock(fileOf(name, ".lock"), staleMs);
    return work(held).finally(held.unlock);
  }

  const backend: SessionBackend = {
    read,
    version(name) {
      const stats = statsOf(fileOf(name));
      return stats && versionOf(stats);
    },
    create: async (name, text) => void (await writeDurably(fileOf(name), text, { lastAccess: Date.now() })),
    async update(name, change) {
      // A change that changes nothing takes no lock, and so leaves a full or read-only disk alone.
      const before = await read(name);
      if (!before || change(before) === undefined) return false;
      const outcome = await locked(name, async ({ isHeld }) => {
        const record = await read(name);
        const text = record && change(record);
        if (record === undefined || text === undefined) return "unchanged";
        const options = { lastAccess: record.lastAccess, isAllowed: isHeld };
        return (await writeDurably(fileOf(name), text, options)) ? "written" : "lock lost";
      });
      return outcome === "lock lost" ? backend.update(name, change) : outcome === "written";
    },
    async replace(name, change) {
      const file = fileOf(name, "");
      // The usual case, at every start: nothing is there, and nothing is to be there.
      if (!statsOf(file) && change(undefined) === undefined) return;
      await locked(name, async ({ isHeld }) => {
        const found = await readSmallFile(file, maxListBytes);
        const before = found && "text" in found ? found.text : undefined;
        const after = change(before);
        if (after === before) return;
        if (after === undefined) return removeDurably(file);
        // What has taken the file's place cannot be replaced.
        if (found && before === undefined) await remove(file);
        if (!(await writeDurably(file, after, { isAllowed: isHeld }))) throw new Error("the lock was lost");
      });
    },
    touch: (name, lastAccess) => touch(fileOf(name), lastAccess),
    async take(name) {
      if (!statsOf(fileOf(name)) && !statsOf(fileOf(name, ".lock"))) return undefined;
      const take = async () => {
        const record = await read(name);
        await removeDurably(fileOf(name));
        return record;
      };
      // Under the lock, or a write in progress would bring the file back. A full disk has no room for a lock.
      return locked(name, take).catch((error) =>
        codeOf(error) === "ENOSPC" ? take() : Promise.reject(error),
      );
    },
    lock: (name, ms) => lock(fileOf(name, ".refresh"), ms),
    async names(idleSince) {
      const names: string[] = [];
      let pauseAt = performance.now() + 5;
      for await (const { name: file } of await opendir(folder, { bufferSize: 1_000 })) {
        const [, name] = sessionFile.exec(file) ?? [];
        const isIdle = (since: number) => (statsOf(join(folder, file))?.mtimeMs ?? Infinity) < since;
        if (name && (idleSince === undefined || isIdle(idleSince))) names.push(name);
        else if (leftover.test(file) && isIdle(Date.now() - leftoverMs)) await remove(join(folder, file));
        if (performance.now() < pauseAt) continue;
        await nextTurn();
        pauseAt = performance.now() + 5;
      }
      return names;
    },
  };
  return backend;
}

/** What is in the folder is for this server's own user alone. */
function prepare(folder: string, onRepaired: FileBackendOptions["onRepaired"]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stats = lstatSync(folder);
  if (!stats.isDirectory()) throw new Error(`${folder} is not a folder (a symbolic link is not accepted)`);
  if (process.platform === "win32") return;
  if (stats.uid !== process.getuid?.()) throw new Error(`${folder} belongs to another user`);
  if ((stats.mode & 0o077) === 0) return;
  chmodSync(folder, 0o700);
  onRepaired?.(`other users could open the folder ${folder}; its mode is 0700 now`);
}

import { randomUUID } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, type Stats } from "node:fs";
import { opendir, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import session from "express-session";
import sessionFileStore from "session-file-store";
import { type Lock, lock, preventCommit } from "./file-lock.ts";
import { codeOf, readSmallFile, remove, removeDurably, touch, whileBusy, writeDurably } from "./safe-file.ts";

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
  /** Removes a record for good, whoever is changing it, and returns what was in it. */
  take(name: string): Promise<StoredRecord | undefined>;
  /** Rejects after 20 s. `unlock` never rejects. */
  lock(name: string, staleMs: number): Promise<{ unlock(): Promise<void> }>;
  /** Names of all session records; with `idleSince`, of those not accessed since then (ms since 1970). */
  names(idleSince?: number): Promise<string[]>;
  /** Whether it forgets idle records by itself. */
  forgets?: boolean;
  /** Rejects with what is missing for the other methods to work, such as a right. */
  probe?(): Promise<void>;
}

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
/** Of processes that were killed; `.draft` and `.lease` are of earlier versions. */
const leftover = /\.(temp|lock|refresh|draft|lease)$|^probe-/;
const leftoverMs = 60_000;
/** Far above any session: a larger file is not ours. Hundreds of thousands of revocations may wait for a portal. */
const [maxBytes, maxListBytes] = [256 * 1024, 256 * 1024 * 1024];
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
  const PackageStore = sessionFileStore(session) as unknown as new (
    options: object,
  ) => { list(done: (error: unknown, files: string[]) => void): void };
  const files = new PackageStore({ path: folder, fileExtension: ".session", reapInterval: -1 });
  const list = promisify(files.list.bind(files));
  function fileOf(name: string, ending = ".session"): string {
    if (!/^[\w-]{1,100}$/.test(name)) throw new TypeError("not the name of a record");
    return join(folder, name + ending);
  }
  const versionOf = ({ ino, size, mtimeMs, ctimeMs }: Stats) => `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  const statsOf = (file: string) => lstatSync(file, { throwIfNoEntry: false });
  // These block for 5 us: a thread of the pool would take five times as long.
  function isIdle(file: string, since: number): boolean {
    const stats = statsOf(join(folder, file));
    return stats?.isFile() === true && stats.mtimeMs < since;
  }
  /** Locks and temp files live for seconds: one from the future is abandoned, too. */
  function isAbandoned(file: string): boolean {
    const stats = statsOf(join(folder, file));
    return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) > leftoverMs;
  }

  async function read(name: string, path = fileOf(name)): Promise<StoredRecord | undefined> {
    const file = await readSmallFile(path, maxBytes);
    if (!file || "unusable" in file)
      return file && { text: "", lastAccess: Date.now(), problem: file.unusable };
    const { text, stats } = file;
    // Within one tick of the file system's clock two states may look the same: too new to be cached.
    const version = Math.abs(Date.now() - stats.ctimeMs) > 100 ? versionOf(stats) : undefined;
    return { text, lastAccess: stats.mtimeMs, version };
  }

  /** Replaces a file with what `next` returns, alone. False when it returns nothing; again when the lock was lost. */
  async function change(
    path: string,
    next: (held: Lock) => Promise<string | undefined>,
    lastAccess?: () => number,
  ): Promise<boolean> {
    for (;;) {
      const held = await lock(`${path}.lock`, staleMs);
      try {
        const text = await next(held);
        if (text === undefined) return false;
        if (await writeDurably(path, text, { lock: held, lastAccess: lastAccess?.() })) return true;
      } finally {
        await held.unlock();
      }
    }
  }

  const backend: SessionBackend = {
    read: (name) => read(name),
    version(name) {
      const stats = statsOf(fileOf(name));
      return stats && versionOf(stats);
    },
    create: async (name, text) => void (await writeDurably(fileOf(name), text, { lastAccess: Date.now() })),
    async update(name, next) {
      // A change that changes nothing takes no lock, and so leaves a full or read-only disk alone.
      let record = await read(name);
      if (!record || next(record) === undefined) return false;
      return change(
        fileOf(name),
        async () => {
          record = await read(name);
          return record && next(record);
        },
        () => record?.lastAccess ?? Date.now(),
      );
    },
    async replace(name, next) {
      const file = fileOf(name, "");
      // The usual case, at every start: nothing is there, and nothing is to be there.
      if (!statsOf(file) && next(undefined) === undefined) return;
      await change(file, async ({ isHeld }) => {
        const found = await readSmallFile(file, maxListBytes);
        const before = found && "text" in found ? found.text : undefined;
        const after = next(before);
        if (after === before) return undefined;
        // What has taken the file's place may be a folder, which cannot be replaced.
        if (found && before === undefined) await remove(file);
        if (after === undefined && isHeld()) await removeDurably(file);
        return after;
      });
    },
    touch: (name, lastAccess) => touch(fileOf(name), lastAccess),
    /** Takes no lock: nobody waits for a sign-out, and a full disk has no room for a lock. */
    async take(name) {
      const [file, aside] = [fileOf(name), fileOf(name, `.${randomUUID()}.temp`)];
      const isPrevented = await preventCommit(`${file}.lock`);
      const before = await read(name);
      const place = await whileBusy(() => rename(file, aside)).then(
        () => aside,
        (error) => (codeOf(error) === "ENOENT" ? undefined : file),
      );
      if (!place && !isPrevented) return undefined;
      // A reaper may take what is aside for abandoned.
      const record = place ? ((await read(name, place)) ?? before) : undefined;
      if (place) await removeDurably(place);
      // Until there is neither a file nor a holder that may have read it: then nothing can bring it back.
      return (await backend.take(name)) ?? record;
    },
    lock: (name, ms) => lock(fileOf(name, ".refresh"), ms),
    async names(idleSince) {
      if (idleSince === undefined) return (await list()).flatMap((file) => sessionFile.exec(file)?.[1] ?? []);
      const names: string[] = [];
      let pauseAt = performance.now() + 5;
      for await (const { name: file } of await opendir(folder, { bufferSize: 1_000 })) {
        const [, name] = sessionFile.exec(file) ?? [];
        if (name && isIdle(file, idleSince)) names.push(name);
        else if (leftover.test(file) && isAbandoned(file)) await remove(join(folder, file)).catch(() => {});
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

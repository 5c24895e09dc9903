import { randomUUID } from "node:crypto";
import { readlinkSync } from "node:fs";
import { link, rename } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, createFile, readNow, remove, whileBusy } from "./safe-file.ts";

export interface Lock {
  /** A file for the holder to write to. It is removed before the lock can pass to others: renaming it is a safe commit. */
  temp: string;
  /** False once another process has broken the lock. */
  isHeld(): boolean;
  /** Never rejects: a lock that cannot be removed will be broken. */
  unlock(): Promise<void>;
}

/** A holder writes its name right after it has created the file. */
const namelessMs = 2_000;

const queues = new Map<string, Promise<void>>();

/**
 * Mutual exclusion for processes that share a folder, and for requests within one. The lock is a file that only one
 * process can create. It is broken at once when its holder is gone for certain, and otherwise when it has not
 * changed for `staleMs` on our own monotonic clock: neither clocks nor process ids need to agree.
 *
 * @throws Error when the lock is not free within `waitMs`
 */
export async function lock(path: string, staleMs: number, waitMs = 20_000): Promise<Lock> {
  const deadline = performance.now() + waitMs;
  let leave = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const before = queues.get(path);
  const last = before ? before.then(() => left) : left;
  queues.set(path, last);
  last.then(() => queues.get(path) === last && queues.delete(path));
  try {
    if (before) await within(waitMs, before);
    return await acquire(path, staleMs, deadline, leave);
  } catch (error) {
    leave();
    throw error;
  }
}

/** Keeps the holder of a lock from its commit. Returns false when there is no holder, or it has committed. */
export async function preventCommit(path: string): Promise<boolean> {
  const temp = look(path)?.temp;
  return temp !== undefined && (await remove(temp));
}

async function acquire(path: string, staleMs: number, deadline: number, leave: () => void): Promise<Lock> {
  const id = randomUUID();
  const token = `${host} ${pidNamespace} ${process.pid} ${Date.now()} ${id}`;
  const temp = tempOf(path, id);
  const isHeld = () => look(path)?.token === token;
  const unlock = async () => {
    try {
      await remove(temp);
      if (isHeld()) await remove(path);
    } catch {
      // The folder is read-only by now, or gone.
    } finally {
      leave();
    }
  };
  let seen: Holder | undefined;
  let since = 0;
  await createFile(temp, "");
  try {
    while (!(await createFile(path, token)) || !isHeld()) {
      const holder = look(path);
      if (holder?.token !== seen?.token) [seen, since] = [holder, performance.now()];
      if (performance.now() > deadline) throw tooLate();
      const patienceMs = holder?.temp ? staleMs : Math.min(staleMs, namelessMs);
      if (holder && (holder.isGone || performance.now() - since > patienceMs)) await breakLock(path, holder);
      else await sleep(5 + Math.random() * 10);
    }
  } catch (error) {
    await remove(temp).catch(() => {});
    throw error;
  }
  return { temp, isHeld, unlock };
}

/** Moves a lock away in one step, and gives it back when it is a newer one. */
async function breakLock(path: string, holder: Holder): Promise<void> {
  if (holder.temp) await remove(holder.temp);
  const aside = tempOf(path, randomUUID());
  try {
    await whileBusy(() => rename(path, aside));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if (look(aside)?.token !== holder.token) await link(aside, path).catch(() => {});
  await remove(aside);
}

interface Holder {
  token: string;
  temp?: string;
  isGone: boolean;
}

/** Names of process ids are only comparable within one namespace: containers may share a host name. */
const host = hostname();
const pidNamespace = namespaceOf("/proc/self/ns/pid");
const startedAt = Date.now() - process.uptime() * 1000;
const tokenPattern = /^(.+) (\S+) (\d+) (\d+) ([0-9a-f-]{36})$/;

function look(path: string): Holder | undefined {
  const file = readNow(path, 1_000);
  if (!file) return undefined;
  const { stats } = file;
  const text = "text" in file ? file.text : "";
  const [, itsHost, itsNamespace, pid, since, id] = tokenPattern.exec(text) ?? [];
  // Its holder has not written its name yet, or it is none of our files.
  if (!id) return { token: `${stats?.ino} ${stats?.mtimeMs}`, isGone: stats?.isFile() === false };
  // Not between our start and now. A minute: clocks are also set.
  const isEarlierLife =
    Number(pid) === process.pid && (Number(since) < startedAt || Number(since) > Date.now() + 60_000);
  const isGone =
    itsHost === host && (isEarlierLife || (itsNamespace === pidNamespace && !isRunning(Number(pid))));
  return { token: text, temp: tempOf(path, id), isGone };
}

function tempOf(path: string, id: string): string {
  return `${path}.${id}.temp`;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

function namespaceOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "-";
  }
}

/** Rejects when the promise is not fulfilled in time. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw tooLate();
  });
  await Promise.race([promise, late]).finally(() => timer.abort());
}

function tooLate(): Error {
  return new Error("the lock was not free in time");
}

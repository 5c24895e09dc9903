import { randomUUID } from "node:crypto";
import { readlinkSync } from "node:fs";
import { link, rename } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, createFile, readNow, remove, whileBusy } from "./safe-file.ts";

export interface Lock {
  /** False once another process has broken the lock. */
  isHeld(): boolean;
  /** Never rejects: a lock that cannot be removed will be broken. */
  unlock(): Promise<void>;
}

const queues = new Map<string, Promise<void>>();

/**
 * Mutual exclusion for processes that share a folder, and for requests within one. The lock is a file that only one
 * process can create. It is broken at once when its holder is gone for certain, and otherwise when it has not
 * changed for `staleMs` on our own monotonic clock: neither clocks nor process ids need to agree.
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

async function acquire(path: string, staleMs: number, deadline: number, leave: () => void): Promise<Lock> {
  const token = `${host} ${pidNamespace} ${process.pid} ${Date.now()} ${randomUUID()}`;
  let seen: string | undefined;
  let since = 0;
  while (!(await createFile(path, token))) {
    const holder = look(path);
    if (holder?.token !== seen) [seen, since] = [holder?.token, performance.now()];
    if (performance.now() > deadline) throw tooLate();
    if (holder && (holder.isGone || performance.now() - since > staleMs)) await breakLock(path, holder.token);
    else await sleep(5 + Math.random() * 10);
  }
  const isHeld = () => look(path)?.token === token;
  const unlock = async () => {
    if (isHeld()) await remove(path);
  };
  return {
    isHeld,
    unlock: () =>
      unlock()
        .catch(() => {})
        .finally(leave),
  };
}

/** Moves a lock away in one step, and gives it back when it is a newer one. */
async function breakLock(path: string, token: string): Promise<void> {
  const aside = `${path}.${randomUUID()}.temp`;
  try {
    await whileBusy(() => rename(path, aside));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if (look(aside)?.token !== token) await link(aside, path).catch(() => {});
  await remove(aside);
}

/** Process ids are comparable within one namespace only: containers may share a host name. */
const host = hostname();
const pidNamespace = namespaceOf("/proc/self/ns/pid");
const startedAt = Date.now() - process.uptime() * 1000;

function look(path: string): { token: string; isGone: boolean } | undefined {
  const file = readNow(path, 1_000);
  if (!file) return undefined;
  const token = "text" in file ? file.text : "";
  const [itsHost, itsNamespace, pid, since, id] = token.split(" ");
  // Its holder has not written its name yet, or it is none of our files.
  if (!id)
    return { token: `${file.stats?.ino} ${file.stats?.mtimeMs}`, isGone: file.stats?.isFile() === false };
  const isEarlierLife = Number(pid) === process.pid && Number(since) < startedAt;
  const isDead = itsNamespace === pidNamespace && !isRunning(Number(pid));
  return { token, isGone: itsHost === host && (isEarlierLife || isDead) };
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
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => Promise.reject(tooLate()));
  await Promise.race([promise, late]).finally(() => timer.abort());
}

function tooLate(): Error {
  return new Error("the lock was not free in time");
}

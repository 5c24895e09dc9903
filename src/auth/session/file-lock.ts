import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { link } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, createFile, move, readSmallFile, remove } from "./safe-file.ts";

/** Locks of this process. Its own requests wait for each other in memory. */
const taken = new Set<string>();

/**
 * Mutual exclusion for processes that share a folder, and for requests within one. The lock is a file that only one
 * process can create. It is broken at once when its holder is gone for certain, and otherwise when it has not
 * changed for `staleMs` on our own monotonic clock, so neither clocks nor process ids need to agree.
 *
 * Its holder writes to `temp`, which is removed before the lock can pass to others: renaming it is a safe commit.
 *
 * @throws Error when the lock is not free within `waitMs`
 */
export async function lock(path: string, staleMs: number, waitMs = 20_000) {
  const deadline = performance.now() + waitMs;
  while (taken.has(path)) await pause(deadline);
  taken.add(path);
  const id = randomUUID();
  const token = `${host} ${process.pid} ${Date.now()} ${id}`;
  const temp = tempOf(path, id);
  /** False once another process has broken the lock. */
  const isHeld = async () => (await holderOf(path))?.token === token;
  /** Never rejects: a lock that cannot be removed will be broken. */
  const unlock = async () => {
    try {
      await remove(temp);
      if (await isHeld()) await remove(path);
    } catch {
      // The folder is read-only by now, or gone.
    } finally {
      taken.delete(path);
    }
  };
  try {
    await createFile(temp, "");
    let seen: string | undefined;
    let since = 0;
    // A process that was suspended before it wrote its token may find that of another one.
    while (!(await createFile(path, token)) || !(await isHeld())) {
      const holder = await holderOf(path);
      if (holder?.token !== seen) [seen, since] = [holder?.token, performance.now()];
      if (holder && (holder.isGone || performance.now() - since > staleMs)) await breakLock(path, holder);
      else await pause(deadline);
    }
    return { temp, isHeld, unlock };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Keeps the holder of a lock from its commit. Returns false when there is no holder, or it has committed. */
export async function preventCommit(path: string): Promise<boolean> {
  const { temp } = (await holderOf(path)) ?? {};
  return temp !== undefined && (await remove(temp));
}

async function pause(deadline: number): Promise<void> {
  if (performance.now() > deadline) throw new Error("the lock was not free in time");
  await sleep(5 + Math.random() * 10);
}

/** Moves a lock away in one step, and gives it back when it is a newer one. */
async function breakLock(path: string, { token, temp }: Holder): Promise<void> {
  if (temp) await remove(temp);
  const aside = tempOf(path, randomUUID());
  if (!(await move(path, aside))) return;
  if ((await holderOf(aside))?.token !== token) await link(aside, path).catch(() => {});
  await remove(aside);
}

interface Holder {
  token: string;
  temp?: string;
  isGone: boolean;
}

const host = processHost();
const startedAt = Date.now() - process.uptime() * 1000;
const tokenPattern = /^(.+) (\d+) (\d+) ([0-9a-f-]{36})$/;

async function holderOf(path: string): Promise<Holder | undefined> {
  const file = await readSmallFile(path, 1_000);
  if (!file) return undefined;
  if (file.problem) return { token: file.problem, isGone: true };
  const [token, itsHost, pid, since, id] = tokenPattern.exec(file.text) ?? [];
  // Its holder has not written its token yet, or it is none of our files.
  if (!token || !id) return { token: file.text, isGone: false };
  const isEarlierLife = Number(pid) === process.pid && Number(since) < startedAt;
  const isGone = itsHost === host && (isEarlierLife || !isRunning(Number(pid)));
  return { token, temp: tempOf(path, id), isGone };
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

/** Where process ids can be compared: on Linux one namespace of them, because containers may share a host name. */
function processHost(): string {
  try {
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return readlinkSync("/proc/self/ns/pid") + bootId;
  } catch {
    return hostname();
  }
}

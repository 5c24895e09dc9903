import { randomUUID } from "node:crypto";
import { link, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

export type Release = () => Promise<void>;

/**
 * Takes the lease that this file stands for, or gives `undefined` when somebody else holds it. It ends when it
 * is released, after `ms`, or at once when its holder is a process of this machine that is gone.
 *
 * @param path on a disk that all processes share; nothing is left there when nobody holds the lease
 */
export async function leaseFile(path: string, ms: number): Promise<Release | undefined> {
  const mine = `${hostname()} ${process.pid} ${randomUUID()}`;
  const release = async () => {
    if ((await holderOf(path)) === mine) await unlink(path).catch(ignoreMissing);
  };
  if (await take(path, mine)) return release;

  const holder = await holderOf(path);
  if (holder !== undefined && !(await isOver(path, holder, ms))) return undefined;
  if (holder !== undefined) await remove(path, holder);
  return (await take(path, mine)) ? release : undefined;
}

/** Takes the lease as soon as it is free: for work that lasts milliseconds. */
export async function leaseFileSoon(path: string, ms: number): Promise<Release> {
  for (;;) {
    const release = await leaseFile(path, ms);
    if (release) return release;
    await sleep(5 + Math.random() * 10);
  }
}

/** The one step that only a single process in the world can do: to make a file that is not there. */
async function take(path: string, mine: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}.draft`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(mine).finally(() => file.close());
    // A link appears with its content, so that nobody reads a lease without a holder.
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    await unlink(draft).catch(ignoreMissing);
  }
}

async function isOver(path: string, holder: string, ms: number): Promise<boolean> {
  const about = await stat(path).catch(ignoreMissing);
  if (about && about.mtimeMs + ms < Date.now()) return true;
  const [host, pid] = holder.split(" ");
  return host === hostname() && !isRunning(Number(pid));
}

/** Removes the lease of this holder and no other: between a look and a removal, somebody may have taken it anew. */
async function remove(path: string, holder: string): Promise<void> {
  const aside = `${path}.${randomUUID()}.draft`;
  const moved = await rename(path, aside).then(() => true, ignoreMissing);
  if (!moved) return;
  if ((await readFile(aside, "utf8")) !== holder) await link(aside, path).catch(() => {});
  await unlink(aside);
}

async function holderOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(ignoreMissing);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}

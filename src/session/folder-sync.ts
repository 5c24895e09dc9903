import { open } from "node:fs/promises";
import { dirname } from "node:path";

/** By folder: what the disk is at, and what those wait for who came too late for it. */
const underWay = new Map<string, Promise<void>>();
const next = new Map<string, Promise<void>>();

/**
 * Makes durable what was done to the names in the folder of `path`: otherwise a power cut could undo it. Those who
 * come while the disk is at it share the next time, for it takes as long for one as for many.
 */
export function syncFolder(path: string): Promise<void> {
  // Windows cannot, and need not.
  if (process.platform === "win32") return Promise.resolve();
  const folder = dirname(path);
  const current = underWay.get(folder);
  if (!current) return begin(folder);
  const start = () => begin(folder);
  const waiting = next.get(folder) ?? current.then(start, start);
  next.set(folder, waiting);
  return waiting;
}

function begin(folder: string): Promise<void> {
  next.delete(folder);
  const sync = syncNow(folder).finally(() => {
    if (underWay.get(folder) === sync) underWay.delete(folder);
  });
  underWay.set(folder, sync);
  return sync;
}

async function syncNow(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}

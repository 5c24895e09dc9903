import { chownSync } from "node:fs";

/** "nobody", wherever Node runs as root. */
const visitor = 65534;

/**
 * Runs `task` as a user that file modes restrict. They do not stop root, so root gives the paths away and
 * steps down meanwhile.
 */
export async function asPlainUser<T>(paths: string[], task: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0 || !process.seteuid) return task();
  for (const path of paths) chownSync(path, visitor, visitor);
  process.seteuid(visitor);
  try {
    return await task();
  } finally {
    process.seteuid(0);
  }
}

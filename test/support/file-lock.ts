import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { folder } from "./temporary.ts";

/** Longer than any test may take: a lock that is broken in such a test was broken at once. */
export const neverMs = 600_000;

export const path = (t: TestContext) => join(folder(t), "record.lock");

export async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const start = performance.now();
  const result = await work;
  return { result, ms: performance.now() - start };
}

/** A process that takes a lock and keeps it. */
export async function otherProcess(t: TestContext, place: string, staleMs = neverMs) {
  const script = `
    const { lock } = await import(${JSON.stringify(import.meta.resolve("#src/auth/session/file-lock.ts"))});
    await lock(${JSON.stringify(place)}, ${staleMs});
    console.log("locked");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script]);
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type { TestContext } from "node:test";

/**
 * Calls `check` with the path of each file that is about to be removed or renamed, until the test ends or the returned
 * function is called: what it throws is the failure of that step.
 */
export function onRemoval(t: Pick<TestContext, "after" | "mock">, check: (path: string) => void): () => void {
  const { rename, rm, unlink } = fs.promises;
  const mocks = [
    t.mock.method(fs.promises, "unlink", async (path: string) => {
      check(path);
      return unlink(path);
    }),
    t.mock.method(fs.promises, "rm", async (path: string, options: object) => {
      check(path);
      return rm(path, options);
    }),
    t.mock.method(fs.promises, "rename", async (from: string, to: string) => {
      check(from);
      check(to);
      return rename(from, to);
    }),
  ];
  syncBuiltinESMExports();
  const restore = () => {
    for (const { mock } of mocks) mock.restore();
    syncBuiltinESMExports();
  };
  t.after(restore);
  return restore;
}

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A secret that nobody else has. */
export const secret = (): string => randomBytes(32).toString("base64url");

/** A folder that is gone after the test. */
export function folder(t: Pick<TestContext, "after">): string {
  const path = mkdtempSync(join(tmpdir(), "arcgis-sign-in-"));
  t.after(() => remove(path));
  return path;
}

/** Tries again when the app has just written something there: a hook that throws keeps the later ones from closing servers. */
function remove(path: string, tries = 20): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (tries === 0) throw error;
    remove(path, tries - 1);
  }
}

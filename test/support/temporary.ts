import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { newSecret } from "#src/app/config/secrets.ts";

export { newSecret as secret };

/** A folder that is gone after the test. */
export function folder(t: Pick<TestContext, "after">): string {
  const path = mkdtempSync(join(tmpdir(), "arcgis-sign-in-"));
  t.after(() => remove(path));
  return path;
}

/**
 * Tries again when the app has just written something there: a hook that throws keeps the later ones from closing
 * servers. On Windows, what a server that is closed by a later hook has open stays behind.
 */
async function remove(path: string, tries = 20): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (tries > 0) {
      await sleep(10);
      await remove(path, tries - 1);
    } else if (process.platform !== "win32") throw error;
  }
}

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
  // Again, when the app has just written something there: a hook that throws keeps the later ones from closing servers.
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));
  return path;
}

import { execFileSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/**
 * A disk of so many KB, which is soon full. Gives `undefined`, and skips the test, where none can be mounted.
 * @throws with REQUIRE_ALL=1 instead of skipping
 */
export function smallDisk(t: TestContext, kilobytes: number): string | undefined {
  const path = mkdtempSync(join(tmpdir(), "arcgis-sign-in-disk-"));
  try {
    const options = `size=${kilobytes}k,mode=700`;
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path], { stdio: "ignore" });
  } catch {
    rmdirSync(path);
    const reason = "a small disk cannot be mounted: run the tests as root, where mounting is permitted";
    if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
    t.skip(reason);
    return undefined;
  }
  t.after(() => {
    execFileSync("umount", ["-l", path]);
    rmdirSync(path);
  });
  return path;
}

/**
 * A folder in memory where there is one: for thousands of durable writes whose durability is not what is tested.
 * What a killed process has written is there all the same.
 */
export function memoryFolder(t: Pick<TestContext, "after">): string {
  const path = mkdtempSync(join(inMemory() ? "/dev/shm" : tmpdir(), "arcgis-sign-in-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function inMemory(): boolean {
  try {
    accessSync("/dev/shm", constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { folder } from "./temporary.ts";

/** Makes a folder with these files, below a folder of its own. */
export function makeFiles(t: Pick<TestContext, "after">, files: Record<string, string | Buffer>): string {
  const site = join(folder(t), "site");
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(site, name)), { recursive: true });
    writeFileSync(join(site, name), content);
  }
  return site;
}

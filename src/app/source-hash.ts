import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const built = join(root, "dist/source-hash");

/** The hash of the sources of dist/, which `npm run build` writes there. Times are useless: a copy has new ones. */
export function sourceHash(): string {
  const names = readdirSync(join(root, "src"), { recursive: true }).map((name) => `src/${name}`);
  const files = names.filter((name) => name.endsWith(".ts")).map((name) => name.replaceAll("\\", "/"));
  const hash = createHash("sha256");
  for (const file of ["scripts/build.js", ...files.sort()])
    hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

/** Whether dist/ was built from another src/, as after an upgrade without a build. */
export function isStale(): boolean {
  try {
    return readFileSync(built, "utf8") !== sourceHash();
  } catch {
    return false; // Packages may have no src/, or one that the server's user cannot read.
  }
}

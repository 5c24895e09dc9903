// Compiles src/ to dist/ when dist/ is missing or older: so that `npm start` is one command on a fresh
// clone, takes no time on the second start, and needs no compiler on a machine that got dist/ delivered.
// With --if-possible (npm's `prepare`), a clone without the compiler is no error: `npm ci --omit=dev` has to end.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

process.chdir(join(import.meta.dirname, ".."));

// A file that was deleted shows in the time of its folder.
const newest = (folder) =>
  Math.max(
    ...["", ...readdirSync(folder, { recursive: true })].map((name) => statSync(join(folder, name)).mtimeMs),
  );

const built = "dist/server.js";
const sources = existsSync("tsconfig.json") ? Math.max(newest("src"), statSync("tsconfig.json").mtimeMs) : 0;
if (existsSync(built) && statSync(built).mtimeMs >= sources) process.exit(0);

let compiler;
try {
  const require = createRequire(import.meta.url);
  compiler = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
} catch {
  if (existsSync(built) || process.argv.includes("--if-possible")) process.exit(0);
  console.error("dist/ is missing and TypeScript is not installed. Run `npm ci` (without --omit=dev) first.");
  process.exit(1);
}
console.log("Compiling src/ to dist/ ...");
// What is left of an earlier version would be packed, too.
rmSync("dist", { recursive: true, force: true });
process.exit(spawnSync(process.execPath, [compiler], { stdio: "inherit" }).status ?? 1);

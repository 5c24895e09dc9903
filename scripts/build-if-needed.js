// Compiles src/ to dist/ when dist/ is missing or older: so that `npm start` is one command on a fresh
// clone, takes no time on the second start, and needs no compiler on a machine that got dist/ delivered.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

process.chdir(join(import.meta.dirname, ".."));

const newest = (folder) =>
  Math.max(...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs));

const built = "dist/server.js";
const sources = existsSync("src") ? Math.max(newest("src"), statSync("tsconfig.json").mtimeMs) : 0;
if (existsSync(built) && statSync(built).mtimeMs >= sources) process.exit(0);

let compiler;
try {
  const require = createRequire(import.meta.url);
  compiler = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
} catch {
  if (existsSync(built)) process.exit(0);
  console.error("dist/ is missing and TypeScript is not installed. Run `npm ci` (without --omit=dev) first.");
  process.exit(1);
}
console.log("Compiling src/ to dist/ ...");
process.exit(spawnSync(process.execPath, [compiler], { stdio: "inherit" }).status ?? 1);

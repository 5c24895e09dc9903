// npm run bench [-- --quick] [--only pages,signIns] [--profile]
// Installs the peers when they are missing, then runs the benchmark: nothing of theirs can be imported before.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    profile: { type: "boolean", default: false },
  },
});

const installed = join(import.meta.dirname, "node_modules/.package-lock.json");
const wanted = join(import.meta.dirname, "package-lock.json");
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
  console.error("Installing the peers in bench/ ...");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    console.error("The peers could not be installed: run `npm ci` in bench/ to see why.");
    process.exit(1);
  }
}

const { benchmark } = await import("./benchmark.js");
await benchmark(values);

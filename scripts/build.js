// `npm run build` compiles src/ to dist/, and copies there what the map page takes from npm packages: so that a consumer who
// installs this package gets these few files instead of the packages.
// With --if-needed it ends at once when dist/ is up to date: so that `npm start` is one command on a fresh clone, and
// needs no compiler on a machine that got dist/ delivered. The server, too, notices a dist/ of other sources.
// With --if-possible (npm's `prepare`), a clone without the compiler is no error: `npm ci --omit=dev` has to end.
import { spawnSync } from "node:child_process";
import { accessSync, constants, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

process.chdir(join(import.meta.dirname, ".."));
const require = createRequire(import.meta.url);

/** By package. Each is copied with the package's license. */
const mapFiles = {
  leaflet: ["dist/leaflet.js", "dist/leaflet.css"],
  "esri-leaflet": ["dist/esri-leaflet.js"],
  "topojson-client": ["dist/topojson-client.min.js"],
  "world-atlas": ["land-110m.json"],
};

const built = "dist/server.js";
const ifNeeded = process.argv.includes("--if-needed");
const canBuild = existsSync("tsconfig.json");

async function isUpToDate() {
  if (!canBuild) return existsSync(built);
  if (!existsSync("dist/source-hash")) return false;
  const { isStale } = await import("../dist/app/source-hash.js");
  return !isStale();
}

/** Whether the program belongs to another user, as on a server where it cannot change itself. */
function isReadOnly() {
  try {
    accessSync("dist", constants.W_OK);
    return false;
  } catch {
    return existsSync(built);
  }
}

/** Where TypeScript is, or undefined. */
function compiler() {
  try {
    return join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  } catch {
    return undefined;
  }
}

function copyMapFiles() {
  for (const [name, files] of Object.entries(mapFiles)) {
    const folder = dirname(require.resolve(`${name}/package.json`));
    const target = `dist/map/${name}`;
    mkdirSync(target, { recursive: true });
    for (const file of [...files, "LICENSE"]) copyFileSync(join(folder, file), join(target, basename(file)));
  }
}

async function build() {
  const tsc = compiler();
  if (!tsc) {
    if (existsSync(built) || process.argv.includes("--if-possible")) return 0;
    console.error(
      "dist/ is missing and TypeScript is not installed. Run `npm ci` (without --omit=dev) first.",
    );
    return 1;
  }
  if (ifNeeded && isReadOnly()) {
    console.error("dist/ was built from another src/: run `npm run build` as the user that it belongs to.");
    return 0;
  }
  console.log("Compiling src/ to dist/ ...");
  // What is left of an earlier version would be packed, too.
  rmSync("dist", { recursive: true, force: true });
  copyMapFiles();
  const { status } = spawnSync(process.execPath, [tsc], { stdio: "inherit" });
  if (status !== 0) return status ?? 1;
  const { sourceHash } = await import("../dist/app/source-hash.js");
  writeFileSync("dist/source-hash", sourceHash());
  return 0;
}

process.exitCode = ifNeeded && (await isUpToDate()) ? 0 : await build();

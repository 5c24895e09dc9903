// `npm run build` compiles src/ to dist/, and copies there what the map page takes from npm packages: so that a consumer who
// installs this package gets these few files instead of the packages.
// With --if-needed it ends at once when dist/ is up to date: so that `npm start` is one command on a fresh clone, and
// needs no compiler on a machine that got dist/ delivered.
// With --if-possible (npm's `prepare`), a clone without the compiler is no error: `npm ci --omit=dev` has to end.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
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
const canBuild = existsSync("tsconfig.json");

function isUpToDate() {
  if (!existsSync(built)) return false;
  const sources = canBuild ? ["src", "scripts/build.js", "tsconfig.json"] : [];
  return sources.every((path) => newest(path) <= statSync(built).mtimeMs);
}

/** A file that was deleted shows in the time of its folder. */
function newest(path) {
  const names = statSync(path).isDirectory() ? readdirSync(path, { recursive: true }) : [];
  return Math.max(...["", ...names].map((name) => statSync(join(path, name)).mtimeMs));
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

function build() {
  const tsc = compiler();
  if (!tsc) {
    if (existsSync(built) || process.argv.includes("--if-possible")) return 0;
    console.error(
      "dist/ is missing and TypeScript is not installed. Run `npm ci` (without --omit=dev) first.",
    );
    return 1;
  }
  console.log("Compiling src/ to dist/ ...");
  // What is left of an earlier version would be packed, too.
  rmSync("dist", { recursive: true, force: true });
  copyMapFiles();
  return spawnSync(process.execPath, [tsc], { stdio: "inherit" }).status ?? 1;
}

process.exitCode = process.argv.includes("--if-needed") && isUpToDate() ? 0 : build();

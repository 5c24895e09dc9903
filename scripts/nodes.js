// `npm run nodes` installs the versions of Node that this package is for, the oldest and the newest of each line, in a
// folder of their own (NODES_DIR). The tests of the package then run on each of them.
// `npm run nodes -- npm test` also runs that command with each, and exits with 1 if it fails with one.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const versions = ["20.19.2", "20", "22.12.0", "22", "24", "26"];
const folder = process.env.NODES_DIR ?? join(homedir(), ".cache/arcgis-sign-in/nodes");
const binary = `node_modules/node-${process.platform}-${process.arch}/bin/node`;

/** The paths of those that are installed. */
export function installedNodes() {
  return versions.map((version) => join(folder, version, binary)).filter((path) => existsSync(path));
}

function install(version) {
  const cwd = join(folder, version);
  if (existsSync(join(cwd, binary))) return;
  mkdirSync(cwd, { recursive: true });
  const name = `node-${process.platform}-${process.arch}@${version}`;
  const args = ["install", "--prefix", cwd, "--ignore-scripts", "--no-audit", "--no-fund", name];
  const { status } = spawnSync("npm", args, { stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

function main(command) {
  for (const version of versions) install(version);
  for (const node of installedNodes()) {
    spawnSync(node, ["--version"], { stdio: "inherit" });
    if (command.length === 0) continue;
    const [program, ...args] = command;
    const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH };
    if (spawnSync(program, args, { stdio: "inherit", env }).status !== 0) process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));

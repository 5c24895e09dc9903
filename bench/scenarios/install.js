import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../numbers.js";

const root = join(import.meta.dirname, "../..");
const npm = (cwd, ...args) =>
  execFileSync("npm", [...args, "--no-audit", "--no-fund"], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });

/** What a consumer gets by `npm install` next to express and express-session, and how long the import takes. */
export async function install(_field, plan) {
  const { devDependencies, peerDependencies, dependencies } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const versions = { ...devDependencies, ...dependencies, ...peerDependencies };
  const base = ["express", "express-session"].map((name) => `${name}@${versions[name]}`);
  const folder = join(tmpdir(), `arcgis-sign-in-bench-${process.pid}`);
  mkdirSync(folder);
  try {
    const [tarball] = JSON.parse(
      npm(root, "pack", "--ignore-scripts", "--json", "--pack-destination", folder),
    );
    return new Map(
      [
        ["install-ours", "arcgis-sign-in", join(folder, tarball.filename)],
        ["install-peer", "express-openid-connect", "express-openid-connect"],
      ].map(([id, name, spec]) => [
        id,
        { label: `install and import ${name}`, ...consumer(name, [spec, ...base]) },
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }

  function consumer(name, specs) {
    const cwd = join(folder, name);
    mkdirSync(cwd);
    writeFileSync(join(cwd, "package.json"), `{ "private": true, "type": "module" }`);
    npm(cwd, "install", "--ignore-scripts", "--prefer-offline", ...specs);
    const { packages } = JSON.parse(readFileSync(join(cwd, "package-lock.json"), "utf8"));
    const times = Array.from({ length: plan.starts }, () => importMs(cwd, name));
    return {
      packages: Object.keys(packages).length - 1,
      bytes: sizeOf(join(cwd, "node_modules")),
      importMs: median(times),
    };
  }
}

function importMs(cwd, name) {
  const code = `const from = performance.now(); await import("${name}"); console.log(performance.now() - from)`;
  return Number(
    execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd, encoding: "utf8" }),
  );
}

function sizeOf(folder) {
  const output = execFileSync("du", ["-sk", folder], { encoding: "utf8" });
  return Number.parseInt(output, 10) * 1024;
}

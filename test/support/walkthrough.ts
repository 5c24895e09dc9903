import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { folder } from "./temporary.ts";

const root = join(import.meta.dirname, "../..");

/** The files that a reader has at the end of a step, by name. */
export type Files = ReadonlyMap<string, string>;

export interface Walkthrough {
  /** The steps by the number in their heading. */
  steps: Map<number, Files>;
  /** The lines of all shell blocks, in order. */
  commands: string[];
}

const script: { walkThrough(text: string): Walkthrough } = await import(
  pathToFileURL(join(root, "scripts/walkthrough.js")).href
);

/** What a reader has who types every block of the page. */
export function walkThrough(page: string): Walkthrough {
  return script.walkThrough(readFileSync(join(root, page), "utf8"));
}

/** What a reader installs, this package included. */
const installed = ["express", "express-session", "session-file-store", "@esri/arcgis-rest-request"];

/**
 * Writes the files into a folder, in which the packages are installed: linked from here, so that nothing is loaded
 * from the network.
 */
export function assemble(t: Pick<TestContext, "after">, files: Files, cwd = folder(t)): string {
  for (const [name, text] of files) writeFileSync(join(cwd, name), text, { mode: 0o600 });
  const link = (name: string, target: string) => {
    const path = join(cwd, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) symlinkSync(target, path);
  };
  for (const name of installed) link(name, join(root, "node_modules", name));
  link("arcgis-sign-in", root);
  // Its successor still has the old names.
  link("@esri/arcgis-rest-auth", join(root, "node_modules/@esri/arcgis-rest-request"));
  return cwd;
}

/**
 * Runs the commands in a folder, but for those that start what is written there: the caller does that.
 * Those that install packages are only compared with what is installed here. Gives what each has written.
 */
export function runCommands(cwd: string, commands: string[]): string[] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const dependencies = { ...manifest.dependencies, ...manifest.peerDependencies };
  return commands.flatMap((command) => {
    if (/^(?:node \S+\.js|npm uninstall .*)$/.test(command)) return [];
    const [, packages] = /^npm install (.*)$/.exec(command) ?? [];
    if (packages === undefined) return execFileSync("sh", ["-c", command], { cwd, encoding: "utf8" }).trim();
    for (const [, name = "", range] of packages.matchAll(/(?<=^| )([@\w][\w/-]*)(?:@(\S+))?/g)) {
      if (name === manifest.name) continue;
      assert.ok(dependencies[name], `${name} is among our own dependencies`);
      if (range) assert.equal(range, dependencies[name]);
    }
    return [];
  });
}

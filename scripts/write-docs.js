// `npm run docs` writes what docs has from other files: the table of the settings, the diagrams, and the tutorial's files.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { configKeys } from "../dist/app/config/settings.js";
import { diagram } from "./diagram.js";
import { walkThrough } from "./walkthrough.js";

const docs = join(import.meta.dirname, "../docs");
const read = (path) => readFileSync(join(docs, path), "utf8");

/** The generated files, by their path from docs. */
export function generated() {
  const shown = (value) => (["required", "unset"].includes(value) ? value : `\`${value}\``);
  const rows = configKeys.map((it) => `| \`${it.key}\` | ${it.meaning} | ${shown(it.default)} |\n`);
  const table = /(?<=^\| key \| meaning \| default \|\n\|---\|---\|---\|\n)(?:\|.*\n)*/m;
  const files = new Map([["configuration.md", read("configuration.md").replace(table, () => rows.join(""))]]);
  for (const name of readdirSync(join(docs, "diagrams")))
    files.set(`images/${name.replace(".txt", ".svg")}`, diagram(read(`diagrams/${name}`)));
  for (const [number, step] of walkThrough(read("tutorial.md")).steps) {
    // From there on, the library replaces the reader's own files.
    const names = [...step.keys()].filter(
      (name) => number < 10 || ["package.json", "server.js"].includes(name),
    );
    for (const name of names.filter((it) => !["config.json", "pretend.js"].includes(it)))
      if (number > 1)
        files.set(`../examples/tutorial/${String(number).padStart(2, "0")}/${name}`, step.get(name));
  }
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [path, text] of generated()) {
    mkdirSync(dirname(join(docs, path)), { recursive: true });
    writeFileSync(join(docs, path), text);
  }

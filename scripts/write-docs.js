// `npm run docs` writes what docs has from other files: the table of the settings, and the diagrams.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { configKeys } from "../dist/app/config/settings.js";
import { diagram } from "./diagram.js";

const docs = join(import.meta.dirname, "../docs");
const read = (path) => readFileSync(join(docs, path), "utf8");

/** The generated files, by their path in docs. */
export function generated() {
  const shown = (value) => (["required", "unset"].includes(value) ? value : `\`${value}\``);
  const rows = configKeys.map((it) => `| \`${it.key}\` | ${it.meaning} | ${shown(it.default)} |\n`);
  const table = /(?<=^\| key \| meaning \| default \|\n\|---\|---\|---\|\n)(?:\|.*\n)*/m;
  const files = new Map([["configuration.md", read("configuration.md").replace(table, () => rows.join(""))]]);
  for (const name of readdirSync(join(docs, "diagrams")))
    files.set(`images/${name.replace(".txt", ".svg")}`, diagram(read(`diagrams/${name}`)));
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [path, text] of generated()) writeFileSync(join(docs, path), text);

// `npm run docs` writes the table of docs/configuration.md from the settings' schema.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configKeys } from "../dist/app/config/settings.js";

const page = join(import.meta.dirname, "../docs/configuration.md");
const shown = (value) => (["required", "unset"].includes(value) ? value : `\`${value}\``);
const rows = configKeys.map((it) => `| \`${it.key}\` | ${it.meaning} | ${shown(it.default)} |\n`);
const table = /(?<=^\| key \| meaning \| default \|\n\|---\|---\|---\|\n)(?:\|.*\n)*/m;
writeFileSync(
  page,
  readFileSync(page, "utf8").replace(table, () => rows.join("")),
);

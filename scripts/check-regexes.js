// `npm run check-regexes` checks every regular expression in src and views for text that would make it slow (ReDoS),
// and exits with 1 if there is one.
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "@babel/parser";
import ejs from "ejs";
import { check } from "recheck";

const root = join(import.meta.dirname, "..");

/** The regular expressions in `folders`, each once, with the places where they are. */
export function regexes(folders = ["src", "views"]) {
  const found = new Map();
  for (const folder of folders) {
    for (const name of readdirSync(join(root, folder), { recursive: true })) {
      const path = join(folder, name).replaceAll("\\", "/");
      if (!/\.(?:ts|js|ejs)$/.test(path)) continue;
      for (const { source, flags, line } of regexesOf(path, readFileSync(join(root, path), "utf8"))) {
        const key = `/${source}/${flags}`;
        const { places } = found.get(key) ?? found.set(key, { source, flags, places: [] }).get(key);
        places.push(`${path}:${line}`);
      }
    }
  }
  return [...found.values()];
}

/** The regular expressions of one file. @throws for a `RegExp(...)`, whose source is not known before it runs. */
export function regexesOf(path, text) {
  const code = path.endsWith(".ejs") ? scriptOf(text) : text;
  const { tokens } = parse(code, { sourceType: "module", plugins: ["typescript"], tokens: true });
  const calls = tokens.filter(
    ({ value, type }, index) =>
      type.label === "name" && value === "RegExp" && tokens[index + 1]?.type.label === "(",
  );
  if (calls.length > 0)
    throw new Error(
      `${path}:${calls[0].loc.start.line}: write a regular expression as a literal, so that it can be checked`,
    );
  return tokens
    .filter(({ type }) => type.label === "regexp")
    .map(({ value, loc }) => ({ source: value.pattern, flags: value.flags, line: loc.start.line }));
}

function scriptOf(template) {
  const compiler = new ejs.Template(template);
  compiler.generateSource();
  return compiler.source;
}

/** Counted in steps alone: by the clock, recheck takes a safe expression for a slow one on a busy machine. */
const limits = { timeout: 30_000, seedingTimeout: null, incubationTimeout: null, attackTimeout: null };

/** Why an expression is not safe; undefined when it is. */
export async function problemOf({ source, flags }) {
  const { status, complexity, attack, error } = await check(source, flags, limits);
  if (status === "safe") return undefined;
  return complexity ? `${complexity.summary}, for example ${attack.pattern}` : `not checked: ${error?.kind}`;
}

async function main() {
  const all = regexes();
  let unsafe = 0;
  const waiting = all.values();
  const worker = async () => {
    for (const regex of waiting) {
      const problem = await problemOf(regex);
      if (!problem) continue;
      unsafe += 1;
      console.error(`/${regex.source}/${regex.flags}\n  ${problem}\n  ${regex.places.join("\n  ")}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  console.log(`${all.length - unsafe} of ${all.length} regular expressions are safe.`);
  process.exit(unsafe > 0 || all.length === 0 ? 1 : 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();

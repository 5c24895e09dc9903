// `npm run security-ids` lists the requirements of docs/security.md that no test is named after, and then exits with 1.
// `npm run security-ids -- OA-1 SE-9` names the tests that prove these requirements.
// `npm run security-ids -- --write` writes into the last column there which files the tests are in.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(import.meta.dirname, "..");
const page = join(root, "docs/security.md");

/** The ids of the requirements, in the order of docs/security.md. */
export function requirementIds() {
  return Array.from(readFileSync(page, "utf8").matchAll(/^\| ([A-Z]{2}-\d+) \|/gm), ([, id]) => id);
}

/**
 * The tests by id: the names of those that are named after it, each with the file that it is in. Tests that are
 * skipped, only planned or commented out prove nothing.
 */
export function testsById(folder = join(root, "test")) {
  const tests = new Map();
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(".test.ts")) continue;
    const file = basename(name, ".test.ts");
    for (const test of testNames(readFileSync(join(folder, name), "utf8"))) {
      for (const [id] of test.matchAll(/\b[A-Z]{2}-\d+\b/g))
        tests.set(id, [...(tests.get(id) ?? []), { file, test }]);
    }
  }
  return tests;
}

function testNames(source) {
  const code = source.replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, "");
  const call = /(?<![.\w])(?:t\.)?(?:test|describe)\(\s*(?:"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)/g;
  return Array.from(code.matchAll(call), ([, quoted, template]) => quoted ?? template);
}

function writeProofs(tests) {
  const filesOf = (id) => [...new Set(tests.get(id)?.map(({ file }) => file))].join(", ") || "nothing";
  const text = readFileSync(page, "utf8");
  const row = /^(\| ([A-Z]{2}-\d+) \|.*\|) (?:.*? )?\|$/gm;
  writeFileSync(
    page,
    text.replace(row, (_, before, id) => `${before} ${filesOf(id)} |`),
  );
}

function main(args) {
  const ids = requirementIds();
  const tests = testsById();
  if (args.includes("--write")) writeProofs(tests);
  const wanted = args.filter((arg) => arg !== "--write");
  for (const id of wanted) {
    console.log(id);
    for (const { file, test } of tests.get(id) ?? []) console.log(`  test/${file}.test.ts: ${test}`);
  }
  const without = (wanted.length > 0 ? wanted : ids).filter((id) => !tests.has(id));
  for (const id of without) console.error(`${id} has no test`);
  if (wanted.length === 0)
    console.log(`${ids.length - without.length} of ${ids.length} requirements have a test.`);
  process.exitCode = without.length > 0 || ids.length === 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));

// `npm run evidence` turns the guards of docs/security.md off, one at a time (mutation testing), and requires that a test
// named after the requirement notices each. evidence/mutations.txt has the list, docs/evidence.md the results.
// `npm run evidence -- OA-1 SE-9` tries those of these requirements, `--new` those without a result and those missed.
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import pMap from "p-map";
import { requirementIds, testsById } from "./security-ids.js";

const root = join(import.meta.dirname, "..");
const list = join(import.meta.dirname, "evidence/mutations.txt");
const reporter = join(import.meta.dirname, "evidence/reporter.js");
const table = join(root, "docs/evidence.md");
/** Tests that wait for something are patient for so long (ms). What takes longer than the limit does not end. */
const [patienceMs, limitMs, fastMs] = [10_000, 60_000, 20_000];

/** The mutations of the list. */
export function readMutations(text = fs.readFileSync(list, "utf8")) {
  const mutations = [];
  let file = "";
  for (const block of text.trim().split(/\n\n+/)) {
    const [, heading] = /^## (.+)$/.exec(block) ?? [];
    file = heading ?? file;
    if (block.startsWith("#")) continue;
    const [, ids, guard] = /^([A-Z]{2}-\d+(?: [A-Z]{2}-\d+)*): (.+)(?:\n[-+](?: .*)?)*$/.exec(block) ?? [];
    if (!ids) throw new SyntaxError(`mutations.txt: ${block}`);
    const sides = block.matchAll(/((?:\n-.*)+)((?:\n\+.*)+)/g);
    const changes = Array.from(sides, (sides) =>
      sides.slice(1).map((side) => side.replace(/\n[-+] ?/g, "\n").slice(1)),
    );
    const hash = createHash("sha256")
      .update(JSON.stringify([ids, file, ...changes]))
      .digest("hex")
      .slice(0, 8);
    mutations.push({ ids: ids.split(" "), guard, file, changes, hash });
  }
  return mutations;
}

/** The text of the mutated file. Throws when a text is not there exactly once, however its lines are indented. */
export function mutated({ file, changes }) {
  let text = fs.readFileSync(join(root, file), "utf8");
  for (const [before, after] of changes) {
    const lines = before.split("\n").map((line) => line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const found = [...text.matchAll(new RegExp(lines.join("\\n *"), "g"))];
    if (before === "" || found.length !== 1) throw new Error(`${file}: not exactly once: ${before}`);
    text = text.slice(0, found[0].index) + after + text.slice(found[0].index + found[0][0].length);
  }
  return text;
}

/** The rows of docs/evidence.md, by the hash of their mutation. */
export function readResults(text = fs.readFileSync(table, "utf8")) {
  const rows = text.matchAll(/^\| [A-Z]{2}-\d.*\| (caught[^|]*|missed) \|.*\| `([0-9a-f]{8})` \|$/gm);
  return new Map(Array.from(rows, ([row, result, hash]) => [hash, { row, result }]));
}

/** A copy of the repository, in the system's temp folder, in which one mutation after the other is tried. */
function makeCopy() {
  const folder = fs.mkdtempSync(join(tmpdir(), "arcgis-sign-in-evidence-"));
  process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  // Some tests go on as another user.
  fs.chmodSync(folder, 0o755);
  const filter = (path) => !/node_modules|\.git$|\/sessions$/.test(path.slice(root.length));
  for (const name of fs.readdirSync(root))
    if (filter(`${root}/${name}`))
      fs.cpSync(join(root, name), join(folder, name), { recursive: true, filter });
  fs.symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Writes a mutated file into a copy, and what it is compiled to. Returns the function that undoes it. */
async function apply(mutation, folder) {
  const path = join(folder, mutation.file);
  const isSource = /^src\/.*\.ts$/.test(mutation.file);
  const built = path.replace(`${folder}/src`, `${folder}/dist`).replace(/ts$/, "js");
  const hash = join(folder, "dist/source-hash");
  const files = isSource ? [path, built, hash] : [path];
  const before = files.map((file) => [file, fs.readFileSync(file)]);
  fs.writeFileSync(path, mutated(mutation));
  if (isSource) {
    compile(path, folder);
    // The server tells when dist/ is of another src/.
    const { sourceHash } = await import(pathToFileURL(join(folder, "dist/app/source-hash.js")).href);
    fs.writeFileSync(hash, sourceHash());
  }
  return () => {
    for (const [file, content] of before) fs.writeFileSync(file, content);
  };
}

/** Compiles one file alone: without checking types, a second less each time. */
function compile(path, folder) {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const alone = ["--ignoreConfig", "--noCheck", "--noResolve", "--noLib"];
  const options = [
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--verbatimModuleSyntax",
    "--rewriteRelativeImportExtensions",
  ];
  const folders = ["--rootDir", join(folder, "src"), "--outDir", join(folder, "dist")];
  const { stdout } = spawnSync(process.execPath, [tsc, ...alone, ...options, ...folders, path], {
    encoding: "utf8",
  });
  // Without a library, TypeScript misses its own types.
  const mistakes = stdout.match(/^.*error TS(?!2318).*$/gm);
  if (mistakes) throw new SyntaxError(mistakes.join("\n"));
}

/** Runs the tests of a file that are named after these ids; with `isWhole`, beside all others. */
async function runTests(folder, file, ids, { isWhole, timeout }) {
  const pattern = `\\b(?:${ids.join("|")})\\b`;
  const flags = ["--test-force-exit", `--test-reporter=${reporter}`];
  if (!isWhole) flags.push(`--test-name-pattern=${pattern}`);
  const startedAt = performance.now();
  const env = { ...process.env, TEST_ALL: "1", TEST_PATIENCE_MS: String(patienceMs) };
  const options = { cwd: folder, env, timeout, maxBuffer: 1e8 };
  const run = promisify(execFile)(process.execPath, [...flags, `dist-test/${file}.test.js`], options);
  const { stdout, killed } = await run.catch((error) => error);
  const lines = stdout.split("\n").filter((line) => line.startsWith('{"name":'));
  const tests = lines.map((line) => JSON.parse(line)).filter(({ name }) => new RegExp(pattern).test(name));
  // Of tests with the same name, each has to pass.
  const failed = new Set(tests.filter(({ isPassed }) => !isPassed).map(({ name }) => name));
  const passed = new Set(tests.map(({ name }) => name).filter((name) => !failed.has(name)));
  return { passed, failed, isLate: killed === true, ms: performance.now() - startedAt };
}

const filesById = new Map(
  Array.from(testsById(), ([id, tests]) => {
    return [id, [...new Set(tests.map(({ file }) => file))]];
  }),
);
const filesOf = (id) => filesById.get(id) ?? [];
const isNamed = (test, id) => new RegExp(`\\b${id}\\b`).test(test);

/** Runs the tests of a file without a mutation. Where one fails, none proves anything. */
async function runUnmutated(file, ids, folder) {
  // Tests within a test are found only where all are run; and a busy machine gets a second chance.
  for (const isWhole of [false, true]) {
    const run = await runTests(folder, file, ids, { isWhole, timeout: 10 * limitMs });
    const isEach = ids.every((id) => [...run.passed].some((test) => isNamed(test, id)));
    if (isEach && run.failed.size === 0 && !run.isLate) return { ...run, isWhole };
    if (isWhole) console.error(`${file} fails without a mutation: ${[...run.failed].join(", ")}`);
  }
  return { passed: new Set(), ms: Infinity, isWhole: false };
}

/** The tests that notice a mutation, by id: those of the smallest file that has one, and of a long file only if no other has. */
async function tryOne(mutation, usual, folder) {
  const noticed = new Map();
  const size = (file) => fs.statSync(join(folder, `dist-test/${file}.test.js`)).size;
  const isLong = (file) => Number(file.endsWith(".long"));
  const files = [...new Set(mutation.ids.flatMap(filesOf))];
  files.sort((a, b) => isLong(a) - isLong(b) || size(a) - size(b));
  for (const file of files) {
    const ids = mutation.ids.filter((id) => !noticed.has(id) && filesOf(id).includes(file));
    if (ids.length === 0) continue;
    const { passed, ms, isWhole } = await usual(file, folder);
    const undo = await apply(mutation, folder);
    const { failed, isLate } = await runTests(folder, file, ids, { isWhole, timeout: limitMs });
    undo();
    for (const id of ids) {
      const [test] = [...failed].filter((name) => passed.has(name) && isNamed(name, id));
      if (test) noticed.set(id, `${file}: ${test}`);
      else if (isLate && ms < fastMs) noticed.set(id, `${file}: it does not end`);
    }
  }
  return noticed;
}

function rowOf({ ids, guard, file, hash }, noticed) {
  const tests = [...new Set(noticed.values())];
  const isByTime = tests.some((test) => test.endsWith(": it does not end"));
  const result = ids.some((id) => !noticed.has(id))
    ? "missed"
    : isByTime
      ? "caught by the time limit"
      : "caught";
  return `| ${[ids.join(" "), guard, file, result, inTable(tests.join("; ")), `\`${hash}\``].join(" | ")} |`;
}

const inTable = (text) =>
  `\`${text
    .replaceAll("`", "'")
    .replaceAll("|", "\\|")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?")}\``;

function writeTable(mutations, rows) {
  const text = fs.readFileSync(table, "utf8");
  const order = requirementIds();
  const lines = mutations.flatMap(({ hash }) => rows.get(hash) ?? []);
  lines.sort((a, b) => order.indexOf(a.split(" ")[1]) - order.indexOf(b.split(" ")[1]));
  const head = text.slice(0, text.indexOf("\n| id |"));
  const titles = [
    "| id | without the guard for | file | result | test that noticed | mutation |",
    "|---|---|---|---|---|---|",
  ];
  fs.writeFileSync(table, `${[head, ...titles, ...lines].join("\n")}\n`);
}

async function main(args) {
  const all = readMutations();
  for (const mutation of all) mutated(mutation);
  const results = readResults();
  const rows = new Map(Array.from(results, ([hash, { row }]) => [hash, row]));
  const isOpen = ({ hash }) => !results.get(hash)?.result.startsWith("caught");
  const isAsked = ({ ids }) => args.length === 0 || ids.some((id) => args.includes(id));
  const mutations = all.filter(args.includes("--new") ? isOpen : isAsked);

  const concurrency = Math.min(2, availableParallelism());
  const copies = Array.from({ length: concurrency }, makeCopy);
  const inCopy = async (work) => {
    const copy = copies.pop();
    return work(copy).finally(() => copies.push(copy));
  };
  const ids = [...new Set(mutations.flatMap(({ ids }) => ids))];
  const runs = new Map();
  const usual = (file, folder) => {
    const own = ids.filter((id) => filesOf(id).includes(file));
    runs.set(file, runs.get(file) ?? runUnmutated(file, own, folder));
    return runs.get(file);
  };
  let [done, missed] = [0, 0];
  const attempt = async (mutation) => {
    const noticed = await inCopy((folder) => tryOne(mutation, usual, folder));
    const missing = mutation.ids.filter((id) => !noticed.has(id));
    done += 1;
    missed += Math.min(missing.length, 1);
    const outcome = missing.length > 0 ? `MISSED by ${missing.join(" ")}:` : "caught:";
    console.log(`${done}/${mutations.length} ${outcome} ${mutation.ids.join(" ")} ${mutation.guard}`);
    rows.set(mutation.hash, rowOf(mutation, noticed));
    // Row by row: it takes a while, and may be stopped.
    writeTable(all, rows);
  };
  await pMap(mutations, attempt, { concurrency });
  console.log(`${done - missed} of ${done} are noticed.`);
  process.exit(missed > 0 ? 1 : 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  await main(process.argv.slice(2));
}

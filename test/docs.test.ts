import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { configKeys } from "#src/app/config/config.ts";
import { folder } from "./support/temporary.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));

interface SecurityIds {
  requirementIds(): string[];
  testsById(folder?: string): Map<string, { file: string; test: string }[]>;
}

async function securityIds(): Promise<SecurityIds> {
  return import(pathToFileURL(join(root, "scripts/security-ids.js")).href);
}

test("every requirement of docs/security.md has a test that is named after it", async () => {
  const { requirementIds, testsById } = await securityIds();
  const tests = testsById();
  const ids = requirementIds();
  assert.deepEqual(
    ids.filter((id) => !tests.has(id)),
    [],
  );
  // None is left out: each group counts from 1.
  const last = new Map<string, number>();
  for (const id of ids) {
    const [group = "", number] = id.split("-");
    assert.equal(Number(number), (last.get(group) ?? 0) + 1, `${id} follows ${group}-${last.get(group)}`);
    last.set(group, Number(number));
  }
  assert.ok(ids.length >= 105, "no row was lost");
});

test("a requirement counts as proved by a test or a group of that name, not by one that is skipped or commented out", async (t) => {
  const { testsById } = await securityIds();
  const path = folder(t);
  const source = [
    'test("ZA-1 ZA-2 one", () => {});',
    "  test(\n  `ZA-3 two`, () => {});",
    'describe("ZA-4 a group", () => {',
    '  await t.test("ZA-5 inside", () => {});',
    'test.skip("ZA-6 later", () => {});',
    'test.todo("ZA-6 one day");',
    '// test("ZA-6 not now", () => {});',
    'assert.match("ZA-6", /x/.test("ZA-6"));',
  ];
  writeFileSync(join(path, "some.test.ts"), source.join("\n"));
  writeFileSync(join(path, "helper.ts"), 'test("ZA-6 is no test file", () => {});');
  const tests = testsById(path);
  assert.deepEqual([...tests.keys()], ["ZA-1", "ZA-2", "ZA-3", "ZA-4", "ZA-5"]);
  assert.deepEqual(tests.get("ZA-2"), [{ file: "some", test: "ZA-1 ZA-2 one" }]);

  const command = (...ids: string[]) =>
    spawnSync(process.execPath, [join(root, "scripts/security-ids.js"), ...ids], { encoding: "utf8" });
  const missing = command("OA-1", "ZA-9");
  assert.deepEqual([missing.status, missing.stderr], [1, "ZA-9 has no test\n"]);
  assert.match(missing.stdout, /^OA-1\n {2}test\/[\w.-]+\.test\.ts: .*OA-1/);
});

test("docs/security.md names files that are there, and for each requirement tests that prove it", async () => {
  const { testsById } = await securityIds();
  const tests = testsById();
  const text = read("docs/security.md");
  const sources = [...text.matchAll(/`((?:[\w-]+\/)*[\w-]+\.(?:ts|ejs|conf))`/g)].map(
    ([, path = ""]) => path,
  );
  assert.ok(sources.length >= 100, "it names the files of src");
  for (const path of sources) {
    const isThere = ["src", "."].some((folder) => existsSync(join(root, folder, path)));
    assert.ok(isThere, `${path} is neither in src nor beside it`);
  }
  for (const [, id = "", files = ""] of text.matchAll(/^\| ([A-Z]{2}-\d+) \|.*\| (?:(.*) )?\|$/gm)) {
    const proofs = new Set(tests.get(id)?.map(({ file }) => file));
    for (const file of files.split(", ")) assert.ok(proofs.has(file), `${file} has no test of ${id}`);
  }
});

/** How many requirements each section of ASVS 5.0.0 has, of the chapters that docs/standards.md maps. */
const asvs =
  "3.1:1 3.2:3 3.3:5 3.4:8 3.5:8 3.6:1 3.7:5 4.1:5 4.2:5 4.3:2 4.4:4 6.1:3 6.2:12 6.3:8 6.4:6 6.5:8 6.6:4 6.7:2 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:3 7.6:2 8.1:4 8.2:4 8.3:3 8.4:2 9.1:3 9.2:4 10.1:2 10.2:3 10.3:5 10.4:16 10.5:5 10.6:2 10.7:3 12.1:5 12.2:2 12.3:5 14.1:2 14.2:8 14.3:3"
    .split(" ")
    .flatMap((section) => {
      const [name, count] = section.split(":");
      return Array.from({ length: Number(count) }, (_, index) => `${name}.${index + 1}`);
    });

test("docs/standards.md has every requirement of these chapters of ASVS 5.0 once, and IDs that docs/security.md has", async () => {
  const { requirementIds } = await securityIds();
  const known = new Set(requirementIds());
  const text = read("docs/standards.md");
  const named = [...text.matchAll(/\b[A-Z]{2}-\d+\b/g)].map(([id]) => id);
  assert.ok(named.length >= 150);
  assert.deepEqual(
    named.filter((id) => !known.has(id)),
    [],
  );
  const rows = text.slice(text.indexOf("## OWASP")).matchAll(/^\| (\d.*?) \| [123] \| (\S+) \| (.*) \|$/gm);
  const mapped: string[] = [];
  for (const [, requirements = "", status = "", by = ""] of rows) {
    for (const part of requirements.split(", ")) {
      const [first = "", last = first] = part.split(" to ");
      mapped.push(...asvs.slice(asvs.indexOf(first), asvs.indexOf(last) + 1));
    }
    assert.match(status, /^(yes|partly|no|portal|operator|n\/a)$/, requirements);
    assert.ok(by, `${requirements}: ${status}, by what?`);
  }
  assert.deepEqual(mapped.sort(), [...asvs].sort());
});

test("every command that README and docs name is one of package.json, and every setting one of the configuration", () => {
  const { scripts } = JSON.parse(read("package.json"));
  const settings = new Set(configKeys.map(({ key }) => key));
  for (const page of ["README.md", ...pages.map((name) => `docs/${name}`)]) {
    const text = read(page);
    for (const [, name = ""] of text.matchAll(/npm run (?:--?\w+ )*([\w:-]+)/g)) {
      assert.ok(scripts[name], `${page}: npm run ${name}`);
    }
    for (const [, json = ""] of text.matchAll(/^```json\n(.*?)^```/gms)) {
      const keys = Object.keys(JSON.parse(json.startsWith("{") ? json : `{${json}}`));
      const strange = keys.filter((key) => /^[A-Z]/.test(key) && !settings.has(key));
      assert.deepEqual(strange, [], page);
    }
  }
});

test("docs/dependencies.md says why each dependency is there, and the map's files keep their licenses", () => {
  const { dependencies, peerDependencies } = JSON.parse(read("package.json"));
  const tables = read("docs/dependencies.md").split("| peer dependency |");
  const named = tables.map((table) => [...table.matchAll(/^\| `(.*?)` \| \S/gm)].map(([, name]) => name));
  assert.deepEqual(named, [Object.keys(dependencies), Object.keys(peerDependencies)]);
  for (const name of readdirSync("dist/map"))
    assert.ok(readdirSync(`dist/map/${name}`).includes("LICENSE"), name);
});

test("no command that a reader types has &&, which Windows PowerShell 5.1 does not know", () => {
  for (const page of ["README.md", "examples/maps-sdk/README.md", ...pages.map((name) => `docs/${name}`)]) {
    const text = read(page).replace(/```(?!sh\n)\w+\n.*?```/gs, "");
    assert.doesNotMatch(text, /\b(?:npm|npx|node) [^`\n]*&&/, page);
  }
});

test("SC-1 every package is pinned with its hash and runs no script when it is installed, in CI without any", () => {
  for (const path of ["package-lock.json", "bench/package-lock.json"]) {
    const { packages } = JSON.parse(read(path)) as { packages: Record<string, Record<string, unknown>> };
    for (const [name, about] of Object.entries(packages)) {
      if (name === "") continue;
      assert.match(String(about.version), /^\d+\.\d+\.\d+/, `${path}: ${name} has a version`);
      assert.match(String(about.integrity), /^sha512-/, `${path}: ${name} has a hash`);
      assert.equal(about.resolved, undefined, `${path}: ${name} names no download address`);
      assert.equal(about.hasInstallScript, undefined, `${path}: ${name} runs no script`);
    }
    for (const name of ["request", "portal", "feature-service"]) {
      const { version = "4.10.0" } = packages[`node_modules/@esri/arcgis-rest-${name}`] ?? {};
      assert.match(String(version), /^4\.10\./, `${name}: later ones cannot be installed everywhere`);
    }
  }
  for (const path of [".ci/run", ".github/workflows/check.yml", "deploy/Dockerfile", "docs/deploy.md"]) {
    for (const [line] of read(path).matchAll(/npm (?:ci|install|i)\b.*/g)) {
      assert.match(line, /--ignore-scripts/, `${path}: ${line}`);
    }
  }
  assert.match(read(".github/workflows/check.yml"), /npm audit --omit=dev/);
});

test("SC-1 the public workflows run actions of known commits only, and keep no credentials in the checkout", () => {
  for (const name of readdirSync(join(root, ".github/workflows"))) {
    const text = read(`.github/workflows/${name}`);
    const used = [...text.matchAll(/uses: (\S+)/g)].map(([, action = ""]) => action);
    assert.notEqual(used.length, 0, name);
    for (const action of used) assert.match(action, /^[\w./-]+@[0-9a-f]{40}$/, `${name}: ${action}`);
    const checkouts = used.filter((action) => action.startsWith("actions/checkout@"));
    assert.equal(text.match(/persist-credentials: false/g)?.length, checkouts.length, name);
    assert.match(text, /^permissions:\n {2}contents: read$/m, name);
  }
});

test("one version: package.json, the changelog and the image", () => {
  const { version } = JSON.parse(read("package.json"));
  assert.ok(read("CHANGELOG.md").includes(version));
  assert.ok(read("deploy/Dockerfile").includes(`image.version="${version}"`));
});

test("each step of the tutorial has at most 60 new lines, and says what the reader should see", () => {
  const steps = read("docs/tutorial.md").split(/^## \d+\. /m);
  assert.ok(steps.length > 10);
  for (const [number, step] of steps.entries()) {
    if (number === 0) continue;
    const blocks = [...step.matchAll(/^<!-- \S+ -->\n```(\w+)\n(.*?)^```/gms)];
    const isNew = (language: string, line: string) => language !== "diff" || line.startsWith("+");
    const lines = blocks.flatMap(([, language = "", text = ""]) =>
      text.split("\n").filter((line) => line !== "" && isNew(language, line)),
    );
    assert.ok(lines.length <= 60, `step ${number} has ${lines.length} new lines`);
    if (number > 1 && number < steps.length - 1)
      assert.match(step, /\*\*You should now see\*\*/, `step ${number}`);
  }
});

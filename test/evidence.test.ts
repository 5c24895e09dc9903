import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

interface Mutation {
  ids: string[];
  file: string;
  changes: [before: string, after: string][];
  hash: string;
}

interface Evidence {
  readMutations(text?: string): Mutation[];
  mutated(mutation: Pick<Mutation, "file" | "changes">): string;
  readResults(text?: string): Map<string, { result: string }>;
}

const root = join(import.meta.dirname, "..");
const script = (name: string) => import(pathToFileURL(join(root, "scripts", name)).href);
const { readMutations, mutated, readResults }: Evidence = await script("evidence.js");
const { requirementIds }: { requirementIds(): string[] } = await script("security-ids.js");
const mutations = readMutations();

test("each requirement of docs/security.md has a guard that the evidence turns off", () => {
  const ids = new Set(mutations.flatMap((mutation) => mutation.ids));
  assert.deepEqual([...ids].sort(), requirementIds().sort());
});

test("each guard is in its file exactly once, so that it can be turned off", () => {
  for (const mutation of mutations)
    assert.notEqual(mutated(mutation), readFileSync(join(root, mutation.file), "utf8"), mutation.file);
  for (const before of ["export", "no such text", ""])
    assert.throws(
      () => mutated({ file: "src/index.ts", changes: [[before, ""]] }),
      /src\/index.ts: not exactly once/,
    );
});

test("docs/evidence.md has the result of each guard as it is listed now, and the tests noticed all", () => {
  const results = readResults();
  assert.deepEqual(
    [...results.keys()].sort(),
    mutations.map(({ hash }) => hash).sort(),
    "npm run evidence -- --new",
  );
  assert.deepEqual(
    [...results].filter(([, { result }]) => !result.startsWith("caught")),
    [],
  );
});

test("a list of mutations is read block by block, with several changes in one", () => {
  const text = [
    "# About",
    "",
    "## src/a.ts",
    "",
    "OA-1 OA-2: One",
    "- a",
    "-   b",
    "+ c",
    "- d",
    "+",
    "",
    "",
  ];
  const [first, ...others] = readMutations(text.join("\n"));
  assert.deepEqual([first?.ids, first?.file, others], [["OA-1", "OA-2"], "src/a.ts", []]);
  assert.deepEqual(first?.changes, [
    ["a\n  b", "c"],
    ["d", ""],
  ]);
  assert.throws(() => readMutations("OA-1: One\n* a"), SyntaxError);
});

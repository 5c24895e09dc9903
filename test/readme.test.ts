import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { configKeys } from "#src/app/config/config.ts";
import { type ErrorCode, nextSteps } from "#src/app/errors.ts";
import { errorOf, pageTextsOf } from "./support/expect.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const markdownIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
/** Every page that a reader meets, by its path. */
const pages = new Map(
  ["", "docs", "deploy", "bench", "examples/branding", "examples/maps-sdk"]
    .flatMap(markdownIn)
    .map((path) => [path, read(path)]),
);

test("the README has at most 150 lines", () => {
  assert.ok(read("README.md").split("\n").length <= 150);
});

test("every excerpt in README and docs is in src word for word", () => {
  const texts = [...pages.values()].join("\n");
  const excerpts = [...texts.matchAll(/<!-- (src\/\S+) -->\n```ts\n(.*?)```/gs)];
  assert.ok(excerpts.length >= 6);
  for (const [, file = "", text = ""] of excerpts)
    assert.ok(read(file).includes(text), `${file} has no such lines:\n${text}`);
});

test("every error code has a heading in docs/errors.md, with its status and title, and no other has", () => {
  const headings = [...read("docs/errors.md").matchAll(/^## (\w+)\n\n(\d+) · (.*?)\. /gm)];
  const codes = Object.keys(nextSteps) as ErrorCode[];
  const expected = codes.map((code) => [code, String(errorOf(code).status), pageTextsOf(code).title]);
  assert.deepEqual(
    headings.map(([, ...parts]) => parts),
    expected,
  );
});

test("what docs has from other files is what `npm run docs` writes: the settings and the diagrams", async () => {
  const { generated } = await import(pathToFileURL(join(root, "scripts/write-docs.js")).href);
  for (const [path, text] of generated() as Map<string, string>)
    assert.equal(read(`docs/${path}`), text, path);
  for (const { key } of configKeys) assert.ok(read("docs/configuration.md").includes(`| \`${key}\` |`), key);
});

/** The anchors that GitHub makes of a page's headings. */
function anchorsIn(text: string): Set<string> {
  const headings = text.replace(/^```.*?^```/gms, "").matchAll(/^#+ (.+)$/gm);
  const anchors = new Set<string>();
  for (const [, heading = ""] of headings) {
    const words = heading.replace(/\[(.*?)\]\(.*?\)/g, "$1").toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
    let [name, count] = [anchor, 0];
    while (anchors.has(name)) name = `${anchor}-${++count}`;
    anchors.add(name);
  }
  return anchors;
}

test("every link inside leads to a file that is there, and to a heading that it has", () => {
  let count = 0;
  for (const [page, text] of pages) {
    const prose = text.replace(/^```.*?^```/gms, "");
    for (const [, path = "", anchor] of prose.matchAll(
      /\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)/g,
    )) {
      const target = path === "" ? page : relative(root, resolve(root, dirname(page), path));
      assert.ok(existsSync(join(root, target)), `${page}: ${path} is missing`);
      const known = anchor === undefined || anchorsIn(pages.get(target) ?? "").has(anchor);
      assert.ok(known, `${page}: ${path}#${anchor} is not a heading`);
      count += 1;
    }
  }
  assert.ok(count >= 40);
});

test("docs/README.md lists every page of docs", () => {
  const listed = new Set([...read("docs/README.md").matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, name]) => name));
  const names = readdirSync(join(root, "docs")).filter(
    (name) => name.endsWith(".md") && name !== "README.md",
  );
  assert.deepEqual([...listed].sort(), names.sort());
});

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { configKeys } from "#src/app/config/config.ts";
import { type ErrorCode, errorPages } from "#src/app/errors.ts";
import { errorOf } from "./support/expect.ts";

const readme = readFileSync("README.md", "utf8");

test("every excerpt in the README stands in src word for word", () => {
  const excerpts = [...readme.matchAll(/<!-- (\S+) -->\n```ts\n(.*?)```/gs)];
  assert.ok(excerpts.length >= 5);
  for (const [, file = "", text = ""] of excerpts) {
    assert.ok(readFileSync(file, "utf8").includes(text), `${file} has no such lines:\n${text}`);
  }
});

test("every error code has a heading in the README, with its status and title, and no other has", () => {
  const headings = [...readme.matchAll(/^#### (\w+)\n\n(\d+) · (.*?)\. /gm)].map(([, ...parts]) => parts);
  const codes = Object.keys(errorPages) as ErrorCode[];
  const expected = codes.map((code) => [code, String(errorOf(code).status), errorPages[code][0]]);
  assert.deepEqual(headings, expected);
});

test("the table of the configuration names every key, with its meaning and its default", () => {
  for (const { key, meaning, default: usual } of configKeys) {
    const shown = ["required", "unset"].includes(usual) ? usual : `\`${usual}\``;
    assert.ok(
      readme.includes(`| \`${key}\` | ${meaning} | ${shown} |`),
      `no row, or another one, for ${key}`,
    );
  }
});

test("every file that the README links to is there", () => {
  const links = [...readme.matchAll(/\]\(((?!https?:|#)[^)\s]+)\)/g)].map(([, path = ""]) => path);
  assert.ok(links.length >= 3);
  for (const path of links) assert.ok(existsSync(path), `${path} is missing`);
});

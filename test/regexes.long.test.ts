import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

interface Regex {
  source: string;
  flags: string;
}

interface CheckRegexes {
  regexes(folders?: string[]): (Regex & { places: string[] })[];
  regexesOf(path: string, text: string): (Regex & { line: number })[];
  problemOf(regex: Regex): Promise<string | undefined>;
}

const script = pathToFileURL(join(import.meta.dirname, "../scripts/check-regexes.js")).href;
const { regexes, regexesOf, problemOf }: CheckRegexes = await import(script);

test("AV-13 the check finds every regular expression, in TypeScript, scripts and templates, and nothing that only looks like one", () => {
  const source = [
    "const ratio = <T>(a: T, b = 4 / 2 / 1) => /a[/]b/g.test(`$" + "{b / 2} $" + "{/inside/u}`);",
    '// /a comment/ and "a/string/"',
    "const type: string = '/quoted/';",
  ].join("\n");
  const found = (path: string, text: string) =>
    regexesOf(path, text).map(({ source, flags, line }) => [source, flags, line]);
  assert.deepEqual(found("x.ts", source), [
    ["a[/]b", "g", 1],
    ["inside", "u", 1],
  ]);
  const template = "<p><%= name.replace(/x+/g, '') %> /no/ </p>";
  assert.deepEqual(
    regexesOf("x.ejs", template).map(({ source }) => source),
    ["x+"],
  );
  assert.throws(() => regexesOf("x.ts", "new RegExp(text)"), /x\.ts:1: /);
  assert.ok(regexes().length > 100);
});

test("AV-13 the check tells what backtracks from what does not", async () => {
  for (const source of ["\\/+$", "(a+)+$", "^(.*),(.*),x$", "\\bVersion\\/[\\d.]+.* Safari\\/"])
    assert.match(String(await problemOf({ source, flags: "" })), /polynomial|exponential/, source);
  for (const source of ["(?<!\\/)\\/+$", "^a+$", "^\\/(?!\\/)[\\x21-\\x5b\\x5d-\\x7e]*$"])
    assert.equal(await problemOf({ source, flags: "" }), undefined, source);
});

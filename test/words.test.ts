import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");

/** What a reader meets: pages, messages, comments and names. Not translations, samples, and measured results. */
const read = [
  ...["README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "CHANGELOG.md"],
  ...["config.example.json", "package.json"],
].concat(
  ["docs", "deploy", "examples", "src", "views", "bench", "scripts", ".github", ".ci"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) =>
        /\.(md|txt|ts|js|ejs|html|css|json|ya?ml|conf|cfg|lua|config|xml|service)$|file$|^run$/i.test(name),
      )
      .filter(
        (name) =>
          !/node_modules|package-lock|locales.(?!en\.)|(results|soak)\.md|[\\/]data[\\/]|[\\/]dist[\\/]/.test(
            name,
          ),
      )
      .map((name) => join(folder, name)),
  ),
);

/** Each with the word to use instead. */
const unwanted: [RegExp, string][] = [
  [/\b(whoever|whom|somebody|nobody|strangers?)\b/i, "user, visitor, anyone, no one: say who"],
  [/(?<!--|flags\.)\borganisation(?!\?: boolean)/i, "organization"], // but for the flag of the demo
  [/\brenew(s|ed|al|als|ing)?\b/i, "refresh"],
  [/\b(anew|superfluous|cures?|sisters)\b/i, "again, unnecessary, fix"],
  [/\b(one-time code|redirect (URL|address))s?\b/i, "authorization code, redirect URI"],
  [/\b(colour|behaviour|cancelled|favour|centre)\b/, "US spelling"],
];

test("readers meet the words of the field, in US spelling", () => {
  const found: string[] = [];
  for (const path of read)
    for (const [index, line] of readFileSync(join(root, path), "utf8").split("\n").entries())
      for (const [pattern, instead] of unwanted) {
        const [word] = pattern.exec(line) ?? [];
        if (word) found.push(`${path}:${index + 1}: "${word}": ${instead}`);
      }
  assert.ok(read.length > 200);
  assert.deepEqual(found, []);
});

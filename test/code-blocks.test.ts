import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseDocument } from "yaml";
import { loadConfig } from "#src/app/config/config.ts";
import { callCli } from "./support/cli.ts";
import { redisIsMissing, startRedis } from "./support/redis.ts";
import { folder, secret } from "./support/temporary.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = ["", "docs", "deploy", "bench", "examples/branding", "examples/maps-sdk", ".github"].flatMap(
  (path) =>
    readdirSync(join(root, path), { recursive: path === ".github", encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(path, name)),
);

interface Block {
  page: string;
  /** `<!-- name -->` above it. */
  name: string | undefined;
  language: string;
  text: string;
}

const blocks: Block[] = pages.flatMap((page) =>
  [...read(page).matchAll(/^(?:<!-- (\S+) -->\n)?( *)```([^\n]*)\n(.*?)^ *```$/gms)].map(
    ([, name, indent = "", language = "", text = ""]) => {
      return { page, name, language, text: text.replaceAll(new RegExp(`^${indent}`, "gm"), "") };
    },
  ),
);
const of = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));

/** The pages and the blocks that other tests run, and the words by which these name them. */
const elsewhere: [pattern: RegExp, test: string, words: string][] = [
  [/^docs\/tutorial\.md/, "walkthroughs.long", '"docs/tutorial.md"'],
  [/^docs\/migrate\.md/, "walkthroughs.long", '"docs/migrate.md"'],
  [/^docs\/testing\.md/, "sandbox-package.long", '"docs/testing.md"'],
  [/^docs\/windows\.md powershell/, "windows-docs", '"docs/windows.md"'],
  [/^docs\/two-hosts\.md nginx/, "two-hosts.long", "docs/two-hosts.md"],
  [/^docs\/two-hosts\.md ini/, "two-hosts-apart.long", "docs/two-hosts.md"],
  [/ ts src\//, "readme", "every excerpt in README and docs"],
  [/^README\.md js hello\.js/, "mounting.long", "hello\\.js"],
  [
    /^docs\/use-in-your-app\.md js (?:app|host|store|errors|sign-out)\.js/,
    "mounting.long",
    '"docs/use-in-your-app.md"',
  ],
  [/^docs\/use-in-your-app\.md diff shared\.js/, "mounting.long", "shared\\.js"],
  [/^docs\/organizations\.md ts/, "mounting.long", '"docs/organizations.md"'],
];

const mapsPage = join("examples", "maps-sdk", "README.md");
/** The languages of the blocks that the tests below run. */
const here = ["sh", "json", "html", "dotenv", "redis", "text"];

test("every code block of README and docs is run or read by a test", () => {
  assert.ok(blocks.length > 100);
  const used = new Set<RegExp>();
  for (const { page, language, name = "", text } of blocks) {
    const id = `${page} ${language} ${name}`;
    const rules = elsewhere.filter(([pattern]) => pattern.test(id));
    const isHere = here.includes(language) || page === mapsPage;
    assert.ok(rules.length > 0 || isHere, `no test runs this block (${id}):\n${text}`);
    for (const [pattern] of rules) used.add(pattern);
  }
  for (const [pattern, test, words] of elsewhere) {
    assert.ok(used.has(pattern), `${pattern} is about no block`);
    const path = ["test.ts", "ts"].map((ending) => `test/${test}.${ending}`).find((path) => existsSync(path));
    assert.ok(read(path ?? "").includes(words), `test/${test} does not name ${words}`);
  }
});

test("the block of the example with the Maps SDK is in its source", () => {
  const source = read("examples/maps-sdk/src/hand-over.js");
  for (const { text } of of("js").filter(({ page }) => page === mapsPage))
    assert.ok(source.includes(text), text);
});

const { scripts } = JSON.parse(read("package.json"));
const ours = ["start", "demo", "init", "doctor", "sessions"];
const ofNpm = "ci install pack uninstall prune start test pkg".split(" ");
const programs = "npm npx node cd cp mv rm chmod install useradd runuser systemctl journalctl docker".split(
  " ",
);

/** What the options of a command are, by its help. */
const helps = new Map<string, Promise<string>>();
function helpOf(words: string): Promise<string> {
  const help = async () => {
    const { code, output } = await callCli([...words.split(" "), "--help"], { cwd: root });
    assert.equal(code, 0, `${words} --help`);
    return output;
  };
  const known = helps.get(words) ?? help();
  helps.set(words, known);
  return known;
}

/** Asserts that a command, its subcommand and its options exist. */
async function checkCommand(line: string): Promise<void> {
  const call = line.replace(/^runuser -u \S+ -- /, "").replace(/^(?:[A-Z_]+=\S+ )+/, "");
  const [, script, rest = ""] = /^npm run (?:-s |--silent )?([\w:-]+)(?: -- (.*))?$/.exec(call) ?? [];
  if (call.startsWith("npm run")) assert.ok(script && scripts[script], `${line}: no such script`);
  const [, name = script, args = rest] =
    /^(?:npx arcgis-sign-in|node dist\/cli\/arcgis-sign-in\.js) (\w+)(.*)$/.exec(call) ?? [];
  if (name === undefined || !ours.includes(name)) return;
  const [, sub] = /^ ?([a-z]+)\b/.exec(args) ?? [];
  const help = (await helpOf(name)) + (sub ? await helpOf(`${name} ${sub}`) : "");
  for (const [option] of args.matchAll(/--[a-z][a-z-]*/g))
    assert.ok(help.includes(option), `${line}: ${name} has no ${option}`);
}

test("every excerpt of source on /how is in the source, once", () => {
  const hops = JSON.parse(read("views/how.json"));
  for (const { sources, attacks } of hops)
    for (const [file, text] of [...sources, ...attacks.map(({ source }: { source: string[] }) => source)])
      assert.equal(read(join("src", file)).split(text).length, 2, `${file}: ${text}`);
});

test("every shell block parses, its programs are known, and its scripts, files and options exist", async () => {
  const input = of("sh").map(({ text }) => text);
  const { status, stderr } = spawnSync("sh", ["-n"], { input: input.join("\n"), encoding: "utf8" });
  assert.equal(status ?? 0, 0, stderr);
  for (const { page, text } of of("sh")) {
    for (const line of text.replace(/ +#.*/g, "").trim().split("\n")) {
      const [program = "", second = ""] = line.split(" ");
      assert.ok(
        programs.includes(program),
        `${page}: ${line}: ${program} is not a program that readers have`,
      );
      if (program === "npm") assert.ok([...ofNpm, "run"].includes(second), `${page}: ${line}`);
      for (const [path] of line.matchAll(/(?<= )(?:deploy|examples)\/\S+/g))
        if (!path.endsWith(".env")) assert.ok(existsSync(join(root, path)), `${page}: ${path}`);
      await checkCommand(line);
    }
  }
});

test("every command inside a sentence exists, with its options", async () => {
  let count = 0;
  for (const page of pages)
    for (const [, line = ""] of read(page).matchAll(/`((?:npm run|npx arcgis-sign-in) [^`\n]*)`/g)) {
      await checkCommand(line.replace(/ \.\.\.$/, ""));
      count += 1;
    }
  assert.ok(count > 30);
});

test("every JSON and .env block is a configuration that the server takes", (t: TestContext) => {
  const cwd = folder(t);
  mkdirSync(join(cwd, "dist"));
  writeFileSync(join(cwd, "dist/index.html"), "");
  symlinkSync(join(root, "examples/branding"), join(cwd, "branding"));
  const required = {
    CLIENT_ID: "my-app",
    REDIRECT_URI: "http://localhost:3000/authenticate",
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    SITE_DIR: "./dist",
  };
  const settings = [...of("json"), ...of("dotenv")].filter(({ name }) => name === undefined);
  for (const { page, language, text } of settings) {
    const given = language === "json" ? JSON.parse(text.startsWith("{") ? text : `{${text}}`) : {};
    writeFileSync(join(cwd, "config.json"), JSON.stringify({ ...required, ...given }), { mode: 0o600 });
    writeFileSync(join(cwd, ".env"), language === "dotenv" ? text : "", { mode: 0o600 });
    assert.doesNotThrow(() => loadConfig({ cwd, env: {} }), `${page}:\n${text}`);
  }
  assert.ok(settings.length >= 8);
});

test("every YAML file parses", () => {
  const files = ["docs/openapi.yaml", ".markdownlint-cli2.yaml"].concat(
    [".github", "deploy"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
        join(folder, name),
      ),
    ),
  );
  for (const path of files.filter((name) => /\.ya?ml$/.test(name)))
    assert.deepEqual(parseDocument(read(path)).errors, [], path);
});

test("every HTML block loads a file that the server has", () => {
  for (const { page, text } of of("html"))
    for (const [, path = ""] of text.matchAll(/"\/assets\/([^"]*)"/g))
      assert.ok(existsSync(join(root, "views/assets", path)), `${page}: ${path}`);
});

test("Redis takes its blocks as a configuration file", { skip: redisIsMissing() }, async (t) => {
  const lines = of("redis").flatMap(({ text }) => text.trim().split("\n"));
  // Redis reads options as lines of that file.
  const redis = await startRedis(t, ...lines.flatMap((line) => `--${line}`.split(" ")));
  const policy = await redis.send("CONFIG", "GET", "maxmemory-policy");
  assert.deepEqual(policy, { "maxmemory-policy": "noeviction" });
  const users = (await redis.send("ACL", "LIST")) as string[];
  assert.ok(
    users.some((user) => /^user arcgis-sign-in on .*~arcgis-sign-in:\*.*\+eval/.test(user)),
    String(users),
  );
});

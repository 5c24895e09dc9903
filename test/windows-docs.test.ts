import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { configKeys } from "#src/app/config/config.ts";
import { nextSteps } from "#src/app/errors.ts";
import { callCli } from "./support/cli.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const files = readdirSync(join(root, "deploy/iis")).map((name) => `deploy/iis/${name}`);
const page = read("docs/windows.md");
const commands = [...page.matchAll(/^```powershell\n(.*?)^```/gms)].flatMap(([, text = ""]) =>
  text.trimEnd().split("\n"),
);
const settings = new Set(configKeys.map(({ key }) => key));
/** Read by Node.js, or by this package outside of its settings. */
const others = ["NODE_ENV", "NODE_USE_SYSTEM_CA", "NODE_EXTRA_CA_CERTS", "CONFIG_FILE"];

/** The help of a command, or of its subcommand if it has one. */
async function helpOf(name: string, rest: string): Promise<string> {
  const words = rest.split(" ").filter((word) => /^[a-z]+$/.test(word));
  const { code, output } = await callCli([name, ...words, "--help"], { cwd: root });
  assert.equal(code, 0, name);
  return output;
}

/** What is wrong with a text as XML: enough for files without a DTD. */
function problemWithXml(text: string): string | undefined {
  const open: string[] = [];
  const tokens =
    /<\?xml [^>]*\?>|<!--(?:(?!--).)*-->|<(\/?)([\w.:-]+)((?:\s+[\w.:-]+="[^"<]*")*)\s*(\/?)>|[^<]+/gsy;
  let end = 0;
  for (const { 0: token, 1: slash, 2: name, 3: attributes = "", 4: isEmpty } of text.matchAll(tokens)) {
    end += token.length;
    if (token.replace(/&(?:quot|amp|lt|gt|apos);/g, "").includes("&") && !token.startsWith("<!--"))
      return `a bare & in ${token}`;
    const names = [...attributes.matchAll(/([\w.:-]+)=/g)].map(([, one]) => one);
    if (new Set(names).size < names.length && !attributes.includes("://"))
      return `an attribute twice in ${token}`;
    if (!name) continue;
    if (slash && open.pop() !== name) return `</${name}> closes another element`;
    if (!slash && !isEmpty) open.push(name);
  }
  if (end < text.length) return `not XML: ${text.slice(end, end + 40)}`;
  return open.length > 0 ? `<${open.at(-1)}> is not closed` : undefined;
}

test("the check of XML finds a mistake", () => {
  for (const text of ["<a><b></a>", "<a>", '<a b="1" b="2"/>', "<a>&</a>", '<a b="<"/>', "<!-- -- --><a/>"])
    assert.notEqual(problemWithXml(text), undefined, text);
  assert.equal(
    problemWithXml('<?xml version="1.0"?><!-- a - b --><a b="&quot;x&quot;">1<c /></a>\n'),
    undefined,
  );
});

/**
 * What each element may have: IIS_schema.xml and rewrite_schema.xml of IIS 10, httpplatform_schema.xml of
 * HttpPlatformHandler v2 (IIS responds 500.19 to any other attribute), xml-config-file.md of WinSW. Only what the files use.
 */
const schema: Record<string, string> = {
  ...{ configuration: "", "system.webServer": "", handlers: "accessPolicy", clear: "" },
  httpPlatform:
    "processPath arguments startupTimeLimit rapidFailsPerMinute requestTimeout stdoutLogEnabled stdoutLogFile processesPerApplication forwardWindowsAuthToken",
  ...{ environmentVariables: "", environmentVariable: "name value" },
  add: "name path verb modules resourceType requireAccess input pattern ignoreCase negate matchType",
  ...{ httpErrors: "errorMode existingResponse", security: "", requestFiltering: "" },
  requestLimits: "maxAllowedContentLength maxUrl maxQueryString",
  ...{
    rewrite: "",
    rules: "",
    rule: "name enabled patternSyntax stopProcessing",
    match: "url ignoreCase negate",
  },
  ...{ conditions: "logicalGrouping trackAllCaptures", serverVariables: "", set: "name value replace" },
  action: "type url appendQueryString redirectType statusCode subStatusCode statusReason statusDescription",
  ...{ service: "", id: "", name: "", description: "", executable: "", arguments: "", workingdirectory: "" },
  ...{ env: "name value", startmode: "", onfailure: "action delay", stoptimeout: "", logpath: "" },
  ...{ log: "mode", sizeThreshold: "", keepFiles: "" },
};

test("the files for IIS and Windows services have no element and no attribute that the program does not know", () => {
  for (const file of files) {
    const text = read(file).replace(/<!--.*?-->|<\?xml.*?\?>/gs, "");
    for (const [, name = "", attributes = ""] of text.matchAll(/<([\w.]+)([^>]*)>/g)) {
      assert.ok(name in schema, `${file}: <${name}>`);
      for (const [, attribute = ""] of attributes.matchAll(/([\w.]+)="/g))
        assert.ok(schema[name]?.split(" ").includes(attribute), `${file}: <${name} ${attribute}>`);
    }
  }
});

test("the files for IIS and Windows services are XML, and set what exists", () => {
  assert.equal(files.length, 3);
  for (const file of files) {
    const text = read(file);
    assert.equal(problemWithXml(text), undefined, file);
    const names = [...text.matchAll(/<(?:environmentVariable|env) name="(\w+)"/g)].map(
      ([, name = ""]) => name,
    );
    for (const name of names) assert.ok(settings.has(name) || others.includes(name), `${file}: ${name}`);
    for (const [, path = ""] of text.matchAll(/C:\\Program Files\\arcgis-sign-in\\([\w.\\-]+)/g))
      assert.ok(existsSync(join(root, path.replaceAll("\\", "/"))), `${file}: ${path}`);
  }
});

test("every file of deploy/iis is described, and every path of the program that the page names exists", () => {
  for (const file of files) assert.ok(page.includes(`(../${file})`), file);
  const paths = [...page.matchAll(/C:\\Program Files\\arcgis-sign-in\\([\w.\\-]+)/g)];
  assert.ok(paths.length >= 3);
  for (const [, path = ""] of paths) assert.ok(existsSync(join(root, path.replaceAll("\\", "/"))), path);
  for (const [, path = ""] of page.matchAll(/`(test\/[\w./-]+)`/g))
    assert.ok(existsSync(join(root, path)), path);
});

test("every setting and every error code that the page names exists", () => {
  for (const [, name = ""] of page.matchAll(/`"?([A-Z]+_[A-Z_]+)(?:=\w+)?"?`/g)) {
    const isKnown = settings.has(name) || others.includes(name) || name === "HTTP_X_FORWARDED_PROTO";
    assert.ok(isKnown, name);
  }
  for (const name of ["redirect_rewritten", "insecure_connection", "web_tier_authentication"]) {
    assert.ok(page.includes(`\`${name}\``), name);
    assert.ok(name in nextSteps, name);
  }
});

test("no command of README and docs needs &&, which Windows PowerShell 5.1 does not have", () => {
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  for (const name of ["README.md", "examples/maps-sdk/README.md", ...pages.map((page) => `docs/${page}`)]) {
    const text = read(name);
    const blocks = [...text.matchAll(/^```(?:sh|powershell)\n(.*?)^```/gms)].map(([, block = ""]) => block);
    const inline = [...text.matchAll(/`((?:npm|npx|node) [^`\n]*)`/g)].map(([, command = ""]) => command);
    for (const command of [...blocks, ...inline]) assert.doesNotMatch(command, /&&/, `${name}: ${command}`);
  }
});

test("Windows PowerShell 5.1 takes every command: no operator of later versions, no npm that loses --", async () => {
  assert.ok(commands.length >= 40);
  for (const command of commands) {
    assert.doesNotMatch(command, /&&|\|\||\?\?|\\$/, command);
    assert.doesNotMatch(command, /^(?:npm|npx) /, `${command}: npm.cmd`);
    assert.doesNotMatch(command, /^(?:export|cp|mv|rm|ls|cat|curl|wget)\b|^[A-Z_]+=/, command);
    // Parentheses outside of quotes would be run.
    if (command.startsWith("icacls")) assert.doesNotMatch(command.replace(/"[^"]*"/g, ""), /[()*]/, command);
    const [, name = "", rest = ""] = /arcgis-sign-in\.js" (\w+)(.*)$/.exec(command) ?? [];
    if (!name) continue;
    const help = await helpOf(name, rest);
    for (const [option] of rest.matchAll(/--[a-z-]+/g)) assert.ok(help.includes(option), command);
  }
});

import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { loadConfig } from "#src/app/config/config.ts";
import { run as runCli } from "#src/cli/run.ts";
import { callCli } from "./support/cli.ts";
import { run } from "./support/init.ts";

const root = mkdtempSync(join(tmpdir(), "init-test-"));
after(() => rmSync(root, { recursive: true }));
const folder = () => mkdtempSync(join(root, "case-"));

/** Runs it in this process, without a terminal too: quicker. */
async function call(cwd: string, ...args: string[]) {
  return callCli(["init", ...args], { cwd });
}

/** Runs the command in this process, as if at a terminal where a person types these lines, one a question. */
async function converse(cwd: string, args: string[], lines: string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  let said = "";
  const remaining = [...lines];
  stdout.on("data", (chunk: Buffer) => {
    said += chunk;
    if (!said.endsWith(": ")) return;
    const line = remaining.shift();
    if (line === undefined) stdin.end();
    else stdin.write(`${line}\n`);
  });
  const code = await runCli(["init", ...args], { cwd: () => cwd, env: {}, stdin, stdout, stderr });
  stderr.end();
  return { code, output: said, error: await text(stderr), unused: remaining };
}

const read = (cwd: string, name = "config.json") => JSON.parse(readFileSync(join(cwd, name), "utf8"));

describe("npm run init with flags", () => {
  test("CF-1 CF-6 it writes a configuration that starts, with strong secrets, for its owner alone", async () => {
    const cwd = folder();
    const { code, output, error } = await run(cwd, "--client-id", "aBcDeF0123456789");
    assert.deepEqual({ code, error }, { code: 0, error: "" });
    assert.equal(
      output,
      [
        process.platform === "win32"
          ? "Wrote config.json; the doctor says who can open it."
          : "Wrote config.json, which only you can open.",
        "",
        "Next:",
        "  1. In your portal, add exactly this redirect URI to the OAuth credentials item:",
        "     http://localhost:3000/authenticate",
        "  2. npm start",
        "  3. If something does not work: npm run doctor",
        "",
      ].join("\n"),
    );

    const written = read(cwd);
    assert.deepEqual(Object.keys(written), [
      "CLIENT_ID",
      "SESSION_SECRET",
      "ENCRYPTION_KEY",
      "REDIRECT_URI",
      "PORTAL_URL",
    ]);
    for (const key of ["SESSION_SECRET", "ENCRYPTION_KEY"]) {
      assert.match(written[key], /^[\w-]{43}$/, "32 bytes in base64url");
      assert.doesNotMatch(output, new RegExp(written[key]));
    }
    if (process.platform !== "win32") assert.equal(statSync(join(cwd, "config.json")).mode & 0o777, 0o600);

    const config = loadConfig({ cwd, env: {} });
    assert.deepEqual(
      [config.clientId, config.portal, config.redirectUri, config.port],
      ["aBcDeF0123456789", "https://www.arcgis.com/sharing/rest", "http://localhost:3000/authenticate", 3000],
    );
  });

  test("CF-1 two runs share no secret", async () => {
    const [one, other] = [folder(), folder()];
    await Promise.all([call(one, "--client-id", "abc"), call(other, "--client-id", "abc")]);
    const secrets = [one, other].flatMap((cwd) => [read(cwd).SESSION_SECRET, read(cwd).ENCRYPTION_KEY]);
    assert.equal(new Set(secrets).size, 4);
  });

  test("the portal is normalized, the file named, the port taken from a local redirect URI", async () => {
    const cwd = folder();
    const { code, output } = await call(
      cwd,
      ...["--client-id", "abc", "--portal", "https://gis.example.com/portal/home/"],
      ...["--redirect-uri", "http://127.0.0.1:8080/cb", "--config", "local.json"],
    );
    assert.equal(code, 0);
    assert.deepEqual(readdirSync(cwd), ["local.json"]);
    assert.match(output, /^ {2}2\. npm start -- --config local\.json$/m);
    assert.match(output, /: npm run doctor -- --config local\.json$/m);
    assert.match(output, /^ {5}http:\/\/127\.0\.0\.1:8080\/cb$/m);
    const config = loadConfig({ cwd, env: { CONFIG_FILE: "local.json" } });
    assert.deepEqual(
      [config.portal, config.redirectUri, config.port],
      ["https://gis.example.com/portal/sharing/rest", "http://127.0.0.1:8080/cb", 8080],
    );
  });

  test("behind https the port in the address is the proxy's: the server keeps its own", async () => {
    const cwd = folder();
    const { code } = await call(
      cwd,
      "--client-id",
      "abc",
      "--redirect-uri",
      "https://app.example.com:8443/cb",
    );
    assert.deepEqual([code, read(cwd).PORT], [0, undefined]);
  });

  test("CK-3 with an https redirect URI there is one reverse proxy in front, or what --trust-proxy says", async () => {
    const https = ["--client-id", "abc", "--redirect-uri", "https://app.example.com/cb"];
    for (const [args, expected] of [
      [https, 1],
      [["--client-id", "abc"], undefined],
      [["--client-id", "abc", "--trust-proxy", "loopback"], ["loopback"]],
      [[...https, "--trust-proxy", "2"], 2],
      [
        [...https, "--trust-proxy", "loopback,10.0.0.0/8"],
        ["loopback", "10.0.0.0/8"],
      ],
    ] as const) {
      const cwd = folder();
      const { code, error } = await call(cwd, ...args);
      assert.deepEqual([code, error, read(cwd).TRUST_PROXY], [0, "", expected]);
      assert.deepEqual(loadConfig({ cwd, env: {} }).trustProxy, expected ?? false);
    }
    const { code, error } = await call(folder(), ...https, "--trust-proxy", "true");
    assert.equal(code, 1);
    assert.match(error, /^--trust-proxy: must be false, the number of reverse proxies in front/);
  });

  test("every bad flag is named at once, and nothing is written", async () => {
    const cwd = folder();
    const { code, error } = await call(
      cwd,
      ...[
        "--client-id",
        "your-client-id",
        "--portal",
        "http://gis.example.com",
        "--redirect-uri",
        "/authenticate",
      ],
    );
    assert.equal(code, 1);
    assert.deepEqual(
      error.split("\n").map((line) => line.slice(0, line.indexOf(".") + 1)),
      [
        "--client-id: is a placeholder.",
        "--portal: must use https; http is allowed on loopback addresses only, such as localhost.",
        "--redirect-uri: is not an absolute URL.",
        "",
      ],
    );
    assert.deepEqual(readdirSync(cwd), []);
  });

  test("an unknown flag exits 64 and names --help; its value, which may be a secret, is not shown", async () => {
    for (const [flag, shown] of [
      ["--client-secret=Canary7Qx2mVw9", "--client-secret"],
      ["--clientid=Canary'7Qx2\nmVw9=", "--clientid"],
      ["-sCanary7Qx2mVw9", "-s"],
    ] as const) {
      const { code, error } = await call(folder(), flag);
      assert.equal(code, 64);
      assert.ok(error.startsWith(`error: unknown option '${shown}'\n`), error);
      assert.ok(error.endsWith("\nUse --help to see the commands and options.\n"), error);
      assert.doesNotMatch(error, /Canary|mVw9/);
    }
  });

  test("--help tells every flag and writes nothing", async () => {
    const cwd = folder();
    const { code, output } = await call(cwd, "--help");
    assert.equal(code, 0);
    const flags = ["--client-id <id>", "--portal <url>", "--redirect-uri <url>", "--trust-proxy <value>"];
    for (const flag of [...flags, "--config <file>"]) assert.ok(output.includes(`  ${flag}`), flag);
    assert.deepEqual(readdirSync(cwd), []);
  });

  test("CF-6 an existing config.json is never touched", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "config.json"), "mine");
    assert.deepEqual(await run(cwd, "--client-id", "abc"), {
      code: 1,
      output: "",
      error:
        "config.json already exists and was not changed. Rename it first, or write another file with --config.\n",
    });
    assert.equal(readFileSync(join(cwd, "config.json"), "utf8"), "mine");
  });

  test("CF-6 a symbolic link that leads nowhere is not followed", async () => {
    const cwd = folder();
    symlinkSync(join(root, "elsewhere.json"), join(cwd, "config.json"));
    assert.equal((await call(cwd, "--client-id", "abc")).code, 1);
    assert.equal(existsSync(join(root, "elsewhere.json")), false);
  });

  test("a folder that is not there is told", async () => {
    assert.deepEqual(await call(folder(), "--client-id", "abc", "--config", "gone/config.json"), {
      code: 1,
      output: "",
      error: "gone/config.json cannot be written (ENOENT).\n",
    });
  });
});

describe("npm run init at a terminal", () => {
  test("it asks for three things, an empty answer takes what is offered", async () => {
    const cwd = folder();
    const { code, output, unused } = await converse(cwd, [], ["abc", "", ""]);
    assert.deepEqual([code, unused], [0, []]);
    assert.ok(
      output.startsWith(
        "Client ID of your OAuth credentials item: Portal (https://www.arcgis.com): Redirect URI (http://localhost:3000/authenticate): Wrote config.json",
      ),
      output,
    );
    assert.equal(loadConfig({ cwd, env: {} }).clientId, "abc");
  });

  test("with an https redirect URI it asks for the reverse proxies, too", async () => {
    const cwd = folder();
    const answers = ["abc", "", "https://app.example.com/cb", "true", ""];
    const { code, output, unused } = await converse(cwd, [], answers);
    assert.deepEqual([code, unused, read(cwd).TRUST_PROXY], [0, [], 1]);
    assert.match(output, /Number of reverse proxies in front \(1\): The value must be false, .*\nNumber of/);
  });

  test("a bad answer is asked again, with the reason", async () => {
    const cwd = folder();
    const answers = [
      "",
      "<id>",
      " abc ",
      "http://gis.example.com",
      "https://gis.example.com/portal",
      "/cb",
      "http://localhost:4000/cb",
    ];
    const { code, output, unused } = await converse(cwd, [], answers);
    assert.deepEqual([code, unused], [0, []]);
    assert.equal(
      output.match(/^.*The value (?:is missing|is a placeholder|must use https|is not an absolute URL)/gm)
        ?.length,
      4,
    );
    const config = loadConfig({ cwd, env: {} });
    assert.deepEqual(
      [config.clientId, config.portal, config.redirectUri, config.port],
      ["abc", "https://gis.example.com/portal/sharing/rest", "http://localhost:4000/cb", 4000],
    );
  });

  test("it does not ask for what a flag gives", async () => {
    const cwd = folder();
    const args = ["--client-id", "abc", "--redirect-uri", "http://localhost:4000/cb"];
    const { code, output } = await converse(cwd, args, ["https://gis.example.com/portal"]);
    assert.equal(code, 0);
    assert.ok(output.startsWith("Portal (https://www.arcgis.com): Wrote config.json"), output);
  });

  test("it asks nothing when the file is there already", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "config.json"), "mine");
    const { code, output } = await converse(cwd, [], []);
    assert.deepEqual([code, output], [1, ""]);
  });

  test("when the user leaves in the middle, nothing is written", async () => {
    const cwd = folder();
    const { code, error } = await converse(cwd, [], ["abc"]);
    assert.deepEqual([code, error], [1, "\nNothing was written.\n"]);
    assert.deepEqual(readdirSync(cwd), []);
  });
});

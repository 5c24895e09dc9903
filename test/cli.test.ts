import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { callCli, spawnCli } from "./support/cli.ts";
import { folder } from "./support/temporary.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const commands = ["start", "demo", "init", "doctor", "sessions"];

describe("arcgis-sign-in", () => {
  test("is the package's command, and each npm script of the same name runs it", () => {
    const path = manifest.bin["arcgis-sign-in"];
    assert.match(readFileSync(join(root, path), "utf8"), /^#!\/usr\/bin\/env node\n/);
    for (const name of commands) assert.equal(manifest.scripts[name], `node ${path} ${name}`);
  });

  test("--help lists the commands, COMMAND --help its options, --version the version everywhere", async (t) => {
    const cwd = folder(t);
    const ok = (output: string) => ({ code: 0, output, error: "" });
    const { output } = await callCli(["--help"], { cwd });
    const { exitCode } = process;
    // As a failed test of this process leaves it.
    process.exitCode = 1;
    for (const args of [[], ["-h"], ["help"]]) assert.deepEqual(await callCli(args, { cwd }), ok(output));
    process.exitCode = exitCode;
    for (const args of [["--version"], ["-v"]])
      assert.deepEqual(await callCli(args, { cwd }), ok(`${manifest.version}\n`));
    for (const name of commands) {
      assert.match(output, new RegExp(`^ {2}${name} `, "m"));
      const help = await callCli([name, "--help"], { cwd });
      assert.match(help.output, new RegExp(`^Usage: arcgis-sign-in ${name} \\[options\\]`, "m"));
      assert.deepEqual(await callCli([name, "-h"], { cwd }), ok(help.output));
      assert.deepEqual(await callCli([name, "--version"], { cwd }), ok(`${manifest.version}\n`));
      for (const line of help.output.split("\n")) assert.ok(line.length <= 110, line);
    }
    assert.deepEqual(
      await spawnCli(["doctor", "--help"], { cwd }),
      await callCli(["doctor", "--help"], { cwd }),
    );
  });

  for (const [args, message] of [
    [["sesions"], "unknown command 'sesions'\n(Did you mean sessions?)"],
    [["Doctor"], "unknown command 'Doctor'\n(Did you mean doctor?)"],
    [["toString"], "unknown command 'toString'"],
    [["--verison"], "unknown option '--verison'\n(Did you mean --version?)"],
    [["start", "--cofnig=x"], "unknown option '--cofnig'\n(Did you mean --config?)"],
    [["sessions", "list", "--portl", "x"], "unknown option '--portl'\n(Did you mean --portal?)"],
    [["demo", "--sandboxport=1"], "unknown option '--sandboxport'\n(Did you mean --sandbox-port?)"],
    [["init", "--clientid", "x"], "unknown option '--clientid'\n(Did you mean --client-id?)"],
    [["doctor", "-j"], "unknown option '-j'"],
  ] as const) {
    test(`${args.join(" ")} is refused, and the message has the nearest name`, async (t) => {
      const error = `error: ${message}\nUse --help to see the commands and options.\n`;
      assert.deepEqual(await callCli([...args], { cwd: folder(t) }), { code: 64, output: "", error });
    });
  }

  test("options that npm took for its own are refused: without them the command would do something else", async (t) => {
    const cwd = folder(t);
    const env = { npm_lifecycle_event: "sessions", npm_config_portal: "county", npm_config_json: "true" };
    const lost = (option: string) =>
      `error: npm has taken ${option} for its own: "--" was lost. Write npm.cmd instead of npm.\n`;
    const cases: [string[], string][] = [
      [["revoke", "sandy_admin"], lost("--portal")],
      [["list"], lost("--portal")],
      [["stats"], lost("--json")],
    ];
    for (const [args, message] of cases) {
      const { code, output, error } = await callCli(["sessions", ...args], { cwd, env });
      assert.deepEqual([code, output], [64, ""]);
      assert.ok(error.startsWith(message), error);
    }
    const all = { npm_lifecycle_event: "sessions", npm_config_all: "true" };
    assert.equal((await callCli(["sessions", "revoke"], { cwd, env: all })).code, 64);
    const demo = { npm_lifecycle_event: "demo", npm_config_sandbox_port: "4000" };
    assert.match((await callCli(["demo"], { cwd, env: demo })).error, /--sandbox-port/);
    const site = { npm_lifecycle_event: "demo", npm_config_site: "true" };
    const { error } = await callCli(["demo", "./dist"], { cwd, env: site });
    assert.ok(error.startsWith(lost("--site")), error);

    // Both were given: what npm has taken is of no importance.
    const both = await callCli(["sessions", "list", "--portal", "county", "--json"], { cwd, env });
    assert.equal(both.code, 78, "there is no configuration");
    // The script of another package runs the command.
    const other = await callCli(["sessions", "list"], {
      cwd,
      env: { ...env, npm_lifecycle_event: "deploy" },
    });
    assert.equal(other.code, 78);
  });

  test("an option without its value, and an argument too many, are refused", async (t) => {
    const cwd = folder(t);
    for (const args of [
      ["doctor", "--config"],
      ["doctor", "now"],
      ["start", "3000"],
    ]) {
      const { code, error } = await callCli(args, { cwd });
      assert.equal(code, 64);
      assert.match(error, /^error: .+\nUse --help to see the commands and options\.\n$/);
    }
  });
});

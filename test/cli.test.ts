import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { bin, callCli, spawnCli } from "./support/cli.ts";
import { freePort, startProgram } from "./support/program.ts";
import { folder, secret } from "./support/temporary.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const commands = ["start", "demo", "init", "doctor", "sessions"];

const settings = (more: object = {}) => ({
  CLIENT_ID: "cli-app",
  REDIRECT_URI: "http://localhost:3000/authenticate",
  SESSION_SECRET: secret(),
  ENCRYPTION_KEY: secret(),
  ...more,
});

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
    for (const args of [[], ["-h"], ["help"]]) assert.deepEqual(await callCli(args, { cwd }), ok(output));
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

  for (const [args, code, message] of [
    [["sesions"], 64, "unknown command 'sesions'\n(Did you mean sessions?)"],
    [["Doctor"], 64, "unknown command 'Doctor'\n(Did you mean doctor?)"],
    [["toString"], 64, "unknown command 'toString'"],
    [["--verison"], 64, "unknown option '--verison'\n(Did you mean --version?)"],
    [["start", "--cofnig=x"], 64, "unknown option '--cofnig'\n(Did you mean --config?)"],
    [["sessions", "list", "--portl", "x"], 64, "unknown option '--portl'\n(Did you mean --portal?)"],
    [["demo", "--sandboxport=1"], 1, "unknown option '--sandboxport'\n(Did you mean --sandbox-port?)"],
    [["init", "--clientid", "x"], 1, "unknown option '--clientid'\n(Did you mean --client-id?)"],
    [["doctor", "-j"], 1, "unknown option '-j'"],
  ] as const) {
    test(`${args.join(" ")} is refused, and the message has the nearest name`, async (t) => {
      const error = `error: ${message}\nUse --help to see the commands and options.\n`;
      assert.deepEqual(await callCli([...args], { cwd: folder(t) }), { code, output: "", error });
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
      assert.equal(code, args[0] === "start" ? 64 : 1);
      assert.match(error, /^error: .+\nUse --help to see the commands and options\.\n$/);
    }
  });

  test("help and version load neither the server nor the sandbox", async (t) => {
    // Fails where a module outside of src/cli and the standard library is loaded.
    const hooks = `export async function resolve(name, context, next) {
      const resolved = await next(name, context);
      if (/node_modules\\/(?!commander)|dist\\/(?!cli|no-debug)/.test(resolved.url))
        throw new Error("loads " + resolved.url);
      return resolved;
    }`;
    const register = `import { register } from "node:module"; register("data:text/javascript," + ${JSON.stringify(encodeURIComponent(hooks))});`;
    const nodeFlags = ["--import", `data:text/javascript,${encodeURIComponent(register)}`];
    for (const args of [["--help"], ["--version"], ["sessions", "--help"], ["strat"]]) {
      const { error } = await spawnCli(args, { cwd: folder(t), nodeFlags });
      assert.doesNotMatch(error, /loads/);
    }
    assert.match((await spawnCli(["doctor"], { cwd: folder(t), nodeFlags })).error, /loads/);
  });
});

describe("the configuration of an installed service", () => {
  test("is found by --config and by CONFIG_FILE, from any folder", async (t) => {
    const sandbox = await startSandbox({
      clients: [{ clientId: "cli-app", redirectUris: ["http://localhost:3000/authenticate"] }],
    });
    t.after(() => sandbox.close());
    const file = join(folder(t), "service.json");
    const SESSION_DIR = folder(t);
    chmodSync(SESSION_DIR, 0o700);
    writeFileSync(file, JSON.stringify(settings({ PORTAL_URL: sandbox.url, SESSION_DIR })), { mode: 0o600 });

    for (const { args, env } of [
      { args: ["--config", file], env: {} },
      { args: [], env: { CONFIG_FILE: file } },
      { args: [`--config=${file}`], env: { CONFIG_FILE: "another.json" } },
    ]) {
      const cwd = folder(t);
      const doctor = await spawnCli(["doctor", ...args], { cwd, env });
      assert.deepEqual([doctor.code, doctor.error], [0, ""], doctor.output);
      assert.ok(doctor.output.includes(`files in ${SESSION_DIR}`), doctor.output);
      assert.deepEqual(await callCli(["sessions", "list", ...args], { cwd, env }), {
        code: 0,
        output: "No users are signed in.\n",
        error: "",
      });
    }
    const missing = await callCli(["sessions", "stats", "--config", "gone.json"], { cwd: folder(t) });
    assert.equal(missing.code, 78);
    assert.match(missing.error, /^CONFIG_FILE \(--config\): gone\.json does not exist\./);
  });

  test("arcgis-sign-in start runs the server as node dist/server.js does, and takes --config", async (t) => {
    const [cwd, port] = [folder(t), await freePort()];
    writeFileSync(join(cwd, "service.json"), JSON.stringify(settings({ PORT: port })), { mode: 0o600 });
    const url = `http://127.0.0.1:${port}`;
    const args = ["start", "--config", "service.json"];
    const program = await startProgram(t, { file: bin, args, cwd, url, env: {} });
    assert.equal((await new Browser(url).get("/healthz")).status, 200);
    const exit = new Promise((resolve) => program.once("exit", resolve));
    program.kill("SIGTERM");
    assert.equal(await exit, process.platform === "win32" ? null : 0);

    const nowhere = await callCli(["sessions", "list"], { cwd: folder(t) });
    assert.equal(nowhere.code, 78);
    assert.match(
      nowhere.error,
      /^CLIENT_ID: is missing\..*\nIs the configuration elsewhere\? Add --config FILE\.\n$/s,
    );
    const empty = await spawnCli(["start"], { cwd: folder(t) });
    assert.equal(empty.code, 78);
    assert.match(empty.error, /^CLIENT_ID: is missing\..*\nNothing is configured yet/s);
    const { code, error } = await callCli(["start", "--config"], { cwd });
    assert.deepEqual([code, error.includes("--config")], [64, true]);
  });
});

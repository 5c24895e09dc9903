import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { bin, callCli, spawnCli } from "./support/cli.ts";
import { freePort, startProgram } from "./support/program.ts";
import { folder, secret } from "./support/temporary.ts";

const settings = (more: object = {}) => ({
  CLIENT_ID: "cli-app",
  REDIRECT_URI: "http://localhost:3000/authenticate",
  SESSION_SECRET: secret(),
  ENCRYPTION_KEY: secret(),
  ...more,
});

describe("arcgis-sign-in", () => {
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
      /^CLIENT_ID: is missing\..*\nIs the configuration elsewhere\? Set CONFIG_FILE \(--config FILE\)\.\n$/s,
    );
    const empty = await spawnCli(["start"], { cwd: folder(t) });
    assert.equal(empty.code, 78);
    assert.match(empty.error, /^CLIENT_ID: is missing\..*\nNothing is configured yet/s);
    const { code, error } = await callCli(["start", "--config"], { cwd });
    assert.deepEqual([code, error.includes("--config")], [64, true]);
  });
});

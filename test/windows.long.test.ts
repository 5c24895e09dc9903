import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { needsPosix } from "./support/posix.ts";
import { sharedSettings, startServer } from "./support/server-process.ts";
import { folder } from "./support/site.ts";
import { onWindows, valid } from "./support/windows.ts";

describe("start and stop", () => {
  test("SIGHUP stops the server in order", { skip: needsPosix("SIGHUP from another process") }, async (t) => {
    const server = await startServer(t, sharedSettings(t, "http://127.0.0.1:9/portal"));
    server.child.kill("SIGHUP");
    const [code] = await once(server.child, "exit");
    assert.equal(code, 0, server.output());
    assert.match(server.output(), /"signal":"SIGHUP".*"stopped"/s);
  });

  test("PM2's message stops the server in order", async (t) => {
    const program = fileURLToPath(import.meta.resolve("#src/server.ts"));
    const env = { ...process.env, ...sharedSettings(t, "http://127.0.0.1:9/portal") };
    const child = fork(program, { cwd: folder(t), env, silent: true });
    t.after(() => child.kill("SIGKILL"));
    let output = "";
    child.stdout?.on("data", (text) => {
      output += text;
      if (String(text).includes('"listening"')) child.send("shutdown");
    });
    const [code] = await once(child, "exit");
    assert.equal(code, 0, output);
    assert.match(output, /"signal":"shutdown"/);
  });

  test("SIGBREAK, which only Windows has, stops it, too", () => {
    const script = `
      const { endInOrder } = await import(${JSON.stringify(import.meta.resolve("#src/app/serve.ts"))});
      const log = { info: () => {}, fatal: () => {}, flush: (done) => done?.() };
      endInOrder({ url: "", log, stop: async () => console.log("stopped") });
      setInterval(() => {}, 1_000);
      process.emit("SIGBREAK");
    `;
    const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
    });
    assert.deepEqual([status, stdout], [0, "stopped\n"]);
  });
});

test("on Windows the names of environment variables count in any case", (t) => {
  const { CLIENT_ID, ...others } = valid();
  const script = `
    const { loadConfig } = await import(${JSON.stringify(import.meta.resolve("#src/app/config/config.ts"))});
    const env = ${JSON.stringify({ Client_Id: CLIENT_ID, session_dir: "elsewhere", ...others })};
    const { clientId, sessionDir } = loadConfig({ cwd: ${JSON.stringify(folder(t))}, env });
    console.log(clientId, sessionDir.endsWith("elsewhere"));
  `;
  assert.equal(onWindows(script), "test-app true\n");
});

/** An icacls that only remembers what it was asked. A real one needs Windows. */
describe("rights on files", { skip: needsPosix("a script in the place of icacls.exe") }, () => {
  function fakeIcacls(t: TestContext, found = "") {
    const SystemRoot = folder(t);
    const log = join(SystemRoot, "log");
    mkdirSync(join(SystemRoot, "System32"));
    const program = join(SystemRoot, "System32", "icacls.exe");
    writeFileSync(
      program,
      `#!/bin/sh\necho "$@" >> ${log}\ncase "$*" in *findsid*${found}) echo "$1";; esac\necho 1\n`,
    );
    chmodSync(program, 0o755);
    return { env: { SystemRoot }, lines: () => readFileSync(log, "utf8").trimEnd().split("\n") };
  }
  const backend = import.meta.resolve("#src/session-store.ts");

  test("ST-1 the session folder is for its owner, SYSTEM and Administrators, by their SIDs", (t) => {
    const { env, lines } = fakeIcacls(t);
    const path = join(folder(t), "sessions");
    onWindows(`(await import("${backend}")).fileBackend(${JSON.stringify(path)})`, env);
    const full = "(OI)(CI)F";
    assert.equal(
      lines().at(-1),
      `${path} /inheritance:r /grant:r *S-1-5-18:${full} *S-1-5-32-544:${full} *S-1-3-4:${full}`,
    );
  });

  test("ST-1 a session folder that keeps other users out is left as an administrator has set it", (t) => {
    const { env, lines } = fakeIcacls(t, "none");
    const path = join(folder(t), "sessions");
    onWindows(`(await import("${backend}")).fileBackend(${JSON.stringify(path)})`, env);
    assert.deepEqual(
      lines(),
      ["S-1-1-0", "S-1-5-11", "S-1-5-32-545"].map((sid) => `${path} /findsid *${sid}`),
    );
  });

  test("ST-1 a session folder whose path icacls prints in a code page of its own counts as open", (t) => {
    const { env, lines } = fakeIcacls(t, "none");
    const path = join(folder(t), "Sitzungen für Jürgen");
    onWindows(`(await import("${backend}")).fileBackend(${JSON.stringify(path)})`, env);
    assert.match(lines().join(), /inheritance:r/);
  });

  test("so is config.json", async (t) => {
    const { env, lines } = fakeIcacls(t);
    const cwd = folder(t);
    const run = import.meta.resolve("#src/cli/run.ts");
    const output = onWindows(
      `const { run } = await import("${run}");
       const context = { cwd: () => ${JSON.stringify(cwd)}, env: {}, stdin: {}, stdout: { write: console.log }, stderr: { write: console.error } };
       await run(["init", "--client-id", "test-app"], context);`,
      env,
    );
    // A disk may have no rights, and then icacls changes nothing.
    assert.match(output, /^Wrote config.json; the doctor says who can open it\.$/m);
    assert.deepEqual(lines(), [
      `${join(cwd, "config.json")} /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F *S-1-3-4:F`,
    ]);
  });

  const store = import.meta.resolve("#src/cli/doctor/store.ts");

  test("the doctor prints the command when all users may open something, and claims nothing without a result", (t) => {
    const path = join(folder(t), "config.json");
    writeFileSync(path, "");
    const check = `console.log(JSON.stringify((await import("${store}")).checkRights([${JSON.stringify(path)}])))`;
    const open = JSON.parse(onWindows(check, fakeIcacls(t, "32-545").env));
    assert.deepEqual(
      [open.status, open.fix],
      ["problem", `Run: icacls ${path} /inheritance:r /grant:r "*S-1-5-18:F" "*S-1-5-32-544:F" "*S-1-3-4:F"`],
    );
    assert.equal(JSON.parse(onWindows(check, fakeIcacls(t, "none").env)).status, "ok");
    assert.equal(JSON.parse(onWindows(check, { SystemRoot: "/nowhere" })).status, "skipped");
  });
});

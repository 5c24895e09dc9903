import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { callCli } from "./support/cli.ts";
import { actions, assertActions, revokeAll, settingsWithRedis } from "./support/operator-log.ts";
import { needsPosix } from "./support/posix.ts";
import { redisIsMissing, startRedis } from "./support/redis.ts";
import { sharedSettings, startServer } from "./support/server-process.ts";
import { folder, openSite, secret, signIn } from "./support/site.ts";
import { until } from "./support/user.ts";

const program = { Accept: "*/*" };

test("CK-3 the start warns of an https redirect URI without TRUST_PROXY", async (t) => {
  const settings = sharedSettings(t, "http://127.0.0.1:9/portal");
  const REDIRECT_URI = "https://gis.example.com/authenticate";
  const servers = await Promise.all([
    startServer(t, { ...settings, REDIRECT_URI }),
    startServer(t, { ...settings, REDIRECT_URI, TRUST_PROXY: "1" }),
  ]);
  assert.deepEqual(
    servers.map(({ output }) => /"event":"trust-proxy".*TRUST_PROXY is not set/.test(output())),
    [true, false],
  );
});

describe("a session folder that cannot be used", { skip: needsPosix("modes and owners of files") }, () => {
  /** Starts the server as npm start does, with this folder, and waits for its end. */
  async function start(t: TestContext, SESSION_DIR: string) {
    const program = fileURLToPath(import.meta.resolve("#src/server.ts"));
    const child = spawn(process.execPath, [program], {
      cwd: folder(t),
      env: { ...sharedSettings(t, "http://127.0.0.1:9/portal"), SESSION_DIR },
      stdio: ["ignore", "ignore", "pipe"],
    });
    t.after(() => child.kill("SIGKILL"));
    const [error, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    return { code, error };
  }

  test("ends the start with code 78, which systemd does not restart, and a line with the setting and the fix", async (t) => {
    const dir = folder(t);
    const [file, link] = [join(dir, "file"), join(dir, "link")];
    writeFileSync(file, "");
    symlinkSync(dir, link);
    const createFix =
      "Create the folder for the server's user, with mode 0700, or set another SESSION_DIR.\n";
    const cases: [dir: string, line: string][] = [
      [file, `SESSION_DIR: ${file} cannot be created (EEXIST: file already exists). ${createFix}`],
      [
        `${file}/below`,
        `SESSION_DIR: ${file}/below cannot be created (ENOTDIR: not a directory). ${createFix}`,
      ],
      [
        link,
        `SESSION_DIR: ${link} is not a folder (a symbolic link is not accepted). Set SESSION_DIR to the path of a folder of this user, not of a link.\n`,
      ],
    ];
    if (process.getuid?.() === 0) {
      const theirs = folder(t);
      chownSync(theirs, 65534, 65534);
      cases.push([
        theirs,
        `SESSION_DIR: ${theirs} belongs to another user. Set SESSION_DIR to the path of a folder of this user, not of a link.\n`,
      ]);
    } else
      cases.push([
        "/usr/x",
        `SESSION_DIR: /usr/x cannot be created (EACCES: permission denied). ${createFix}`,
      ]);
    await Promise.all(
      cases.map(async ([dir, error]) => assert.deepEqual(await start(t, dir), { code: 78, error })),
    );
    assert.match(
      readFileSync("deploy/arcgis-sign-in.service", "utf8"),
      /^Restart=on-failure$[^[]*^RestartPreventExitStatus=78$/m,
    );
  });
});

test("a Redis replica without a master makes /readyz 503, whether or not it responds with what it has", {
  skip: redisIsMissing(),
}, async (t) => {
  const redis = await startRedis(t);
  const site = await openSite(t, { settings: { REDIS_URL: redis.url } });
  const isReady = async () => {
    const { status, body } = await site.browser().get("/readyz", program);
    assert.equal(body, status === 200 ? `{"status":"ok"}` : `{"status":"store_unavailable"}`);
    return status === 200;
  };
  const becomes = async (ready: boolean) => {
    // A probe counts for a second.
    for (const end = performance.now() + 60_000; (await isReady()) !== ready; await sleep(20))
      assert.ok(performance.now() < end, `ready: ${ready}`);
  };
  assert.equal(await isReady(), true);
  const { port } = new URL(site.url);
  for (const staleData of ["yes", "no"]) {
    await redis.send("CONFIG", "SET", "replica-serve-stale-data", staleData);
    await redis.send("REPLICAOF", "127.0.0.1", port);
    await becomes(false);
    assert.equal((await site.browser().get("/healthz", program)).status, 200);
    await redis.send("REPLICAOF", "NO", "ONE");
    await becomes(true);
  }
});

describe("an operator's revoke is in the log of a server within a minute", () => {
  test("with Redis, too", { skip: redisIsMissing() }, async (t) => {
    const settings = {
      ...{ ENCRYPTION_KEY: secret(), SESSION_SECRET: secret() },
      REDIS_URL: (await startRedis(t)).url,
    };
    const one = await openSite(t, { settings });
    await revokeAll(t, one);
    const two = await openSite(t, { settings, sandbox: one.sandbox });
    await until(() => actions(two).length > 1, "two lines");
    assertActions(one, two);
  });

  test("or at the start of the next one", async (t) => {
    const site = await openSite(t);
    await signIn(site.browser());
    const env = settingsWithRedis(site);
    await site.close();
    assert.equal((await callCli(["sessions", "revoke", "--all"], { cwd: folder(t), env })).code, 0);
    const { output } = await startServer(t, { ...env, PORT: "0" });
    await until(() => output().includes(`"event":"operator"`), "a line");
  });
});

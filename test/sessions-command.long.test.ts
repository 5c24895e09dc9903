import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { spawnCli } from "./support/cli.ts";
import { memoryFolder } from "./support/disks.ts";
import { whoIs } from "./support/expect.ts";
import { redisIsMissing, startRedis } from "./support/redis.ts";
import { rounds } from "./support/rounds.ts";
import { lay, openWith, run, settingsOf, signedIn } from "./support/sessions-command.ts";
import { folder, openSite, secret, signIn } from "./support/site.ts";

/** The same in a process of its own. */
const runProcess = (t: TestContext, env: Record<string, string>, ...args: string[]) =>
  spawnCli(["sessions", ...args], { cwd: folder(t), env });

describe("arcgis-sign-in sessions, beside a running server", () => {
  test("SE-12 revoke --all in a process of its own: everybody is anonymous, and may sign in again", async (t) => {
    const { site, browsers } = await openWith(t, ["sandy_admin", "vik_viewer"]);

    const outcome = await runProcess(t, settingsOf(site), "revoke", "--all");

    assert.deepEqual(outcome, { code: 0, output: "Ended 2 sessions of 2 users.\n", error: "" });
    assert.deepEqual(await signedIn(browsers), [undefined, undefined]);
    assert.equal(site.sandbox.revoked.length, 2);
    assert.deepEqual(site.files(), []);
    const [browser] = browsers as [Browser];
    await signIn(browser, "sandy_admin");
    assert.equal(await whoIs(browser), "sandy_admin");
    const again = await runProcess(t, settingsOf(site), "revoke", "nobody_here");
    assert.equal(again.code, 1);
  });

  test("SE-12 the tokens are revoked where the server reaches the portal, behind its Windows authentication", async (t) => {
    const sandbox = await startSandbox({ clients: [] });
    t.after(() => sandbox.close());
    const [dir, key, portal] = [folder(t), secret(), "https://gis.example.com/portal"];
    lay(dir, key, 1, () => "sandy_admin", `${portal}/sharing/rest`);
    const settings = {
      ...{ CLIENT_ID: "test-app", PORTAL_URL: portal, REDIRECT_URI: "http://localhost:9/authenticate" },
      ...{ SESSION_SECRET: secret(), ENCRYPTION_KEY: key, SESSION_DIR: dir, PORTAL_SERVER_URL: sandbox.url },
    };
    const { code, error } = await runProcess(t, settings, "revoke", "sandy_admin");
    assert.deepEqual([code, error], [0, ""]);
    assert.deepEqual(
      sandbox.log.map(({ endpoint }) => endpoint),
      ["revokeToken"],
    );
  });
});

const many = process.env.FULL === "1" ? 100_000 : rounds(220, 1_020);
const users = rounds(200, 1_000);

test(`SE-12 ${many} sessions: a terminal is told how far it is, and all of them end`, async (t) => {
  const { site } = await openWith(t, [], { sessionDir: join(memoryFolder(t), "sessions") });
  // On a slow machine, the server would revoke what waits for longer than a minute, too, and some responses take 3 s.
  await site.close();
  t.mock.method(AbortSignal, "timeout", () => new AbortController().signal);
  const key = String(site.config.encryptionKeys[0]);
  lay(site.config.sessionDir, key, many, (index) => `person_${index % users}`, site.sandbox.url);
  const start = performance.now();
  const took = (what: string) => t.diagnostic(`${what} after ${Math.round(performance.now() - start)} ms`);

  const listed = await run(t, settingsOf(site), ["list"], { isTTY: true });
  took("listed");
  assert.ok(
    listed.output.endsWith(`${users.toLocaleString("en")} users, ${many.toLocaleString("en")} sessions.\n`),
    listed.output.slice(-80),
  );
  const revoked = await run(t, settingsOf(site), ["revoke", "--all"], { isTTY: true });
  took("revoked");
  assert.equal(revoked.code, 0, revoked.error);
  assert.match(revoked.error, /\rEnding sessions: [\d,]+ of [\d,]+ /);
  assert.ok(revoked.error.endsWith("\r\u001b[K"), "and that line is gone in the end");
  const requests = site.sandbox.log.filter(({ endpoint }) => endpoint === "revokeToken");
  assert.equal(requests.length, Math.min(many, 10_000), "which is as much as the log holds");
  assert.deepEqual(site.files(), []);
});

describe("arcgis-sign-in sessions on Redis", { skip: redisIsMissing() }, () => {
  test("SE-12 ST-5 shows, ends and reseals what two servers share", async (t) => {
    const redis = await startRedis(t);
    const [older, newer] = [secret(), secret()];
    const REDIS_URL = `${redis.url}/0`;
    const { site, browsers } = await openWith(t, ["sandy_admin", "vik_viewer"], {
      settings: { ENCRYPTION_KEY: older, REDIS_URL },
    });
    const env = settingsOf(site, { REDIS_URL });

    assert.match((await run(t, env, ["list"])).output, /^2 users, 2 sessions\.$/m);
    const place = /^Redis at 127\.0\.0\.1:\d+, database 0$/m;
    assert.match((await run(t, env, ["stats"])).output, place);

    const rekeyed = await run(t, { ...env, ENCRYPTION_KEY: `${newer},${older}` }, ["rekey"]);
    assert.equal(rekeyed.output, "Encrypted 2 sessions with the newest key.\n");
    const later = await openSite(t, {
      settings: {
        ENCRYPTION_KEY: newer,
        SESSION_SECRET: site.config.sessionSecrets.join(","),
        REDIS_URL,
      },
      sandbox: site.sandbox,
    });
    const there = browsers.map(({ cookies }) => new Browser(later.url, cookies));
    assert.deepEqual(await signedIn(there), ["sandy_admin", "vik_viewer"]);

    const revoked = await run(t, { ...env, ENCRYPTION_KEY: newer }, ["revoke", "sandy_admin"]);
    assert.deepEqual(revoked, { code: 0, output: "Ended 1 session of sandy_admin.\n", error: "" });
    assert.deepEqual(await signedIn(there), [undefined, "vik_viewer"]);
    assert.equal(site.sandbox.revoked.length, 1);

    await redis.send("CONFIG", "SET", "requirepass", "something else");
    const refused = await run(t, { ...env, ENCRYPTION_KEY: newer }, ["list"]);
    assert.equal(refused.code, 69);
    assert.match(refused.error, /^Redis .+REDIS_URL/);
    assert.doesNotMatch(refused.error, /something else/);
  });
});

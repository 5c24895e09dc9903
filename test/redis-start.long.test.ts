import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser, click } from "./support/browser.ts";
import { redisIsMissing, startRedis } from "./support/redis.ts";
import { redirectUri, sharedSettings, startServer } from "./support/server-process.ts";
import { callbackFor } from "./support/site.ts";
import { until } from "./support/user.ts";

const skip = redisIsMissing();

test("with REDIS_URL two servers share a sign-in, and the folder stays empty; without Redis it is a 503", {
  skip,
}, async (t) => {
  const redis = await startRedis(t);
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const shared = sharedSettings(t, sandbox.url);
  const settings = { ...shared, REDIS_URL: redis.url };
  const servers = await Promise.all([startServer(t, settings), startServer(t, settings)]);
  const [first, second] = servers.map(({ url }) => new Browser(url)) as [Browser, Browser];

  const { pathname, search } = new URL(await callbackFor(first, "sandy_admin"));
  assert.equal((await first.get(pathname + search)).status, 303);
  for (const [name, value] of first.cookies) second.cookies.set(name, value);
  assert.match((await second.get("/")).body, /sandy_admin/);
  assert.equal(existsSync(String(shared.SESSION_DIR)), false);

  await redis.kill();
  const without = await first.get("/", click);
  assert.equal(without.status, 503);
  assert.match(without.body, /data-code="store_unavailable"/);
  assert.equal(without.headers["retry-after"], "5");
  assert.equal((await new Browser(first.base).get("/")).status, 200, "a visitor needs no store");
});

test("a right that the user of Redis lacks is in the log at the start, and looks like no problem of the portal", {
  skip,
}, async (t) => {
  const redis = await startRedis(t);
  const may = "+get +del +eval +scan +ping".split(" ");
  await redis.send("ACL", "SETUSER", "app", "on", ">password", "-@all", ...may, "~arcgis-sign-in:*");
  const settings = sharedSettings(t, "http://127.0.0.1:9/portal");
  const at = (database: number) => `redis://app:password@127.0.0.1:${redis.port}/${database}`;
  const reason = async (REDIS_URL: string, wanted: RegExp) => {
    const { output } = await startServer(t, { ...settings, REDIS_URL });
    await until(() => wanted.test(output()), String(wanted));
    assert.doesNotMatch(output(), /"event":"revoke"/);
  };
  await reason(at(0), /"event":"not-ready","reason":"Error: Redis refused SET: [A-Z]+"/);
  await reason(at(1), /"reason":"NOPERM \(select\)","msg":"Redis is away"/);
  await reason(at(1), /"event":"store","reason":"Error: Redis is away: NOPERM \(select\)"/);
});

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import type { Browser } from "./support/browser.ts";
import { whoIs } from "./support/expect.ts";
import { nginx, nginxIsMissing } from "./support/nginx.ts";
import { redisIsMissing, startRedis, startRedisCluster } from "./support/redis.ts";
import { sharedSettings, startServer } from "./support/server-process.ts";
import { load, redisUser, signIn, withUpstream } from "./support/two-hosts.ts";
import { signOut, until } from "./support/user.ts";

/** Two hosts behind nginx, as the page has it. */
async function openHosts(t: TestContext, redisUrl: string) {
  const front = await nginx(t, withUpstream);
  const redirectUri = `${front.url}/authenticate`;
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const settings = {
    ...sharedSettings(t, sandbox.url),
    REDIRECT_URI: redirectUri,
    TRUST_PROXY: "1",
    REDIS_URL: redisUrl,
  };
  const hosts = await Promise.all([startServer(t, settings), startServer(t, settings)]);
  await front.start(...hosts.map(({ url }) => url));
  return { front, hosts };
}

test("two hosts behind nginx share one Redis, as docs/two-hosts.md has it: any request may go to any host, and one may fail", {
  skip: redisIsMissing() || nginxIsMissing(),
}, async (t) => {
  const redis = await startRedis(t);
  await redis.send("ACL", "SETUSER", ...redisUser);
  const url = `redis://arcgis-sign-in:the-password@127.0.0.1:${redis.port}/0`;
  const { front, hosts } = await openHosts(t, url);

  // nginx takes turns, so each of these begins at one host and ends at the other.
  const browsers = [front.browser(), front.browser(), front.browser()];
  for (const browser of browsers) {
    assert.equal(await signIn(browser), 303);
    for (let turn = 0; turn < 4; turn++) assert.equal(await whoIs(browser), "sandy_admin");
  }
  for (const { output } of hosts)
    assert.match(output(), /"path":"\/",.*"user":"sandy_admin"/, "both know her");

  const [one, two] = browsers as [Browser, Browser];
  assert.equal((await signOut(one)).status, 303);
  for (let turn = 0; turn < 4; turn++) assert.equal(await whoIs(one), undefined);
  await hosts[0]?.end("SIGKILL");
  for (let turn = 0; turn < 4; turn++) assert.equal(await whoIs(two), "sandy_admin");

  assert.match(front.accessLog(), /"GET \/authenticate HTTP\/1.1" 303/);
  assert.doesNotMatch(front.accessLog(), /code=|\?/, "no query is in nginx's log");
});

test("two hosts with a cluster of three masters: one master and one host are killed under load, and no user is signed out", {
  skip: redisIsMissing() || nginxIsMissing(),
}, async (t) => {
  const [entry, , master] = await startRedisCluster(t);
  const { front, hosts } = await openHosts(t, `redis://127.0.0.1:${entry.port}?cluster=true`);

  const users = Array.from({ length: 18 }, () => front.browser());
  for (const browser of users) assert.equal(await signIn(browser), 303);
  const { seen, allServed, end } = load(users);
  /** Sessions on the other masters are served, those on the lost one have to wait. */
  const someServed = () => {
    const from = performance.now();
    const has = (status: number) => seen.some((each) => each.at > from && each.status === status);
    return until(() => has(200) && has(503), "some are served");
  };
  await allServed();
  await master.kill();
  await someServed();
  await hosts[0]?.end("SIGKILL");
  await someServed();
  await master.start();
  await allServed();
  await end();
  // 502: nginx was waiting for the host that was killed.
  for (const { status } of seen) assert.ok([200, 502, 503].includes(status), String(status));
});

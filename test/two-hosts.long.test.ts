import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSandbox } from "#src/sandbox/index.ts";
import type { Browser } from "./support/browser.ts";
import { whoIs } from "./support/expect.ts";
import { nginx, nginxIsMissing } from "./support/nginx.ts";
import { redisIsMissing, startRedis, startRedisCluster } from "./support/redis.ts";
import { sharedSettings, startServer } from "./support/server-process.ts";
import { callbackFor } from "./support/site.ts";
import { signOut, until } from "./support/user.ts";

const page = readFileSync(join(import.meta.dirname, "../docs/two-hosts.md"), "utf8");

/** The site of deploy/ with the `upstream` of the page, in which `nginx` puts other addresses. */
function changed(site: string): string {
  const upstream = /^```nginx\n(.*?)^```/ms.exec(page)?.[1] ?? assert.fail("the upstream is there");
  assert.match(upstream, /^ +server 10\.0\.0\.12:3000;$/m);
  const ours = upstream
    .replace("10.0.0.11:3000", "127.0.0.1:3000")
    .replace(/^ +server 10\.0\.0\.12:3000;\n/m, "");
  return site.replace(/^upstream .*?^}\n/ms, ours);
}

/** Two hosts behind nginx, as the page has it. */
async function openHosts(t: TestContext, redisUrl: string) {
  const front = await nginx(t, changed);
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

/** Signs a user in at the hosts. */
async function signIn(browser: Browser): Promise<void> {
  const { pathname, search } = new URL(await callbackFor(browser, "sandy_admin"));
  assert.equal((await browser.get(pathname + search)).status, 303);
}

test("two hosts behind nginx share one Redis, as docs/two-hosts.md has it: any request may go to any host, and one may fail", {
  skip: redisIsMissing() || nginxIsMissing(),
}, async (t) => {
  const redis = await startRedis(t);
  const [name = "", ...rules] =
    /^user (\S+ on .+)$/m.exec(page)?.[1]?.split(" ") ?? assert.fail("the user is there");
  await redis.send("ACL", "SETUSER", name, ...rules);
  const url = `redis://arcgis-sign-in:the-password@127.0.0.1:${redis.port}/0`;
  const { front, hosts } = await openHosts(t, url);

  // nginx takes turns, so each of these begins at one host and ends at the other.
  const browsers = [front.browser(), front.browser(), front.browser()];
  for (const browser of browsers) {
    await signIn(browser);
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
  const [entry, , master] = await startRedisCluster(t, 3);
  const { front, hosts } = await openHosts(t, `redis://127.0.0.1:${entry.port}?cluster=true`);

  const users = Array.from({ length: 18 }, () => front.browser());
  for (const browser of users) await signIn(browser);
  const statuses = new Map<number, number>();
  let latest: number[] = [];
  let isOver = false;
  const load = users.map(async (browser, index) => {
    while (!isOver) {
      const { status } = await browser.get("/api/session");
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      latest[index] = status;
      await sleep(20);
    }
  });
  const allServed = () => {
    latest = [];
    return until(() => latest.filter((status) => status === 200).length === users.length, "all are served");
  };
  /** Sessions on the other masters are served, those on the lost one have to wait. */
  const someServed = () => {
    latest = [];
    return until(() => latest.includes(200) && latest.includes(503), "some are served");
  };
  await allServed();
  await master?.kill();
  await someServed();
  await hosts[0]?.end("SIGKILL");
  await someServed();
  await master?.start();
  await allServed();
  isOver = true;
  await Promise.all(load);
  // 502: nginx was waiting for the host that was killed.
  for (const status of statuses.keys()) assert.ok([200, 502, 503].includes(status), String(status));
});

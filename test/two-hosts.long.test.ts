import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import type { Browser } from "./support/browser.ts";
import { whoIs } from "./support/expect.ts";
import { nginx, nginxIsMissing } from "./support/nginx.ts";
import { redisIsMissing, startRedis } from "./support/redis.ts";
import { sharedSettings, startServer } from "./support/server-process.ts";
import { callbackFor } from "./support/site.ts";
import { signOut } from "./support/user.ts";

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

test("two hosts behind nginx share one Redis, as docs/two-hosts.md has it: any request may go to any host, and one may fail", {
  skip: redisIsMissing() || nginxIsMissing(),
}, async (t) => {
  const front = await nginx(t, changed);
  const redirectUri = `${front.url}/authenticate`;
  const redis = await startRedis(t);
  const [name = "", ...rules] =
    /^user (\S+ on .+)$/m.exec(page)?.[1]?.split(" ") ?? assert.fail("the user is there");
  await redis.send("ACL", "SETUSER", name, ...rules);
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const settings = {
    ...sharedSettings(t, sandbox.url),
    REDIRECT_URI: redirectUri,
    TRUST_PROXY: "1",
    REDIS_URL: `redis://arcgis-sign-in:the-password@127.0.0.1:${redis.port}/0`,
  };
  const hosts = await Promise.all([startServer(t, settings), startServer(t, settings)]);
  await front.start(...hosts.map(({ url }) => url));

  // nginx takes turns, so each of these begins at one host and ends at the other.
  const browsers = [front.browser(), front.browser(), front.browser()];
  for (const browser of browsers) {
    const { pathname, search } = new URL(await callbackFor(browser, "sandy_admin"));
    assert.equal((await browser.get(pathname + search)).status, 303);
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

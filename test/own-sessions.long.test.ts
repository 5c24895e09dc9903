import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser, typed } from "./support/browser.ts";
import { whoIs } from "./support/expect.ts";
import { edge, end, firefox, listOf, nameOf, safari, signedIn } from "./support/own-sessions.ts";
import { redisIsMissing, startRedis } from "./support/redis.ts";
import { redirectUri, sharedSettings, startServer } from "./support/server-process.ts";
import { callbackFor, openSite, type Site } from "./support/site.ts";

describe("two servers on one store", () => {
  test("SE-12 ST-7 the list is right in both, and right after kill -9", async (t) => {
    const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
    t.after(() => sandbox.close());
    const settings = sharedSettings(t, sandbox.url);
    const [one, two] = await Promise.all([startServer(t, settings), startServer(t, settings)]);
    const on = ({ url }: { url: string }) => ({ browser: () => new Browser(url) }) as Site;
    const carried = async (server: { url: string }, userAgent: string) => {
      const browser = on(server).browser();
      const { search } = new URL(await callbackFor(browser, "sandy_admin"));
      await browser.get(`/authenticate${search}`, { ...typed, "User-Agent": userAgent });
      return browser;
    };
    const here = await carried(one, firefox);
    assert.equal((await listOf(here)).length, 1);
    const there = await carried(two, safari);
    assert.equal((await listOf(here)).length, 2);
    assert.equal((await listOf(there)).length, 2);

    await one.end("SIGKILL");
    const three = await startServer(t, settings);
    const moved = new Browser(three.url, here.cookies);
    assert.deepEqual(
      (await listOf(moved)).map(({ browser }) => browser),
      ["Firefox on Linux", "Safari on iPhone"],
    );
    await end(moved, nameOf(there));
    assert.equal(await whoIs(there), undefined);
    assert.equal((await listOf(moved)).length, 1);
  });

  test("SE-12 ST-12 the same in Redis", { skip: redisIsMissing() }, async (t) => {
    const redis = await startRedis(t);
    const site = await openSite(t, { settings: { REDIS_URL: redis.url } });
    const [here, lost] = [await signedIn(site, firefox), await signedIn(site, safari)];
    const neighbor = await signedIn(site, edge, "vik_viewer");
    assert.deepEqual(
      (await listOf(here)).map(({ browser }) => browser),
      ["Firefox on Linux", "Safari on iPhone"],
    );
    await end(here, "others");
    assert.equal(await whoIs(lost), undefined);
    assert.equal(await whoIs(here), "sandy_admin");
    assert.equal(await whoIs(neighbor), "vik_viewer");
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileBackend } from "#src/session-store.ts";
import { type Browser, typed } from "./support/browser.ts";
import { clock } from "./support/clock.ts";
import { script } from "./support/proxy.ts";
import { casesOf } from "./support/rounds.ts";
import { openSite, type SiteOptions, signIn } from "./support/site.ts";
import { folder } from "./support/temporary.ts";

const second = 1_000;

/** A user who has signed in where sessions end after `idle` seconds without use. */
async function openIdle(t: TestContext, idle: number, { settings, mount = "", ...rest }: SiteOptions = {}) {
  const pass = clock(t, { isStopped: true });
  const site = await openSite(t, {
    ...rest,
    mount,
    settings: { SESSION_IDLE_SECONDS: idle, TOKEN_HANDOVER: true, ...settings },
  });
  const browser = site.browser();
  await signIn(browser, "sandy_admin", `${mount}/sign-in`);
  const isSignedIn = async () =>
    (await browser.get(`${mount}/api/session?touch=false`, script)).status === 200;
  return { site, browser, pass, isSignedIn };
}

describe("idle time", () => {
  for (const idle of casesOf([60, 900, 1_209_600], 1))
    test(`SE-6 ${idle} s: a user who comes back before is signed in, whatever came before that; one who does not, is not`, async (t) => {
      const { browser, pass, isSignedIn } = await openIdle(t, idle, {
        settings: { SESSION_MAX_SECONDS: 34_560_000, TOKEN_EXPIRATION_MINUTES: 129_600 },
      });
      const hundredth = Math.min(60, idle / 100);
      // Also right after a use that was noted, and as late as can be after that.
      for (const seconds of [50, idle - 0.1, hundredth * 0.9, idle - 0.1, 0.1, 0.1, idle - 0.1]) {
        pass(seconds * second);
        assert.equal((await browser.get("/sign-ins")).status, 200, `after ${seconds} s`);
      }
      pass((idle + hundredth) * second);
      assert.equal(await isSignedIn(), false);
      assert.equal((await browser.get("/sign-ins")).status, 302);
    });

  test("a touch is a disk access: with long idle times there is one a minute, whatever is requested", async (t) => {
    const backend = fileBackend(join(folder(t), "sessions"));
    const touches = t.mock.method(backend, "touch");
    const { browser, pass } = await openIdle(t, 14 * 86_400, { backend });
    for (let count = 0; count < 30; count++) {
      pass(2 * second);
      await browser.get("/");
      await browser.get("/api/session", script);
    }
    assert.equal(touches.mock.callCount(), 1);
  });

  for (const mount of casesOf(["", "/gis"], 1))
    test(`SE-6 what an open page requests by itself keeps no absent user signed in (mounted at "${mount}")`, async (t) => {
      const { site, browser, pass, isSignedIn } = await openIdle(t, 60, { mount });
      const polls = [
        "/api/session?touch=false",
        "/API/session/?touch=false",
        "/api/credential",
        `/proxy?${site.sandbox.url}/community/self?f=json`,
      ];
      for (let count = 0; count < 8; count++) {
        pass(7 * second);
        const statuses = polls.map(async (path) => (await browser.get(mount + path, script)).status);
        assert.deepEqual(await Promise.all(statuses), [200, 200, 200, 200]);
      }
      pass(5 * second);
      assert.equal(await isSignedIn(), false);
      for (const path of polls) assert.equal((await browser.get(mount + path, script)).status, 401, path);
    });

  test("what a user does keeps them signed in: opening a page, and the request by which a page tells of a click", async (t) => {
    for (const [path, headers] of [
      ["/", typed],
      ["/sign-ins", typed],
      ["/api/session", script],
      ["/api/session?touch=true", script],
    ] as const) {
      const { browser, pass, isSignedIn } = await openIdle(t, 60);
      pass(50 * second);
      assert.equal((await browser.get(path, headers)).status, 200);
      pass(50 * second);
      assert.ok(await isSignedIn(), path);
      t.mock.restoreAll();
    }
  });

  test("/api/session tells when the session ends without use, and when in any case; both are so", async (t) => {
    const { browser, pass, isSignedIn } = await openIdle(t, 600, { settings: { SESSION_MAX_SECONDS: 900 } });
    const ends = async (query = "") => endsOf(browser, query);
    const first = await ends();
    assert.deepEqual([first.idle, first.latest], [606, 900]);
    pass(100 * second);
    assert.deepEqual(await ends("?touch=false"), { idle: 506, latest: 800 });
    assert.deepEqual(await ends(), { idle: 606, latest: 800 });
    pass(400 * second);
    assert.deepEqual(await ends(), { idle: 400, latest: 400 }, "use puts it off no further");
    pass(399 * second);
    assert.ok(await isSignedIn());
    pass(2 * second);
    assert.equal(await isSignedIn(), false);
  });
});

/** In how many seconds. */
async function endsOf(browser: Browser, query: string) {
  const { sessionExpires, signInExpires } = (
    await browser.get(`/api/session${query}`, script)
  ).json() as Record<string, string>;
  const left = (date = "") => Math.round((Date.parse(date) - Date.now()) / second);
  return { idle: left(sessionExpires), latest: left(signInExpires) };
}

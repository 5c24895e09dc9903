import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { backoff } from "#src/auth/arcgis/backoff.ts";
import { type Browser, click, type TestResponse } from "./support/browser.ts";
import { stopClock } from "./support/clock.ts";
import { casesOf } from "./support/rounds.ts";
import { callbackFor, openSite, type Site, signIn } from "./support/site.ts";
import { credential, grants } from "./support/tokens.ts";
import { until } from "./support/user.ts";

/** A site whose time only goes on when the test says so: `t.mock.timers.tick(ms)`. Tokens live so many seconds. */
async function open(t: TestContext, lifetimes: { access?: number; refresh?: number } = {}): Promise<Site> {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const site = await openSite(t, { settings: { TOKEN_HANDOVER: "true" } });
  site.sandbox.settings.accessTokenSeconds = lifetimes.access ?? 1800;
  site.sandbox.settings.refreshTokenSeconds = lifetimes.refresh;
  return site;
}

/** A portal in trouble is left alone for a moment, by the monotonic clock: asks until that is over. */
async function onceItResponds(browser: Browser): Promise<TestResponse> {
  for (;;) {
    const response = await credential(browser);
    if (response.status !== 502) return response;
    await sleep(50);
  }
}

function tokenOf({ body }: TestResponse): string {
  return JSON.parse(body).token;
}

describe("a token is refreshed", () => {
  test("TK-1 once for all requests that wait for it, and kept before it is used", async (t) => {
    const site = await open(t, { access: 1 });
    const browser = site.browser();
    await signIn(browser);
    t.mock.timers.tick(1000);
    site.sandbox.settings.accessTokenSeconds = 1800;
    const responses = await Promise.all(Array.from({ length: 20 }, () => credential(browser)));
    assert.deepEqual([...new Set(responses.map(({ status }) => status))], [200]);
    assert.equal(new Set(responses.map(tokenOf)).size, 1);
    assert.equal(grants(site.sandbox, "refresh_token"), 1);

    assert.equal(tokenOf(await credential(browser)), tokenOf(responses[0] as TestResponse));
    assert.equal(grants(site.sandbox, "refresh_token"), 1, "the next request finds it in the store");
  });

  test("TK-3 not at every request when its life is short", async (t) => {
    const site = await open(t, { access: 60 });
    const browser = site.browser();
    await signIn(browser);
    for (let request = 0; request < 20; request++) assert.equal((await credential(browser)).status, 200);
    assert.equal(grants(site.sandbox, "refresh_token"), 0);
  });

  test("TK-2 together with the refresh token in its last fifth, once, and the new one is used from then on", async (t) => {
    const site = await open(t, { access: 1, refresh: 3600 });
    const browser = site.browser();
    await signIn(browser);
    t.mock.timers.tick(2_900_000);
    const responses = await Promise.all(Array.from({ length: 20 }, () => credential(browser)));
    assert.deepEqual([...new Set(responses.map(({ status }) => status))], [200]);
    assert.equal(grants(site.sandbox, "exchange_refresh_token"), 1);
    t.mock.timers.tick(1000);
    assert.equal((await credential(browser)).status, 200);
    assert.equal(grants(site.sandbox, "refresh_token"), 1, "a new refresh token is not exchanged");
    t.mock.timers.tick(2_900_000);
    assert.equal((await credential(browser)).status, 200);
    assert.equal(grants(site.sandbox, "exchange_refresh_token"), 2);
    const used = site.sandbox.log.map(({ params }) => params.refresh_token).filter(Boolean);
    assert.equal(new Set(used).size, 2, "the old one was used once");
    assert.equal(used[1], used[2]);
  });

  for (const [access, refresh] of casesOf(
    [
      [2, 10],
      [10, 15],
      [30, 20],
      [5, 24],
      [8, 60],
    ] as const,
    1,
  ))
    test(`TK-2 so that a user stays signed in with tokens of ${access} and ${refresh} minutes`, async (t) => {
      const site = await open(t, { access: access * 60, refresh: refresh * 60 });
      const browser = site.browser();
      await signIn(browser);
      for (let minute = 0; minute < 90; minute += 1.5) {
        t.mock.timers.tick(90_000);
        assert.equal((await credential(browser)).status, 200, `after ${minute} minutes`);
      }
      const exchanges = grants(site.sandbox, "exchange_refresh_token");
      assert.ok(exchanges >= 90 / refresh - 1 && exchanges <= 90 / (refresh * 0.8), `${exchanges} exchanges`);
    });

  test("TK-2 and then the session and its cookie live as long as the new refresh token", async (t) => {
    const site = await open(t, { access: 1, refresh: 3600 });
    const browser = site.browser();
    const first = cookieEnd(await signIn(browser));
    t.mock.timers.tick(2_900_000);
    const prolonged = cookieEnd(await credential(browser));
    assert.ok(prolonged >= first + 2_899_000, `${first} -> ${prolonged}`);
    const home = await browser.get("/");
    assert.deepEqual(home.setCookies, [], "it is sent once");
    assert.match(home.body, new RegExp(`datetime="${new Date(prolonged).toISOString().slice(0, 18)}`));
  });
});

test("TK-2 the start page tells the browser of a new refresh token, too", async (t) => {
  const site = await open(t, { access: 60, refresh: 7_200 });
  const browser = site.browser();
  const first = cookieEnd(await signIn(browser));
  t.mock.timers.tick(6_000_000);
  const home = await browser.get("/");
  assert.equal(grants(site.sandbox, "exchange_refresh_token"), 1);
  assert.ok(cookieEnd(home) >= first + 5_990_000, `${first} -> ${home.setCookies}`);
});

/** When the browser is to drop its session cookie (ms since 1970). */
function cookieEnd({ setCookies }: TestResponse): number {
  return Date.parse(/arcgis\.sid=.*Expires=([^;]+)/.exec(setCookies.join("\n"))?.[1] ?? "");
}

describe("the portal in trouble", () => {
  test("TK-4 does not end a session: a token that is still good is used, and all is well again afterwards", async (t) => {
    const site = await open(t, { access: 10 });
    const browser = site.browser();
    await signIn(browser);
    const before = tokenOf(await credential(browser));
    // Its last fifth has begun: it is to be refreshed, but it is still good.
    t.mock.timers.tick(8_500);
    site.sandbox.faults.set("token", { kind: "status", status: 503 });
    assert.equal(tokenOf(await credential(browser)), before);
    t.mock.timers.tick(2_000);
    const late = await credential(browser);
    assert.equal(late.status, 502);
    assert.equal((late.json() as { error: { code: string } }).error.code, "portal_unreachable");

    site.sandbox.faults.clear();
    const after = await onceItResponds(browser);
    assert.equal(after.status, 200);
    assert.notEqual(tokenOf(after), before);
  });

  test("TK-4 is not asked again by every request", async (t) => {
    const site = await open(t, { access: 1 });
    const browser = site.browser();
    await signIn(browser);
    t.mock.timers.tick(1000);
    site.sandbox.faults.set("token", { kind: "status", status: 500 });
    stopClock(t);
    for (let request = 0; request < 10; request++) assert.equal((await credential(browser)).status, 502);
    assert.ok(grants(site.sandbox, "refresh_token") <= 2, `${grants(site.sandbox, "refresh_token")} calls`);
  });
});

test("TK-4 a portal that asks for patience (429) ends no session", async (t) => {
  const site = await open(t, { access: 1 });
  const browser = site.browser();
  await signIn(browser);
  t.mock.timers.tick(1000);
  const body = JSON.stringify({ error: { code: 429, message: "Too many requests.", details: [] } });
  site.sandbox.faults.set("token", { kind: "body", body });
  assert.equal((await credential(browser)).status, 502);
  site.sandbox.faults.clear();
  assert.equal((await onceItResponds(browser)).status, 200);
});

test("TK-4 a refresh token that the portal rejects ends the session with a page that says so", async (t) => {
  const site = await open(t, { access: 1 });
  const browser = site.browser();
  await signIn(browser);
  t.mock.timers.tick(1000);
  site.sandbox.expireRefreshTokens();
  const response = await credential(browser);
  assert.equal(response.status, 401);
  assert.equal((response.json() as { error: { code: string } }).error.code, "session_ended");
  assert.deepEqual(site.files(), []);
  assert.match((await browser.get("/")).body, /Sign in with ArcGIS/);
});

describe("a sign-out", () => {
  test("TK-6 during a refresh leaves no token alive, not even the one that arrives afterwards", async (t) => {
    const site = await open(t, { access: 1, refresh: 3600 });
    const browser = site.browser();
    await signIn(browser);
    t.mock.timers.tick(2_900_000);
    site.sandbox.faults.set("token", { kind: "delay", ms: 300 });
    site.sandbox.faults.set("revokeToken", { kind: "delay", ms: 600, times: 1 });
    const refresh = credential(browser.copy());
    await until(() => grants(site.sandbox, "exchange_refresh_token") === 1, "a refresh has begun");
    assert.equal((await browser.get("/sign-out", click)).status, 303);
    assert.equal((await refresh).status, 401);
    assert.deepEqual(site.files(), []);
    const issued = site.sandbox.log.filter(({ endpoint }) => endpoint === "revokeToken");
    assert.equal(issued.length, 2, "the old pair at the sign-out, the new pair when it came");
  });
});

test("TK-6 a second sign-in revokes the newest tokens of the first, also those that came while it was under way", async (t) => {
  const site = await open(t, { access: 1, refresh: 3600 });
  const browser = site.browser();
  await signIn(browser);
  t.mock.timers.tick(2_900_000);
  const callback = await callbackFor(browser, "pia_publisher");
  site.sandbox.faults.set("self", { kind: "delay", ms: 500 });
  const second = browser.get(callback);
  const asked = () => site.sandbox.log.filter(({ endpoint }) => endpoint === "self").length;
  await until(() => asked() === 2, "the second sign-in is under way");
  assert.equal((await credential(browser.copy())).status, 200);
  assert.equal((await second).status, 303);
  while (site.sandbox.revoked.length === 0) await sleep(20);
  const used = site.sandbox.log.find(({ params }) => params.grant_type === "exchange_refresh_token");
  assert.notEqual(site.sandbox.revoked[0], used?.params.refresh_token, "the old one was dead already");
});

test("TK-8 a token that is rejected again and again is refreshed less and less often", (t) => {
  let now = 1_000;
  t.mock.method(performance, "now", () => now);
  const rejections = backoff({ firstMs: 5_000, maxMs: 60_000 });
  const lengths: number[] = [];
  for (let times = 0; times < 6; times++) {
    assert.equal(rejections.isWaiting("s"), false);
    rejections.extendWait("s");
    const start = now;
    while (rejections.isWaiting("s")) now += 100;
    lengths.push((now - start) / 1000);
  }
  assert.deepEqual(lengths, [5, 10, 20, 40, 60, 60]);
  assert.equal(rejections.isWaiting("another session"), false);

  now += 61_000;
  rejections.extendWait("s");
  now += 5_000;
  assert.equal(rejections.isWaiting("s"), false, "a rejection after a long time is the first one");
});

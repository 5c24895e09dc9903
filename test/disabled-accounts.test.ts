import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { AppOptions } from "#src/app/create-app.ts";
import { type Sandbox, startSandbox } from "#src/sandbox/index.ts";
import { click, typed } from "./support/browser.ts";
import { stopClock } from "./support/clock.ts";
import { whoIs } from "./support/expect.ts";
import { casesOf } from "./support/rounds.ts";
import { openSite, signIn } from "./support/site.ts";

const program = { ...click, Accept: "application/json" };
const accessSeconds = 60;

/** What a program gets, and what a browser gets, for every route that treats its visitor as signed in. */
const guarded = ["/map", "/sign-ins", "/embed?url=https://apps.example/", "/own/signed-in", "/own/role"];
const apis = ["/api/session", "/api/credential"];

const routes: AppOptions["routes"] = ({ router, auth }) => {
  router.get("/own/signed-in", auth.requireSignIn(), (_req, res) => void res.send("in"));
  router.get("/own/role", auth.requireRole("org_admin"), (_req, res) => void res.send("in"));
};

/** A site whose time only goes on when the test says so, with a user who is signed in. */
async function open(t: TestContext, settings: Record<string, unknown> = {}) {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [] }] });
  t.after(() => sandbox.close());
  const layer = `${sandbox.url}/rest/services/Streets/FeatureServer/0`;
  const embedding = { TOKEN_HANDOVER: true, EMBED_ORIGINS: "https://apps.example", MAP_LAYERS: layer };
  const site = await openSite(t, { routes, sandbox, settings: { ...embedding, ...settings } });
  sandbox.settings.accessTokenSeconds = accessSeconds;
  const browser = site.browser();
  await signIn(browser);
  return { site, browser };
}

function expire(t: TestContext): void {
  t.mock.timers.tick(accessSeconds * 1000);
}

function tokenCalls({ log }: Sandbox): number {
  return log.filter(({ params }) => /refresh_token$/.test(String(params.grant_type))).length;
}

describe("an account that was disabled at the portal", () => {
  for (const path of [...casesOf(guarded, 2), ...casesOf(apis, 1)]) {
    test(`SE-14 is signed out at ${path} as soon as its access token has expired: a browser signs in, a program gets 401`, async (t) => {
      const { site, browser } = await open(t);
      assert.equal((await browser.get(path, program)).status, 200, "before");
      const calls = tokenCalls(site.sandbox);
      site.sandbox.expireRefreshTokens();
      expire(t);
      const response = await browser.get(path, program);
      assert.equal(response.status, 401, response.body);
      assert.deepEqual(site.files(), [], "the session has ended");
      assert.equal(tokenCalls(site.sandbox), calls + 1);
      if (guarded.includes(path)) {
        const { status, headers } = await browser.get(path, typed);
        assert.equal(status, 302);
        assert.match(String(headers.location), /^\/sign-in\?returnTo=/);
      }
      assert.equal(tokenCalls(site.sandbox), calls + 1, "and the portal is not asked again");
    });
  }

  test("SE-14 is signed out on the start page, also within the second in which it was shown before", async (t) => {
    const { site, browser } = await open(t);
    t.mock.timers.tick(accessSeconds * 1000 - 1);
    assert.equal(await whoIs(browser), "sandy_admin");
    assert.equal(await whoIs(browser), "sandy_admin");
    site.sandbox.expireRefreshTokens();
    t.mock.timers.tick(1);
    const home = await browser.get("/");
    assert.equal(home.status, 200);
    assert.match(home.body, /Sign in with ArcGIS/);
    assert.deepEqual(site.files(), []);
  });

  test("SE-14 is signed out when its browser meets a guard as a browser", async (t) => {
    const { site, browser } = await open(t);
    site.sandbox.expireRefreshTokens();
    expire(t);
    const response = await browser.get("/own/signed-in?a=1", typed);
    assert.equal(response.headers.location, "/sign-in?returnTo=%2Fown%2Fsigned-in%3Fa%3D1");
    assert.deepEqual(site.files(), []);
  });

  test("SE-14 cannot end other sessions", async (t) => {
    const { site, browser } = await open(t);
    const [, csrf_token = ""] = /name="csrf_token" value="([^"]+)"/.exec((await browser.get("/")).body) ?? [];
    site.sandbox.expireRefreshTokens();
    expire(t);
    const response = await browser.post("/sign-ins", { csrf_token, session: "others" });
    assert.equal(response.status, 401);
  });

  test("SE-14 is not shown as signed in by the start page of another portal", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const county = await startSandbox({ clients: [{ clientId: "county-app", redirectUris: [] }] });
    t.after(() => county.close());
    const entry = { id: "county", title: "County", url: county.url, clientId: "county-app" };
    const site = await openSite(t, { settings: { PORTALS: [entry] } });
    county.clients[0]?.redirectUris.push(`${site.url}/portals/county/authenticate`);
    county.settings.accessTokenSeconds = accessSeconds;
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    await signIn(browser, "vik_viewer", "/portals/county/sign-in?returnTo=/");
    assert.match((await browser.get("/")).body, /Vik Rao/);
    county.expireRefreshTokens();
    expire(t);
    const { body } = await browser.get("/");
    assert.doesNotMatch(body, /Vik Rao/);
    assert.match(body, /sandy_admin/);
    assert.equal(site.files().length, 1);
  });
});

test("SE-14 nothing is asked of the portal while the access token is valid, and once when it has expired", async (t) => {
  const { site, browser } = await open(t);
  t.mock.timers.tick(accessSeconds * 1000 - 1);
  const before = site.sandbox.log.length;
  for (const path of ["/", "/map", "/sign-ins", "/own/signed-in", "/own/role", "/api/session"]) {
    assert.equal((await browser.get(path, click)).status, 200, path);
  }
  assert.equal(site.sandbox.log.length, before);

  t.mock.timers.tick(1);
  const paths = ["/", "/map", "/sign-ins", "/own/signed-in", "/api/session"];
  const responses = await Promise.all(paths.map((path) => browser.get(path, click)));
  assert.deepEqual([...new Set(responses.map(({ status }) => status))], [200]);
  assert.equal(tokenCalls(site.sandbox), 1);
  assert.equal(site.sandbox.log.length, before + 1);
  const { tokenExpires } = (await browser.get("/api/session")).json() as { tokenExpires: string };
  assert.ok(Date.parse(tokenExpires) > Date.now(), "it is the new token that counts now");
  const shown = /<time[^>]+datetime="([^"]+)"/.exec((await browser.get("/")).body)?.[1];
  assert.ok(Date.parse(String(shown)) > Date.now(), String(shown));
});

const troubles = {
  "has a fault of its own": { kind: "status", status: 500 },
  "resets connections": { kind: "reset" },
  "sends a maintenance page": { kind: "html" },
  "asks for patience": {
    kind: "body",
    body: JSON.stringify({ error: { code: 429, message: "Too many requests.", details: [] } }),
  },
} as const;

for (const [what, fault] of casesOf(Object.entries(troubles), 2)) {
  test(`SE-14 a portal that ${what} ends no session, and once it is back the session continues`, async (t) => {
    const { site, browser } = await open(t);
    site.sandbox.faults.set("token", fault);
    expire(t);
    const pass = stopClock(t);
    for (const path of ["/", "/map", "/sign-ins", "/own/signed-in", "/own/role", "/api/session"]) {
      const response = await browser.get(path, click);
      assert.equal(response.status, 200, `${path} ${response.body}`);
      assert.match(response.body, /sandy_admin|^in$|Sandy/, path);
    }
    assert.ok(tokenCalls(site.sandbox) <= 3, `${tokenCalls(site.sandbox)} calls`);
    assert.equal(site.files().length, 1);
    site.sandbox.faults.clear();
    site.sandbox.expireRefreshTokens();
    // By the monotonic clock, the backoff is over.
    pass(60_000);
    assert.equal((await browser.get("/map", program)).status, 401, "the portal is asked again, and refuses");
  });
}

test("SE-14 a sign-out needs no refresh: it works at once, though the portal is down", async (t) => {
  const { site, browser } = await open(t);
  site.sandbox.faults.set("token", { kind: "hang" });
  expire(t);
  assert.equal((await browser.get("/sign-out", click)).status, 303);
  assert.equal(tokenCalls(site.sandbox), 0);
  assert.deepEqual(site.files(), []);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as realWait } from "node:timers/promises";
import express from "express";
import type { BrowserContext, Page, Request } from "playwright-core";
import type { Site as Routes } from "#src/app/create-app.ts";
import { choose, sessionOf, startChromium } from "./support/chromium.ts";
import { patienceMs } from "./support/rounds.ts";
import { openSite, type Site } from "./support/site.ts";

// The reusable half of examples/maps-sdk, without the Maps SDK: how pages keep a token that they were handed. The clocks
// of the server and of the browser are set by the test.

const { skip, open } = await startChromium();

const minute = 60_000;
const source = join(import.meta.dirname, "../examples/maps-sdk/src");

const script = `import { keepCredential } from "/example/credential.js";
window.registered = [];
window.keeper = await keepCredential({ register: (credential) => registered.push(credential) });`;

function tab({ router, auth }: Routes): void {
  router.get(
    "/tab",
    auth.requireSignIn(),
    (_req, res) =>
      void res.send(`<!doctype html><title>Tab</title><script type="module" src="/tab.js"></script>`),
  );
  router.get("/tab.js", (_req, res) => void res.type("js").send(script));
  router.use("/example", express.static(source));
}

interface Credential {
  server: string;
  token: string;
  expires: number;
  userId: string;
}

interface Tabs {
  site: Site;
  context: BrowserContext;
  /** Paths that the pages asked our server for, since this was last emptied. */
  asked: string[];
  /** By how much the server's Date header lags behind its clock (ms). */
  lag: number;
  openTab: (hash?: string) => Promise<Page>;
  /** Lets time pass, on the server and in the pages; what is due happens. */
  pass: (ms: number) => Promise<void>;
  /** Lets time pass until this holds. The clocks stand still while a page waits for a response, or it would give up. */
  passUntil: (what: string, holds: () => boolean | Promise<boolean>) => Promise<void>;
}

async function openTabs(t: TestContext): Promise<Tabs> {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const clock = { lag: 0 };
  const site = await openSite(t, {
    settings: { TOKEN_HANDOVER: true },
    routes: tab,
    // Node writes this header by the machine's clock, which the test does not set.
    host: (host) =>
      host.use((_req, res, next) => {
        res.setHeader("Date", new Date(Date.now() - clock.lag).toUTCString());
        next();
      }),
  });
  const { context, page } = await open(t);
  const asked: string[] = [];
  const underWay = new Set<Request>();
  context.on("request", (request) => {
    underWay.add(request);
    if (request.url().startsWith(site.url)) asked.push(new URL(request.url()).pathname);
  });
  context.on("requestfinished", (request) => void underWay.delete(request));
  context.on("requestfailed", (request) => void underWay.delete(request));
  await page.goto(`${site.url}/sign-in`);
  await choose(page, "Pia Marlow");
  await page.waitForURL(`${site.url}/`);
  await page.close();
  await context.clock.install({ time: Date.now() });

  const openTab = async (hash = "") => {
    const tab = await context.newPage();
    await tab.goto(`${site.url}/tab${hash}`);
    await tab.waitForFunction(() => "keeper" in window);
    asked.length = 0;
    return tab;
  };
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    await context.clock.runFor(ms);
  };
  const passUntil = async (what: string, holds: () => boolean | Promise<boolean>) => {
    const giveUp = performance.now() + patienceMs;
    while (!(await holds())) {
      assert.ok(performance.now() < giveUp, `in time: ${what}`);
      if (underWay.size > 0) await realWait(10);
      else await pass(500);
    }
  };
  return Object.assign(clock, { site, context, asked, openTab, pass, passUntil });
}

const latest = (page: Page): Promise<Credential> =>
  page.evaluate(() => (window as unknown as { registered: Credential[] }).registered.at(-1) as Credential);

const refresh = (page: Page, refused = false): Promise<Credential> =>
  page.evaluate(
    (refused) =>
      (window as unknown as { keeper: { refresh: (why: object) => Promise<Credential> } }).keeper.refresh({
        refused,
      }),
    refused,
  );

/** Waits until each of these pages has another token than this one; the clocks go on meanwhile. */
async function refreshed({ passUntil }: Tabs, token: string, ...pages: Page[]): Promise<Credential[]> {
  let all: Credential[] = [];
  await passUntil("a new token", async () => {
    all = await Promise.all(pages.map(latest));
    return all.every((each) => each.token !== token);
  });
  return all;
}

const calls = (asked: string[]) => asked.filter((path) => path === "/api/credential").length;

describe("a page that was handed its token", { skip }, () => {
  test("refreshes it five minutes early, and three tabs need one refresh a period", async (t) => {
    const tabs = await openTabs(t);
    const pages = [await tabs.openTab(), await tabs.openTab(), await tabs.openTab()];
    let { token } = await latest(pages[0] as Page);
    for (const period of [1, 2, 3]) {
      tabs.asked.length = 0;
      await tabs.pass(24.5 * minute);
      assert.equal(calls(tabs.asked), 0, `period ${period}, five and a half minutes before the end`);
      await tabs.pass(0.6 * minute);
      const all = await refreshed(tabs, token, ...pages);
      assert.equal(new Set(all.map((each) => each.token)).size, 1, "all have the same");
      assert.equal(calls(tabs.asked), 1, `period ${period}`);
      token = (all[0] as Credential).token;
    }
    const grants = tabs.site.sandbox.log.filter(({ params }) => params.grant_type === "refresh_token");
    assert.equal(grants.length, 3);
  });

  for (const [what, event] of [
    ["online", `dispatchEvent(new Event("online"))`],
    ["to the front", `document.dispatchEvent(new Event("visibilitychange"))`],
  ] as const) {
    test(`refreshes it when it comes back ${what} after a sleep in which no timer ran`, async (t) => {
      const tabs = await openTabs(t);
      const page = await tabs.openTab();
      const { token } = await latest(page);
      await page.evaluate(event);
      assert.equal(calls(tabs.asked), 0, "not before it is due");
      t.mock.timers.tick(28 * minute);
      await tabs.context.clock.setSystemTime(Date.now());
      await page.evaluate(event);
      await refreshed(tabs, token, page);
      assert.equal(calls(tabs.asked), 1);
    });
  }

  test("gets a new one after a 498, and one for all requests at once", async (t) => {
    const tabs = await openTabs(t);
    const pages = [await tabs.openTab(), await tabs.openTab()] as const;
    const { token } = await latest(pages[0]);
    tabs.site.sandbox.expireAccessTokens();
    const asking = Promise.all([refresh(pages[0], true), refresh(pages[0], true), refresh(pages[1], true)]);
    await refreshed(tabs, token, ...pages);
    let responded = false;
    void asking.finally(() => (responded = true));
    await tabs.passUntil("a response to all", () => responded);
    const responses = await asking;
    assert.equal(new Set(responses.map((each) => each.token)).size, 1);
    assert.notEqual(responses[0]?.token, token);
    assert.equal(calls(tabs.asked), 1);
  });

  test("takes a new one though its end, which is known to a second only, looks earlier than the old one's", async (t) => {
    const tabs = await openTabs(t);
    tabs.lag = 5_000;
    const pages = [await tabs.openTab(), await tabs.openTab()] as const;
    const old = await latest(pages[0]);
    tabs.lag = 0;
    tabs.site.sandbox.expireAccessTokens();
    const asking = refresh(pages[0], true);
    const all = await refreshed(tabs, old.token, ...pages);
    assert.ok(
      all.every(({ expires }) => expires < old.expires),
      "or this test proves nothing",
    );
    assert.equal((await asking).token, all[0]?.token);
  });

  test("goes to the sign-in when the session is gone, and comes back to the same place", async (t) => {
    const tabs = await openTabs(t);
    const page = await tabs.openTab("#61597/50.72719/7.11050");
    await tabs.site.store.take(await sessionOf(tabs.context));
    void refresh(page).catch(() => {});
    await tabs.passUntil("the portal's page", () => page.url().includes("/oauth2/authorize"));
    await choose(page, "Pia Marlow");
    await page.waitForURL(`${tabs.site.url}/tab#61597/50.72719/7.11050`);
    await page.waitForFunction(() => "keeper" in window);
    assert.equal((await latest(page)).userId, "pia_publisher");
  });

  test("does not go on as another user: when another user signs in in a second tab, the first one is loaded again", async (t) => {
    const tabs = await openTabs(t);
    const first = await tabs.openTab();
    assert.equal((await latest(first)).userId, "pia_publisher");
    const second = await tabs.context.newPage();
    await second.goto(`${tabs.site.url}/sign-in?force_login=true&returnTo=/tab`);
    const loaded = first.waitForEvent("load");
    await choose(second, "Vik Rao");
    await loaded;
    await first.waitForFunction(() => "keeper" in window);
    assert.equal((await latest(first)).userId, "vik_viewer");
  });

  test("keeps what it has while the server cannot be asked, and asks again after a while", async (t) => {
    const tabs = await openTabs(t);
    const page = await tabs.openTab();
    const { token } = await latest(page);
    let refusals = 0;
    await page.route(
      "**/api/credential",
      (route) => {
        refusals++;
        return route.fulfill({ status: 503, json: { error: { code: "store_unavailable" } } });
      },
      { times: 2 },
    );
    await tabs.pass(25.1 * minute);
    await refreshed(tabs, token, page);
    assert.equal(refusals, 2);
  });
});

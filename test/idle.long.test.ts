import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { BrowserContext, Page, Request } from "playwright-core";
import { myContent } from "#src/cli/demo-content.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { assertAccessible } from "./support/axe.ts";
import { Browser } from "./support/browser.ts";
import { assertHeading, choose, sessionOf, signInAs, startChromium } from "./support/chromium.ts";
import { clock } from "./support/clock.ts";
import { openMapSite } from "./support/map-site.ts";
import { script } from "./support/proxy.ts";
import { openSite, type Site, type SiteOptions } from "./support/site.ts";

const { skip, open } = await startChromium();

const minute = 60_000;
const idleMinutes = 15;
const name = "Sandy Boxwell";
const signedOut = "You are signed out";

/** Time that passes here, at the server, and in all pages of a browser at once. */
async function openTimed(t: TestContext, options: SiteOptions = {}) {
  const ahead = clock(t);
  const site = await openSite(t, {
    routes: myContent,
    // Node's own Date header knows nothing of the clock that is moved here.
    host: (app) =>
      app.use((_req, res, next) => {
        res.set("Date", new Date(Date.now()).toUTCString());
        next();
      }),
    ...options,
    settings: { SESSION_IDLE_SECONDS: idleMinutes * 60, ...options.settings },
  });
  const { page, context } = await open(t, { reducedMotion: "reduce" });
  await context.clock.install();
  const pass = async (minutes: number) => {
    ahead(minutes * minute);
    await context.clock.fastForward(minutes * minute);
  };
  return { site, page, context, pass };
}

async function requestAs({ url }: Site, context: BrowserContext, path: string) {
  const browser = new Browser(url);
  for (const { name, value } of await context.cookies(url)) browser.cookies.set(name, value);
  return browser.get(path, script);
}

async function isSignedIn(site: Site, context: BrowserContext): Promise<boolean> {
  return (await requestAs(site, context, "/api/session?touch=false")).status === 200;
}

/** Soon, and not only when it asks again after five minutes, the tab shows nothing of the user, and Back brings nothing either. */
async function assertBlank(page: Page, returnTo: string): Promise<void> {
  await page.waitForURL(/\/signed-out\?/);
  await assertHeading(page, signedOut);
  assert.equal(new URL(page.url()).searchParams.get("returnTo"), returnTo);
  assert.doesNotMatch(await page.content(), /sandy/i);
}

test("HT-7 a sign-out in one tab blanks all others within seconds, and a sign-in brings them back to where they were", {
  skip,
}, async (t) => {
  const { url } = await openSite(t, { routes: myContent });
  const { page, context } = await open(t);
  await signInAs(page, url, name);
  const tabs = [await context.newPage(), await context.newPage()] as const;
  const paths = ["/content?page=1", "/sign-ins"] as const;
  for (const [index, tab] of tabs.entries()) {
    await tab.goto(url + paths[index]);
    await tab.locator(".who", { hasText: name }).waitFor();
  }
  await page.getByRole("button", { name: "Sign out" }).click();
  for (const [index, tab] of tabs.entries()) await assertBlank(tab, String(paths[index]));
  await assertHeading(page, "Sign in with your ArcGIS account");
  await tabs[0].goBack().catch(() => {});
  assert.doesNotMatch(await tabs[0].content(), /sandy/i, "the page is not in the history anymore");
  await tabs[0].goForward().catch(() => {});

  await tabs[1].getByRole("link", { name: "Sign in again" }).click();
  await choose(tabs[1], name);
  await tabs[1].waitForURL(url + paths[1]);
  await tabs[0].waitForURL(url + paths[0]);
  await tabs[0].locator(".who", { hasText: name }).waitFor();

  // Another user: what was there before is not theirs.
  await page.goto(`${url}/sign-in?force_login=true`);
  await choose(page, "Vik Rao");
  await page.waitForURL(`${url}/`);
  for (const tab of tabs) await tab.locator(".who", { hasText: "Vik Rao" }).waitFor();
});

test("a page warns two minutes before the idle end, keeps a user who says so, and ends as signed out without them", {
  skip,
}, async (t) => {
  const { site, page, context, pass } = await openTimed(t);
  const requests: string[] = [];
  context.on("request", (request: Request) => {
    if (request.url().includes("/api/session")) requests.push(new URL(request.url()).search);
  });
  await signInAs(page, site.url, name);
  const tab = await context.newPage();
  await tab.goto(`${site.url}/sign-ins`);
  const warning = tab.locator("#session-warning");
  await pass(12.9);
  assert.ok(await warning.isHidden());
  await pass(0.3);
  await warning.waitFor();
  assert.match(await warning.innerText(), /Are you still there\? You will be signed out at \d\d:\d\d\./);
  await assertAccessible(tab, "warning");
  assert.ok(requests.length < 12, `burden: ${requests}`);

  // An assistive technology's click: there is no pointer and no key.
  await warning
    .getByRole("button", { name: "Stay signed in" })
    .evaluate((button) => (button as HTMLElement).click());
  await warning.waitFor({ state: "hidden" });
  await pass(14);
  await warning.waitFor();
  assert.ok(await isSignedIn(site, context));
  await tab.keyboard.press("Shift");
  await warning.waitFor({ state: "hidden" });

  // What is done within a minute of that is told together, and none of it is lost.
  const isTold = tab.waitForResponse(/touch=true/);
  for (let count = 0; count < 5; count++) await tab.keyboard.press("Shift");
  await pass(1.1);
  await isTold;
  await pass(14.5);
  assert.ok(await isSignedIn(site, context));
  await tab.evaluate(() => dispatchEvent(new Event("focus")));
  await warning.waitFor();

  await pass(1.5);
  await assertBlank(tab, "/sign-ins");
  await assertBlank(page, "/");
  await assertAccessible(tab, "signed out");
  assert.equal(await isSignedIn(site, context), false);
  await tab.getByRole("link", { name: "Sign in again" }).click();
  await choose(tab, name);
  await tab.waitForURL(`${site.url}/sign-ins`);
});

test("at the absolute end the warning offers nothing; and a session that was ended elsewhere is noticed at the next look", {
  skip,
}, async (t) => {
  const { site, page, context, pass } = await openTimed(t, {
    settings: { SESSION_MAX_SECONDS: idleMinutes * 60 },
  });
  await signInAs(page, site.url, name);
  const warning = page.locator("#session-warning");
  await page.locator(".who", { hasText: name }).waitFor();
  await pass(13.5);
  await warning.waitFor();
  assert.match(await warning.innerText(), /Your sign-in ends soon\. After \d\d:\d\d, sign in again/);
  assert.equal(await warning.getByRole("button").count(), 0);
  await assertAccessible(page, "last warning");
  await pass(2);
  await assertBlank(page, "/");

  await page.getByRole("link", { name: "Sign in again" }).click();
  await choose(page, name);
  await page.waitForURL(`${site.url}/`);
  await page.locator(".who", { hasText: name }).waitFor();
  await site.store.take(await sessionOf(context));
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await assertBlank(page, "/");
});

test("a page that cannot ask whether the session has ended shows nothing after its end, and goes on if it has not", {
  skip,
}, async (t) => {
  const { site, page, context, pass } = await openTimed(t);
  await signInAs(page, site.url, name);
  await page.locator(".who", { hasText: name }).waitFor();
  await context.setOffline(true);
  await pass(10);
  assert.ok(await page.locator("h1").isVisible());
  // The user is at work where there is a network.
  await requestAs(site, context, "/");
  await pass(6);
  await page.locator("h1").waitFor({ state: "hidden" });
  await context.setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await page.locator("h1").waitFor();
});

test("a tab at work keeps the others; a mouse that only moves, and a wrong clock do no harm", {
  skip,
}, async (t) => {
  const { site, page, context, pass } = await openTimed(t, { settings: { SESSION_MAX_SECONDS: 34_560_000 } });
  await signInAs(page, site.url, name);
  const tab = await context.newPage();
  await tab.goto(`${site.url}/sign-ins`);
  for (let count = 0; count < 4; count++) {
    const isTold = tab.waitForResponse(/touch=true/);
    await tab.keyboard.press("Shift");
    await pass(9);
    await isTold;
  }
  assert.equal(await page.locator("#session-warning").isVisible(), false);
  assert.equal(await page.locator(".who").innerText(), name);

  // Chromium and others send such events under a mouse that lies still.
  for (let count = 0; count < 20; count++) await tab.mouse.move(10 + count, 10);
  await pass(2);
  assert.ok(await isSignedIn(site, context));
  await pass(14);
  await assertBlank(tab, "/sign-ins");
  await page.close();

  // A clock that is two hours ahead, and later behind. setTimeout cannot wait for more than 24.8 days.
  for (const hours of [2, -2]) {
    await tab.clock.setSystemTime(Date.now() + hours * 60 * minute);
    await signInAs(tab, site.url, name);
    await tab.locator(".who", { hasText: name }).waitFor();
    assert.ok(await tab.locator("#session-warning").isHidden());
  }
});

test("a long session in a hidden page is not asked for again and again, because setTimeout cannot wait so long", {
  skip,
}, async (t) => {
  const site = await openSite(t, {
    settings: {
      SESSION_IDLE_SECONDS: 34_560_000,
      SESSION_MAX_SECONDS: 34_560_000,
      TOKEN_EXPIRATION_MINUTES: 129_600,
    },
  });
  const { page } = await open(t);
  await page.addInitScript(() => Object.defineProperty(document, "hidden", { get: () => true }));
  let requests = 0;
  page.on("request", (request: Request) => {
    if (request.url().includes("/api/session")) requests += 1;
  });
  await signInAs(page, site.url, name);
  await page.waitForTimeout(2_500);
  assert.equal(requests, 1);
});

test("HT-7 a map is hidden by a sign-out in another tab", {
  skip,
}, async (t) => {
  const site = await openMapSite(t);
  const { page, context } = await open(t);
  await signInAs(page, site.url, name, "/map");
  await page.locator('#layers [data-state="shown"] >> nth=1').waitFor();
  const tab = await context.newPage();
  await tab.goto(site.url);
  await tab.getByRole("button", { name: "Sign out" }).click();
  await page.locator("#session-ended").waitFor();
  assert.equal(await page.locator("#map, #layers, .who").filter({ visible: true }).count(), 0);
});

test("HT-7 below a path, with several portals, each page follows the session of its own portal", {
  skip,
}, async (t) => {
  const county = await startSandbox({ clients: [] });
  t.after(() => county.close());
  const portals = [{ id: "county", title: "County GIS", url: county.url, clientId: "county-app" }];
  const { url } = await openSite(t, { mount: "/gis", settings: { PORTALS: portals } });
  const redirectUris = [`${url}/gis/portals/county/authenticate`];
  county.clients.push({ clientId: "county-app", redirectUris, title: "App" });
  const { page, context } = await open(t);
  const enter = async (page: Page, base: string, name: string) => {
    await page.goto(`${url}${base}/sign-in?returnTo=${base}/`);
    await choose(page, name);
    await page.waitForURL(`${url}${base}/`);
  };
  await enter(page, "/gis", name);
  const tab = await context.newPage();
  await enter(tab, "/gis/portals/county", "Vik Rao");
  await page.getByText("Signed in as Vik Rao").waitFor();
  await tab.goto(`${url}/gis/portals/county/sign-ins`);

  // Signed out of the county from the start page of the other portal; the third tab shows that one, too.
  const third = await context.newPage();
  await third.goto(`${url}/gis/`);
  await third.getByText("Signed in as Vik Rao").waitFor();
  await page.getByRole("button", { name: "Sign out of County GIS" }).click();
  await tab.waitForURL(`${url}/gis/portals/county/signed-out?**`);
  assert.equal(new URL(tab.url()).searchParams.get("returnTo"), "/gis/portals/county/sign-ins");
  await third.getByText("Signed in as Vik Rao").waitFor({ state: "detached" });
  assert.equal(await third.locator(".who").innerText(), name);
  await tab.getByRole("link", { name: "Sign in again" }).click();
  await choose(tab, "Pia Marlow");
  await tab.waitForURL(`${url}/gis/portals/county/sign-ins`);
});

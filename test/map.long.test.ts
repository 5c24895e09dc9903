import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BrowserContext, Page, Response } from "playwright-core";
import { assertAccessible } from "./support/axe.ts";
import { choose, sessionOf, startChromium } from "./support/chromium.ts";
import { countsFor, openMapSite } from "./support/map-site.ts";
import type { Site } from "./support/site.ts";

const { skip, open } = await startChromium();

/** Enough for a map, and few requests for each of its views; and none of the pictures between two views. */
const small = { viewport: { width: 800, height: 420 }, reducedMotion: "reduce" } as const;

/** What the page draws: areas and points. */
async function drawn(page: Page): Promise<[areas: number, points: number]> {
  return [await page.locator("path.leaflet-interactive").count(), await page.locator("#map .symbol").count()];
}

/** Waits until each layer is in one of these states. */
async function settled(page: Page, ...states: string[]): Promise<void> {
  for (const [index, state] of states.entries()) {
    await page.locator(`#layers .layer:nth-child(${index + 1})[data-state="${state}"]`).waitFor();
  }
}

/** Goes somewhere else on the map, as a bookmark does: the browser has not seen these features yet. */
async function go(page: Page, hash: string): Promise<void> {
  const asked = page.waitForRequest(/\/query\?/);
  await page.evaluate((hash) => {
    location.hash = hash;
  }, hash);
  await asked;
}

/** Ends the session of this browser on the server. */
async function endSession({ store }: Site, context: BrowserContext): Promise<void> {
  await store.take(await sessionOf(context));
}

describe("the map", { skip }, () => {
  test("OU-1 HT-2 TK-7 one sign-in, every feature drawn, tokens that live a minute refreshed unseen, and none of them in the browser", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const site = await openMapSite(t);
    const { sandbox } = site;
    sandbox.settings.accessTokenSeconds = 60;
    const { page, context } = await open(t, small);
    const secrets = new Set<string>();
    const collect = async () => {
      const identity = (await site.store.read(await sessionOf(context)))?.arcgis;
      for (const token of [identity?.token, identity?.refreshToken, ...sandbox.serverTokens.keys()]) {
        if (token) secrets.add(token);
      }
    };
    const traffic: Promise<string>[] = [];
    const responses: Response[] = [];
    context.on("response", (response) => {
      responses.push(response);
      traffic.push(allOf(response));
    });
    await page.addInitScript(noteFirstFeature);

    await page.goto(`${site.url}/map`);
    await choose(page, "Sandy Boxwell");
    await page.waitForURL(`${site.url}/map**`);
    await settled(page, "shown", "shown");
    assert.deepEqual(await drawn(page), await countsFor(site, "sandy_admin"));
    const signIns = sandbox.log.filter(
      ({ endpoint, headers }) => endpoint === "authorize" && /Chrom/.test(String(headers["user-agent"])),
    );
    assert.deepEqual(
      signIns.map(({ method }) => method),
      ["GET", "POST"],
      "one sign-in, and no other prompt",
    );
    const first = await page.evaluate(() => (globalThis as unknown as { firstFeature: number }).firstFeature);
    t.diagnostic(`first feature drawn after ${Math.round(first)} ms`);

    const refreshes = () => sandbox.log.filter(({ params }) => params.grant_type === "refresh_token").length;
    const before = refreshes();
    await collect();
    const pan = async (step: number) => {
      await go(page, `#${12 + (step % 4)}/${50.71 + step / 800}/${7.08 + step / 400}`);
      await settled(page, "shown", "shown");
      await collect();
    };
    for (let minute = 1; minute <= 10; minute++) {
      t.mock.timers.tick(60_000);
      await pan(minute * 2);
      if (minute % 2 === 0) continue;
      // The server forgets its tokens before their time: the proxy cannot know, and is told 498.
      for (const token of sandbox.serverTokens.values()) token.expires = Date.now();
      await pan(minute * 2 + 1);
    }
    assert.ok(refreshes() - before >= 9, `refreshed ${refreshes() - before} times`);
    const proxied = responses.filter((response) => response.url().startsWith(`${site.url}/proxy?`));
    assert.ok(proxied.length > 20, `${proxied.length} requests`);
    assert.deepEqual([...new Set(proxied.map((response) => response.status()))], [200]);

    const seen = (await Promise.all(traffic)).join("\n");
    assert.doesNotMatch(seen, /"code":\s*49[89]/);
    assert.ok(seen.includes("Adenauerallee"), "the responses were read");
    assert.ok(secrets.size > 20, `${secrets.size} tokens`);
    for (const secret of secrets) assert.ok(!seen.includes(secret), "a token was in the browser");

    const policies = responses
      .filter(
        (response) =>
          [`${site.url}/map`, `${site.url}/`].includes(response.url()) && response.status() === 200,
      )
      .map((response) => response.headers()["content-security-policy"]);
    const { headers } = await site.browser().get("/");
    assert.deepEqual(policies, [headers["content-security-policy"]], "the map needs no exception");
  });

  test("users without the group see another map and are told so; it works with the keyboard, and passes axe in all colors and sizes", async (t) => {
    const site = await openMapSite(t);
    const { page, context } = await open(t, small);
    await page.goto(`${site.url}/map`);
    await choose(page, "Vik Rao");
    await settled(page, "shown", "forbidden");
    const [districts, forbidden] = await countsFor(site, "vik_viewer");
    assert.deepEqual([await drawn(page), forbidden], [[districts, 0], 403]);
    const told = await page.locator(".layer").nth(1).innerText();
    assert.match(
      told,
      /^Street Trees\n+You don't have permission to see this layer: it is shared with others/,
    );

    // The list is some tabs away from the map; Enter opens what is chosen there, and Escape goes back to it.
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent,
      );
    await page.locator("#map").focus();
    for (let tabs = 0; tabs < 40 && !/^Kessenich/.test(String(await focused())); tabs++) {
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    const popup = page.locator(".leaflet-popup .popup");
    assert.equal(await focused(), "Kessenich");
    const text = (await popup.innerText()).replace(/\s+/g, " ");
    assert.match(text, /^Kessenich District Bonn Residents 13,150 .* Counted on 31 December 2023$/);
    await page.keyboard.press("Escape");
    await popup.waitFor({ state: "detached" });
    assert.match(String(await focused()), /^Kessenich/);
    await page.keyboard.press("Enter");
    await popup.waitFor();

    await endSession(site, context);
    await go(page, "#13/50.71200/7.10500");
    await page.locator("#session-ended", { hasText: "Your sign-in has ended." }).waitFor();
    await assertAccessible(
      page,
      "the map with a popup and a layer that is not to be seen, after the session",
    );
  });

  test("the session ends: the page says so, a sign-in in a small window brings it back, and it goes on where it was", async (t) => {
    const site = await openMapSite(t);
    const { page, context } = await open(t, small);
    await page.goto(`${site.url}/map`);
    await choose(page, "Sandy Boxwell");
    await settled(page, "shown", "shown");
    const all = await drawn(page);

    // The extent is in the address: a reload comes back to it.
    await go(page, "#15/50.73200/7.09500");
    await page.reload();
    await settled(page, "shown", "shown");
    assert.equal(new URL(page.url()).hash, "#15/50.73200/7.09500");
    const [, near] = await drawn(page);
    assert.ok(near > 0 && near < all[1], `${near} trees at hand`);
    await page.getByRole("button", { name: "Show all" }).click();
    await page.locator("#summary", { hasText: `${all[0] + all[1]} features in view` }).waitFor();

    await endSession(site, context);
    await go(page, "#10.5/50.72700/7.11000");
    const banner = page.locator("#session-ended");
    await banner.waitFor();
    await page.locator('#layers .layer[data-state="waiting"] >> nth=1').waitFor({ state: "attached" });
    assert.equal(await page.locator("#map, #layers, .who").filter({ visible: true }).count(), 0);
    const isSame = await page.evaluate(() => {
      Object.assign(globalThis, { isSame: true });
      return true;
    });
    assert.ok(isSame, "marked");

    const opening = context.waitForEvent("page");
    await banner.getByRole("button", { name: "Sign in again" }).click();
    const window = await opening;
    const closing = window.waitForEvent("close");
    await choose(window, "Sandy Boxwell");
    await closing;
    await banner.waitFor({ state: "hidden" });
    await settled(page, "shown", "shown");
    await page.locator("#summary", { hasText: `${all[0] + all[1]} features in view` }).waitFor();
    assert.deepEqual(await drawn(page), all, "it goes on where it was");
    assert.equal(new URL(page.url()).hash, "#10.5/50.72700/7.11000");
    assert.ok(await page.evaluate(() => "isSame" in globalThis), "the page was not loaded again");

    // Another user has another map: then the page is loaded again.
    await endSession(site, context);
    await go(page, "#14/50.73000/7.10500");
    const second = context.waitForEvent("page");
    await banner.getByRole("button", { name: "Sign in again" }).click();
    await choose(await second, "Vik Rao");
    await settled(page, "shown", "forbidden");
    assert.equal(await page.locator(".who").textContent(), "Vik Rao");

    // Where no such window is allowed, this one goes, and comes back to the same place.
    await endSession(site, context);
    await page.evaluate(() => Object.assign(globalThis, { open: () => null }));
    await go(page, "#15/50.73500/7.12500");
    await banner.getByRole("button", { name: "Sign in again" }).click();
    await choose(page, "Sandy Boxwell");
    await settled(page, "shown", "shown");
    assert.equal(page.url(), `${site.url}/map#15/50.73500/7.12500`);
  });

  test("PX-4 OU-2 what a broken or hostile service responds is an error with a second try, or text, and never markup", async (t) => {
    const site = await openMapSite(t, {
      settings: { MAP_TILES: "http://127.0.0.1:9/{z}/{x}/{y}.png <b>Example</b>" },
    });
    const { page, problems } = await open(t, { ...small, reducedMotion: "no-preference" });
    site.sandbox.faults.set("layer", { kind: "html", times: 1 });
    site.sandbox.faults.set("query", { kind: "html" });
    await page.goto(`${site.url}/map`);
    await choose(page, "Sandy Boxwell");
    await page.locator('.layer[data-state="failed"]').waitFor();
    await page.locator('.layer[data-state="partly"]').waitFor();
    site.sandbox.faults.clear();
    for (const state of ["failed", "partly"]) {
      await page.locator(`.layer[data-state="${state}"]`).getByRole("button", { name: "Try again" }).click();
    }
    await settled(page, "shown", "shown");
    assert.deepEqual(await drawn(page), await countsFor(site, "sandy_admin"));
    assert.match(await page.locator(".leaflet-control-attribution").innerText(), /<b>Example<\/b>/);

    const markup = '<img src="x" onerror="alert(1)">';
    const layer = {
      name: markup,
      copyrightText: markup,
      displayField: "NAME",
      objectIdField: "OBJECTID",
      geometryType: "esriGeometryPoint",
      extent: { xmin: 7, ymin: 50, xmax: 7.2, ymax: 50.8, spatialReference: { wkid: 4326 } },
      fields: [
        { name: "NAME", alias: markup, type: "esriFieldTypeString" },
        { name: "NOTE", alias: markup, type: "esriFieldTypeString" },
        { name: "YEAR", alias: "Year", type: "esriFieldTypeInteger" },
      ],
      drawingInfo: {
        renderer: {
          type: "uniqueValue",
          field1: "constructor",
          uniqueValueInfos: [
            {
              value: "x",
              label: markup,
              symbol: { type: "esriPMS", contentType: "image/svg+xml", imageData: "PHN2Zz4=" },
            },
          ],
        },
      },
    };
    const attributes = { OBJECTID: 1, NAME: markup, NOTE: markup, YEAR: 1998 };
    const features = [{ attributes, geometry: { x: 7.1, y: 50.7 } }];
    site.sandbox.faults.set("layer", { kind: "body", body: JSON.stringify(layer) });
    site.sandbox.faults.set("query", {
      kind: "body",
      body: JSON.stringify({ objectIdFieldName: "OBJECTID", features }),
    });
    await page.goto(`${site.url}/map?again#12/50.7/7.1`);
    await settled(page, "shown", "shown");
    await page.locator("#in-view button").first().click();
    const popup = page.locator(".leaflet-popup .popup");
    await popup.waitFor();
    assert.equal((await popup.innerText()).split(markup).length, 4, "title, name and value of a field");
    assert.match(await popup.innerText(), /Year\n1998$/, "a year is no number of things");
    for (const place of ["h2", ".legend", "h3", ".leaflet-control-attribution"]) {
      assert.match(await page.locator(place).first().innerText(), /<img src="x"/, place);
    }
    assert.equal(await page.locator('img[src="x"]').count(), 0);
    assert.deepEqual(problems, [], "not even the policy had to stop anything");
  });
});

/** Everything of an exchange that a script, an extension or a log of the browser could see. */
async function allOf(response: Response): Promise<string> {
  const request = response.request();
  const headers = [await request.allHeaders(), await response.allHeaders()].map((each) =>
    JSON.stringify(each),
  );
  // A redirect has no body, and that of a page may be gone with the page.
  const body = request.url().includes("/assets/") ? "" : await response.text().catch(() => "");
  return [request.url(), request.postData() ?? "", ...headers, body].join("\n");
}

/** Runs in the page: notes when the first feature is there, in ms after the navigation. */
function noteFirstFeature(): void {
  new MutationObserver((_, observer) => {
    if (!document.querySelector("path.leaflet-interactive, #map .symbol")) return;
    Object.assign(globalThis, { firstFeature: performance.now() });
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
}

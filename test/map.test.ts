import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { BrowserContext, Page, Response } from "playwright-core";
import { startSandbox } from "#src/sandbox/portal.ts";
import { assertAccessible } from "./support/axe.ts";
import { click } from "./support/browser.ts";
import { choose, startChromium } from "./support/chromium.ts";
import { script } from "./support/proxy.ts";
import { openSite, type Site, type SiteOptions, signIn } from "./support/site.ts";

const { skip, open } = await startChromium();

/** A site whose map shows the two layers of the sandbox: districts for the organisation, trees for a group. */
async function openMapSite(t: Pick<TestContext, "after">, options: SiteOptions = {}): Promise<Site> {
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [] }] });
  t.after(() => sandbox.close());
  const settings = {
    MAP_LAYERS: sandbox.layers,
    PROXY_ALLOW: `${sandbox.origin}/arcgis/rest/`,
    ...options.settings,
  };
  return openSite(t, { ...options, sandbox, settings });
}

/** How many features each of the layers has for somebody, as the service counts them; 403 for what they may not see. */
async function countsFor(site: Site, username: string): Promise<number[]> {
  const browser = site.browser();
  await signIn(browser, username);
  const queries = site.sandbox.layers.map(
    (url) => `/proxy?${url}/query?where=1%3D1&returnCountOnly=true&f=json`,
  );
  const answers = await Promise.all(queries.map((query) => browser.get(query, script)));
  return answers.map(({ json }) => {
    const { count, error } = json() as { count?: number; error?: { code: number } };
    return count ?? error?.code ?? assert.fail("no count");
  });
}

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
  await store.destroy((await sessionOf(context)) ?? assert.fail("no session"));
}

async function sessionOf(context: BrowserContext): Promise<string | undefined> {
  const cookie = (await context.cookies()).find(({ name }) => name === "arcgis.sid");
  return /^s:([^.]+)\./.exec(decodeURIComponent(cookie?.value ?? ""))?.[1];
}

describe("the map", { skip }, () => {
  test("OU-1 HT-2 TK-7 one sign-in, every feature drawn, tokens that live a minute renewed unseen, and none of them in the browser", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const site = await openMapSite(t);
    const { sandbox } = site;
    sandbox.settings.accessTokenSeconds = 60;
    const { page, context } = await open(t);
    const secrets = new Set<string>();
    const collect = async () => {
      const identity = (await site.store.read((await sessionOf(context)) ?? ""))?.identity;
      for (const token of [identity?.token, identity?.refreshToken, ...sandbox.serverTokens.keys()]) {
        if (token) secrets.add(token);
      }
    };
    const traffic: Promise<string>[] = [];
    const answers: Response[] = [];
    context.on("response", (response) => {
      answers.push(response);
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

    const renewals = () => sandbox.log.filter(({ params }) => params.grant_type === "refresh_token").length;
    const before = renewals();
    await collect();
    for (let minute = 1; minute <= 10; minute++) {
      t.mock.timers.tick(60_000);
      // In every other minute the server forgets its tokens before their time, and the proxy cannot know.
      if (minute % 2 === 0) for (const token of sandbox.serverTokens.values()) token.expires = Date.now();
      await go(page, `#${12 + (minute % 4)}/${50.71 + minute / 400}/${7.08 + minute / 200}`);
      await settled(page, "shown", "shown");
      await collect();
    }
    assert.ok(renewals() - before >= 9, `renewed ${renewals() - before} times`);
    const proxied = answers.filter((answer) => answer.url().startsWith(`${site.url}/proxy?`));
    assert.ok(proxied.length > 20, `${proxied.length} requests`);
    assert.deepEqual([...new Set(proxied.map((answer) => answer.status()))], [200]);

    const seen = (await Promise.all(traffic)).join("\n");
    assert.doesNotMatch(seen, /"code":\s*49[89]/);
    assert.ok(seen.includes("Adenauerallee"), "the answers were read");
    assert.ok(secrets.size > 20, `${secrets.size} tokens`);
    for (const secret of secrets) assert.ok(!seen.includes(secret), "a token was in the browser");

    const policies = answers
      .filter(
        (answer) => [`${site.url}/map`, `${site.url}/`].includes(answer.url()) && answer.status() === 200,
      )
      .map((answer) => answer.headers()["content-security-policy"]);
    const { headers } = await site.browser().get("/");
    assert.deepEqual(policies, [headers["content-security-policy"]], "the map needs no exception");
  });

  test("people see different maps, and are told what they do not see; both pass axe in all colours and sizes, and with the keyboard", async (t) => {
    const site = await openMapSite(t);
    const vik = await open(t, { reducedMotion: "reduce" });
    await vik.page.goto(`${site.url}/map`);
    await choose(vik.page, "Vik Rao");
    await settled(vik.page, "shown", "forbidden");
    const [districts, forbidden] = await countsFor(site, "vik_viewer");
    assert.deepEqual([await drawn(vik.page), forbidden], [[districts, 0], 403]);
    const told = await vik.page.locator(".layer").nth(1).innerText();
    assert.match(told, /^Street Trees\n+You may not see this layer: it is shared with others/);
    await endSession(site, vik.context);
    await vik.page.locator("#map").focus();
    await vik.page.keyboard.press("ArrowUp");
    await vik.page.keyboard.press("+");
    await vik.page.locator("#session-ended", { hasText: "Your sign-in has ended." }).waitFor();
    await assertAccessible(vik.page, "the map of a person who has no part in a layer, after the session");
    await vik.context.close();

    const { page } = await open(t, { reducedMotion: "reduce" });
    await page.goto(`${site.url}/map`);
    await choose(page, "Pia Marlow");
    await settled(page, "shown", "shown");
    // From the map itself the list is some tabs away; Enter opens what is chosen, Escape goes back to it.
    await page.locator("#map").focus();
    const name = "Maple 2, Hausdorffstraße";
    for (let tabs = 0; tabs < 100; tabs++) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(() => document.activeElement?.textContent ?? "")).startsWith(name)) break;
    }
    await page.keyboard.press("Enter");
    const popup = page.locator(".leaflet-popup .popup");
    await popup.waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    assert.equal(await focused(), name);
    assert.match(
      await popup.innerText(),
      /Condition\n(?:Healthy|To be \w+|Dangerous)\n/,
      "the words of the domain",
    );
    assert.match(await popup.innerText(), /Last inspected\n\d+ \w+ 2024/, "a date");
    assert.match(await popup.innerText(), /Planted in\n(?:19|20)\d\d\n/, "a year is no number of things");
    await assertAccessible(page, "the map with a popup");
    await page.keyboard.press("Escape");
    await popup.waitFor({ state: "detached" });
    assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ""), /^Maple 2/);
  });

  test("the session ends: the page says so, a sign-in in a small window brings it back, and it goes on where it was", async (t) => {
    const site = await openMapSite(t);
    const { page, context } = await open(t);
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

    await endSession(site, context);
    await go(page, "#12/50.72700/7.11000");
    const banner = page.locator("#session-ended");
    await banner.waitFor();
    await settled(page, "waiting", "waiting");
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
    assert.equal(new URL(page.url()).hash, "#12/50.72700/7.11000");
    assert.ok(await page.evaluate(() => "isSame" in globalThis), "the page was not loaded anew");

    // Somebody else has another map: then the page is loaded anew.
    await endSession(site, context);
    await go(page, "#14/50.73000/7.10500");
    const second = context.waitForEvent("page");
    await banner.getByRole("button", { name: "Sign in again" }).click();
    await choose(await second, "Vik Rao");
    await settled(page, "shown", "forbidden");
    assert.equal(await page.locator(".who").textContent(), "Vik Rao");
  });

  test("PX-4 OU-2 what a broken or hostile service answers is an error with a second try, or text, and never markup", async (t) => {
    const site = await openMapSite(t, {
      settings: { MAP_TILES: "http://127.0.0.1:9/{z}/{x}/{y}.png <b>Nobody</b>" },
    });
    const { page, problems } = await open(t);
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
    assert.match(await page.locator(".leaflet-control-attribution").innerText(), /<b>Nobody<\/b>/);

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
    const attributes = { OBJECTID: 1, NAME: markup, NOTE: markup };
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
    for (const place of ["h2", ".legend", "h3", ".leaflet-control-attribution"]) {
      assert.match(await page.locator(place).first().innerText(), /<img src="x"/, place);
    }
    assert.equal(await page.locator('img[src="x"]').count(), 0);
    assert.deepEqual(problems, [], "not even the policy had to stop anything");
  });
});

describe("the map page", () => {
  test("asks a stranger to sign in first, and lets them come back", async (t) => {
    const site = await openMapSite(t);
    const browser = site.browser();
    const { status, headers } = await browser.get("/map");
    assert.deepEqual([status, headers.location], [302, "/sign-in?returnTo=%2Fmap"]);
    assert.equal((await signIn(browser, "vik_viewer", headers.location)).headers.location, "/map");
    assert.match((await browser.get("/")).body, /<a class="button[^"]*" href="\/map">Open the map<\/a>/);
    assert.equal((await browser.send("/map", { method: "POST" })).status, 405);
  });

  test("takes less than 150 kB of scripts and styles, compressed, and all of it may be kept for ever", async (t) => {
    const site = await openMapSite(t);
    const browser = site.browser();
    await signIn(browser);
    const { body } = await browser.get("/map");
    const waiting = [...body.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css)\?[^"]+)"/g)].map(
      ([, url = ""]) => url,
    );
    const sizes = new Map<string, number>();
    for (const url of waiting) {
      if (sizes.has(url)) continue;
      const asset = await browser.get(url);
      assert.equal(asset.status, 200, url);
      assert.match(String(asset.headers["cache-control"]), /immutable/, url);
      sizes.set(url, gzipSync(asset.body).length);
      const imported = [...asset.body.matchAll(/ from "\.\/([\w-]+\.js\?v=\w+)"/g)];
      waiting.push(...imported.map(([, name]) => `/assets/${name}`));
    }
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    t.diagnostic(`${sizes.size} files, ${(total / 1024).toFixed(1)} kB`);
    assert.ok(sizes.size > 10, "the modules were followed");
    assert.ok(total < 150 * 1024, [...sizes].join("\n"));
  });

  test("HT-2 lets pictures come from the origin of MAP_TILES, on this page alone, and names its openers as pop-ups", async (t) => {
    const site = await openMapSite(t, {
      settings: { MAP_TILES: "https://tiles.example.com/{z}/{x}/{y}.png?key=1 © Nobody" },
    });
    const browser = site.browser();
    await signIn(browser);
    const policyOf = async (path: string) => {
      const { headers } = await browser.get(path);
      return [headers["content-security-policy"], headers["cross-origin-opener-policy"]];
    };
    const [usual, apart] = await policyOf("/");
    const [policy, opener] = await policyOf("/map");
    assert.equal(
      policy,
      String(usual).replace("img-src 'self' data:", "img-src 'self' https://tiles.example.com data:"),
    );
    assert.deepEqual([apart, opener], ["same-origin", "same-origin-allow-popups"]);
    assert.doesNotMatch(String(usual), /tiles/);
  });

  test("says what to configure when there are no layers, and nothing links to it", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser);
    assert.doesNotMatch((await browser.get("/")).body, /href="\/map"/);
    const { status, body } = await browser.get("/map");
    assert.equal(status, 200);
    assert.match(body, /<h1>There is no map yet<\/h1>/);
    assert.match(body, /MAP_LAYERS/);
    assert.doesNotMatch(body, /leaflet/);
  });

  test("works under the path of another app", async (t) => {
    const site = await openMapSite(t, { mount: "/gis" });
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/gis/sign-in");
    const { body } = await browser.get("/gis/map");
    assert.match(body, /src="\/gis\/assets\/map\.js\?v=\w+"/);
    assert.match(body, /data-settings="\{&#34;base&#34;:&#34;\/gis&#34;/);
  });
});

describe("a sign-in in a small window", () => {
  test("RD-1 ends on a page that tells its opener and closes, wherever returnTo leads, and keeps the opener on the way", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    const start = await browser.get("/sign-in?popup=1&returnTo=/content", click);
    assert.equal(start.headers["cross-origin-opener-policy"], "unsafe-none");
    const back = await signIn(browser, "sandy_admin", "/sign-in?popup=1&returnTo=/content");
    assert.deepEqual(
      [back.status, back.headers.location, back.headers["cross-origin-opener-policy"]],
      [303, "/signed-in", "unsafe-none"],
    );
    const done = await browser.get("/signed-in");
    assert.match(done.body, /<h1>You are signed in<\/h1>/);
    assert.match(done.body, /\/assets\/signed-in\.js\?v=/);
    assert.equal(done.headers["cross-origin-opener-policy"], "unsafe-none");

    const usual = await signIn(browser, "sandy_admin", "/sign-in?returnTo=/signed-in");
    assert.deepEqual(
      [usual.headers.location, usual.headers["cross-origin-opener-policy"]],
      ["/", "same-origin"],
    );
  });
});

/** Everything of an exchange that a script, an extension or a log of the browser could see. */
async function allOf(response: Response): Promise<string> {
  const request = response.request();
  const headers = [await request.allHeaders(), await response.allHeaders()].map((each) =>
    JSON.stringify(each),
  );
  // A redirect has no body, and that of a page may be gone with the page.
  const body = await response.text().catch(() => "");
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

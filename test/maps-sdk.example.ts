import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Page, Response } from "playwright-core";
import type { AppOptions } from "#src/app/create-app.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { assertAccessible } from "./support/axe.ts";
import { choose, sessionOf, startChromium } from "./support/chromium.ts";
import { countsFor } from "./support/map-site.ts";
import { folder, openSite, type Site } from "./support/site.ts";

// `npm run test:maps-sdk`: the example with the real Maps SDK, which is no part of the main installation.

const {
  isBuilt,
  mapsSdk,
}: {
  isBuilt(): boolean;
  mapsSdk(settings: { portal: string; layers: string[] }): NonNullable<AppOptions["routes"]>;
} = await import(pathToFileURL(join(import.meta.dirname, "../examples/maps-sdk/routes.js")).href);

assert.ok(isBuilt(), "in examples/maps-sdk run: npm ci, then npm run build");
const { skip, open } = await startChromium();

async function openExample(t: TestContext): Promise<Site> {
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [] }] });
  t.after(() => sandbox.close());
  return openSite(t, {
    sandbox,
    settings: { TOKEN_HANDOVER: true, PROXY_ALLOW: `${sandbox.origin}/arcgis/rest/` },
    routes: mapsSdk({ portal: sandbox.url, layers: sandbox.layers }),
  });
}

const example = join(import.meta.dirname, "../examples/maps-sdk");

/** The policy that docs/in-front-of.md has for such an app; with other origins, which the page requests itself. */
function policyFor(origins: string[]): string {
  const page = readFileSync(join(example, "../../docs/in-front-of.md"), "utf8");
  const policy = /"SITE_CSP": "(.*)"/.exec(page)?.[1] ?? assert.fail("the page has a policy");
  return policy.replace(
    /(?<=(?:img|connect)-src[^;]*)(?=;)/g,
    origins.map((origin) => ` ${origin}`).join(""),
  );
}

/** The same pages as nothing but files in SITE_DIR, with the one through the proxy at /. */
async function openFolder(t: TestContext, path: string): Promise<Site> {
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [] }] });
  t.after(() => sandbox.close());
  const SITE_DIR = folder(t);
  cpSync(join(example, "dist"), join(SITE_DIR, "maps-sdk/dist"), { recursive: true });
  const assets = join(SITE_DIR, "maps-sdk/assets");
  cpSync(join(example, "node_modules/@arcgis/core/assets"), assets, { recursive: true });
  cpSync(join(example, "dist/proxy.html"), join(SITE_DIR, "index.html"));
  cpSync(join(example, "dist/hand-over.html"), join(SITE_DIR, "hand-over.html"));
  const settings = { portal: sandbox.url, layers: sandbox.layers };
  writeFileSync(join(SITE_DIR, "maps-sdk/settings.json"), JSON.stringify(settings));
  return openSite(t, {
    sandbox,
    settings: {
      ...{ SITE_DIR, PROXY_ALLOW: `${sandbox.origin}/arcgis/rest/` },
      ...(path === "/"
        ? { SITE_CSP: policyFor([]) }
        : { SITE_CSP: policyFor([sandbox.origin]), TOKEN_HANDOVER: true }),
    },
  });
}

/** What the page says of its layers, when all of them have come to rest: a number of features, or the refusal. */
async function shown(page: Page): Promise<string[]> {
  await page.waitForFunction(
    () => {
      const items = [...document.querySelectorAll<HTMLElement>("#layers li")];
      return items.length > 0 && items.every(({ dataset }) => Number(dataset.drawn) > 0 || dataset.refused);
    },
    undefined,
    { timeout: 120_000, polling: 200 },
  );
  return page
    .locator("#layers li")
    .evaluateAll((items) => items.map(({ dataset }) => dataset.drawn ?? `refused ${dataset.refused}`));
}

/** Takes the map to where features have not been asked for yet. */
async function drag(page: Page, right: number): Promise<void> {
  await page.mouse.move(640, 400);
  await page.mouse.down();
  await page.mouse.move(640 + right, 300, { steps: 6 });
  await page.mouse.up();
}

describe("the example with the Maps SDK", { skip }, () => {
  for (const [style, path, openPages, hasToken] of [
    ["with the token handed over", "/maps-sdk", openExample, true],
    ["through the proxy", "/maps-sdk/proxy", openExample, false],
    ["with the token handed over, as files of SITE_DIR", "/hand-over.html", openFolder, true],
    ["through the proxy, as files of SITE_DIR", "/", openFolder, false],
  ] as const) {
    test(`OU-1 ${style}: one sign-in, every feature drawn, no dialog, and no token where it need not be`, async (t) => {
      const site = await openPages(t, path);
      const { page, context } = await open(t);
      const responses: Response[] = [];
      page.on("response", (response) => responses.push(response));
      await page.goto(site.url + path);
      await choose(page, "Pia Marlow");
      assert.deepEqual(await shown(page), (await countsFor(site, "sandy_admin")).map(String));
      assert.equal(
        await page.locator("input, [role=dialog], arcgis-identity, .esri-identity-modal").count(),
        0,
      );
      assert.equal(new URL(page.url()).pathname, path);

      const session = await site.store.read(await sessionOf(context));
      const { token = "", refreshToken = "" } = session?.arcgis ?? {};
      assert.ok(token && refreshToken);
      const ours = responses.filter((response) => response.url().startsWith(site.url));
      const bodies = await Promise.all(
        ours
          .filter((response) => /json|html/.test(response.headers()["content-type"] ?? ""))
          .map((response) => response.text().catch(() => "")),
      );
      const everything = [...responses.map((response) => response.url()), ...bodies].join("\n");
      assert.ok(!everything.includes(refreshToken), "the refresh token");
      assert.equal(everything.includes(token), hasToken, "the access token");
      // Before its files are removed, of which it may still load some.
      await page.close();
    });
  }

  for (const [style, path] of [
    ["with the token handed over", "/maps-sdk"],
    ["through the proxy", "/maps-sdk/proxy"],
  ] as const) {
    test(`${style}: who is in no group sees the other layer only, and is told so; the page passes axe in all colors and sizes`, async (t) => {
      const site = await openExample(t);
      const { page } = await open(t);
      await page.goto(site.url + path);
      await choose(page, "Vik Rao");
      const [districts] = await countsFor(site, "sandy_admin");
      assert.deepEqual(await shown(page), [String(districts), "refused 403"]);
      await page.getByText("StreetTrees: not for you").waitFor();
      await assertAccessible(page, style);
    });

    test(`${style}: when the session is gone the page goes to the sign-in, and comes back to the same extent`, async (t) => {
      const site = await openExample(t);
      const { page, context } = await open(t);
      await page.goto(`${site.url}${path}`);
      await choose(page, "Pia Marlow");
      await shown(page);
      await page.goto(`${site.url}${path}?again#20000/50.73000/7.10000`);
      await shown(page);
      await site.store.take(await sessionOf(context));
      site.sandbox.expireAccessTokens();
      site.sandbox.serverTokens.clear();
      const left = page.waitForRequest(/\/sign-in\?returnTo=/, { timeout: 120_000 });
      await drag(page, -500);
      const here = new URL((await left).url()).searchParams.get("returnTo") ?? "";
      assert.match(here, new RegExp(`^${path}\\?again#20000/50\\.7\\d+/7\\.1\\d+$`));
      await choose(page, "Pia Marlow");
      await shown(page);
      assert.equal(page.url(), site.url + here);
    });
  }

  test("three tabs with tokens of twenty seconds need one refresh a period, and none of their requests is refused", async (t) => {
    const site = await openExample(t);
    site.sandbox.settings.accessTokenSeconds = 20;
    const { page, context } = await open(t);
    await page.goto(`${site.url}/maps-sdk`);
    await choose(page, "Pia Marlow");
    await shown(page);
    const pages = [page, await context.newPage(), await context.newPage()];
    for (const each of pages.slice(1)) {
      await each.goto(`${site.url}/maps-sdk`);
      await shown(each);
    }

    const refused: string[] = [];
    const asked: string[] = [];
    context.on("response", async (response) => {
      if (/"code":49[89]/.test(await response.text().catch(() => ""))) refused.push(response.url());
    });
    context.on("request", (request) => {
      if (request.url().endsWith("/api/credential")) asked.push(request.url());
    });
    const refreshes = () =>
      site.sandbox.log.filter(({ params }) => params.grant_type === "refresh_token").length;
    const start = refreshes();
    for (let pan = 0; refreshes() < start + 2 || asked.length < 2; pan++) {
      assert.ok(pan < 100, "two periods within 100 s");
      const each = pages[pan % 3] as Page;
      await each.bringToFront();
      await drag(each, pan % 6 < 3 ? 400 : -400);
      await each.waitForTimeout(1000);
    }
    assert.deepEqual([asked.length, refused], [2, []]);
  });
});

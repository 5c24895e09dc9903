import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Page } from "playwright-core";
import { Browser } from "./support/browser.ts";
import { assertHeading, startChromium } from "./support/chromium.ts";
import { openOrganization } from "./support/organization.ts";
import { identityOf } from "./support/user.ts";

const { skip, open } = await startChromium();

describe("a user of the organization", () => {
  test("OU-1 types one thing in one place, and is signed in to the app, the portal and the map; no token reaches the browser", {
    skip,
  }, async (t) => {
    const site = await openOrganization(t);
    const { page, context } = await open(t);
    const seen: string[] = [];
    const shown: { url: string; redirects: number; inputs: number }[] = [];
    let redirects = 0;
    context.on("request", (request) => {
      seen.push(request.url());
      if (request.isNavigationRequest() && request.redirectedFrom()) redirects++;
    });
    const note = async (at: Page) => {
      const inputs = await at.locator("input:not([type=hidden]), textarea").count();
      shown.push({ url: new URL(at.url()).origin, redirects, inputs });
      redirects = 0;
      seen.push(
        await at.content(),
        await at.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })"),
      );
    };

    await page.goto(site.url);
    await note(page);
    await page.getByRole("link", { name: "Sign in with the organization" }).click();
    await page.getByLabel("User name").waitFor();
    await note(page);
    await page.getByLabel("User name").fill("pia");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${site.url}/`);
    await assertHeading(page, "Pia Marlow");
    await note(page);
    await page.goto(`${site.url}/map`);
    await page.locator('#layers .layer[data-state="shown"]').nth(1).waitFor();
    await note(page);

    assert.deepEqual(shown, [
      { url: site.sandbox.origin, redirects: 2, inputs: 0 },
      { url: site.provider.issuer, redirects: 2, inputs: 1 },
      { url: site.url, redirects: 4, inputs: 0 },
      { url: site.url, redirects: 0, inputs: 0 },
    ]);
    const cookies = (await context.cookies(site.url)).map(({ name, value }): [string, string] => [
      name,
      value,
    ]);
    const { token, refreshToken = "" } = await identityOf(site, new Browser(site.url, cookies));
    const everything = seen.join("\n");
    for (const secret of [token, refreshToken])
      assert.ok(!everything.includes(secret), "a token of the portal");
    assert.doesNotMatch(everything, /eyJ[\w-]+\.eyJ/, "a token of the provider");
    assert.doesNotMatch(site.log.text(), /eyJ[\w-]+\.eyJ/);
  });
});

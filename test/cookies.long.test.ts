import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startChromium } from "./support/chromium.ts";
import { openSecureSite } from "./support/cookies.ts";
import { tlsProxy } from "./support/tls-proxy.ts";

const { skip, open } = await startChromium();

describe("on https", () => {
  test("CK-1 CK-2 CK-4 Chromium signs in through a TLS proxy, from a portal on another site, and keeps the cookies", {
    skip,
  }, async (t) => {
    const proxy = await tlsProxy(t);
    const settings = { REDIRECT_URI: `${proxy.url}/authenticate` };
    const site = await openSecureSite(t, { settings });
    proxy.target = site.url;
    const { page, context } = await open(t, { ignoreHTTPSErrors: true });
    const setCookies: string[] = [];
    page.on("response", async (response) => {
      for (const { name, value } of await response.headersArray())
        if (name.toLowerCase() === "set-cookie") setCookies.push(value);
    });

    await page.goto(proxy.url);
    await page.click("text=Sign in with ArcGIS");
    await page.waitForURL(`${site.sandbox.url}/**`);
    const inProgress = await context.cookies();
    assert.match(inProgress.map(({ name }) => name).join(), /^__Host-arcgis\.sid\.tx\.[\w-]{8}$/);
    // The portal's form is a POST that ends in our callback: with SameSite=Strict neither cookie would come along.
    await page.click("text=Sandy Boxwell");
    await page.waitForURL(`${proxy.url}/`);
    assert.equal(await page.textContent("h1"), "Sandy Boxwell");

    const [cookie, ...others] = await context.cookies();
    assert.deepEqual(others, [], "the cookie of the sign-in is gone");
    const { name, domain, path, httpOnly, secure, sameSite } = cookie ?? assert.fail("no cookie was kept");
    assert.deepEqual(
      { name, domain, path, httpOnly, secure, sameSite },
      {
        name: "__Host-arcgis.sid",
        domain: "localhost",
        path: "/",
        httpOnly: true,
        secure: true,
        sameSite: "Lax",
      },
    );
    // It outlives the window: a browser that is opened again tomorrow is still signed in.
    const days = (Number(cookie?.expires) * 1000 - Date.now()) / 86_400_000;
    assert.ok(days > 13 && days <= 14, `${days} days`);
    assert.equal(await page.evaluate("document.cookie"), "");
    assert.equal(setCookies.length, 3);
    for (const each of setCookies)
      assert.match(each, /^__Host-.*; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/);
  });
});

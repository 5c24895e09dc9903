import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import express from "express";
import type { Page } from "playwright-core";
import { choose, startChromium } from "./support/chromium.ts";
import { assertErrorPage } from "./support/expect.ts";
import { openSite, type Site, signIn } from "./support/site.ts";
import { identityOf, signOut, until } from "./support/user.ts";

const { skip, open } = await startChromium();

const library = join(
  import.meta.dirname,
  "../node_modules/@esri/arcgis-rest-request/dist/bundled/request.esm.min.js",
);

/** An app as Esri's and everybody's are: it asks the page around it, by the real library, and shows what it got. */
const appPage = `<!doctype html><html lang="en"><title>An app</title><h1>An app</h1><output></output>
<script type="module">
  import { ArcGISIdentityManager } from "/request.js";
  const output = document.querySelector("output");
  window.ask = async () => {
    const parent = new URLSearchParams(location.search).get("arcgis-auth-origin");
    try {
      const { username, token, portal, server, tokenExpires } = await ArcGISIdentityManager.fromParent(parent);
      window.got = { username, token, portal, server, tokenExpires: tokenExpires.getTime() };
      output.textContent = "signed in as " + username;
    } catch (error) {
      window.got = undefined;
      output.textContent = error.name + ": " + error.message;
    }
  };
  await window.ask();
</script>`;

interface App {
  origin: string;
  /** Where browsers have been, with the query. */
  visits: string[];
}

async function startApp(t: TestContext): Promise<App> {
  const visits: string[] = [];
  const app = express()
    .get("/request.js", (_req, res) => res.sendFile(library))
    .get("/app", (req, res) => {
      visits.push(req.originalUrl);
      res.send(appPage);
    })
    .get("/away", (req, res) => res.redirect(String(req.query.to)));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close().closeAllConnections());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits };
}

async function openEmbedding(t: TestContext): Promise<{ site: Site; app: App; foreign: App }> {
  const [app, foreign] = await Promise.all([startApp(t), startApp(t)]);
  const settings = { TOKEN_HANDOVER: true, EMBED_ORIGINS: [app.origin, "https://experience.arcgis.com"] };
  return { site: await openSite(t, { settings }), app, foreign };
}

const embedOf = (url: string) => `/embed?url=${encodeURIComponent(url)}`;

/** Opens the page with the app in it, and signs in on the way. */
async function openApp(page: Page, { url }: Site, app: string): Promise<void> {
  await page.goto(url + embedOf(app));
  await choose(page, "Pia Marlow");
}

const output = (page: Page) => page.frameLocator("#app").locator("output");

function frameOf(page: Page) {
  return page.frames()[1] ?? assert.fail("there is no frame");
}

test("OU-1 an app in the frame gets the access token from the page, by the real fromParent, and the refresh token never", {
  skip,
}, async (t) => {
  const { site, app } = await openEmbedding(t);
  const { page, context } = await open(t);
  const urls: string[] = [];
  context.on("request", (request) => urls.push(request.url()));
  await openApp(page, site, `${app.origin}/app?id=1#here`);
  await output(page).getByText("signed in as pia_publisher").waitFor();

  const cookies = (await context.cookies(site.url)).map(({ name, value }): [string, string] => [name, value]);
  const browser = site.browser();
  for (const [name, value] of cookies) browser.cookies.set(name, value);
  const { token, refreshToken = "" } = await identityOf(site, browser);
  const got = await frameOf(page).evaluate(() => (window as unknown as { got: Record<string, unknown> }).got);
  assert.deepEqual(
    { ...got, tokenExpires: Number(got.tokenExpires) > Date.now() },
    {
      username: "pia_publisher",
      token,
      // The library makes a REST root of what it is told, the address of the portal.
      portal: `${site.sandbox.url}`,
      server: undefined,
      tokenExpires: true,
    },
  );
  const portal = encodeURIComponent(`${site.sandbox.origin}/portal`);
  const origin = encodeURIComponent(site.url);
  assert.deepEqual(app.visits, [
    `/app?id=1&arcgis-auth-origin=${origin}&arcgis-auth-portal=${portal}&parentOrigin=${origin}`,
  ]);
  assert.ok(new URL(frameOf(page).url()).hash === "#here");
  assert.ok(!(await page.content()).includes(refreshToken) && !urls.join().includes(token));
});

test("the page's policy lets the frame show these origins and no other, wherever the app itself goes", {
  skip,
}, async (t) => {
  const { site, app, foreign } = await openEmbedding(t);
  const { page, problems } = await open(t);
  await openApp(page, site, `${app.origin}/away?to=${encodeURIComponent(`${foreign.origin}/app`)}`);
  await page.locator("#app").waitFor();
  await until(() => problems.length > 0, "the browser reports a violation");
  assert.match(problems.splice(0).join(), /frame-src/);
  assert.deepEqual(foreign.visits, []);
});

test("the script responds to no other origin, though the policy were not there", { skip }, async (t) => {
  const { site, app, foreign } = await openEmbedding(t);
  const { page } = await open(t, { bypassCSP: true });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await openApp(page, site, `${app.origin}/app`);
  await output(page).getByText("signed in as pia_publisher").waitFor();

  // A listener of the test's behind the page's own: what it has seen, the page has.
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    addEventListener("message", ({ origin }) => seen.push(origin));
  });
  const message = (origin: string) =>
    page.waitForFunction((from) => (window as unknown as { seen: string[] }).seen.includes(from), origin);
  // The right origin in the wrong place: a frame inside the app.
  await frameOf(page).evaluate(() => {
    const inner = document.body.appendChild(document.createElement("iframe")).contentWindow;
    (inner as unknown as { eval: (script: string) => void }).eval(
      `top.postMessage({ type: "arcgis:auth:requestCredential" }, "*")`,
    );
  });
  await message(app.origin);
  // And another one in the right place.
  const target = `${foreign.origin}/app?arcgis-auth-origin=${encodeURIComponent(site.url)}`;
  await page.locator("#app").evaluate((frame, url) => Object.assign(frame, { src: url }), target);
  await message(foreign.origin);
  assert.equal(asked.filter((path) => path === "/api/credential").length, 1);
  assert.equal(await frameOf(page).evaluate(() => (window as unknown as { got?: unknown }).got), undefined);
});

test("an app that asks after the sign-in has ended is told so, and the user is offered to sign in and come back", {
  skip,
}, async (t) => {
  const { site, app } = await openEmbedding(t);
  const { page, context } = await open(t);
  await openApp(page, site, `${app.origin}/app`);
  await output(page).getByText("signed in as pia_publisher").waitFor();

  const other = site.browser();
  for (const { name, value } of await context.cookies(site.url)) other.cookies.set(name, value);
  assert.equal((await signOut(other)).status, 303);
  let told = "";
  await page.exposeFunction("tell", (name: string) => {
    told = name;
  });
  await frameOf(page).evaluate(() => {
    const { ask, tell } = window as unknown as { ask: () => Promise<void>; tell: (name: string) => void };
    addEventListener("message", ({ data }) => tell(data.error?.name));
    void ask();
  });
  await page.getByRole("link", { name: "Sign in again" }).click();
  assert.equal(told, "tokenExpiredError");
  await choose(page, "Pia Marlow");
  await output(page).getByText("signed in as pia_publisher").waitFor();
  assert.equal(new URL(page.url()).search, new URL(embedOf(`${app.origin}/app`), site.url).search);
});

test("/embed is for signed-in users, and for addresses of these origins", async (t) => {
  const { site, app, foreign } = await openEmbedding(t);
  const browser = site.browser();
  const visitor = await browser.get(embedOf(`${app.origin}/app`));
  const here = encodeURIComponent(embedOf(`${app.origin}/app`));
  assert.deepEqual([visitor.status, visitor.headers.location], [302, `/sign-in?returnTo=${here}`]);

  await signIn(browser);
  for (const url of [
    `${foreign.origin}/app`,
    `${app.origin.replace("127.0.0.1", "localhost")}/app`,
    "https://experience.arcgis.com.evil.example/",
    "https://evil.example/https://experience.arcgis.com/",
    "https://experience.arcgis.com@evil.example/",
    "http://experience.arcgis.com/",
    "https://experience.arcgis.com:8443/",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "blob:https://evil.example/1",
    "blob:https://experience.arcgis.com/1",
    "file:///etc/passwd",
  ]) {
    assertErrorPage(await browser.get(embedOf(url)), "embed_origin");
  }
  for (const query of [
    "",
    "?url=",
    "?url=/app",
    `?url=${app.origin}.evil.example/`,
    "?url=//experience.arcgis.com/",
    `?url=${app.origin}/&url=${app.origin}/`,
    `?url=${app.origin}/${"a".repeat(2048)}`,
    "?url=https://someone:secret@experience.arcgis.com/",
  ]) {
    assertErrorPage(await browser.get(`/embed${query}`), "bad_request");
  }
  const { body, headers } = await browser.get(embedOf(`${app.origin}/app?"><script>alert(1)</script>`));
  assert.ok(!body.includes("<script>alert"), body);
  assert.match(
    String(headers["content-security-policy"]),
    new RegExp(`;frame-ancestors 'none';frame-src ${app.origin} https://experience\\.arcgis\\.com$`),
  );
});

test("HT-2 no other page may hold a frame, and without EMBED_ORIGINS there is no /embed", async (t) => {
  const { site } = await openEmbedding(t);
  const { headers } = await site.browser().get("/");
  assert.doesNotMatch(String(headers["content-security-policy"]), /frame-src/);

  const without = (await openSite(t, { settings: { TOKEN_HANDOVER: true } })).browser();
  await signIn(without);
  assertErrorPage(await without.get(embedOf("https://experience.arcgis.com/")), "not_found");
});

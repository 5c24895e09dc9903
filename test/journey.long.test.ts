import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { startSandbox } from "#src/sandbox/index.ts";
import { assertHeading, choose, startChromium } from "./support/chromium.ts";
import { needsPosix } from "./support/posix.ts";
import { freePort } from "./support/program.ts";
import { startServer } from "./support/server-process.ts";
import { folder, openSite, secret } from "./support/site.ts";

// What a user does with the server, in a real browser. The portal is on 127.0.0.1 and the app on localhost:
// two sites, as in real life.

const { skip, open } = await startChromium();

const signInLink = (page: Page) => page.getByRole("link", { name: /^Sign in/ });
const signOutButton = (page: Page) => page.getByRole("button", { name: "Sign out" });

test("a user cancels, signs in after all, outlives a restart of the server, and signs out for good", {
  skip,
}, async (t) => {
  const url = `http://localhost:${await freePort()}`;
  const redirectUri = `${url}/authenticate`;
  const sandbox = await startSandbox({ clients: [{ clientId: "journey", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const settings = {
    CLIENT_ID: "journey",
    PORTAL_URL: sandbox.url,
    REDIRECT_URI: redirectUri,
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    SESSION_DIR: join(folder(t), "sessions"),
    PORT: new URL(url).port,
  };
  const { end, child } = await startServer(t, settings);
  const { page } = await open(t);

  await page.goto(url);
  await assertHeading(page, "Sign in with your ArcGIS account");
  await signInLink(page).click();
  await page.waitForURL(({ origin }) => origin === sandbox.origin);
  const cancelled = page.waitForResponse((response) => response.url().startsWith(redirectUri));
  await choose(page, "Cancel");
  assert.equal((await cancelled).status(), 403);
  await assertHeading(page, "You canceled the sign-in");
  assert.match(String(await page.textContent(".trace")), /Request ID: [0-9a-f-]{36}/);

  await signInLink(page).click();
  await choose(page, "Sandy Boxwell");
  await page.waitForURL(`${url}/`);
  await assertHeading(page, "Sandy Boxwell");

  await end("SIGTERM");
  if (!needsPosix("SIGTERM")) assert.equal(child.exitCode, 0);
  await startServer(t, settings);
  await page.reload();
  await assertHeading(page, "Sandy Boxwell");

  await signOutButton(page).click();
  await page.waitForURL(`${url}/`);
  await assertHeading(page, "Sign in with your ArcGIS account");
  assert.equal(sandbox.revoked.length, 1);
  await page.goBack({ waitUntil: "commit" });
  await assertHeading(page, "Sign in with your ArcGIS account");
  assert.doesNotMatch(await page.content(), /sandy/i);
});

test("a page behind the sign-in sends a visitor through the portal and is there when they come back", {
  skip,
}, async (t) => {
  const site = await openSite(t, {
    routes({ router, auth }) {
      router.get("/reports/7", auth.requireSignIn(), (req, res) => {
        res.send(`<!doctype html><title>Report</title><h1>Report for ${req.arcgis.user?.fullName}</h1>`);
      });
    },
  });
  const { page } = await open(t);

  const address = `${site.url}/reports/7?layer=trees%20%26%20parks&zoom=3`;
  await page.goto(address);
  await page.waitForURL(({ origin }) => origin === site.sandbox.origin);
  await choose(page, "Pia Marlow");
  await page.waitForURL(address);
  await assertHeading(page, "Report for Pia Marlow");
});

test("two tabs that are finished in reverse order land on their own pages, and the later user stays", {
  skip,
}, async (t) => {
  const { url, sandbox, files } = await openSite(t);
  const { page: first, context } = await open(t);
  const second = await context.newPage();

  await first.goto(`${url}/sign-in?returnTo=${encodeURIComponent("/?tab=first")}`);
  await second.goto(`${url}/sign-in?returnTo=${encodeURIComponent("/?tab=second")}`);
  await choose(second, "Pia Marlow");
  await second.waitForURL(`${url}/?tab=second`);
  await assertHeading(second, "Pia Marlow");
  // A page that greets this user correctly greets every user correctly.
  await choose(first, "Zoë 日本 <b>");
  await first.waitForURL(`${url}/?tab=first`);
  await assertHeading(first, "Zoë 日本 <b>");

  // It may be reloading by itself, as it has heard of the other user, which would end this.
  await second.reload().catch(() => {});
  await assertHeading(second, "Zoë 日本 <b>");
  assert.equal(files().length, 1);
  assert.equal(sandbox.revoked.length, 1);
});

test("without JavaScript a user signs in, reads until when, and signs out", { skip }, async (t) => {
  const { url, files } = await openSite(t);
  const { page } = await open(t, { javaScriptEnabled: false });

  await page.goto(url);
  await signInLink(page).click();
  await choose(page, "Vik Rao");
  await assertHeading(page, "Vik Rao");
  assert.match(String(await page.textContent("#refresh")), /^refreshed in \d+ min$/);
  assert.match(String(await page.textContent("#valid-until")), /^\d+ \w+ \d{4} at \d\d:\d\d UTC$/);

  await page.goto(`${url}/sign-out`);
  await assertHeading(page, "Sign out of this app?");
  await page.getByRole("link", { name: "Stay signed in" }).click();
  await assertHeading(page, "Vik Rao");
  await signOutButton(page).click();
  await assertHeading(page, "Sign in with your ArcGIS account");
  assert.deepEqual(files(), []);
  await page.goBack({ waitUntil: "commit" });
  await assertHeading(page, "Sign in with your ArcGIS account");
  assert.doesNotMatch(await page.content(), /vik_viewer|Vik Rao/i);
});

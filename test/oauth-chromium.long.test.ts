import assert from "node:assert/strict";
import { test } from "node:test";
import { startChromium } from "./support/chromium.ts";
import { openSite } from "./support/site.ts";

const chromium = await startChromium();
const { skip } = chromium;

test("OA-9 a browser that visits the sign-in again asks the server again", { skip }, async (t) => {
  const site = await openSite(t);
  const { page } = await chromium.open(t);
  const visits = () => site.log.lines.filter(({ path }) => path === "/sign-in").length;
  const states = () =>
    site.sandbox.log.flatMap(({ endpoint, query }) => (endpoint === "authorize" ? query.state : []));

  await page.goto(`${site.url}/sign-in`);
  await page.goto(`${site.url}/`);
  await page.goto(`${site.url}/sign-in`);
  assert.equal(visits(), 2);
  assert.equal(states().length, 2);
  assert.equal(new Set(states()).size, 2);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, openSite } from "./support/site.ts";

test("AV-8 sixty sign-ins in one browser leave few and small cookies, and the last of them works", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const returnTo = `/${"m".repeat(511)}`;
  let callback = "";
  for (let i = 0; i < 60; i++) {
    const { headers } = await browser.get(`/sign-in?returnTo=${returnTo}`);
    if (i === 59) callback = await choose(String(headers.location), { username: "sandy_admin" });
    const header = [...browser.cookies].map((pair) => pair.join("=")).join("; ");
    assert.ok(header.length <= 4096, `${header.length} bytes`);
  }
  const response = await browser.get(callback);
  assert.deepEqual([response.status, response.headers.location], [303, returnTo]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { openSite, signIn } from "./support/site.ts";

test("a person signs in, is greeted by name, and signs out", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const answer = await signIn(browser, site.sandbox.people[0]?.username);
  assert.equal(answer.status, 303, answer.body);
  const home = await browser.get("/");
  console.log(home.body, site.log.text(), site.files());
});

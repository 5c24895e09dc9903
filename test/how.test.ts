import assert from "node:assert/strict";
import { test } from "node:test";
import { click } from "./support/browser.ts";
import { openSite, signIn } from "./support/site.ts";

test("a server other than the demo has no /how", async (t) => {
  const browser = (await openSite(t)).browser();
  await signIn(browser);
  assert.equal((await browser.get("/how", click)).status, 404);
});

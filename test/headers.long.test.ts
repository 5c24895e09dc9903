import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { click } from "./support/browser.ts";
import { openSite, signIn } from "./support/site.ts";
import { folder } from "./support/temporary.ts";

test("Chromium, which would take seconds for it, does not clear its cache at a sign-out, unless files of a site are in it", async (t) => {
  const chrome =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";
  const safari =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15";
  const cleared = async (userAgent: string, settings = {}) => {
    const browser = (await openSite(t, { settings })).browser();
    await signIn(browser);
    const { headers } = await browser.get("/sign-out", { ...click, "User-Agent": userAgent });
    return headers["clear-site-data"];
  };
  assert.equal(await cleared(chrome), '"storage"');
  assert.equal(await cleared(`${chrome} Edg/143.0.0.0`), '"storage"');
  assert.equal(await cleared(safari), '"cache", "storage"');
  const site = folder(t);
  writeFileSync(join(site, "index.html"), "The site");
  assert.equal(await cleared(chrome, { SITE_DIR: site }), '"cache", "storage"');
});

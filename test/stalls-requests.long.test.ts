import assert from "node:assert/strict";
import { test } from "node:test";
import { click, typed } from "./support/browser.ts";
import { openWatched, repeat, units } from "./support/stalls.ts";

test("AV-13 no single request stalls the event loop for 50 ms, whatever is repeated in it", async (t) => {
  const { origin, signIn, assertNoStall, browser, portal } = await openWatched(t);
  const user = browser();
  assert.equal((await signIn(user)).status, 303);
  const longest = 15_000;
  const headers = [
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "Cookie",
    "User-Agent",
    "Referer",
    "Origin",
    "Range",
    "If-None-Match",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "Forwarded",
    "Content-Type",
    "Sec-Purpose",
    "Connection",
  ];
  for (const unit of units) {
    const text = repeat(unit, longest);
    const query = repeat(encodeURIComponent(unit), longest);
    // Several in one try: each for itself would take minutes.
    for (const name of headers) {
      await assertNoStall(`${name}: ${text.slice(0, 20)}`, async () => {
        for (const value of [text, `"${text}`, `a/b;${text}`])
          for (const path of ["/nothing", "/sign-in", "/assets/leaflet.js"])
            await browser().get(path, { ...typed, [name]: value.trim() || "x" });
      });
    }
    const raw = text.replaceAll(/[ "\\#]/g, "a");
    for (const url of [
      `/${raw}`,
      `/assets/${raw}`,
      `/portals/${raw}`,
      `/authenticate/${raw}`,
      `/?${raw}`,
      `/sign-in?returnTo=/${query}`,
      `/sign-in?portal=${query}`,
      `/sign-in?${raw}`,
      `/authenticate?code=x&state=y&iss=${encodeURIComponent("https://x/")}${query}`,
      `/authenticate?code=${query}&state=y`,
      `/authenticate?code=x&state=${query}`,
      `/authenticate?error=${query}&state=y`,
      `/proxy?${portal.url}/${raw}`,
      `/proxy?${portal.url}/x?${raw}`,
      `/proxy?${raw}`,
      `/proxy?${query}`,
      `/content?page=${query}`,
    ]) {
      await assertNoStall(url.slice(0, 60), () => user.get(origin + url, click));
    }
    await assertNoStall(`a form with ${unit}`, async () => {
      await user.post("/sign-out", { csrf_token: repeat(unit, 7_000) });
      await user.post("/sign-ins", { csrf_token: repeat(unit, 7_000) });
    });
  }
});

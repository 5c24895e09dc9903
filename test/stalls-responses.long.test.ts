import assert from "node:assert/strict";
import { test } from "node:test";
import { click, typed } from "./support/browser.ts";
import { openWatched, repeat, units } from "./support/stalls.ts";

const unitsOfText = [
  ...units,
  "\u0301",
  "\u00e9",
  "\u0000",
  "\u202e",
  "\u3000",
  "\ud83d",
  "👨‍👩‍👧",
  "각",
  "<",
  "[[",
  "{}",
];

test("AV-13 no single response of a portal stalls the event loop for 50 ms, whatever is repeated in it", async (t) => {
  const { signIn, assertNoStall, browser, portal } = await openWatched(t);
  const user = browser();
  assert.equal((await signIn(user)).status, 303);
  let services = 0;
  const longest = 900_000;
  for (const unit of unitsOfText) {
    // Such as \u0000, each of which takes six bytes in JSON.
    const text = repeat(unit, (longest / (JSON.stringify(unit).length - 2)) * unit.length);
    const third = text.slice(0, text.length / 3);
    const what = JSON.stringify(unit);
    const token = { access_token: "a", expires_in: 1800, username: "u" };
    const errors = [
      { error: { code: 400, message: text } },
      { error: { code: text, message: "x" } },
      { error: text, error_description: "x" },
      { error: { code: 400, message: "x", details: [text] } },
    ];
    for (const response of [
      { ...token, access_token: text },
      { ...token, username: text },
      { ...token, refresh_token: text },
      ...errors,
      text,
      `{"access_token":${repeat("[", longest / 2)}${repeat("]", longest / 2)}}`,
      `{${repeat('"":{', longest / 2)}`,
    ]) {
      portal.responses = { "oauth2/token": response };
      await assertNoStall(`token response with ${what}`, () => signIn(browser()));
    }
    portal.responses = {
      "community/self": { fullName: third, role: third, orgId: third },
      "portals/self": { name: text },
    };
    await assertNoStall(`profile with ${what}`, async () => {
      const another = browser();
      assert.equal((await signIn(another)).status, 303);
      assert.match((await another.get("/", typed)).body, /Sign out/);
    });
    for (const results of [
      [{ id: "1", title: text, type: "x", thumbnail: "x" }],
      [{ id: "1", title: "x", type: third, thumbnail: third, owner: third }],
      Array.from({ length: 30_000 }, () => ({ id: "1", title: unit })),
    ]) {
      portal.responses = { search: { total: 1, results } };
      await assertNoStall(`search with ${what}`, () => user.get("/content", typed));
    }
    for (const response of [{ owningSystemUrl: `https://x/${text}x` }, ...errors]) {
      portal.responses = { "rest/info": response };
      await assertNoStall(`rest/info with ${what}`, () => {
        services += 1;
        return user.get(`/proxy?${portal.services}/gis${services}/rest/services?f=json`, click);
      });
    }
  }
});

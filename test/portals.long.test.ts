import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inCounty, openTwo } from "./support/portals.ts";
import { signIn } from "./support/site.ts";

describe("choosing a portal", () => {
  test("RD-3 no sign-in leads to the sign-in, the sign-out or the callback of any portal", async (t) => {
    const site = await openTwo(t, { mount: "/gis" });
    for (const [signInUrl, home] of [
      ["/gis/sign-in?portal=main", "/gis/"],
      [`/gis${inCounty}?from=here`, "/gis/portals/county/"],
    ]) {
      for (const base of ["/gis", "/gis/PORTALS/county"]) {
        for (const path of ["/sign-in", "/Sign-Out/", "/signed-in", "/authenticate?code=x&state=y"]) {
          const returnTo = encodeURIComponent(base + path);
          const { headers } = await signIn(
            site.browser(),
            "sandy_admin",
            `${signInUrl}&returnTo=${returnTo}`,
          );
          assert.equal(headers.location, home, `${signInUrl}, then ${base}${path}`);
        }
      }
    }
  });
});

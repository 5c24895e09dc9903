import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { myContent } from "#src/cli/demo-content.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import type { TwoPortals } from "./support/portals.ts";
import { openSite, signIn } from "./support/site.ts";

/** A server with two portals, each a sandbox of its own. */
async function openTwo(
  t: TestContext,
  { mount = "", settings = {}, entry = {} } = {} as {
    mount?: string;
    settings?: Record<string, unknown>;
    entry?: Record<string, unknown>;
  },
): Promise<TwoPortals> {
  const county = await startSandbox({ clients: [] });
  t.after(() => county.close());
  const portals = [{ id: "county", title: "County GIS", url: county.url, clientId: "county-app", ...entry }];
  const site = await openSite(t, {
    mount,
    routes: myContent,
    settings: { PORTALS: portals, ...settings },
  });
  const redirectUris = [`${site.url}${mount}/portals/county/authenticate`];
  county.clients.push({ clientId: String(entry.clientId ?? "county-app"), redirectUris, title: "App" });
  return { ...site, county };
}

const inCounty = "/portals/county/sign-in";

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

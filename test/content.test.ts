import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { queryFeatures } from "@esri/arcgis-rest-feature-service";
import { getSelf } from "@esri/arcgis-rest-portal";
import { myContent } from "#src/cli/demo-content.ts";
import { click } from "./support/browser.ts";
import { openSite, signIn } from "./support/site.ts";

describe("My content, the example of a route of one's own", () => {
  test("TK-7 sends the token in a header, and never in an address", async (t) => {
    const site = await openSite(t, { routes: myContent });
    const browser = site.browser();
    await signIn(browser);
    await browser.get("/content");
    const [asked] = site.sandbox.log.filter(({ endpoint }) => endpoint === "search");
    assert.match(String(asked?.headers["x-esri-authorization"]), /^Bearer ./);
    for (const { query } of site.sandbox.log) assert.equal("token" in query, false);
  });

  test("shows its pictures through the proxy, so that no token is in the page", async (t) => {
    const site = await openSite(t, { routes: myContent });
    const browser = site.browser();
    await signIn(browser);
    const { body } = await browser.get("/content");
    const [, picture = ""] = /<img src="([^"]+)"/.exec(body) ?? [];
    const response = await browser.get(picture.replaceAll("&amp;", "&"), {
      ...click,
      "Sec-Fetch-Dest": "image",
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers["content-type"], "image/png");
    assert.match(response.body, /PNG/);
  });

  test("OA-13 does not follow a redirect of the portal with the token", async (t) => {
    const site = await openSite(t, { routes: myContent });
    const browser = site.browser();
    await signIn(browser);
    const elsewhere = await openSite(t);
    const location = `${elsewhere.sandbox.url}/search`;
    site.sandbox.faults.set("search", { kind: "redirect", location });
    assert.equal((await browser.get("/content")).status, 502);
    assert.deepEqual(elsewhere.sandbox.log, []);
  });

  test("SE-13 offers sign-out, and the link does it", async (t) => {
    const site = await openSite(t, { routes: myContent });
    const browser = site.browser();
    await signIn(browser);
    assert.match(
      (await browser.get("/content")).body,
      /<a class="button plain" href="\/sign-out">Sign out<\/a>/,
    );
    assert.equal((await browser.get("/sign-out", click)).status, 303);
    assert.deepEqual(site.files(), []);
  });

  test("says nothing of a page that is not there, and leads back to the last one", async (t) => {
    const site = await openSite(t, { routes: myContent });
    const browser = site.browser();
    await signIn(browser);
    const { status, body } = await browser.get("/content?page=99");
    assert.equal(status, 200);
    assert.match(body, /There is nothing here anymore/);
    assert.doesNotMatch(body, /Page \d/);
    assert.match(body, /rel="prev" href="\/content\?page=3"/);
    assert.doesNotMatch(body, /rel="next"/);
  });

  test("takes any odd page for the first one, and asks a visitor to sign in", async (t) => {
    const site = await openSite(t, { routes: myContent });
    assert.equal((await site.browser().get("/content")).headers.location, "/sign-in?returnTo=%2Fcontent");
    const browser = site.browser();
    await signIn(browser);
    for (const page of ["0", "-1", "1e3", "a", "99999", "1&page=2"]) {
      assert.match((await browser.get(`/content?page=${page}`)).body, /Page 1 of 3/, page);
    }
  });
});

test("every function of the ArcGIS library takes the identity, and refreshes its token through the session", async (t) => {
  let names: unknown[] = [];
  const site = await openSite(t, {
    routes: ({ router, auth }) => {
      router.get("/library", auth.requireSignIn(), async (req, res) => {
        const identity = await req.arcgis.identity();
        const self = await getSelf({ authentication: identity });
        names = [self.name, (await identity.getUser()).username];
        const refused = await queryFeatures({
          url: `${site.url}/elsewhere/rest/services/Trees/FeatureServer/0`,
          authentication: identity,
        }).catch((error: Error) => error);
        res.json({ refused: String(refused) });
      });
    },
  });
  const browser = site.browser();
  await signIn(browser);
  // The portal rejects the token, and nothing here knows: the library is told 498, and gets a new one.
  site.sandbox.expireAccessTokens();
  const response = await browser.get("/library");
  assert.equal(response.status, 200, response.body);
  assert.deepEqual(names, ["Sandbox City GIS", "sandy_admin"]);
  const refreshes = site.sandbox.log.filter(({ params }) => params.grant_type === "refresh_token");
  assert.equal(refreshes.length, 1);
  assert.equal((await browser.get("/library")).status, 200);
  assert.equal(
    site.sandbox.log.filter(({ params }) => params.grant_type === "refresh_token").length,
    1,
    "it was kept",
  );
});

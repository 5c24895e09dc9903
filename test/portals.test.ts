import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Sandbox } from "#src/sandbox/index.ts";
import { type Browser, click, typed } from "./support/browser.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { inCounty, openTwo } from "./support/portals.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { callbackFor, openSite, signIn } from "./support/site.ts";
import { csrfTokenOf } from "./support/user.ts";

const requests = ({ log }: Sandbox, endpoint: string) => log.filter((each) => each.endpoint === endpoint);

/** Every token that a portal was shown, wherever it stood. */
function shownTokens({ log }: Sandbox): string {
  return JSON.stringify(log.map(({ path, query, params, headers }) => [path, query, params, headers]));
}

const proxyHeaders = { "Sec-Fetch-Site": "same-origin", Accept: "application/json" };

describe("choosing a portal", () => {
  test("/sign-in without a portal asks; with one it leads there, and back to where it was asked for", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    const choice = await browser.get("/sign-in?force_login=true", click);
    assert.equal(choice.status, 200);
    assert.match(choice.body, /<h1>Where do you want to sign in\?<\/h1>/);
    assert.match(choice.body, /County GIS/);
    const links = [...choice.body.matchAll(/href="([^"]*sign-in\?[^"]*)"/g)].map(([, href = ""]) =>
      href.replaceAll("&amp;", "&"),
    );
    assert.deepEqual(links, [
      "/sign-in?force_login=true&portal=main",
      "/sign-in?force_login=true&portal=county",
    ]);
    const main = await browser.get(links[0] as string, click);
    assert.ok(String(main.headers.location).startsWith(`${site.sandbox.url}/oauth2/authorize?`));
    const there = await browser.get("/sign-in?portal=county&returnTo=/portals/county/content", click);
    assert.deepEqual(
      [there.status, there.headers.location, there.headers["cache-control"]],
      [302, "/portals/county/sign-in?returnTo=%2Fportals%2Fcounty%2Fcontent", "no-store"],
    );
    const county = await browser.get(String(there.headers.location), click);
    const { origin, searchParams } = new URL(String(county.headers.location));
    assert.deepEqual(
      [origin, searchParams.get("client_id"), searchParams.get("redirect_uri")],
      [site.county.origin, "county-app", `${site.url}/portals/county/authenticate`],
    );
  });

  test("a returnTo path belongs to a portal: no user is asked, and no page redirects in circles", async (t) => {
    const { browser, sandbox } = await openTwo(t);
    const guarded = await browser().get("/content");
    assert.equal(guarded.headers.location, "/sign-in?returnTo=%2Fcontent");
    const { headers } = await browser().get(String(guarded.headers.location), click);
    assert.ok(String(headers.location).startsWith(sandbox.origin));
    const further = await browser().get("/portals/county/content");
    assert.equal(further.headers.location, "/portals/county/sign-in?returnTo=%2Fportals%2Fcounty%2Fcontent");
  });

  test("OA-8 a portal that is not there is no portal, and never taken for another", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    for (const portal of ["nowhere", "County", "county/", "", "__proto__", "https://evil.example"]) {
      for (const path of ["/sign-in", "/sign-out"]) {
        const response = await browser.get(`${path}?portal=${encodeURIComponent(portal)}`, click);
        assertErrorPage(response, "not_found");
      }
    }
    assertErrorPage(await browser.get("/sign-in?portal=county&portal=main", click), "not_found");
    assertErrorPage(await browser.get("/portals/nowhere/sign-in", click), "not_found");
    assertErrorPage(await browser.get("/portals/main/sign-in", click), "not_found");
    assert.equal(await whoIs(browser), "sandy_admin");
  });

  test("with one portal there is nothing to choose", async (t) => {
    const { browser, sandbox } = await openSite(t);
    const { status, headers } = await browser().get("/sign-in", click);
    assert.deepEqual([status, new URL(String(headers.location)).origin], [302, sandbox.origin]);
    assertErrorPage(await browser().get("/portals/main/sign-in"), "not_found");
    assert.doesNotMatch((await browser().get("/")).body, /[Oo]ther portals/);
  });
});

describe("one callback for each portal", () => {
  /** The callbacks of two sign-ins that one browser has under way. */
  async function underWay(browser: Browser) {
    const main = new URL(await callbackFor(browser, "sandy_admin", "/sign-in?portal=main"));
    const county = new URL(await callbackFor(browser, "vik_viewer", inCounty));
    return { main, county };
  }

  test("OA-7 a response at the path of another portal is refused, and no token endpoint sees the code", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    const { main, county } = await underWay(browser);
    assertErrorPage(await browser.get(`${main.pathname}${county.search}`), "state_mismatch");
    assertErrorPage(await browser.get(`${county.pathname}${main.search}`), "state_mismatch");
    for (const portal of [site.sandbox, site.county]) assert.deepEqual(requests(portal, "token"), []);

    // Neither of the two was used up by that.
    assert.equal((await browser.get(`${main.pathname}${main.search}`)).status, 303);
    assert.equal((await browser.get(`${county.pathname}${county.search}`)).status, 303);
  });

  test("OA-7 a redirect URI that is deeper than the app has a callback for each portal, too", async (t) => {
    const site = await openTwo(t, { settings: { REDIRECT_URI: "http://localhost:9/auth/me/callback" } });
    site.county.clients.push({
      clientId: "county-app",
      redirectUris: ["http://localhost:9/auth/me/portals/county/callback"],
      title: "App",
    });
    site.county.clients.shift();
    for (const front of ["/auth/me", "/me", "", "/AUTH/me"]) {
      const browser = site.browser();
      const county = new URL(await callbackFor(browser, "vik_viewer", inCounty));
      assert.equal(county.pathname, "/auth/me/portals/county/callback");
      assertErrorPage(await browser.get(`${front}/callback${county.search}`), "transaction_missing");
      const { status, headers } = await browser.get(`${front}/portals/county/callback${county.search}`);
      assert.deepEqual([status, headers.location], [303, "/portals/county/"], front);
      assert.equal(await whoIs(browser, "/portals/county/"), "vik_viewer");
    }
  });

  test("OA-7 AV-4 a callback that names its host before the path is the same callback", async (t) => {
    const site = await openTwo(t);
    const target = `http://evil.example/portals/county/authenticate?code=x&state=y`;
    const { status, text } = await sendRaw(site.url, rawGet(target, `Host: ${new URL(site.url).host}`));
    assert.equal(status, 400, text);
    assert.match(text, /data-code="transaction_missing"/);
    assert.match(text, /href="\/portals\/county\/sign-in\?returnTo=%2Fportals%2Fcounty%2F"/);
  });

  test("OA-7 a code of the other portal under the right state goes to the portal of the state, which refuses it", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    const { main, county } = await underWay(browser);
    const state = String(main.searchParams.get("state"));
    const code = String(county.searchParams.get("code"));
    const response = await browser.get(`${main.pathname}?${new URLSearchParams({ state, code })}`);
    assertErrorPage(response, "code_refused");
    assert.deepEqual(requests(site.county, "token"), []);
    assert.deepEqual(site.files(), []);
  });

  test("OA-7 the cookie of one portal's auth transaction does not open under the name of the other's", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    const { search } = new URL(await callbackFor(browser, "sandy_admin", "/sign-in?portal=main"));
    const [[name, value] = assert.fail("there is an auth transaction")] = browser.cookies;
    browser.cookies.set(name.replace(".tx.", ".portals.county.tx."), value);
    assertErrorPage(await browser.get(`/portals/county/authenticate${search}`), "transaction_missing");
    assert.deepEqual(requests(site.county, "token"), []);
  });

  test("OA-7 every spelling of the path of one portal's callback knows nothing of the other's auth transaction", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    const { main, county } = await underWay(browser);
    for (const path of [
      "/portals/county/authenticate",
      "/portals/county/Authenticate/",
      "/PORTALS/County/authenticate",
    ])
      assertErrorPage(await browser.get(`${path}${main.search}`), "state_mismatch");
    for (const path of ["/authenticate", "/authenticate/", "/AUTHENTICATE"])
      assertErrorPage(await browser.get(`${path}${county.search}`), "state_mismatch");
    for (const portal of [site.sandbox, site.county]) assert.deepEqual(requests(portal, "token"), []);
  });

  test("OA-7 a response that says that it comes from elsewhere is refused; one from the right portal is not", async (t) => {
    const site = await openTwo(t);
    const root = (url: string) => url.replace(/\/sharing\/rest$/, "");
    const wrong = [
      site.county.url,
      root(site.county.url),
      "https://evil.example",
      `${site.sandbox.origin}/portalx`,
      `${site.sandbox.url}?x`,
      site.sandbox.url.replace("//", "//x@"),
      "",
      "javascript:alert(1)",
    ];
    for (const iss of wrong) {
      const browser = site.browser();
      const callback = await callbackFor(browser, "sandy_admin", "/sign-in?portal=main");
      const response = await browser.get(`${callback}&iss=${encodeURIComponent(iss)}`);
      assertErrorPage(response, "callback_malformed");
    }
    const twice = site.browser();
    const callback = await callbackFor(twice, "sandy_admin", "/sign-in?portal=main");
    const iss = encodeURIComponent(site.sandbox.url);
    assertErrorPage(await twice.get(`${callback}&iss=${iss}&iss=${iss}`), "callback_malformed");
    assert.deepEqual(requests(site.sandbox, "token"), []);
    for (const right of [
      site.sandbox.url,
      root(site.sandbox.url),
      `${root(site.sandbox.url)}/`,
      site.sandbox.origin,
    ]) {
      const browser = site.browser();
      const callback = await callbackFor(browser, "sandy_admin", "/sign-in?portal=main");
      assert.equal((await browser.get(`${callback}&iss=${encodeURIComponent(right)}`)).status, 303, right);
    }
  });
});

test("a sign-in that has failed leads to the same portal again, and to where it would have gone", async (t) => {
  const site = await openTwo(t);
  const browser = site.browser();
  const next = async (callback: string) => {
    const { body } = await browser.get(callback);
    return /class="button" href="([^"]+)"/.exec(body)?.[1];
  };
  const callback = await callbackFor(browser, "vik_viewer", `${inCounty}?returnTo=/portals/county/content`);
  const state = String(new URL(callback).searchParams.get("state"));
  const again = "/portals/county/sign-in?returnTo=%2Fportals%2Fcounty%2Fcontent";
  assert.equal(await next(`/portals/county/authenticate?error=access_denied&state=${state}`), again);
  assert.equal(
    await next("/portals/county/authenticate?code=x&state=y"),
    "/portals/county/sign-in?returnTo=%2Fportals%2Fcounty%2F",
  );
});

describe("signed in at several portals", () => {
  test("OA-14 the same user name at two portals is two accounts: two sessions, two sign-outs", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    const first = await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    const second = await signIn(browser, "sandy_admin", "/portals/county/sign-in?returnTo=/");
    assert.deepEqual([first.headers.location, second.headers.location], ["/", "/"]);
    assert.equal(site.files().length, 2);
    assert.deepEqual([...browser.cookies.keys()].sort(), ["arcgis.sid", "arcgis.sid.portals.county"]);
    assert.equal(await whoIs(browser), "sandy_admin");
    assert.equal(await whoIs(browser, "/portals/county/"), "sandy_admin");
    for (const base of ["", "/portals/county"]) {
      const list = await browser.get(`${base}/sign-ins`);
      assert.equal(list.body.match(/<li>/g)?.length, 1, "the other portal's is another user's");
    }

    const lines = site.log.lines.filter(({ event }) => event === "sign-in");
    assert.deepEqual(
      lines.map(({ portal, user }) => [portal, user]),
      [
        ["main", "sandy_admin"],
        ["county", "sandy_admin"],
      ],
    );

    const page = await browser.get("/portals/county/");
    const csrf_token = csrfTokenOf(page);
    const out = await browser.post("/portals/county/sign-out", { csrf_token });
    assert.deepEqual([out.status, out.headers.location], [303, "/portals/county/"]);
    assert.equal(site.county.revoked.length, 1);
    assert.deepEqual(site.sandbox.revoked, []);
    assert.equal(await whoIs(browser), "sandy_admin");
    assert.equal(await whoIs(browser, "/portals/county/"), undefined);
    assert.equal(site.files().length, 1);
  });

  test("OA-14 another user at one portal replaces the one who was there, and none at the other", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    await signIn(browser, "sandy_admin", inCounty);
    await signIn(browser, "vik_viewer", inCounty);
    assert.equal(await whoIs(browser), "sandy_admin");
    assert.equal(await whoIs(browser, "/portals/county/"), "vik_viewer");
    assert.equal(site.files().length, 2);
    assert.deepEqual(site.sandbox.revoked, []);
  });

  test("the start page shows all of them, each with its own way in or out", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    assert.match((await browser.get("/")).body, /href="\/sign-in\?portal=county"/);
    await signIn(browser, "vik_viewer", inCounty);
    const visitor = await browser.get("/");
    assert.match(visitor.body, /Sign in with your ArcGIS account/);
    assert.match(visitor.body, /action="\/portals\/county\/sign-out"/);
    assert.match(visitor.body, /<bdi>Vik/);
    await browser.post("/portals/county/sign-out", { csrf_token: csrfTokenOf(visitor) });
    assert.equal(await whoIs(browser, "/portals/county/"), undefined);
    const { body } = await browser.get("/portals/county/");
    assert.match(body, /href="\/sign-in\?portal=main"/);
  });

  test("the start page of one visitor is no other user's, not even in the same moment", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const site = await openTwo(t);
    const [browser, visitor] = [site.browser(), site.browser()];
    await signIn(browser, "vik_viewer", inCounty);
    assert.match((await browser.get("/")).body, /<bdi>Vik/);
    assert.doesNotMatch((await visitor.get("/")).body, /Vik|csrf_token/);
    assert.match((await browser.get("/")).body, /<bdi>Vik/);
  });

  test("CS-1 the form token of one portal's session is none for the other's", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    await signIn(browser, "sandy_admin", inCounty);
    const csrf_token = csrfTokenOf(await browser.get("/portals/county/sign-ins"));
    assertErrorPage(await browser.post("/sign-out", { csrf_token }), "csrf");
    assertErrorPage(await browser.post("/sign-ins", { csrf_token, session: "others" }), "csrf");
    assert.equal(site.files().length, 2);
  });

  test("SE-4 the session of one portal under the cookie of the other is no sign-in", async (t) => {
    const site = await openTwo(t, { entry: { clientId: "test-app" } });
    const browser = site.browser();
    await signIn(browser, "sandy_admin", inCounty);
    browser.cookies.set("arcgis.sid", String(browser.cookies.get("arcgis.sid.portals.county")));
    assert.equal(await whoIs(browser), undefined);
    assert.equal((await browser.get("/api/session", proxyHeaders)).status, 401);
    const guarded = await browser.get("/content");
    assert.equal(guarded.status, 302);
    const target = `/proxy?${site.sandbox.url}/community/self?f=json`;
    assert.equal((await browser.get(target, proxyHeaders)).status, 401);
    assert.deepEqual(site.sandbox.log, []);
  });

  test("own routes are there for each portal, and act as who is signed in there", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    await signIn(browser, "vik_viewer", inCounty);
    assert.equal((await browser.get("/content")).status, 200);
    assert.equal((await browser.get("/portals/county/content")).status, 200);
    const owners = [site.sandbox, site.county].map((portal) =>
      requests(portal, "search").map(({ query, params }) => query.q ?? params.q),
    );
    assert.deepEqual(owners, [['owner:"sandy_admin"'], ['owner:"vik_viewer"']]);
    const api = await browser.get("/portals/county/api/session", proxyHeaders);
    assert.deepEqual((api.json() as { username: string }).username, "vik_viewer");
    const gone = await site.browser().get("/portals/county/api/session");
    assert.deepEqual([gone.status, gone.headers["content-type"]], [401, "application/json; charset=utf-8"]);
  });

  test("all of it works below a mount path, with the redirect URI of that path", async (t) => {
    const site = await openTwo(t, { mount: "/gis" });
    const browser = site.browser();
    const choice = await browser.get("/gis/sign-in");
    assert.match(choice.body, /href="\/gis\/sign-in\?portal=county"/);
    const there = await browser.get("/gis/sign-in?portal=county");
    assert.equal(there.headers.location, "/gis/portals/county/sign-in?returnTo=%2Fgis%2F");
    const back = await signIn(browser, "vik_viewer", String(there.headers.location));
    assert.deepEqual([back.status, back.headers.location], [303, "/gis/"]);
    assert.match((await browser.get("/gis/")).body, /action="\/gis\/portals\/county\/sign-out"/);
    const county = await browser.get("/gis/portals/county/");
    assert.match(county.body, /href="\/gis\/sign-in\?portal=main"/);
  });
});

describe("/proxy with several portals", () => {
  test("PX-5 TK-7 each address gets the token of its own portal, and no portal ever sees a token of the other", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    const ask = (portal: Sandbox, base = "") =>
      browser.get(`${base}/proxy?${portal.url}/community/self?f=json`, proxyHeaders);
    await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    assert.equal((await ask(site.county)).status, 401, "signed in at the other portal only");
    await signIn(browser, "vik_viewer", inCounty);
    const names = [
      await ask(site.sandbox),
      await ask(site.county),
      await ask(site.county, "/portals/county"),
    ].map((response) => (response.json() as { username: string }).username);
    assert.deepEqual(names, ["sandy_admin", "vik_viewer", "vik_viewer"]);
    const crossed = await ask(site.sandbox, "/portals/county");
    assert.deepEqual(
      [crossed.status, (crossed.json() as { error: { code: string } }).error.code],
      [403, "untrusted_url"],
    );

    site.sandbox.expireAccessTokens();
    site.county.expireAccessTokens();
    for (const portal of [site.sandbox, site.county]) assert.equal((await ask(portal)).status, 200);
    const seen = [site.sandbox, site.county].map((portal) =>
      requests(portal, "token").map(({ params }) => params),
    );
    const identities = await Promise.all(
      ["arcgis.sid", "arcgis.sid.portals.county"].map(async (name) => {
        const id = /^s:([^.]+)\./.exec(decodeURIComponent(browser.cookies.get(name) ?? ""))?.[1] ?? "";
        const { arcgis, "arcgis:county": county } = (await site.store.read(id)) ?? {};
        return (arcgis ?? county) as ArcGISIdentityManager | undefined;
      }),
    );
    assert.deepEqual(
      seen.map((calls) => calls.map((params) => [params.grant_type, params.client_id])),
      [
        [
          ["authorization_code", "test-app"],
          ["refresh_token", "test-app"],
        ],
        [
          ["authorization_code", "county-app"],
          ["refresh_token", "county-app"],
        ],
      ],
    );
    const [main, county] = identities;
    assert.ok(main && county, "both are still signed in");
    for (const token of [main.token, main.refreshToken]) {
      assert.ok(shownTokens(site.sandbox).includes(String(token)), "its own portal sees it");
      assert.ok(!shownTokens(site.county).includes(String(token)), "the other portal does not");
    }
    for (const token of [county.token, county.refreshToken])
      assert.ok(!shownTokens(site.sandbox).includes(String(token)), "nor the other way round");
  });

  test("PX-1 what gives out tokens at one portal is refused there, and not tried as another", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    await signIn(browser, "vik_viewer", inCounty);
    const before = site.county.log.length;
    for (const path of ["/oauth2/token", "/generateToken", "/../rest/community/self", "x/community/self"]) {
      const response = await browser.get(`/proxy?${site.county.url}${path}`, proxyHeaders);
      assert.equal(response.status, 403, path);
    }
    assert.equal(site.county.log.length, before);
  });

  test("LG-1 the secret of one portal's application never goes to the other", async (t) => {
    const secrets = { main: "main-client-secret-canary", county: "county-client-secret-canary" };
    const site = await openTwo(t, {
      settings: { CLIENT_SECRET: secrets.main },
      entry: { clientSecret: secrets.county },
    });
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    await signIn(browser, "vik_viewer", inCounty);
    assert.deepEqual(
      [site.sandbox, site.county].map((portal) =>
        requests(portal, "token").map(({ params }) => params.client_secret),
      ),
      [[secrets.main], [secrets.county]],
    );
    assert.doesNotMatch(site.log.text(), /canary/);
  });

  test("a portal that is down is down for its own users only", async (t) => {
    const site = await openTwo(t);
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/sign-in?portal=main");
    await signIn(browser, "vik_viewer", inCounty);
    await site.county.close();
    assert.equal((await browser.get(`/proxy?${site.county.url}/community/self`, proxyHeaders)).status, 502);
    assert.equal((await browser.get(`/proxy?${site.sandbox.url}/community/self`, proxyHeaders)).status, 200);
    const csrf_token = csrfTokenOf(await browser.get("/portals/county/"));
    await browser.post("/portals/county/sign-out", { csrf_token });
    assert.equal(await whoIs(browser, "/portals/county/"), undefined);
    assert.equal(await whoIs(browser), "sandy_admin");
  });

  test("CS-2 a portal's own organizations are let in by its own list", async (t) => {
    const site = await openTwo(t, { entry: { allowedOrgs: ["FEDCBA9876543210"] } });
    const browser = site.browser();
    assertErrorPage(await signIn(browser, "sandy_admin", inCounty), "organization_not_allowed");
    assert.equal((await signIn(browser, "ned_county", inCounty)).status, 303);
    assert.equal((await signIn(browser, "sandy_admin", "/sign-in?portal=main")).status, 303);
  });
});

test("a sign-out that goes on to the portal comes back to the start page that it began at", async (t) => {
  const site = await openTwo(t, { mount: "/gis", settings: { ALSO_SIGN_OUT_PORTAL: true } });
  for (const [portal, base, signInUrl] of [
    [site.sandbox, "/gis", "/gis/sign-in?portal=main"],
    [site.county, "/gis/portals/county", `/gis${inCounty}`],
  ] as const) {
    const browser = site.browser();
    await signIn(browser, "sandy_admin", signInUrl);
    const { headers } = await browser.get(`${base}/sign-out`, click);
    const { origin, searchParams } = new URL(String(headers.location));
    assert.deepEqual([origin, searchParams.get("redirect_uri")], [portal.origin, `${site.url}${base}/`]);
  }
});

test("HT-1 a sign-out that goes on to the portal may go on to each of them", async (t) => {
  const site = await openTwo(t, { settings: { ALSO_SIGN_OUT_PORTAL: true } });
  const { headers } = await site.browser().get("/", typed);
  const policy = String(headers["content-security-policy"]);
  assert.ok(policy.includes(`form-action 'self' ${site.sandbox.origin} ${site.county.origin};`), policy);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { autoSignInCookie } from "#src/app/config/cookie-name.ts";
import { Browser, click, crossSite, type TestResponse, typed } from "./support/browser.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { openOrganization } from "./support/organization.ts";
import { openSite, type Site, signIn } from "./support/site.ts";
import { signOut, transactionCookie } from "./support/user.ts";

/** A browser as a user has one: app, portal and provider each get their own cookies. */
class User {
  readonly app: Browser;
  readonly #others = new Map<string, Browser>();

  constructor({ browser }: Site) {
    this.app = browser();
  }

  /** Follows redirects to the page they end in; gives it, and the addresses on the way. */
  async open(url: string, headers = typed): Promise<{ page: TestResponse; url: string; hops: string[] }> {
    const hops: string[] = [];
    let next = new URL(url, this.app.base).href;
    let page = await this.#get(next, headers);
    while (page.headers.location !== undefined) {
      hops.push(next);
      assert.ok(hops.length < 10, `in circles: ${hops.join(" ")}`);
      next = new URL(page.headers.location, next).href;
      page = await this.#get(next, crossSite);
    }
    return { page, url: next, hops };
  }

  /** Types a name at the provider, and goes where that leads. */
  async type(url: string, form: Record<string, string>) {
    const { headers, status, body } = await this.at(url).post(url, form);
    assert.equal(status, 303, body);
    return this.open(new URL(String(headers.location), url).href, crossSite);
  }

  /** Its part that talks to this origin. */
  at(url: string): Browser {
    const { origin } = new URL(url);
    if (origin === this.app.base) return this.app;
    const there = this.#others.get(origin) ?? new Browser(origin);
    this.#others.set(origin, there);
    return there;
  }

  async #get(url: string, headers: Record<string, string>): Promise<TestResponse> {
    return this.at(url).get(url, headers);
  }
}

/** The address behind the portal's button. */
function organizationLink({ body }: TestResponse, url: string): string {
  const [, href = ""] = /<a class="main" href="([^"]+)">Sign in with the organization<\/a>/.exec(body) ?? [];
  assert.ok(href, body);
  return new URL(href.replaceAll("&amp;", "&"), url).href;
}

/** From the start page to the provider's page; gives its address. */
async function toProvider(user: User, start = "/"): Promise<string> {
  const portal = await user.open(start);
  const { url, page } = await user.open(organizationLink(portal.page, portal.url), crossSite);
  assert.match(page.body, /<label for="user-name">/);
  return url;
}

describe("a user of the organization", () => {
  for (const [where, only] of [
    ["by the portal's button", false],
    ["past the portal's page, when that shows nothing but this login", true],
  ] as const) {
    test(`comes to the provider ${where}, and back to the page that was asked for`, async (t) => {
      const site = await openOrganization(t, { only });
      const user = new User(site);
      const start = await user.open("/?from=mail");
      const there = only ? start : await user.open(organizationLink(start.page, start.url), crossSite);
      assert.equal(new URL(there.url).origin, site.provider.issuer);
      assert.ok(start.hops.length <= 4, start.hops.join(" "));
      const back = await user.type(there.url, { user_name: "Zoë@city.example" });
      assert.deepEqual([back.url, back.hops.length + 1], [`${site.url}/?from=mail`, 4]);
      assert.equal(await whoIs(user.app), "zoe_editor");
    });
  }

  test("who opens the provider's own address, which the demo prints, is sent to the app", async (t) => {
    const { provider } = await openOrganization(t);
    const page = await fetch(provider.issuer);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /Go to the app that you want to use/);
  });

  test("is signed in without a click and without a page when the portal knows the browser already", async (t) => {
    const site = await openOrganization(t);
    const user = new User(site);
    await user.type(await toProvider(user), { user_name: "vik" });
    // Another day: the app has forgotten everything, and so has the browser of it.
    user.app.cookies.clear();
    const { url, hops } = await user.open("/");
    assert.deepEqual([url, hops.length], [`${site.url}/`, 4]);
    assert.equal(await whoIs(user.app), "vik_viewer");
    assert.equal(site.provider.log.filter((line) => line.startsWith("POST /sign-in/")).length, 1);
  });

  test("becomes another user by asking for another account, at the provider too", async (t) => {
    const site = await openOrganization(t, { only: true });
    const user = new User(site);
    await user.type((await user.open("/")).url, { user_name: "vik" });
    const again = await user.open("/sign-in?force_login=true", click);
    assert.equal(new URL(again.url).origin, site.provider.issuer);
    await user.type(again.url, { user_name: "sandy" });
    assert.equal(await whoIs(user.app), "sandy_admin");
  });

  test("who presses Cancel at the provider is told so by the app, and not sent there again", async (t) => {
    const site = await openOrganization(t, { only: true });
    const user = new User(site);
    const { page } = await user.type((await user.open("/")).url, { action: "cancel" });
    assertErrorPage(page, "access_denied");
    const home = await user.open("/");
    assert.deepEqual(home.hops, []);
    assert.match(home.page.body, /href="\/sign-in\?returnTo=%2F">Sign in with ArcGIS</);
  });

  test("has no login at the portal itself, as no other member of the organization has", async (t) => {
    const site = await openOrganization(t);
    const user = new User(site);
    const { page, url } = await user.open("/");
    const offered = [...page.body.matchAll(/name="username" value="([^"]+)"/g)].map(([, name]) => name);
    assert.deepEqual(offered, ["ned_county"]);
    const params = Object.fromEntries(new URL(url).searchParams);
    const response = await user.at(url).post(new URL(url).pathname, { ...params, username: "pia_publisher" });
    assert.deepEqual([response.status, response.headers.location], [400, undefined]);
  });
});

describe("when the provider is of no use", () => {
  for (const only of [false, true]) {
    test(`one that is down gets one attempt, then there is a button${only ? ", though no other login is offered" : ""}`, async (t) => {
      const site = await openOrganization(t, { only });
      await site.provider.close();
      const user = new User(site);
      let { page, url, hops } = await user.open("/");
      if (!only) {
        assert.equal(page.status, 200);
        ({ page, url, hops } = await user.open(organizationLink(page, url), crossSite));
      }
      assert.equal(page.status, 502);
      assert.match(page.body, /role="alert">The organization&#39;s identity provider does not respond/);
      assert.ok(organizationLink(page, url));
      assert.ok(hops.length <= 2, hops.join(" "));

      const home = await user.open("/");
      assert.deepEqual(home.hops, []);
      assert.match(home.page.body, /href="\/sign-in\?returnTo=%2F">Sign in with ArcGIS</);
    });
  }

  test("one that goes down while a user types does not confuse the portal", async (t) => {
    const site = await openOrganization(t);
    const user = new User(site);
    const form = await toProvider(user);
    const { headers } = await user.at(form).post(form, { user_name: "pia" });
    const resumed = await user.at(form).get(String(headers.location), crossSite);
    await site.provider.close();
    const back = await user.open(String(resumed.headers.location), crossSite);
    assert.equal(back.page.status, 502);
    assert.ok(organizationLink(back.page, back.url));
    assert.equal(await whoIs(user.app), undefined);
  });

  test("a user that it knows and the portal does not is no member, and is told so", async (t) => {
    const site = await openOrganization(t);
    const pia = site.sandbox.users.findIndex(({ username }) => username === "pia_publisher");
    site.sandbox.users.splice(pia, 1);
    const user = new User(site);
    const back = await user.type(await toProvider(user), { user_name: "pia" });
    assert.equal(back.page.status, 403);
    assert.match(back.page.body, /no member of this organization has that login/);
  });
});

describe("the portal, as the one that relies on the provider,", () => {
  test("sends a challenge, a state and a nonce, new ones each time, and never its secret", async (t) => {
    const site = await openOrganization(t, { only: true });
    const asked = await Promise.all(
      [1, 2].map(async () => {
        const { hops } = await new User(site).open("/");
        return Object.fromEntries(new URL(hops[3] ?? "").searchParams);
      }),
    );
    for (const { client_id, response_type, scope, code_challenge_method, redirect_uri } of asked) {
      assert.deepEqual([client_id, response_type, scope], ["sandbox-portal", "code", "openid profile email"]);
      assert.equal(code_challenge_method, "S256");
      assert.equal(redirect_uri, `${site.sandbox.url}/oauth2/oidc/sandboxcity/signin`);
    }
    for (const name of ["code_challenge", "state", "nonce"]) {
      assert.equal(new Set(asked.map((query) => query[name])).size, 2, name);
    }
    const { clientSecret = "" } = site.sandbox.settings.organizationLogin ?? {};
    assert.ok(clientSecret && !JSON.stringify(asked).includes(clientSecret));
  });

  test("takes a response once, and from the browser that asked alone", async (t) => {
    const site = await openOrganization(t);
    const user = new User(site);
    const form = await toProvider(user);
    const { headers } = await user.at(form).post(form, { user_name: "pia" });
    const resumed = await user.at(form).get(String(headers.location), crossSite);
    const response = String(resumed.headers.location);

    const visitor = await new User(site).open(response, crossSite);
    assert.deepEqual([visitor.page.status, visitor.hops], [400, []]);
    assert.match(visitor.page.body, /This sign-in was not started here/);
    assert.equal((await user.open(response, crossSite)).url, `${site.url}/`);
    assert.equal((await user.open(response, crossSite)).page.status, 400);
  });

  test("takes the responses to several tabs of a browser that have begun at once", async (t) => {
    const site = await openOrganization(t);
    const user = new User(site);
    const portal = await user.open("/");
    const link = organizationLink(portal.page, portal.url);
    const begin = () => user.at(portal.url).get(link, crossSite);
    const begun = [await begin(), ...(await Promise.all([begin(), begin(), begin()]))];
    for (const { headers } of begun) {
      const { searchParams, origin } = new URL(String(headers.location));
      const canceled = new URL(searchParams.get("redirect_uri") ?? "");
      const params = { error: "access_denied", state: searchParams.get("state") ?? "", iss: origin };
      canceled.search = String(new URLSearchParams(params));
      assert.equal((await user.at(portal.url).get(canceled.href, crossSite)).status, 302);
    }
  });

  test("does not take the response to another user's question", async (t) => {
    const site = await openOrganization(t);
    const [one, other] = [new User(site), new User(site)];
    const responses = await Promise.all(
      [one, other].map(async (user, index) => {
        const form = await toProvider(user);
        const { headers } = await user.at(form).post(form, { user_name: index ? "sandy" : "vik" });
        const resumed = await user.at(form).get(String(headers.location), crossSite);
        return new URL(String(resumed.headers.location));
      }),
    );
    const [mine, theirs] = responses as [URL, URL];
    mine.searchParams.set("code", theirs.searchParams.get("code") ?? "");
    const { page } = await one.open(mine.href, crossSite);
    assert.equal(page.status, 502, page.body);
    assert.equal(await whoIs(one.app), undefined);
  });
});

describe("AUTO_SIGN_IN", () => {
  test("sends the first page visit to the portal, and remembers that as long as the browser is open", async (t) => {
    const site = await openOrganization(t);
    const browser = site.browser();
    const response = await browser.get("/?a=1&b=//c", crossSite);
    assert.deepEqual(
      [response.status, response.headers.location],
      [302, "/sign-in?returnTo=%2F%3Fa%3D1%26b%3D%2F%2Fc"],
    );
    assert.equal(response.headers["cache-control"], "no-store");
    const autoSignIn = autoSignInCookie(site.config);
    assert.deepEqual(response.setCookies, [`${autoSignIn}=done; Path=/; HttpOnly; SameSite=Lax`]);
    for (let visit = 0; visit < 3; visit++) assert.equal((await browser.get("/")).status, 200);
  });

  for (const [what, method, headers] of [
    ["a HEAD", "HEAD", typed],
    ["a page that is loaded in advance", "GET", { ...typed, "Sec-Purpose": "prefetch;prerender" }],
    ["a page in a frame", "GET", { ...typed, "Sec-Fetch-Dest": "iframe" }],
    ["a script's request", "GET", { ...typed, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" }],
    ["a program, or a browser that does not say", "GET", { Accept: "text/html" }],
  ] as const) {
    test(`leaves ${what} where it is, and that is no attempt`, async (t) => {
      const site = await openOrganization(t);
      const browser = site.browser();
      const response = await browser.send("/", { method, headers });
      assert.deepEqual([response.status, response.setCookies], [200, []]);
      assert.equal((await browser.get("/")).status, 302);
    });
  }

  test("counts no sign-in and no sign-out that is only looked at", async (t) => {
    const site = await openSite(t, { settings: { AUTO_SIGN_IN: true } });
    const browser = site.browser();
    await signIn(browser);
    browser.cookies.delete(autoSignInCookie(site.config));
    for (const path of ["/sign-in", "/sign-out", "/sign-in/help", "/sign-out/help"])
      for (const [method, headers] of [
        ["HEAD", typed],
        ["GET", { ...typed, "Sec-Purpose": "prefetch" }],
        ["PUT", typed],
      ] as const)
        assert.deepEqual((await browser.send(path, { method, headers })).setCookies, [], `${method} ${path}`);
    assert.deepEqual((await browser.get("/sign-out", crossSite)).setCookies, [], "the page that asks");
  });

  test("leaves the API and addresses that are none alone", async (t) => {
    const browser = (await openOrganization(t)).browser();
    assert.equal((await browser.get("/api/session")).status, 401);
    assert.equal((await browser.get("/nothing")).status, 404);
    assert.equal((await browser.send("/", { method: "POST", headers: typed })).status, 405);
  });

  test("makes no attempt after a sign-out, nor after a sign-in that a user has begun and left", async (t) => {
    const site = await openOrganization(t);
    const user = new User(site);
    await user.type(await toProvider(user), { user_name: "vik" });
    user.app.cookies.delete(autoSignInCookie(site.config));
    assert.equal((await signOut(user.app)).status, 303);
    assert.deepEqual((await user.open("/")).hops, []);

    const other = site.browser();
    await other.get("/sign-in?returnTo=/content", click);
    assert.equal((await other.get("/")).status, 200);
  });

  test("makes one attempt at a portal that is down, and then shows its button", async (t) => {
    const site = await openOrganization(t);
    await site.sandbox.close();
    const user = new User(site);
    await assert.rejects(user.open("/"), /ECONNREFUSED/);
    const home = await user.open("/");
    assert.deepEqual([home.hops, home.page.status], [[], 200]);
    assert.match(home.page.body, /href="\/sign-in\?returnTo=%2F">Sign in with ArcGIS</);
  });

  test("without cookies ends at a page that says so, and not in circles", async (t) => {
    const site = await openOrganization(t);
    const known = new User(site);
    await known.type(await toProvider(known), { user_name: "vik" });
    // The portal remembers; the app's cookies are refused.
    known.app.cookies.clear();
    known.app.cookies.set = () => known.app.cookies;
    assertErrorPage((await known.open("/")).page, "transaction_missing");
  });

  test("is off unless it is asked for, and then there is no cookie of it", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    assert.equal((await browser.get("/")).status, 200);
    await browser.get("/sign-in");
    assert.deepEqual([...browser.cookies.keys()], [transactionCookie(browser)]);
  });

  test("CK-2 names its cookie for the host alone where the server is reached by https", async (t) => {
    const settings = { AUTO_SIGN_IN: true, REDIRECT_URI: "https://app.example/authenticate" };
    const site = await openSite(t, { settings });
    const { setCookies } = await site.browser().get("/");
    const autoSignIn = autoSignInCookie(site.config);
    assert.match(autoSignIn, /^__Host-/);
    assert.deepEqual(setCookies, [`${autoSignIn}=done; Path=/; HttpOnly; Secure; SameSite=Lax`]);
  });

  test("goes back below the path that the app is mounted at", async (t) => {
    const site = await openSite(t, { mount: "/gis", settings: { AUTO_SIGN_IN: true } });
    const { headers } = await site.browser().get("/gis/");
    assert.equal(headers.location, "/gis/sign-in?returnTo=%2Fgis%2F");
  });
});

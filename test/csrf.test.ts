import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Browser, click, crossSite, typed } from "./support/browser.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { casesOf } from "./support/rounds.ts";
import { openSite, type Site, signIn } from "./support/site.ts";
import { csrfTokenOf, signOut } from "./support/user.ts";

/** The spellings under which Express finds the route (CS-3); a guard must not know fewer than the router. */
const spellings = ["/sign-out", "/sign-out/", "/SIGN-OUT", "/Sign-Out/", "/sign-out?a=b", "/sign-out/?x[]=1"];
/** Those under which it does not. */
const others = [
  "//sign-out",
  "/%73ign-out",
  "/sign-out//",
  "/./sign-out",
  "/sign-out;a",
  "/sign-out%2f",
  "/\\sign-out",
];

async function signedIn(site: Site): Promise<Browser> {
  const browser = site.browser();
  await signIn(browser);
  return browser;
}

async function assertStillSignedIn(site: Site, browser: Browser, why: string): Promise<void> {
  assert.equal(await whoIs(browser), "sandy_admin", why);
  assert.equal(site.files().length, 1, why);
  assert.deepEqual(site.sandbox.revoked, [], why);
}

describe("POST /sign-out", () => {
  test("CS-1 CS-3 a form of anywhere else is refused, with the right token too, in every spelling", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(site);
    const csrf_token = csrfTokenOf(await browser.get("/"));
    const origin = site.url;
    const wrong: Record<string, string | string[]>[] = [
      {},
      { Origin: "null" },
      { Origin: "https://evil.example" },
      { Origin: `${origin}.evil.example` },
      { Origin: `${origin}/` },
      { Origin: origin.replace("http:", "https:") },
      { Origin: origin.replace("localhost", "127.0.0.1") },
      { Origin: origin.toUpperCase() },
      { Origin: "" },
      { Referer: `${origin}/` },
      ...["cross-site", "same-site", "none", "", "Same-Origin", "same-origin, cross-site", "evil"].map(
        (site) => ({
          Origin: origin,
          "Sec-Fetch-Site": site,
        }),
      ),
      { Origin: origin, "Sec-Fetch-Site": ["same-origin", "cross-site"] },
      { Origin: origin, "Sec-Fetch-Site": ["cross-site", "same-origin"] },
    ];
    for (const headers of wrong) {
      const why = JSON.stringify(headers);
      const response = await browser.send("/sign-out", {
        method: "POST",
        form: { csrf_token },
        headers: { Accept: "text/html", ...headers },
      });
      assertErrorPage(response, "csrf");
      assert.deepEqual(response.setCookies, [], why);
      await assertStillSignedIn(site, browser, why);
    }
    for (const url of spellings) {
      assertErrorPage(await browser.post(url, { csrf_token }, { "Sec-Fetch-Site": "cross-site" }), "csrf");
      await assertStillSignedIn(site, browser, url);
    }
  });

  test("CS-1 a form of ours without the session's own token is refused", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(site);
    const right = csrfTokenOf(await browser.get("/"));
    const other = await openSite(t);
    const visitor = await signedIn(other);
    const neighbor = site.browser();
    await signIn(neighbor, "vik_viewer");
    const forms: [string, string][][] = [
      [],
      [["csrf_token", ""]],
      [["csrf_token", csrfTokenOf(await neighbor.get("/"))]],
      [["csrf_token", csrfTokenOf(await visitor.get("/"))]],
      [["csrf_token", `${right}x`]],
      [["csrf_token", right.slice(0, -1)]],
      [["csrf_token", ` ${right}`]],
      [["csrf_token", right.toUpperCase()]],
      [["csrf_token", "\u00e9".repeat(43)]],
      [
        ["csrf_token", right],
        ["csrf_token", right],
      ],
      [["csrf_token[]", right]],
      [["csrf_token[0]", right]],
      [["csrf_token[toString]", right]],
      [["__proto__[csrf_token]", right]],
      [["FORM_TOKEN", right]],
    ];
    const post = (form: [string, string][], headers: Record<string, string>) =>
      browser.send("/sign-out", {
        method: "POST",
        form,
        headers: { ...click, Origin: site.url, ...headers },
      });
    for (const form of forms) {
      const why = JSON.stringify(form);
      assertErrorPage(await post(form, {}), "csrf");
      assert.equal(await whoIs(browser), "sandy_admin", why);
    }
    assertErrorPage(await browser.post(`/sign-out?csrf_token=${right}`, {}), "csrf");
    for (const type of ["text/plain", "application/json", "multipart/form-data; boundary=x", ""]) {
      const response = await post([["csrf_token", right]], { "Content-Type": type });
      assertErrorPage(response, "csrf");
    }
    assert.deepEqual(site.sandbox.revoked, []);
    assert.equal(site.files().length, 2);
    assert.equal(
      (await post([["csrf_token", right]], {})).status,
      303,
      "all these tokens failed for a reason",
    );
  });

  test("CS-1 a form that is too large or unreadable gets its own error and changes nothing", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(site);
    const csrf_token = csrfTokenOf(await browser.get("/"));
    const large = { csrf_token, more: "x".repeat(9_000) };
    assertErrorPage(await browser.post("/sign-out", large), "payload_too_large");
    const encoded = { "Content-Encoding": "gzip" };
    assertErrorPage(await browser.post("/sign-out", { csrf_token }, encoded), "bad_request");
    const strange = { "Content-Type": "application/x-www-form-urlencoded; charset=utf-32" };
    assertErrorPage(await browser.post("/sign-out", { csrf_token }, strange), "bad_request");
    await assertStillSignedIn(site, browser, "unreadable forms");
  });

  test("CS-1 a browser that sends no Sec-Fetch-Site is told by its Origin", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(site);
    const form = { csrf_token: csrfTokenOf(await browser.get("/")) };
    const response = await browser.send("/sign-out", { method: "POST", form, headers: { Origin: site.url } });
    assert.deepEqual([response.status, response.headers.location], [303, "/"]);
    assert.equal(await whoIs(browser), undefined);
  });

  for (const url of casesOf(spellings, 2)) {
    test(`CS-3 POST ${url} with the form of the page signs out`, async (t) => {
      const site = await openSite(t);
      const browser = await signedIn(site);
      const response = await browser.post(url, { csrf_token: csrfTokenOf(await browser.get("/")) });
      assert.deepEqual([response.status, response.headers.location], [303, "/"]);
      assert.equal(response.headers["cache-control"], "no-store");
      assert.deepEqual(site.files(), []);
    });
  }
});

describe("GET /sign-out", () => {
  test("CS-2 CS-3 only a click on a page of ours signs out; anything else gets a page that asks", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(site);
    const asked: Record<string, string | string[]>[] = [
      typed,
      crossSite,
      { ...click, "Sec-Fetch-Site": "same-site" },
      { Accept: "text/html" },
      { Accept: "text/html", Referer: `${site.url}/`, Origin: site.url },
      { ...click, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image" },
      { ...click, "Sec-Fetch-Mode": "no-cors" },
      { ...click, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" },
      ...["iframe", "frame", "embed", "object", "image", ""].map((dest) => ({
        ...click,
        "Sec-Fetch-Dest": dest,
      })),
      { ...click, "Sec-Fetch-Site": ["same-origin", "cross-site"] },
      { ...click, "Sec-Fetch-Site": ["cross-site", "same-origin"] },
    ];
    for (const headers of asked) {
      for (const url of spellings) {
        const why = `${url} ${JSON.stringify(headers)}`;
        const response = await browser.send(url, { headers });
        assert.equal(response.status, 200, why);
        assert.match(csrfTokenOf(response), /^[\w-]{43}$/, why);
        assert.equal(response.headers["cache-control"], "no-store", why);
        assert.deepEqual(response.setCookies, [], why);
      }
      await assertStillSignedIn(site, browser, JSON.stringify(headers));
    }
  });

  test("CS-2 the form of the page that asks signs out", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(site);
    const page = await browser.get("/sign-out", crossSite);
    const response = await browser.post("/sign-out", { csrf_token: csrfTokenOf(page) });
    assert.deepEqual([response.status, response.headers.location], [303, "/"]);
    assert.equal(await whoIs(browser), undefined);
    assert.equal(site.sandbox.revoked.length, 1);
  });

  for (const url of casesOf(spellings, 2)) {
    test(`CS-2 CS-3 a click on ${url} in a page of ours signs out, as in the tutorial`, async (t) => {
      const site = await openSite(t);
      const browser = await signedIn(site);
      const response = await browser.get(url, click);
      assert.deepEqual([response.status, response.headers.location], [303, "/"]);
      assert.equal(response.headers["cache-control"], "no-store");
      assert.equal(await whoIs(browser), undefined);
      assert.deepEqual(site.files(), []);
    });
  }

  test("CS-3 what the router does not take for /sign-out signs no user out", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(site);
    const cookie = `Cookie: arcgis.sid=${browser.cookies.get("arcgis.sid")}`;
    const fromOurPage = Object.entries(click).map(([name, value]) => `${name}: ${value}`);
    for (const url of others) {
      const { status } = await sendRaw(site.url, rawGet(url, "Host: localhost", cookie, ...fromOurPage));
      assert.equal(status, 404, url);
    }
    await assertStillSignedIn(site, browser, "other spellings");
  });

  test("CS-4 HEAD, prefetch and other methods never sign out, in any spelling", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(site);
    const csrf_token = csrfTokenOf(await browser.get("/"));
    for (const url of spellings) {
      const head = await browser.send(url, { method: "HEAD", headers: click });
      assert.deepEqual([head.status, head.setCookies, head.headers.location], [204, [], undefined], url);
      for (const [name, purpose] of [
        ["Sec-Purpose", "prefetch"],
        ["Sec-Purpose", "prefetch;prerender"],
        ["Sec-Purpose", "prefetch;anonymous-client-ip"],
        ["Purpose", "prefetch"],
        ["X-Purpose", "preview"],
        ["X-Moz", "prefetch"],
      ] as const) {
        const response = await browser.get(url, { ...click, [name]: purpose });
        assert.deepEqual([response.status, response.setCookies], [503, []], `${url} ${name}: ${purpose}`);
        assert.equal(response.headers["cache-control"], "no-store");
      }
      for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
        const headers = { ...click, Origin: site.url };
        const response = await browser.send(url, { method, headers, form: { csrf_token } });
        assert.equal(response.status, 405, `${method} ${url}`);
        assert.equal(response.headers.allow, "GET, HEAD, POST");
      }
    }
    await assertStillSignedIn(site, browser, "HEAD, prefetch and the like");
    const overridden = { ...typed, "X-HTTP-Method-Override": "POST" };
    assert.equal(
      (await browser.get(`/sign-out?_method=POST&csrf_token=${csrf_token}`, overridden)).status,
      200,
    );
    await assertStillSignedIn(site, browser, "an overridden method");
  });

  test("CS-6 who is signed out is sent to the start page by GET and POST, from any site and with whatever cookie", async (t) => {
    const site = await openSite(t);
    const [newcomer, former, visitor] = [site.browser(), await signedIn(site), site.browser()];
    const old = former.copy();
    await signOut(former);
    visitor.cookies.set("arcgis.sid", "s%3Aunknown.signature");
    for (const browser of [newcomer, former, old, visitor]) {
      for (const url of spellings) {
        for (const response of [
          await browser.get(url, click),
          await browser.get(url, crossSite),
          await browser.post(url, {}),
          await browser.send(url, { method: "POST", headers: { "Sec-Fetch-Site": "cross-site" } }),
        ]) {
          assert.deepEqual([response.status, response.headers.location], [303, "/"], url);
        }
      }
    }
    assert.deepEqual(site.files(), []);
  });
});

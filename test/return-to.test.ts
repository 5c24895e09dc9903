import assert from "node:assert/strict";
import { test } from "node:test";
import { click, crossSite, type TestResponse, typed } from "./support/browser.ts";
import { whoIs } from "./support/expect.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { casesOf, rounds } from "./support/rounds.ts";
import { choose, openSite, type Site, signIn } from "./support/site.ts";

/** Asserts that a browser that follows `location` stays at the site, however it reads it. */
function assertStays(location: unknown, { url }: Site, from: string): void {
  assert.match(String(location), /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/, from);
  assert.equal(new URL(String(location), url).origin, url, from);
  assert.equal(new URL(decodeURI(String(location)), url).origin, url, from);
}

const encode = encodeURIComponent;

/** Values as they stand in the query, so that those which are no proper encoding can be told, too. */
const hostile = [
  ...[
    "//evil.example",
    "///evil.example",
    "////evil.example/x",
    "/\\evil.example",
    "/map\\layers",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "\\evil.example",
    "http://evil.example/",
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "evil.example",
    "@evil.example",
    ".evil.example",
    ":80@evil.example",
    "%2f%2fevil.example",
    "/%2f%2fevil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "/%5c%5cevil.example",
    "/..//evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%2e%2e//evil.example",
    "/%2e//evil.example",
    "/x/%2e%2e/%2fevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0d%0aSet-Cookie:%20arcgis.sid=x",
    "/\r\nSet-Cookie: arcgis.sid=x",
    "/\0/evil.example",
    "/x\u0000",
    "/%00",
    "/\u202e//evil.example",
    "／／evil.example",
    "/／evil.example",
    "/⁄evil.example",
    "/。evil.example",
    "/\u3000",
    "/ä",
    "/a b",
    "/\x7f",
    "",
    " ",
    "/%",
    "/%zz",
    "/%ff",
    "/%c0%af%c0%afevil.example",
    `/${"x".repeat(2_000)}`,
    `/${"x".repeat(5_000)}`,
    "null",
    "[object Object]",
  ].map((value) => `returnTo=${encode(value)}`),
  "returnTo=%ff%fe",
  "returnTo=/map&returnTo=//evil.example",
  "returnTo=//evil.example&returnTo=/map",
  "returnTo[]=//evil.example",
  "returnTo[]=/map",
  "returnTo[toString]=//evil.example",
  "__proto__[returnTo]=//evil.example",
  "returnto=//evil.example",
  "returnTo",
  "returnTo=%2F%2Fevil.example",
  "returnTo=%5C%5Cevil.example",
  "return_to=//evil.example&next=//evil.example&redirect=//evil.example&url=//evil.example",
];

async function landing(site: Site, query: string): Promise<TestResponse> {
  const browser = site.browser();
  const { headers, status } = await browser.get(`/sign-in?${query}`, crossSite);
  assert.equal(status, 302, query);
  return browser.get(await choose(String(headers.location), { username: "vik_viewer" }), crossSite);
}

test("RD-1 a hostile returnTo is dropped: the sign-in ends on the start page, here", async (t) => {
  const site = await openSite(t);
  await Promise.all(
    hostile
      .filter((_, index) => index % rounds(5, 1) === 0)
      .map(async (query) => {
        const { status, headers, setCookies } = await landing(site, query);
        assert.equal(status, 303, query);
        assertStays(headers.location, site, query);
        assert.equal(headers.location, "/", query);
        const names = setCookies.map((cookie) => cookie.split("=", 1).join()).sort();
        assert.match(names.join(), /^arcgis\.sid,arcgis\.sid\.tx\.[\w-]{8}$/, query);
      }),
  );
});

test("RD-1 a returnTo to this site is followed letter by letter", async (t) => {
  const site = await openSite(t);
  const good = [
    "/",
    "/map",
    "/map?a=1&b=%20x#part",
    "/a/b/../c",
    "/caf%C3%A9/%E6%97%A5%E6%9C%AC",
    "/map?url=https://evil.example/",
    "/map?url=//evil.example",
    "/map#//evil.example",
    "/@evil.example",
    "/https://evil.example",
    "/x//evil.example",
    "/.evil.example",
    "/;//evil.example",
    "/%2525",
    "/signing-in",
    "/sign-in/help",
    "/not/sign-out",
    `/${"x".repeat(1_999)}`,
  ];
  await Promise.all(
    good.map(async (path) => {
      const { headers } = await landing(site, `returnTo=${encode(path)}`);
      assert.equal(headers.location, path);
      assertStays(headers.location, site, path);
    }),
  );
});

test("RD-3 a returnTo to the sign-in, the callback or the sign-out lands on the start page, signed in", async (t) => {
  const site = await openSite(t);
  const own = ["/sign-in", "/authenticate", "/sign-out"].flatMap((path) => [
    path,
    `${path}/`,
    `${path}//`,
    path.toUpperCase(),
    `${path.toUpperCase()}/`,
    `${path}?x=1`,
    `${path}#x`,
    `${path}%2f`,
    `${path}%3fx`,
    `${path}%23`,
    path.replace("n", "%6e"),
    path.replace("/", "/./"),
    `/x/..${path}`,
    `/x/%2e%2e${path}`,
    `/%2e${path}`,
  ]);
  const deeper = ["/sign-in?returnTo=/sign-in", "/authenticate?error=access_denied&state=x"];
  await Promise.all(
    [...casesOf(own, 15), ...deeper].map(async (path) => {
      const browser = site.browser();
      const response = await signIn(browser, "sandy_admin", `/sign-in?returnTo=${encode(path)}`);
      assert.deepEqual([response.status, response.headers.location], [303, "/"], path);
      assert.equal(await whoIs(browser), "sandy_admin");
    }),
  );
});

test("RD-3 a callback under a longer path is no returnTo either", async (t) => {
  const site = await openSite(t, { mount: "/gis" });
  const browser = site.browser();
  for (const path of ["/gis/sign-in", "/GIS/Sign-Out/", "/gis/authenticate?code=x", "/gis/./sign-out"]) {
    const response = await signIn(browser, "sandy_admin", `/gis/sign-in?returnTo=${encode(path)}`);
    assert.deepEqual([response.status, response.headers.location], [303, "/gis/"], path);
  }
});

test("RD-2 a guarded page that was asked for in a hostile way is remembered as a path of this site or not at all", async (t) => {
  const site = await openSite(t, {
    routes: ({ router, auth }) => void router.use(auth.requireSignIn()),
  });
  const { host } = new URL(site.url);
  const targets: [string, string][] = [
    ["/map", "/map"],
    ["/map?layer=1&where=a%20b", "/map?layer=1&where=a%20b"],
    ["//evil.example/map", "/"],
    ["///evil.example/map", "/"],
    ["//evil.example/%2e%2e/map", "/"],
    ["/map/..//evil.example", "/"],
    ["/%2f%2fevil.example", "/"],
    ["/%5cevil.example", "/"],
    ["http://evil.example/map", "/"],
    ["http://evil.example//map", "/"],
    ["https://user@evil.example/map", "/"],
    [`http://${host}/map`, "/"],
    [`/map?${"x".repeat(1_995)}`, `/map?${"x".repeat(1_995)}`],
    [`/map?${"x".repeat(1_996)}`, "/"],
  ];
  for (const [target, remembered] of targets) {
    const { status, text } = await sendRaw(site.url, rawGet(target, `Host: ${host}`, "Accept: text/html"));
    assert.equal(status, 302, text);
    const signInUrl = String(/^Location: (.*)\r$/m.exec(text)?.[1]);
    assertStays(signInUrl, site, target);
    assert.equal(signInUrl, `/sign-in?returnTo=${encode(remembered)}`);
    const response = await signIn(site.browser(), "vik_viewer", signInUrl);
    assert.deepEqual([response.status, response.headers.location], [303, remembered], target);
  }
});

test("RD-2 only a browser that wants to see a page is sent to the sign-in", async (t) => {
  const site = await openSite(t, {
    routes: ({ router, auth }) => void router.all("/page", auth.requireSignIn()),
  });
  const send = async (method: string, headers: Record<string, string>) => {
    const { status, body, headers: response } = await site.browser().send("/page", { method, headers });
    return [status, response.location ?? /signed_out/.exec(body)?.[0]];
  };
  assert.deepEqual(await send("GET", click), [302, "/sign-in?returnTo=%2Fpage"]);
  assert.deepEqual(await send("GET", typed), [302, "/sign-in?returnTo=%2Fpage"]);
  assert.deepEqual(await send("GET", { Accept: "application/json" }), [401, "signed_out"]);
  assert.deepEqual(await send("POST", click), [401, "signed_out"]);
  assert.deepEqual(await send("DELETE", click), [401, "signed_out"]);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Browser, TestResponse } from "./support/browser.ts";
import { typed } from "./support/browser.ts";
import { openSecureSite } from "./support/cookies.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { callbackFor, choose, openSite, signIn } from "./support/site.ts";
import { signOut, transactionCookie } from "./support/user.ts";

/** A Set-Cookie header, taken apart: `attributes` by their names in lower case. */
function cookieOf(response: Pick<TestResponse, "setCookies">, name: string) {
  const mine = response.setCookies.filter((cookie) => cookie.startsWith(`${name}=`));
  assert.equal(mine.length, 1, `one cookie ${name} in ${response.setCookies}`);
  const [pair = "", ...rest] = String(mine[0]).split("; ");
  const attributes = Object.fromEntries(
    rest.map((each) => [each.split("=", 1).join().toLowerCase(), each.slice(each.indexOf("=") + 1)]),
  );
  return { pair, value: pair.slice(name.length + 1), attributes };
}

/** What every cookie of ours is set with, beside how long it lives. */
const usual = { path: "/", httponly: "HttpOnly", samesite: "Lax" };

function settingsOf(response: TestResponse, name: string): Record<string, string> {
  const { expires: _, "max-age": __, ...settings } = cookieOf(response, name).attributes;
  return settings;
}

/** What a reverse proxy adds to a request that came by https. */
const byHttps = { ...typed, "X-Forwarded-Proto": "https" };

/** Signs in through the proxy; gives the responses that set the two cookies. */
async function signInByHttps(
  browser: Browser,
): Promise<{ start: TestResponse; end: TestResponse; transaction: string }> {
  const start = await browser.get("/sign-in", byHttps);
  const transaction = transactionCookie(browser);
  const callback = new URL(await choose(String(start.headers.location), { username: "sandy_admin" }));
  return { start, end: await browser.get(callback.pathname + callback.search, byHttps), transaction };
}

describe("on http, which means loopback", () => {
  test("CK-1 CK-2 both cookies are HttpOnly, SameSite=Lax, for every path and this host alone, and have plain names", async (t) => {
    const browser = (await openSite(t)).browser();
    const start = await browser.get("/sign-in");
    const transaction = transactionCookie(browser);
    assert.match(transaction, /^arcgis\.sid\.tx\.[\w-]{8}$/);
    assert.deepEqual(settingsOf(start, transaction), usual);
    const end = await browser.get(await choose(String(start.headers.location), { username: "sandy_admin" }));
    assert.deepEqual(settingsOf(end, "arcgis.sid"), usual);
    assert.deepEqual(settingsOf(end, transaction), usual);
    assert.deepEqual(settingsOf(await signOut(browser), "arcgis.sid"), usual);
  });

  test("CK-3 X-Forwarded-* of a visitor changes nothing: not the portal's address, not a cookie, not the log", async (t) => {
    const site = await openSite(t);
    const lies = {
      ...typed,
      "X-Forwarded-Proto": "https",
      "X-Forwarded-Host": "evil.example",
      "X-Forwarded-Port": "444",
      "X-Forwarded-For": "203.0.113.9",
      Forwarded: "for=203.0.113.9;host=evil.example;proto=https",
    };
    const browser = site.browser();
    const [honest, liar] = [await site.browser().get("/sign-in"), await browser.get("/sign-in", lies)];
    const addresses = [honest, liar].map(({ headers }) => {
      const url = new URL(String(headers.location));
      for (const name of ["state", "code_challenge"]) url.searchParams.delete(name);
      return url.href;
    });
    assert.equal(addresses[1], addresses[0]);
    assert.deepEqual(settingsOf(liar, transactionCookie(browser)), usual);
    for (const { address } of site.log.lines) assert.equal(address, "127.0.0.1");
  });
});

describe("on https", () => {
  test("CK-1 CK-2 the same, and Secure, and named __Host-", async (t) => {
    const browser = (await openSecureSite(t)).browser();
    const { start, end, transaction } = await signInByHttps(browser);
    assert.match(transaction, /^__Host-arcgis\.sid\.tx\.[\w-]{8}$/);
    const secure = { ...usual, secure: "Secure" };
    assert.deepEqual(settingsOf(start, transaction), secure);
    assert.deepEqual(settingsOf(end, "__Host-arcgis.sid"), secure);
    assert.deepEqual(settingsOf(end, transaction), secure);
    const home = await browser.get("/", byHttps);
    const [, csrf_token = ""] = /name="csrf_token" value="([^"]+)"/.exec(home.body) ?? [];
    const gone = await browser.post("/sign-out", { csrf_token }, { "X-Forwarded-Proto": "https" });
    assert.deepEqual(settingsOf(gone, "__Host-arcgis.sid"), secure);
  });

  test("CK-2 a cookie under the plain name, which a neighbor could set, counts for nothing", async (t) => {
    const browser = (await openSecureSite(t)).browser();
    await signInByHttps(browser);
    const other = browser.copy();
    other.cookies.set("arcgis.sid", String(other.cookies.get("__Host-arcgis.sid")));
    other.cookies.delete("__Host-arcgis.sid");
    assert.equal(await whoIs(browser), "sandy_admin");
    assert.equal(await whoIs(other), undefined);
  });

  for (const [who, trusted] of [
    ["no proxy", false],
    ["another network", "10.0.0.0/8"],
  ] as const) {
    test(`CK-3 trusting ${who}: the sign-in says insecure_connection instead of going in circles, whatever the visitor claims`, async (t) => {
      const site = await openSecureSite(t, { settings: { TRUST_PROXY: trusted } });
      for (const headers of [
        typed,
        byHttps,
        { ...byHttps, "X-Forwarded-For": "10.0.0.1" },
        { ...byHttps, Forwarded: "proto=https", "X-Forwarded-Ssl": "on", "Front-End-Https": "on" },
      ]) {
        const browser = site.browser();
        const response = await browser.get("/sign-in", headers);
        assertErrorPage(response, "insecure_connection");
        assert.deepEqual(response.setCookies, []);
        assert.equal(response.headers.location, undefined);
      }
      const asProgram = await site.browser().get("/sign-in", { ...byHttps, Accept: "application/json" });
      assert.equal(asProgram.status, 500);
      assert.equal((asProgram.json() as { error: { code: string } }).error.code, "insecure_connection");
      for (const { address } of site.log.lines.filter((line) => "address" in line)) {
        assert.equal(address, "127.0.0.1");
      }
    });
  }

  test("CK-3 a trusted proxy that was reached by http, or does not say, gets insecure_connection too", async (t) => {
    const site = await openSecureSite(t);
    assertErrorPage(await site.browser().get("/sign-in"), "insecure_connection");
    assertErrorPage(
      await site.browser().get("/sign-in", { ...typed, "X-Forwarded-Proto": "http" }),
      "insecure_connection",
    );
  });
});

describe("on any connection", () => {
  test("CK-5 names are tokens, the session's cookie stays under 200 bytes and the sign-in's under 4,096", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
    for (let tab = 0; tab < 5; tab++) {
      const longest = `/${"~".repeat(511)}`;
      const response = await browser.get(`/sign-in?returnTo=${encodeURIComponent(longest)}`);
      const { pair } = cookieOf(response, transactionCookie(browser));
      assert.ok(pair.length <= 4_096, `${pair.length} bytes`);
    }
    const response = await signIn(browser);
    const { pair } = cookieOf(response, "arcgis.sid");
    assert.ok(pair.length < 200, pair);
    for (const cookie of response.setCookies) assert.match(cookie.slice(0, cookie.indexOf("=")), token);
    // 192 random bits and a signature: nothing of the user, nothing to read.
    assert.match(decodeURIComponent(pair), /^arcgis\.sid=s:[\w-]{32}\.[A-Za-z0-9+/]{43}$/);
  });

  test("CK-6 garbage and doubles in the Cookie header never lead to a fault, and a good cookie still counts", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await browser.get("/sign-in");
    const transaction = transactionCookie(browser);
    await signIn(browser);
    const good = `arcgis.sid=${browser.cookies.get("arcgis.sid")}`;
    const bad = [
      "arcgis.sid=bad",
      "arcgis.sid=",
      "arcgis.sid",
      "arcgis.sid=s%3A",
      "arcgis.sid=s%3A.",
      "arcgis.sid=s%3A..",
      "arcgis.sid=%E0%A4%A",
      "arcgis.sid=%00",
      "arcgis.sid=j:{}",
      'arcgis.sid="s%3Ax.y"',
      `${good}x`,
      `${good.slice(0, -1)}`,
      `arcgis.sid=${"s".repeat(8_000)}`,
      `${transaction}=bad`,
      `${transaction}=%E0%A4%A`,
      `${transaction}=${browser.cookies.get("arcgis.sid")}`,
      "__proto__=x; constructor=y; toString=z",
      "=; ;;; =x; a=b=c; \u00ff=\u00ff",
      Array.from({ length: 200 }, (_, index) => `cookie${index}=${index}`).join("; "),
    ];
    const ask = async (url: string, cookie: string) => {
      const { status, body } = await site.browser().get(url, { ...typed, Cookie: cookie });
      return { status, signedIn: body.includes("<bdi>sandy_admin</bdi>") };
    };
    for (const each of bad) {
      assert.deepEqual(await ask("/", each), { status: 200, signedIn: false }, each);
      assert.equal((await ask("/sign-in", each)).status, 302, each);
      assert.equal((await ask("/sign-out", each)).status, 303, each);
      assert.equal((await ask("/authenticate?code=x&state=y", each)).status, 400, each);
      // RFC 6265, 5.4: of cookies with the same name, the browser sends the more specific one first.
      assert.deepEqual(await ask("/", `${good}; ${each}`), { status: 200, signedIn: true }, each);
    }
    for (const each of bad.slice(13)) {
      assert.deepEqual(await ask("/", `${each}; ${good}`), { status: 200, signedIn: true }, each);
    }
  });

  test("CK-7 the sign-in's cookie lives ten minutes and is deleted at the callback, after an error too", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    const start = await browser.get("/sign-in");
    const transaction = transactionCookie(browser);
    assert.equal(cookieOf(start, transaction).attributes["max-age"], "600");
    const callback = await choose(String(start.headers.location), { username: "sandy_admin" });
    const end = await browser.get(callback);
    const { value, attributes } = cookieOf(end, transaction);
    assert.deepEqual([value, attributes.expires], ["", "Thu, 01 Jan 1970 00:00:00 GMT"]);
    assert.deepEqual([...browser.cookies.keys()], ["arcgis.sid"]);

    const other = site.browser();
    const { headers } = await other.get("/sign-in");
    const cancelled = await other.get(await choose(String(headers.location), { action: "cancel" }));
    assertErrorPage(cancelled, "access_denied");
    assert.equal(other.cookies.size, 0);

    site.sandbox.faults.set("token", { kind: "html" });
    const third = site.browser();
    assertErrorPage(await third.get(await callbackFor(third, "sandy_admin")), "portal_response_invalid");
    assert.equal(third.cookies.size, 0);
  });

  test("CK-7 a sign-in in one tab leaves the one in another tab ten minutes, and each deletes its own cookie", async (t) => {
    const browser = (await openSite(t)).browser();
    const first = await callbackFor(browser, "vik_viewer");
    const start = await browser.get("/sign-in");
    const transaction = transactionCookie(browser);
    assert.equal(cookieOf(start, transaction).attributes["max-age"], "600");
    const second = await choose(String(start.headers.location), { username: "zoe_editor" });
    const end = await browser.get(first);
    assert.ok(end.setCookies.every((cookie) => !cookie.startsWith(transaction)));
    assert.deepEqual([...browser.cookies.keys()].sort(), ["arcgis.sid", transaction]);
    assert.equal((await browser.get(second)).headers.location, "/");
    assert.deepEqual([...browser.cookies.keys()], ["arcgis.sid"]);
  });

  test("CK-7 the session's cookie lives no longer than the session can", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const hour = 3_600;
    const site = await openSite(t, {
      settings: { SESSION_IDLE_SECONDS: hour, SESSION_MAX_SECONDS: 2 * hour },
    });
    const start = Date.now();
    const end = (response: TestResponse) =>
      Date.parse(String(cookieOf(response, "arcgis.sid").attributes.expires));
    const browser = site.browser();
    assert.ok(end(await signIn(browser)) <= start + 2 * hour * 1000, "it ends within two hours");
    // Neither a visit nor a new page makes it longer.
    t.mock.timers.tick(30 * 60_000);
    assert.deepEqual((await browser.get("/")).setCookies, []);
  });
});

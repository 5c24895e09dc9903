import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Request, Response } from "express";
import { authTransactions } from "#src/auth/auth-transaction.ts";
import { keyRing } from "#src/auth/session/seal.ts";
import { AuthError } from "#src/index.ts";
import { idOf, modes, openAuthApp, storedIdentity } from "./support/auth-app.ts";
import { Browser, click, crossSite, typed } from "./support/browser.ts";
import { slowness } from "./support/pace.ts";
import { callbackFor, choose, signIn } from "./support/sign-in.ts";
import { secret } from "./support/temporary.ts";
import { until } from "./support/user.ts";

const csrfTokenOf = async (browser: Browser) => ((await browser.get("/")).json() as { form: string }).form;

for (const mode of modes)
  describe(`a sign-in, ${mode} session`, () => {
    test("OA-2 OA-5 OA-9 CK-1 SE-3 goes to the portal with state and PKCE, and stores nothing before", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      const { status, headers, setCookies } = await browser.get("/sign-in?returnTo=/reports", click);
      assert.equal(status, 302);
      assert.equal(headers["cache-control"], "no-store");
      const { origin, pathname, searchParams } = new URL(String(headers.location));
      assert.equal(origin + pathname, `${app.sandbox.url}/oauth2/authorize`);
      const { state, code_challenge, ...others } = Object.fromEntries(searchParams);
      assert.deepEqual(others, {
        client_id: "test-app",
        response_type: "code",
        redirect_uri: `${app.url}/authenticate`,
        expiration: "20160",
        code_challenge_method: "S256",
      });
      assert.match(String(state), /^[\w-]{43}$/);
      assert.match(String(code_challenge), /^[\w-]{43}$/);
      assert.equal(setCookies.length, 1);
      assert.match(
        String(setCookies[0]),
        /^arcgis\.sid\.tx\.[\w-]{8}=[\w-]+; Max-Age=600; Path=\/; .*HttpOnly; SameSite=Lax$/,
      );
      assert.deepEqual(app.files(), []);

      const callback = await choose(String(headers.location), { username: "sandy_admin" });
      const back = await browser.get(callback, typed);
      assert.equal(back.status, 303);
      assert.equal(back.headers.location, "/reports");
      assert.equal(
        back.body,
        "",
        "SE-10: without a body, so that no client follows before the session is stored",
      );
      assert.equal((await browser.get("/reports")).body, "reports for sandy_admin");
      const exchange = app.sandbox.log.find(({ params }) => params.grant_type === "authorization_code");
      const verifier = String(exchange?.params.code_verifier);
      assert.equal(createHash("sha256").update(verifier).digest("base64url"), code_challenge);
      assert.deepEqual([...browser.cookies.keys()], ["arcgis.sid"]);
      assert.equal(app.files().length, 1);
      const text = readFileSync(join(app.dir, String(app.files()[0])), "latin1");
      for (const word of ["sandy_admin", "refreshToken", idOf(browser)])
        assert.equal(text.includes(word), false, "ST-2");
    });

    test("SE-1 SE-2 SE-4 OA-14 a sign-in as another user gets a new id of 192 bits, ends the old session and revokes its tokens", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      await signIn(browser, "sandy_admin");
      const before = browser.copy();
      const { refreshToken } = await storedIdentity(app, browser);
      await signIn(browser, "vik_viewer");
      assert.notEqual(idOf(browser), idOf(before));
      assert.match(idOf(browser), /^[\w-]{32}$/);
      assert.equal((await browser.get("/reports")).body, "reports for vik_viewer");
      assert.equal((await before.get("/reports")).status, 302);
      assert.equal(app.files().length, 1);
      await until(() => app.sandbox.revoked.includes(refreshToken), "the replaced tokens are revoked");
    });

    test("OA-1 OA-3 OA-6 OA-9 OA-10 a callback counts once, in the browser that started it, and changes nothing otherwise", async (t) => {
      const app = await openAuthApp(t, { mode });
      const [browser, visitor] = [app.browser(), app.browser()];
      const callback = await callbackFor(browser, "sandy_admin");
      assert.equal((await visitor.get(callback)).status, 400);
      await visitor.get("/sign-in");
      const mismatch = await visitor.get(callback, { Accept: "application/json" });
      assert.deepEqual(
        [mismatch.status, (mismatch.json() as { error: { code: string } }).error.code],
        [400, "state_mismatch"],
      );
      assert.equal(app.grants("authorization_code"), 0);
      const copy = browser.copy();
      const { status, headers } = await browser.get(callback);
      assert.deepEqual([status, headers["cache-control"]], [303, "no-store"]);
      const again = await copy.get(callback, { Accept: "application/json" });
      assert.equal((again.json() as { error: { code: string } }).error.code, "transaction_used");
      for (const query of ["", "?code=x", "?code=x&state=y", "?code=a&code=b&state=y", "?state[]=y&code=x"])
        assert.equal((await browser.get(`/authenticate${query}`)).status, 400, query);
      assert.equal((await browser.get("/reports")).body, "reports for sandy_admin");
      assert.equal(app.grants("authorization_code"), 1);
    });

    test("a signed-in browser that loads the callback of its own finished sign-in again goes home, also after another one", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      const first = await callbackFor(browser, "sandy_admin");
      const second = await callbackFor(browser, "sandy_admin");
      await browser.get(first);
      await browser.get(second);
      for (const callback of [first, second]) {
        const { status, headers } = await browser.get(callback);
        assert.deepEqual([status, headers.location], [303, "/"]);
      }
      assert.equal(app.grants("authorization_code"), 2);
      const foreign = new URL(second);
      foreign.searchParams.set("state", "another");
      assert.equal((await browser.get(foreign.href)).status, 400);
    });

    test("six sign-ins of one browser, begun at the same moment, all finish and return to where each began", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      const paths = ["/a", "/b", "/c", "/d", "/e", "/f"];
      const begun = await Promise.all(paths.map((path) => browser.get(`/sign-in?returnTo=${path}`)));
      const callbacks = await Promise.all(
        begun.map(({ headers }) => choose(String(headers.location), { username: "sandy_admin" })),
      );
      for (const [index, callback] of callbacks.entries()) {
        const { status, headers } = await browser.get(callback);
        assert.deepEqual([status, headers.location], [303, paths[index]]);
      }
      assert.deepEqual([...browser.cookies.keys()], ["arcgis.sid"]);
    });

    test("SE-5 CS-1 CS-2 sign-out needs a click on our own page, or a form of this session", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      await signIn(browser);
      const { refreshToken } = await storedIdentity(app, browser);
      const copy = browser.copy();
      const csrf_token = await csrfTokenOf(browser);
      assert.match(
        (await browser.get("/sign-out", crossSite)).body,
        /<form method="post" action="\/sign-out">/,
      );
      assert.equal((await browser.post("/sign-out", { csrf_token }, crossSite)).status, 403);
      assert.equal((await browser.post("/sign-out", { csrf_token: "x" })).status, 403);
      assert.equal((await browser.get("/reports")).status, 200);
      const { status, headers, setCookies } = await browser.post("/sign-out", { csrf_token });
      assert.deepEqual([status, headers.location], [303, "/"]);
      assert.match(setCookies.join(), /arcgis\.sid=; .*Expires=Thu, 01 Jan 1970/);
      assert.equal((await copy.get("/reports")).status, 302);
      assert.deepEqual(app.files(), []);
      assert.deepEqual(app.sandbox.revoked, [refreshToken]);
      // CS-6: signed out already.
      assert.equal((await copy.post("/sign-out", { csrf_token })).headers.location, "/");
      await signIn(browser);
      assert.equal((await browser.get("/sign-out", click)).status, 303);
      assert.equal((await browser.get("/reports")).status, 302);
    });

    test("CS-1 a form that is refused says to the developer which check failed", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      await signIn(browser);
      const csrf_token = await csrfTokenOf(browser);
      const causeOf = async (form: Record<string, string>, headers: Record<string, string>) => {
        const { status } = await browser.send("/sign-out", { method: "POST", form, headers });
        assert.equal(status, 403);
        const { code, cause, expose } = app.errors.at(-1) as AuthError;
        assert.deepEqual([code, expose], ["csrf", true]);
        return cause;
      };
      const origin = `not from this site; a program sends Origin: ${app.url}`;
      const token = "no csrf_token, or that of another session";
      assert.equal(await causeOf({ csrf_token }, {}), origin);
      assert.equal(await causeOf({ csrf_token }, { Origin: "https://evil.example" }), origin);
      assert.equal(await causeOf({ csrf_token: "x" }, { Origin: app.url }), token);
      assert.equal(await causeOf({}, { "Sec-Fetch-Site": "same-origin" }), token);
      const response = await browser.send("/sign-out", {
        method: "POST",
        form: { csrf_token },
        headers: { Origin: app.url },
      });
      assert.equal(response.status, 303);
    });

    test("OA-12 CS-4 HEAD and prefetch begin, finish and end nothing", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      const callback = await callbackFor(browser, "sandy_admin");
      for (const path of ["/sign-in", callback, "/sign-out"]) {
        const { status, setCookies } = await browser.send(path, { method: "HEAD" });
        assert.deepEqual([status, setCookies], [204, []]);
        assert.equal((await browser.get(path, { "Sec-Purpose": "prefetch" })).status, 503);
      }
      assert.equal((await browser.get(callback)).status, 303);
      await browser.get("/sign-out", { ...click, "Sec-Purpose": "prefetch;prerender" });
      assert.equal((await browser.get("/reports")).status, 200);
    });
  });

describe("a sign-in", () => {
  test("RD-1 RD-3 returnTo leads to this site, and not into the sign-in again", async (t) => {
    const app = await openAuthApp(t);
    const hostile = [
      "//evil.example",
      "/\\evil.example",
      "/%2f%2fevil.example",
      "/..//evil.example",
      "https://evil.example",
      "/sign-out/",
      "/SIGN-IN",
      "/authenticate",
      "/signed-in",
      `/${"x".repeat(2_000)}`,
      "/a%00b%5c",
    ];
    for (const returnTo of hostile) {
      const browser = app.browser();
      const { headers } = await signIn(
        browser,
        "sandy_admin",
        `/sign-in?returnTo=${encodeURIComponent(returnTo)}`,
      );
      assert.equal(headers.location, "/", returnTo);
    }
  });

  test("what the visitor may ask of the portal's page is passed on, and nothing else", async (t) => {
    const app = await openAuthApp(t);
    const query =
      "force_login=true&username=sandy_admin&provider=google&redirect_uri=https://evil.example&expiration=1&client_id=x";
    const { headers } = await app.browser().get(`/sign-in?${query}`, {
      "Accept-Language": "fr-FR,en;q=0.5",
      "Sec-CH-Prefers-Color-Scheme": "dark",
    });
    const { pathname, searchParams } = new URL(String(headers.location));
    const {
      state: _,
      code_challenge: __,
      code_challenge_method: ___,
      ...params
    } = Object.fromEntries(searchParams);
    assert.ok(pathname.endsWith("/oauth2/social/authorize"));
    assert.deepEqual(params, {
      client_id: "test-app",
      response_type: "code",
      redirect_uri: `${app.url}/authenticate`,
      expiration: "20160",
      locale: "fr-FR",
      style: "dark",
      force_login: "true",
      prepopulatedusername: "sandy_admin",
      socialLoginProviderName: "google",
      autoAccountCreateForSocial: "true",
    });
    for (const bad of ["username=a%20b", "provider=evil", "force_login=yes"]) {
      const { searchParams: none } = new URL(
        String((await app.browser().get(`/sign-in?${bad}`)).headers.location),
      );
      assert.deepEqual([...none.keys()].sort(), [
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "expiration",
        "redirect_uri",
        "response_type",
        "state",
      ]);
    }
  });

  test("in a window ends there, and each of its responses leaves the opener alone", async (t) => {
    const app = await openAuthApp(t);
    const browser = app.browser();
    const begin = await browser.get("/sign-in?popup=1&returnTo=/reports", click);
    assert.equal(begin.headers["cross-origin-opener-policy"], "unsafe-none");
    const back = await browser.get(await choose(String(begin.headers.location), { username: "sandy_admin" }));
    assert.equal(back.headers.location, "/signed-in");
    assert.equal(back.headers["cross-origin-opener-policy"], "unsafe-none");
    const end = await browser.get("/signed-in");
    assert.equal(end.headers["cross-origin-opener-policy"], "unsafe-none");
    assert.match(end.body, /You can close this window/);
  });

  test("that fails says where to try again, with the same returnTo", async (t) => {
    const app = await openAuthApp(t);
    const browser = app.browser();
    const { headers } = await browser.get("/sign-in?returnTo=/reports");
    const denied = await browser.get(await choose(String(headers.location), { action: "cancel" }));
    assert.equal(denied.status, 403);
    assert.match(denied.body, /<a href="\/sign-in\?returnTo=%2Freports">/);
    assert.equal((app.errors.at(-1) as AuthError).code, "access_denied");
    const popup = await browser.get("/sign-in?popup=1");
    const again = await browser.get(await choose(String(popup.headers.location), { action: "cancel" }));
    assert.match(again.body, /<a href="\/sign-in\?popup=1">/);
  });

  test("OA-7 a response that names another issuer is none; one that names this portal is", async (t) => {
    const app = await openAuthApp(t);
    const browser = app.browser();
    const callback = await callbackFor(browser, "sandy_admin");
    const issuers = [
      "https://evil.example",
      "x",
      `${app.sandbox.url}?q`,
      app.sandbox.url.replace("127.0.0.1", "localhost"),
      `http://u@${new URL(app.sandbox.url).host}/`,
    ];
    for (const iss of issuers)
      assert.equal((await browser.get(`${callback}&iss=${encodeURIComponent(iss)}`)).status, 400, iss);
    const begin = performance.now();
    assert.equal((await browser.get(`${callback}&iss=https://x/${"/".repeat(8_000)}`)).status, 400);
    assert.ok(performance.now() - begin < 1_000 * slowness(), "AV: however long it is");
    assert.equal(
      (await browser.get(`${callback}&iss=${encodeURIComponent(app.sandbox.origin)}`)).status,
      303,
    );
  });

  test("CK-1 CK-2 CK-3 on https all cookies begin with __Host-, and a proxy that does not say https is an error", async (t) => {
    for (const mode of modes) {
      const app = await openAuthApp(t, {
        mode,
        auth: { redirectUri: "https://gis.example.com/authenticate" },
        before: (host) => void host.set("trust proxy", 1),
      });
      assert.equal((await app.browser().get("/sign-in", typed)).status, 500);
      assert.equal((app.errors.at(-1) as AuthError).code, "insecure_connection");
      assert.equal((app.errors.at(-1) as AuthError).expose, false);
      const browser = app.browser();
      const https = { ...typed, "X-Forwarded-Proto": "https" };
      const { headers, setCookies } = await browser.get("/sign-in", https);
      assert.match(
        String(setCookies),
        /^__Host-arcgis\.sid\.tx\.[\w-]{8}=.*; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/,
      );
      const { pathname, search } = new URL(
        await choose(String(headers.location), { username: "sandy_admin" }),
      );
      const back = await browser.get(pathname + search, https);
      assert.equal(back.status, 303);
      assert.match(
        back.setCookies.join("\n"),
        /__Host-arcgis\.sid=.*; Path=\/; .*HttpOnly; Secure; SameSite=Lax/,
      );
    }
  });

  test("a code that is not accepted is refused; a portal that is busy, down or hidden refuses nothing", async (t) => {
    const app = await openAuthApp(t);
    const cases: [Parameters<typeof app.sandbox.faults.set>[1], string][] = [
      [
        { kind: "body", body: '{"error":{"code":400,"error":"invalid_request","message":"x"}}' },
        "code_refused",
      ],
      [{ kind: "status", status: 503 }, "portal_unreachable"],
      [{ kind: "status", status: 429 }, "portal_unreachable"],
      [{ kind: "body", body: '{"error":{"code":503,"message":"x"}}' }, "portal_unreachable"],
      [
        { kind: "body", body: '{"error":{"code":400,"error":"invalid_client_id","message":"x"}}' },
        "portal_unreachable",
      ],
      [{ kind: "html" }, "portal_response_invalid"],
      [{ kind: "redirect", location: "https://evil.example" }, "portal_response_invalid"],
      [{ kind: "body", body: "null" }, "portal_response_invalid"],
      [
        { kind: "body", body: '{"access_token":{"a":1},"expires_in":"x","username":["<b>"]}' },
        "portal_response_invalid",
      ],
      [{ kind: "reset" }, "portal_unreachable"],
    ];
    for (const [fault, code] of cases) {
      const browser = app.browser();
      const callback = await callbackFor(browser, "sandy_admin");
      app.sandbox.faults.set("token", { ...fault, times: 1 });
      const { status, setCookies } = await browser.get(callback, { Accept: "application/json" });
      assert.equal((app.errors.at(-1) as AuthError).code, code, JSON.stringify(fault));
      assert.ok(status >= 400 && !setCookies.join().includes("arcgis.sid="));
    }
    assert.deepEqual(app.files(), []);
  });

  test("CK-6 duplicate, foreign and broken cookies are no session and no error", async (t) => {
    const app = await openAuthApp(t);
    const browser = app.browser();
    await signIn(browser);
    const good = browser.cookies.get("arcgis.sid") ?? "";
    const bad = [
      "s%3A",
      "s%3A.",
      "%E0%A4%A",
      "j%3A%7B%7D",
      `${good}x`,
      good.slice(0, -1),
      "s%3Aabc.def",
      "x".repeat(3_000),
    ];
    for (const value of bad) {
      const { status } = await new Browser(app.url, [["arcgis.sid", value]]).get("/reports");
      assert.equal(status, 302, value);
    }
    assert.equal(
      (
        await new Browser(app.url, [
          ["x", "%"],
          ["arcgis.sid", good],
        ]).get("/reports")
      ).status,
      200,
    );
  });

  for (const mode of modes) {
    test(`ST-13 OA-10 when the session cannot be stored, there is no cookie, the tokens are revoked, and the one before stays, ${mode} session`, async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      await signIn(browser, "sandy_admin");
      const callback = await callbackFor(browser, "vik_viewer");
      const failing = t.mock.method(
        app.auth.store,
        "set",
        (_id: string, _data: unknown, done: (error: unknown) => void) =>
          done(new AuthError("store_unavailable")),
      );
      const { status, setCookies } = await browser.get(callback);
      failing.mock.restore();
      assert.equal(status, 503);
      assert.doesNotMatch(setCookies.join(), /arcgis\.sid=/);
      assert.equal(app.sandbox.revoked.length, 1);
      assert.equal((await browser.get("/reports")).body, "reports for sandy_admin");
    });

    test(`SE-10 the session is stored before the redirect is sent, however long that takes, ${mode} session`, async (t) => {
      const app = await openAuthApp(t, { mode });
      const { set } = app.auth.store;
      const late = function (this: typeof app.auth.store, ...values: Parameters<typeof set>) {
        setTimeout(() => set.apply(this, values), 200);
      };
      t.mock.method(app.auth.store, "set", late);
      assert.equal((await signIn(app.browser())).status, 303);
      assert.equal(app.files().length, 1);
    });

    test(`OA-10 when the replaced session cannot be ended, the sign-in fails as a whole, ${mode} session`, async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      await signIn(browser, "sandy_admin");
      const id = idOf(browser);
      const callback = await callbackFor(browser, "vik_viewer");
      const { take } = app.auth.store;
      const failing = t.mock.method(
        app.auth.store,
        "take",
        function (this: typeof app.auth.store, wanted: string) {
          return wanted === id ? Promise.reject(new AuthError("store_unavailable")) : take.call(this, wanted);
        },
      );
      assert.equal((await browser.get(callback)).status, 503);
      failing.mock.restore();
      assert.equal(idOf(browser), id, "the browser keeps its cookie");
      assert.equal((await browser.get("/reports")).body, "reports for sandy_admin");
      assert.equal(app.files().length, 1, "the new session is gone");
      assert.equal(app.sandbox.revoked.length, 1, "and so are its tokens");
    });
  }
});

test("AV-5 of what a callback has used, only a digest stays in memory", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const settings = { cookiePrefix: "tx.", isSecure: false, boundTo: "this app" };
  const transactions = authTransactions(keyRing([secret()]), settings);
  const signIn = () => {
    let cookie = "";
    const res = { cookie: (name: string, value: string) => (cookie = `${name}=${value}`), clearCookie() {} };
    const { state } = transactions.begin({ headers: {} } as Request, res as unknown as Response, "");
    transactions.claim({ headers: { cookie } } as Request, res as unknown as Response, state);
  };
  signIn();
  collectGarbage();
  const { arrayBuffers } = process.memoryUsage();
  for (let count = 0; count < 2_000; count++) signIn();
  let grown = Infinity;
  for (let tries = 0; tries < 20 && grown > 100_000; tries++) {
    await sleep(50);
    collectGarbage();
    grown = process.memoryUsage().arrayBuffers - arrayBuffers;
  }
  assert.ok(grown <= 100_000, `${grown} bytes of buffers`);
});

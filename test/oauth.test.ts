import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError, parseConfig } from "#src/app/config/config.ts";
import { click, crossSite, type TestResponse, typed } from "./support/browser.ts";
import { assertErrorPage, tokenCalls, whoIs } from "./support/expect.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { rounds } from "./support/rounds.ts";
import { callbackFor, choose, folder, openSite, secret, signIn } from "./support/site.ts";
import { signOut, transactionCookie } from "./support/user.ts";

const authorizeUrl = ({ headers }: TestResponse) => new URL(String(headers.location));
const stateOf = (response: TestResponse) => String(authorizeUrl(response).searchParams.get("state"));

/** An authorize URL without the two parameters that are new each time. */
function withoutSecrets(location: string): string {
  const url = new URL(location);
  for (const name of ["state", "code_challenge"]) url.searchParams.set(name, name);
  return url.href;
}

test("OA-1 a callback in a browser that started no sign-in, or another one, signs no user in", async (t) => {
  const site = await openSite(t);
  const attackers = await callbackFor(site.browser(), "ned_county");

  const visitor = site.browser();
  assertErrorPage(await visitor.get(attackers, crossSite), "transaction_missing");
  assert.equal(await whoIs(visitor), undefined);

  const victim = site.browser();
  const own = await callbackFor(victim, "sandy_admin");
  assertErrorPage(await victim.get(attackers, crossSite), "state_mismatch");
  const { code = "" } = Object.fromEntries(new URL(attackers).searchParams);
  const mixed = new URL(own);
  assert.equal(await whoIs(victim), undefined);
  assert.equal(tokenCalls(site), 0);
  assert.deepEqual(site.files(), []);

  assert.equal((await victim.copy().get(own)).status, 303, "the victim's own sign-in still works");
  mixed.searchParams.set("code", code);
  assertErrorPage(await site.browser().get(mixed.href), "transaction_missing");
});

test("OA-1 a code of the attacker's own under the victim's state is refused by PKCE", async (t) => {
  const site = await openSite(t);
  const attackers = new URL(await callbackFor(site.browser(), "ned_county"));
  const victim = site.browser();
  const callback = new URL(await callbackFor(victim, "sandy_admin"));
  callback.searchParams.set("code", String(attackers.searchParams.get("code")));

  assertErrorPage(await victim.get(callback.href), "code_refused");
  assert.equal(await whoIs(victim), undefined);
  assert.deepEqual(site.files(), []);
});

const many = rounds(20, 200);

test(`OA-2 ${many} sign-ins have as many states of 256 random bits`, async (t) => {
  const site = await openSite(t);
  const responses = await Promise.all(Array.from({ length: many }, () => site.browser().get("/sign-in")));
  const states = responses.map(stateOf);
  for (const state of states) assert.match(state, /^[\w-]{43}$/);
  assert.equal(new Set(states).size, many);
  const challenges = responses.map((response) => authorizeUrl(response).searchParams.get("code_challenge"));
  assert.equal(new Set(challenges).size, many);
});

test("OA-2 a state that is wrong, of another length, empty or repeated is a 400, and no auth transaction is lost", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin");
  const state = String(new URL(callback).searchParams.get("state"));
  const last = state.endsWith("A") ? "E" : "A";
  const wrong = [
    state.slice(0, -1),
    state.slice(0, -1) + last,
    `${state}A`,
    `${state}=`,
    ` ${state}`,
    state.toLowerCase(),
    "0",
    "undefined",
    "x".repeat(512),
  ];
  for (const value of wrong) {
    const response = await browser.get(`/authenticate?code=x&state=${encodeURIComponent(value)}`);
    assertErrorPage(response, "state_mismatch");
  }
  const malformed = [
    "",
    "&state=",
    `&state=${state}&state=${state}`,
    `&state[]=${state}`,
    `&state[0]=${state}`,
    `&State=${state}`,
    `&state=${"x".repeat(513)}`,
  ];
  for (const query of malformed) {
    assertErrorPage(await browser.get(`/authenticate?code=x${query}`), "callback_malformed");
  }
  assert.equal(tokenCalls(site), 0);
  assert.equal((await browser.get(callback)).status, 303);
});

test("OA-2 the state is compared in constant time", () => {
  const source = readFileSync(join(import.meta.dirname, "../src/auth/auth-transaction.ts"), "utf8");
  assert.match(source, /timingSafeEqual\(Buffer\.from\(stateDigest\), wanted\)/);
  assert.doesNotMatch(source, /[sS]tate\w*\s*[!=]==?/);
});

test("OA-3 a callback that is replayed with a copy of the cookies is refused, and the session stays", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin");
  const before = browser.copy();
  assert.equal((await browser.get(callback)).status, 303);

  assertErrorPage(await before.get(callback), "transaction_used");
  const again = await browser.get(callback);
  assert.deepEqual([again.status, again.headers.location, again.setCookies], [303, "/", []]);
  assertErrorPage(await browser.get(callback.replace("state=", "state=x")), "transaction_missing");
  await signOut(browser);
  assertErrorPage(await browser.get(callback), "transaction_missing");
  await signIn(browser);
  assert.equal(tokenCalls(site), 2);
  assert.equal(site.files().length, 1);
  assert.equal(await whoIs(browser), "sandy_admin");
  assert.equal(site.sandbox.revoked.length, 1, "by the sign-out");
});

test("OA-3 of ten callbacks at the same moment exactly one counts", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin");
  const responses = await Promise.all(Array.from({ length: 10 }, () => browser.copy().get(callback)));

  const statuses = responses.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [303, ...Array(9).fill(400)]);
  for (const response of responses.filter(({ status }) => status === 400))
    assertErrorPage(response, "transaction_used");
  assert.equal(tokenCalls(site), 1);
  assert.equal(site.files().length, 1);
});

test("OA-3 an auth transaction works once, also if the sign-in failed", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin");
  const before = browser.copy();
  site.sandbox.faults.set("token", { kind: "html", times: 1 });
  assertErrorPage(await browser.get(callback), "portal_response_invalid");

  assertErrorPage(await before.get(callback), "transaction_used");
  assertErrorPage(await browser.get(callback), "transaction_missing");
  assert.equal(tokenCalls(site), 1);
});

test("OA-4 a sign-in can be finished within ten minutes by the server's clock, and not later", async (t) => {
  const site = await openSite(t);
  const minute = 60_000;
  const cases = [
    { after: 10 * minute - 1_000, works: true },
    { after: 10 * minute, works: false },
    { after: 11 * minute, works: false },
    { after: -11 * minute, works: false },
  ];
  for (const { after, works } of cases) {
    const browser = site.browser();
    // Only the app's clock: the sandbox took Date.now before, so its code stays good.
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const callback = await callbackFor(browser, "sandy_admin");
    const calls = tokenCalls(site);
    t.mock.timers.setTime(Date.now() + after);
    const response = await browser.get(callback);
    t.mock.timers.reset();

    if (works) assert.equal(response.status, 303, response.body);
    else assertErrorPage(response, "transaction_expired");
    assert.equal(tokenCalls(site) - calls, works ? 1 : 0);
  }
});

test("OA-5 every auth transaction has an S256 challenge of its own, and its verifier is sent to the token endpoint alone", async (t) => {
  const site = await openSite(t);
  site.sandbox.settings.requirePkce = true;
  const verifiers = new Set<string>();
  for (const username of ["sandy_admin", "vik_viewer"]) {
    const browser = site.browser();
    const start = await browser.get("/sign-in", click);
    const cookies = [...browser.cookies.values()].join(" ");
    const { searchParams } = authorizeUrl(start);
    const challenge = String(searchParams.get("code_challenge"));
    assert.match(challenge, /^[\w-]{43}$/);
    assert.equal(searchParams.get("code_challenge_method"), "S256");

    const callback = await choose(String(start.headers.location), { username });
    const end = await browser.get(callback);
    assert.equal(end.status, 303, end.body);
    const home = await browser.get("/");

    const call = site.sandbox.log.findLast(({ endpoint }) => endpoint === "token");
    const verifier = String(call?.params.code_verifier);
    assert.match(verifier, /^[\w.~-]{43,128}$/);
    assert.equal(createHash("sha256").update(verifier).digest("base64url"), challenge);
    verifiers.add(verifier);

    assert.deepEqual(Object.keys(call?.query ?? {}), [], "nothing of the call stands in its address");
    const seen = JSON.stringify([start, end, home, callback, [...browser.cookies]]) + cookies;
    assert.ok(!seen.includes(verifier), "the browser never gets the verifier");
    assert.ok(!Buffer.from(cookies, "base64url").includes(verifier), "nor in a cookie that can be read");
    assert.ok(!site.log.text().includes(verifier), "nor does the log");
  }
  assert.equal(verifiers.size, 2);
});

test("OA-5 with PKCE=false, for a portal that is too old for it, neither half of the sign-in mentions it", async (t) => {
  const site = await openSite(t, { settings: { PKCE: false } });
  const browser = site.browser();
  const { searchParams } = authorizeUrl(await browser.copy().get("/sign-in"));
  assert.deepEqual(
    [...searchParams.keys()].filter((name) => name.startsWith("code")),
    [],
  );
  assert.equal((await signIn(browser)).status, 303);
  const call = site.sandbox.log.find(({ endpoint }) => endpoint === "token");
  assert.equal(call?.params.code_verifier, undefined);
});

test("OA-6 nothing leaves for the portal unless cookie, state and one code are all valid", async (t) => {
  const site = await openSite(t);
  const pending = site.browser();
  const callback = await callbackFor(pending, "sandy_admin");
  const { code = "", state = "" } = Object.fromEntries(new URL(callback).searchParams);
  const requests = site.sandbox.log.length;

  const guesses = Array.from({ length: 50 }, (_, i) => `code=x${i}&state=guess${i}`);
  const statuses = await Promise.all(
    guesses.flatMap((query) =>
      [site.browser(), pending.copy()].map(
        async (browser) => (await browser.get(`/authenticate?${query}`)).status,
      ),
    ),
  );
  assert.deepEqual([...new Set(statuses)], [400]);

  const almost = [
    "",
    `code=${code}`,
    `state=${state}`,
    `code=&state=${state}`,
    `code=${code}&code=${code}&state=${state}`,
    `code[]=${code}&state=${state}`,
    `code=${code}%00&state=${state}`,
    `code=${code}%0d%0a&state=${state}`,
    `code=${"c".repeat(2049)}&state=${state}`,
    `code=${encodeURIComponent("çode")}&state=${state}`,
    `code=%ff&state=${state}`,
  ];
  for (const query of almost) {
    assertErrorPage(await pending.get(`/authenticate?${query}`), "callback_malformed");
  }
  assertErrorPage(await site.browser().get(callback), "transaction_missing");
  assert.equal(site.sandbox.log.length, requests);
  assert.equal(
    (await pending.get(callback)).status,
    303,
    "and the auth transaction was not used up by any of it",
  );
});

test("OA-6 an auth transaction's cookie that is damaged, cut, or made by another server is no auth transaction", async (t) => {
  const site = await openSite(t);
  const other = await openSite(t);
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin");
  const good = String(browser.cookies.get(transactionCookie(browser)));
  const foreign = other.browser();
  await foreign.get("/sign-in");
  const middle = good.length >> 1;
  const bad = [
    "",
    "x",
    "j:[]",
    "%",
    "[]",
    good.slice(1),
    good.slice(0, -1),
    `${good}A`,
    `${good}=`,
    good.slice(0, middle) + (good[middle] === "A" ? "B" : "A") + good.slice(middle + 1),
    String(foreign.cookies.get(transactionCookie(foreign))),
    Buffer.from(
      JSON.stringify([{ stateDigest: "x", codeVerifier: "y", returnTo: "/", startedAt: 1 }]),
    ).toString("base64url"),
  ];
  for (const value of bad) {
    browser.cookies.set(transactionCookie(browser), value);
    assertErrorPage(await browser.get(callback), "transaction_missing");
  }
  assert.equal(tokenCalls(site), 0);
  browser.cookies.set(transactionCookie(browser), good);
  assert.equal((await browser.get(callback)).status, 303);
});

test("OA-8 no header and no parameter changes where the sign-in goes", async (t) => {
  const site = await openSite(t);
  const { host } = new URL(site.url);
  const usual = withoutSecrets(String((await site.browser().get("/sign-in")).headers.location));
  const redirectUri = `${site.url}/authenticate`;
  assert.equal(new URL(usual).searchParams.get("redirect_uri"), redirectUri);

  const query =
    "?redirect_uri=https://evil.example/&client_id=evil.example&expiration=129600&portal=https://evil.example" +
    "&response_type=token&state=known&code_challenge=known&code_challenge_method=plain&code_verifier=known";
  const hostile = [
    rawGet("/sign-in", "Host: evil.example"),
    rawGet("/sign-in", `Host: ${host}`, "Host: evil.example"),
    rawGet("/sign-in", "Host: evil.example", `Host: ${host}`),
    rawGet("/sign-in", "Host: "),
    rawGet("/sign-in", `Host: ${host}`, "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https"),
    rawGet("/sign-in", `Host: ${host}`, "Forwarded: host=evil.example;proto=https"),
    rawGet("/sign-in", `Host: ${host}`, "X-Original-URL: //evil.example", "X-Rewrite-URL: /evil.example"),
    rawGet("http://evil.example/sign-in", "Host: evil.example"),
    rawGet("https://user:pass@evil.example:1/sign-in", `Host: ${host}`),
    rawGet(`/sign-in${query}`, `Host: ${host}`),
    rawGet(`http://evil.example/sign-in${query}`, "Host: evil.example"),
  ];
  for (const bytes of hostile) {
    const { status, text } = await sendRaw(site.url, bytes);
    assert.equal(status, 302, `${bytes}\n${text}`);
    const location = String(/^Location: (.*)\r$/m.exec(text)?.[1]);
    assert.equal(withoutSecrets(location), usual, bytes);
    assert.notEqual(new URL(location).searchParams.get("state"), "known");
    assert.doesNotMatch(text, /evil\.example/);
  }
});

test("OA-8 the token call names the registered redirect URI, whatever the callback was reached by", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const { pathname, search } = new URL(await callbackFor(browser, "sandy_admin"));
  const cookie = [...browser.cookies].map((pair) => pair.join("=")).join("; ");
  const { status, text } = await sendRaw(
    site.url,
    rawGet(`http://evil.example${pathname}${search}`, "Host: evil.example", `Cookie: ${cookie}`),
  );
  assert.equal(status, 303, text);
  assert.match(text, /^Location: \/\r$/m);
  const call = site.sandbox.log.find(({ endpoint }) => endpoint === "token");
  assert.equal(call?.params.redirect_uri, `${site.url}/authenticate`);
  assert.equal(call?.params.client_id, "test-app");
});

test("OA-9 the sign-in responds 302 and the callback 303, and neither may be stored", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const [first, second] = [await browser.get("/sign-in"), await browser.get("/sign-in")];
  const callback = await choose(String(first.headers.location), { username: "sandy_admin" });
  const end = await browser.get(callback, crossSite);

  assert.notEqual(stateOf(first), stateOf(second));
  assert.deepEqual([first.status, second.status, end.status], [302, 302, 303]);
  for (const { headers, body } of [first, second, end]) {
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers.etag, undefined);
    assert.equal(headers["last-modified"], undefined);
    assert.equal(body, "");
  }
  assert.equal(end.headers.location, "/");
});

/** What browsers and their helpers say when they load a page that the user has not asked for yet. */
const prefetches: Record<string, string>[] = [
  { "Sec-Purpose": "prefetch" },
  { "Sec-Purpose": "prefetch;prerender" },
  { "Sec-Purpose": "prefetch;anonymous-client-ip" },
  { Purpose: "prefetch" },
  { "X-Purpose": "preview" },
  { "X-Moz": "prefetch" },
];
const spellings = (path: string) => [path, path.toUpperCase(), `${path}/`, `${path.toUpperCase()}/`];

test("OA-12 asking for headers or loading in advance starts no sign-in", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  for (const path of spellings("/sign-in")) {
    const head = await browser.send(path, { method: "HEAD", headers: typed });
    assert.equal(head.status, 204);
    for (const headers of prefetches) {
      const response = await browser.get(path, { ...click, ...headers });
      assert.deepEqual([response.status, response.body], [503, ""], JSON.stringify(headers));
      assert.equal(response.headers["cache-control"], "no-store");
    }
    assert.equal(browser.cookies.size, 0);
    assert.equal((await site.browser().get(path)).status, 302, "and the visit itself works");
  }
});

test("OA-12 a page below the sign-in, the callback or the sign-out is a page like any other", async (t) => {
  const site = await openSite(t, {
    routes: ({ router }) => void router.get("/*path", (_req, res) => void res.send("a page")),
  });
  for (const path of ["/sign-in/help", "/authenticate/help", "/sign-out/help"]) {
    const browser = site.browser();
    assert.equal((await browser.send(path, { method: "HEAD", headers: typed })).status, 200, path);
    for (const headers of prefetches)
      assert.equal((await browser.get(path, { ...click, ...headers })).status, 200);
  }
});

test("OA-12 asking for headers or loading in advance uses up no auth transaction", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const callback = new URL(await callbackFor(browser, "sandy_admin"));
  for (const path of spellings("/authenticate")) {
    const url = path + callback.search;
    const head = await browser.send(url, { method: "HEAD", headers: typed });
    assert.deepEqual([head.status, head.setCookies], [204, []]);
    for (const headers of prefetches) {
      const response = await browser.get(url, { ...crossSite, ...headers });
      assert.deepEqual([response.status, response.setCookies], [503, []], JSON.stringify(headers));
    }
  }
  assert.equal(tokenCalls(site), 0);
  assert.equal((await browser.get(callback.href, crossSite)).status, 303);
  assert.equal(await whoIs(browser), "sandy_admin");
});

test("OA-12 the callback in another spelling is the same callback", async (t) => {
  const site = await openSite(t);
  for (const path of spellings("/authenticate")) {
    const browser = site.browser();
    const { search } = new URL(await callbackFor(browser, "sandy_admin"));
    const copy = browser.copy();
    assert.equal((await browser.get(path + search)).status, 303, path);
    assert.equal(await whoIs(browser), "sandy_admin");
    assertErrorPage(await copy.get(path + search), "transaction_used");
  }
});

test("OA-14 users of the same name at two portals are two users", async (t) => {
  const settings = { SESSION_SECRET: secret(), ENCRYPTION_KEY: secret() };
  const sessionDir = join(folder(t), "sessions");
  const here = await openSite(t, { settings, sessionDir });
  const there = await openSite(t, { settings, sessionDir });
  const browser = here.browser();
  await signIn(browser, "sandy_admin");
  assert.equal(await whoIs(browser), "sandy_admin");

  const moved = there.browser();
  moved.cookies.set("arcgis.sid", String(browser.cookies.get("arcgis.sid")));
  assert.equal(await whoIs(moved), undefined, "a session of one portal is no sign-in at the other");
  assert.equal(await whoIs(browser), "sandy_admin");

  await signIn(moved, "sandy_admin");
  assert.equal(await whoIs(moved), "sandy_admin");
});

test("OA-14 the user who signs in next replaces the one before: nothing of their profile stays", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  await signIn(browser, "sandy_admin");
  const first = await browser.get("/");
  assert.match(first.body, /Sandy Boxwell.*Sandbox City GIS.*Administrator/s);

  site.sandbox.faults.set("self", { kind: "status", status: 500 });
  await signIn(browser, "vik_viewer");
  const second = await browser.get("/");
  assert.equal(await whoIs(browser), "vik_viewer");
  assert.doesNotMatch(second.body, /Sandy Boxwell|sandy_admin|Sandbox City GIS|Administrator/);
});

test("OA-15 the portal is asked for what is needed and nothing else", async (t) => {
  const settings = { TOKEN_EXPIRATION_MINUTES: 60, CLIENT_SECRET: "a-secret-of-the-credentials-item-41" };
  const site = await openSite(t, { settings });
  const browser = site.browser();
  const url = authorizeUrl(await browser.get("/sign-in"));
  assert.equal(url.origin + url.pathname, `${site.sandbox.url}/oauth2/authorize`);
  const { state, code_challenge, ...fixed } = Object.fromEntries(url.searchParams);
  assert.deepEqual(fixed, {
    client_id: "test-app",
    response_type: "code",
    redirect_uri: `${site.url}/authenticate`,
    expiration: "60",
    code_challenge_method: "S256",
  });
  assert.ok(state && code_challenge);

  await signIn(browser);
  const call = site.sandbox.log.find(({ endpoint }) => endpoint === "token");
  const names = Object.keys(call?.params ?? {}).sort();
  const expected = ["client_id", "client_secret", "code", "code_verifier", "f", "grant_type", "redirect_uri"];
  assert.deepEqual(names, expected);
  assert.equal(call?.params.client_secret, settings.CLIENT_SECRET);
  const { referer, cookie, authorization } = call?.headers ?? {};
  assert.deepEqual(
    { referer, cookie, authorization },
    { referer: undefined, cookie: undefined, authorization: undefined },
  );
});

test("OA-15 a refresh token is asked for ninety days at most", () => {
  const settings = {
    CLIENT_ID: "app",
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    REDIRECT_URI: "http://localhost:3000/authenticate",
  };
  assert.equal(
    parseConfig({ ...settings, TOKEN_EXPIRATION_MINUTES: 129_600 }).tokenExpirationMinutes,
    129_600,
  );
  assert.throws(() => parseConfig({ ...settings, TOKEN_EXPIRATION_MINUTES: 129_601 }), ConfigError);
});

test("AV-8 six sign-ins side by side finish in any order, each where it was meant to go", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const users = ["sandy_admin", "vik_viewer", "zoe_editor", "pia_publisher", "vik_viewer", "sandy_admin"];
  const begun: { name: string; page: string; callback: string }[] = [];
  for (const [index, name] of users.entries()) {
    const page = `/for/${index}/${name}`;
    begun.push({ name, page, callback: await callbackFor(browser, name, `/sign-in?returnTo=${page}`) });
  }
  for (const { name, page, callback } of begun.toReversed()) {
    const response = await browser.get(callback);
    assert.deepEqual([response.status, response.headers.location], [303, page]);
    assert.equal(await whoIs(browser), name);
  }
  assert.deepEqual([...browser.cookies.keys()], ["arcgis.sid"], "each one takes its cookie away");
  assert.equal(site.files().length, 1);
});

test("OA-1 OA-9 OA-12 the sign-in of an app that is mounted under a path stays under it", async (t) => {
  const site = await openSite(t, { mount: "/gis" });
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin", "/gis/sign-in");
  assert.equal(new URL(callback).pathname, "/gis/authenticate");
  const visitor = await site.browser().get(callback);
  assertErrorPage(visitor, "transaction_missing");
  assert.match(visitor.body, /href="\/gis\/sign-in\?returnTo=%2Fgis%2F"/);
  assert.equal((await browser.send(callback, { method: "HEAD" })).status, 204);
  assert.equal((await browser.get("/sign-in")).status, 404);

  const response = await browser.get(callback, crossSite);
  assert.deepEqual([response.status, response.headers.location], [303, "/gis/"]);
  assert.equal(await whoIs(browser, "/gis/"), "sandy_admin");

  const again = await signIn(browser, "vik_viewer", "/gis/sign-in?returnTo=/gis/map?a=1");
  assert.equal(again.headers.location, "/gis/map?a=1");
  const outside = await signIn(browser, "vik_viewer", "/gis/sign-in?returnTo=/elsewhere");
  assert.equal(outside.headers.location, "/elsewhere", "a page of the host app");
  const loop = await signIn(browser, "vik_viewer", "/gis/sign-in?returnTo=/GIS/sign-out/");
  assert.equal(loop.headers.location, "/gis/");
});

test("what ArcGIS adds to a callback beside code and state is passed over", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin");
  const iss = encodeURIComponent(site.sandbox.url);
  const extra = `&iss=${iss}&persist=true&message_code=x&__proto__=y&returnTo=//evil.example`;
  const response = await browser.get(callback + extra);
  assert.deepEqual([response.status, response.headers.location], [303, "/"]);
});

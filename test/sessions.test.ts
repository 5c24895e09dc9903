import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { fileBackend } from "#src/session-store.ts";
import { Browser, click } from "./support/browser.ts";
import { tokenCalls, whoIs } from "./support/expect.ts";
import { rounds } from "./support/rounds.ts";
import { callbackFor, folder, openSite, type Site, secret, signIn } from "./support/site.ts";
import {
  csrfTokenOf,
  identityOf,
  sessionIdOf,
  signed,
  signOut,
  transactionCookie,
  until,
} from "./support/user.ts";

const day = 24 * 60 * 60_000;
const sid = "arcgis.sid";

describe("signing in", () => {
  test("SE-1 SE-2 a second sign-in gives a new session id, ends the old session and revokes its tokens", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser, "sandy_admin");
    const before = browser.copy();
    const { refreshToken } = await identityOf(site, before);
    const [oldFile] = site.files();

    await signIn(browser, "vik_viewer");

    assert.equal(await whoIs(browser), "vik_viewer");
    assert.notEqual(sessionIdOf(browser), sessionIdOf(before));
    assert.equal(await whoIs(before), undefined);
    assert.equal(site.files().length, 1);
    assert.notEqual(site.files()[0], oldFile);
    await until(() => site.sandbox.revoked.length > 0, "the replaced tokens are revoked");
    assert.deepEqual(site.sandbox.revoked, [refreshToken]);
  });

  test("SE-2 the tokens of a session from before the portal's app was changed are revoked, too", async (t) => {
    const first = await openSite(t);
    const before = first.browser();
    await signIn(before, "sandy_admin");
    const { refreshToken } = await identityOf(first, before);
    const { sessionDir, sessionSecrets, encryptionKeys } = first.config;
    const { clients } = first.sandbox;
    const secrets = { SESSION_SECRET: sessionSecrets, ENCRYPTION_KEY: encryptionKeys };
    const redirectUri = `${first.url}/authenticate`;
    clients.push({ clientId: "next-app", redirectUris: [redirectUri] });
    const site = await openSite(t, {
      sandbox: first.sandbox,
      sessionDir,
      settings: { ...secrets, CLIENT_ID: "next-app", REDIRECT_URI: redirectUri },
    });
    const browser = site.browser();
    browser.cookies.set(sid, String(before.cookies.get(sid)));
    assert.equal(await whoIs(browser), undefined);

    const callback = new URL(await callbackFor(browser, "sandy_admin"));
    await browser.get(callback.pathname + callback.search);

    assert.equal(await whoIs(browser), "sandy_admin");
    await until(() => site.sandbox.revoked.length > 0, "the replaced tokens are revoked");
    assert.deepEqual(site.sandbox.revoked, [refreshToken]);
  });

  test("OA-10 SE-3 a browser that goes before the portal has responded leaves no session, no tokens, and its old session", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser, "sandy_admin");
    const callback = await callbackFor(browser, "vik_viewer");
    site.sandbox.faults.set("token", { kind: "delay", ms: 300, times: 1 });
    const cookies = [...browser.cookies].map((cookie) => cookie.join("=")).join("; ");
    const gone = request(callback, { headers: { Cookie: cookies } }).on("error", () => {});
    gone.end();
    await until(() => tokenCalls(site) === 2, "the code is on its way");

    gone.destroy();

    await until(() => site.sandbox.revoked.length > 0, "the tokens that will not be used are revoked");
    assert.equal(site.sandbox.revoked.length, 1);
    assert.equal(site.files().length, 1);
    assert.equal(await whoIs(browser), "sandy_admin");
    assert.match(site.log.text(), /"the browser has disconnected"/);
  });

  test("SE-1 SE-2 the same holds when it is the same user again", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser, "sandy_admin");
    const before = browser.copy();
    const { refreshToken } = await identityOf(site, before);

    await signIn(browser, "sandy_admin");

    assert.notEqual(sessionIdOf(browser), sessionIdOf(before));
    assert.equal(await whoIs(before), undefined);
    assert.equal(await whoIs(browser), "sandy_admin");
    await until(() => site.sandbox.revoked.length > 0, "the replaced tokens are revoked");
    assert.deepEqual(site.sandbox.revoked, [refreshToken]);
  });

  for (const fault of ["hang", "reset", "html"] as const) {
    test(`SE-2 a portal whose revocation fails (${fault}) does not hold up or stop a second sign-in`, async (t) => {
      const site = await openSite(t);
      const browser = site.browser();
      await signIn(browser, "sandy_admin");
      site.sandbox.faults.set("revokeToken", { kind: fault });
      // A request that waits for a portal that hangs would now wait for ever.
      t.mock.method(AbortSignal, "timeout", () => new AbortController().signal);
      assert.equal((await signIn(browser, "vik_viewer")).status, 303);
      assert.equal(await whoIs(browser), "vik_viewer");
    });
  }

  test("SE-3 AV-5 visitors who do not sign in leave no session, no file and no session cookie", async (t) => {
    const site = await openSite(t);
    const urls = [
      "/",
      "/sign-in",
      "/sign-out",
      "/authenticate",
      "/authenticate?code=x&state=y",
      "/authenticate?error=access_denied&state=y",
      "/nothing",
      "/assets/app.css",
    ];
    const cookies = new Set<string>();
    const visit = async (index: number) => {
      const browser = site.browser();
      // Every other one has a sign-in under way.
      if (index % 2 === 1) browser.cookies.set(name, pending);
      const { setCookies } = await browser.get(String(urls[index % urls.length]));
      for (const cookie of setCookies) cookies.add(cookie.slice(0, cookie.indexOf("=")));
    };
    const visitor = site.browser();
    await visitor.get("/sign-in");
    const name = transactionCookie(visitor);
    const pending = String(visitor.cookies.get(name));
    for (let index = 0; index < rounds(100, 1_000); index += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, offset) => visit(index + offset)));
    }
    assert.deepEqual(site.files(), []);
    assert.ok(cookies.size > 0);
    for (const cookie of cookies) assert.match(cookie, /^arcgis\.sid\.tx\.[\w-]{8}$/);
  });

  test("SE-4 every sign-in gets an id of its own, of 192 random bits", async (t) => {
    const site = await openSite(t);
    const ids = new Set<string>();
    for (let index = 0; index < 10; index++) {
      const browser = site.browser();
      await signIn(browser);
      ids.add(sessionIdOf(browser));
    }
    assert.equal(ids.size, 10);
    for (const id of ids) assert.match(id, /^[\w-]{32}$/);
  });

  test("SE-4 an id that this server did not give is not adopted, signed or not", async (t) => {
    const [newest, older, foreign] = [secret(), secret(), secret()];
    const site = await openSite(t, { settings: { SESSION_SECRET: [newest, older] } });
    const gone = site.browser();
    await signIn(gone);
    const ended = sessionIdOf(gone);
    await signOut(gone);

    const unknown = "A".repeat(32);
    for (const planted of [
      signed(unknown, newest),
      signed(unknown, older),
      signed(unknown, foreign),
      signed(ended, newest),
      signed("", newest),
      signed("__proto__", newest),
      signed("../../etc/passwd", newest),
      unknown,
      encodeURIComponent(`s:${unknown}`),
      "",
    ]) {
      const browser = site.browser();
      browser.cookies.set(sid, planted);
      const home = await browser.get("/");
      assert.equal(home.status, 200, planted);
      assert.match(home.body, /href="\/sign-in\?returnTo=%2F"/, planted);
      assert.deepEqual(home.setCookies, [], planted);
      assert.deepEqual(site.files(), [], planted);
    }

    const browser = site.browser();
    browser.cookies.set(sid, signed(unknown, newest));
    await signIn(browser);
    assert.notEqual(sessionIdOf(browser), unknown);
    assert.equal(await whoIs(browser), "sandy_admin");
    const planter = site.browser();
    planter.cookies.set(sid, signed(unknown, newest));
    assert.equal(await whoIs(planter), undefined);
  });

  test("SE-4 who plants a session of their own in another user's browser does not share the one that follows", async (t) => {
    const site = await openSite(t);
    const attacker = site.browser();
    await signIn(attacker, "ned_county");
    const victim = attacker.copy();
    await signIn(victim, "sandy_admin");
    assert.equal(await whoIs(victim), "sandy_admin");
    assert.equal(await whoIs(attacker), undefined);
  });

  test("SE-10 a client that follows the redirect as soon as its headers are there is signed in, every time", async (t) => {
    const site = await openSite(t);
    for (let round = 0; round < rounds(10, 50); round++) {
      const browser = site.browser();
      const callback = await callbackFor(browser, "sandy_admin", "/sign-in");
      const name = transactionCookie(browser);
      const page = await followAtOnce(site, callback, `${name}=${browser.cookies.get(name)}`);
      assert.match(page, /<bdi>sandy_admin<\/bdi>/, `round ${round}`);
    }
  });
});

describe("signing out", () => {
  test("SE-5 a sign-out ends the session, its file, its cookie and its tokens; a copy of the cookie is worthless", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    const given = (await signIn(browser)).setCookies.find((cookie) => cookie.startsWith(sid));
    const thief = browser.copy();
    const { refreshToken } = await identityOf(site, browser);

    const response = await signOut(browser);

    assert.deepEqual([response.status, response.headers.location], [303, "/"]);
    assert.deepEqual(site.files(), []);
    assert.deepEqual(site.sandbox.revoked, [refreshToken]);
    assert.equal(browser.cookies.has(sid), false);
    const [cookie = ""] = response.setCookies;
    const settings = (text = "") =>
      new Set(text.split("; ").filter((part) => !/=/.test(part) || /^(Path|SameSite|Domain)=/.test(part)));
    assert.deepEqual(
      settings(cookie),
      settings(given),
      "the same attributes, or the browser would keep the cookie",
    );
    assert.match(cookie, /Expires=Thu, 01 Jan 1970/);
    assert.equal(await whoIs(thief), undefined);
    assert.equal((await thief.get("/sign-out")).status, 303);
    assert.deepEqual(site.files(), []);
  });

  test("SE-5 ST-13 a session that cannot be removed any more is signed out all the same, tokens and cookie too", async (t) => {
    const backend = fileBackend(folder(t));
    const site = await openSite(t, { backend });
    const browser = site.browser();
    await signIn(browser);
    const thief = browser.copy();
    const { refreshToken } = await identityOf(site, browser);
    backend.take = () => Promise.reject(new Error("EIO"));

    const response = await signOut(browser);

    assert.deepEqual([response.status, response.headers.location], [303, "/"]);
    assert.deepEqual(site.sandbox.revoked, [refreshToken]);
    assert.equal(browser.cookies.has(sid), false);
    assert.equal(await whoIs(thief), undefined);
  });

  test("SE-5 a sign-out in one browser leaves the user's other browsers signed in", async (t) => {
    const site = await openSite(t);
    const [desk, phone] = [site.browser(), site.browser()];
    await signIn(desk);
    await signIn(phone);
    await signOut(desk);
    assert.equal(await whoIs(desk), undefined);
    assert.equal(await whoIs(phone), "sandy_admin");
  });

  test("SE-9 noting the last use of a session does not bring it back", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const site = await openSite(t);
    for (let round = 0; round < rounds(3, 10); round++) {
      const browser = site.browser();
      await signIn(browser);
      const thief = browser.copy();
      const csrfToken = csrfTokenOf(await browser.get("/"));
      // A use is noted once a minute: each of these requests wants to write.
      t.mock.timers.tick(61_000);
      const inFlight = Array.from({ length: 20 }, () => thief.get("/"));
      const signedOut = browser.post("/sign-out", { csrf_token: csrfToken });
      await Promise.all([...inFlight, signedOut]);
      assert.equal(await whoIs(thief), undefined);
      assert.deepEqual(site.files(), []);
    }
  });
});

describe("the life of a session", () => {
  test("SE-8 a session ends with its refresh token, however long it may live: a clean start page", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const site = await openSite(t, {
      settings: { SESSION_IDLE_SECONDS: 60 * 86_400, SESSION_MAX_SECONDS: 90 * 86_400 },
    });
    const browser = site.browser();
    const start = Date.now();
    const { setCookies } = await signIn(browser);
    const [, expires = ""] = /arcgis\.sid=.*; Expires=([^;]+)/.exec(setCookies.join("\n")) ?? [];
    assert.ok(Date.parse(expires) <= start + 14 * day, expires);

    // A portal in trouble exchanges no token: the session continues, but only as long as the refresh token.
    site.sandbox.faults.set("token", { kind: "status", status: 503 });
    t.mock.timers.setTime(start + 14 * day - 10 * 60_000);
    assert.equal(await whoIs(browser), "sandy_admin");
    t.mock.timers.setTime(start + 14 * day);
    const home = await browser.get("/");
    assert.equal(home.status, 200);
    assert.match(home.body, /href="\/sign-in\?returnTo=%2F"/);
    assert.equal((await browser.get("/sign-out")).headers.location, "/");
  });

  test("SE-8 a portal that gives a shorter refresh token than was asked for shortens the session", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const site = await openSite(t);
    site.sandbox.settings.refreshTokenSeconds = 3_600;
    const browser = site.browser();
    await signIn(browser);
    site.sandbox.faults.set("token", { kind: "status", status: 503 });
    t.mock.timers.tick(50 * 60_000);
    assert.equal(await whoIs(browser), "sandy_admin");
    t.mock.timers.tick(10 * 60_000);
    assert.equal(await whoIs(browser), undefined);
  });

  test("SE-8 a portal that does not say how long a refresh token lives leaves it to SESSION_MAX_SECONDS", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const site = await openSite(t, { settings: { SESSION_IDLE_SECONDS: 7_200, SESSION_MAX_SECONDS: 7_200 } });
    site.sandbox.settings.omitRefreshTokenExpiry = true;
    const browser = site.browser();
    await signIn(browser);
    t.mock.timers.tick(7_199_000);
    assert.equal(await whoIs(browser), "sandy_admin");
    t.mock.timers.tick(1_000);
    assert.equal(await whoIs(browser), undefined);
  });

  test("SE-13 the start page, the confirm page and error pages offer sign-out, and the start page says what it does not end", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser);
    for (const url of ["/", "/sign-out"]) {
      const { body } = await browser.get(url);
      assert.match(body, /<form method="post" action="\/sign-out"/);
      assert.match(body, />Sign out</);
      assert.match(csrfTokenOf({ body }), /^[\w-]{43}$/);
    }
    const { body } = await browser.get("/");
    assert.match(body, /This browser stays signed in to ArcGIS until you sign out there, too\./);
    const link = '<a class="button plain" href="/sign-out">Sign out</a>';
    assert.ok((await browser.get("/nothing")).body.includes(link));
    assert.ok(!(await site.browser().get("/nothing")).body.includes(link), "of a visitor");
    assert.equal((await browser.get("/sign-out", click)).status, 303);
    assert.equal(await whoIs(browser), undefined);
  });

  for (const url of ["/map", "/sign-ins"])
    test(`SE-13 the sign-out form on ${url} works, and with the CSRF token of another session it is refused`, async (t) => {
      const site = await openSite(t);
      const [browser, other] = [site.browser(), site.browser()];
      await Promise.all([signIn(browser), signIn(other)]);
      const { body } = await browser.get(url);
      assert.match(body, /<form method="post" action="\/sign-out"/);
      const foreign = csrfTokenOf(await other.get(url));
      for (const form of [{ csrf_token: foreign }, { csrf_token: "" }, {}] as Record<string, string>[])
        assert.equal((await browser.post("/sign-out", form)).status, 403);
      assert.equal(await whoIs(browser), "sandy_admin");
      assert.equal((await browser.post("/sign-out", { csrf_token: csrfTokenOf({ body }) })).status, 303);
      assert.deepEqual([await whoIs(browser), await whoIs(other)], [undefined, "sandy_admin"]);
    });

  test("a browser that is closed and opened again is still signed in: the cookie is for days, not for a window", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    const { setCookies } = await signIn(browser);
    const cookie = setCookies.find((each) => each.startsWith(`${sid}=`)) ?? "";
    const left = Date.parse(/Expires=([^;]+)/.exec(cookie)?.[1] ?? "") - Date.now();
    assert.ok(left > 13 * day && left <= 14 * day, cookie);
  });

  test("a new server on the same session folder knows everybody who was signed in, and their forms", async (t) => {
    const settings = { SESSION_SECRET: secret(), ENCRYPTION_KEY: secret() };
    const sessionDir = join(folder(t), "sessions");
    const before = await openSite(t, { settings, sessionDir });
    const browser = before.browser();
    await signIn(browser, "zoe_editor");
    const open = await browser.get("/");
    const { token } = await identityOf(before, browser);

    const after = await openSite(t, { settings, sessionDir, sandbox: before.sandbox });
    const same = new Browser(after.url, browser.cookies);
    assert.equal((await identityOf(after, same)).token, token);
    assert.match((await same.get("/")).body, /Zoë 日本/);
    assert.equal((await same.post("/sign-out", { csrf_token: csrfTokenOf(open) })).status, 303);
    assert.equal(await whoIs(same), undefined);
    assert.equal(await whoIs(browser), undefined, "the first server knows it, too");
  });

  test("SESSION_SECRET rotates: the newest secret signs, the older one still counts, a dropped one does not", async (t) => {
    const [older, newer] = [secret(), secret()];
    const settings = { ENCRYPTION_KEY: secret() };
    const sessionDir = join(folder(t), "sessions");
    const first = await openSite(t, { settings: { ...settings, SESSION_SECRET: older }, sessionDir });
    const { sandbox } = first;
    const longSignedIn = first.browser();
    await signIn(longSignedIn, "sandy_admin");
    const open = await longSignedIn.get("/");

    const both = { ...settings, SESSION_SECRET: [newer, older] };
    const second = await openSite(t, { settings: both, sessionDir, sandbox });
    assert.equal(await whoIs(new Browser(second.url, longSignedIn.cookies)), "sandy_admin");
    const justSignedIn = second.browser();
    await signIn(justSignedIn, "vik_viewer");
    assert.equal(justSignedIn.cookies.get(sid), signed(sessionIdOf(justSignedIn), newer));

    const third = await openSite(t, {
      settings: { ...settings, SESSION_SECRET: newer },
      sessionDir,
      sandbox,
    });
    assert.equal(await whoIs(new Browser(third.url, justSignedIn.cookies)), "vik_viewer");
    assert.equal(await whoIs(new Browser(third.url, longSignedIn.cookies)), undefined);
    assert.equal(await whoIs(new Browser(first.url, justSignedIn.cookies)), undefined);

    // A page that was open all the time.
    const csrfToken = csrfTokenOf(open);
    const goodbye = await new Browser(second.url, longSignedIn.cookies).post("/sign-out", {
      csrf_token: csrfToken,
    });
    assert.equal(goodbye.status, 303);
    assert.equal(await whoIs(longSignedIn), undefined);
  });
});

/**
 * Sends the callback's request, and asks for the start page on a second connection the moment the headers of
 * the response are complete: no HTTP client is as fast as that. Gives the page.
 */
async function followAtOnce(site: Site, callback: string, cookies: string): Promise<string> {
  const { pathname, search, port } = new URL(callback);
  const [first, second] = [connect(Number(port), "127.0.0.1"), connect(Number(port), "127.0.0.1")];
  await Promise.all([once(first, "connect"), once(second, "connect")]);
  const get = (target: string, cookie: string) =>
    `GET ${target} HTTP/1.1\r\nHost: ${new URL(site.url).host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`;

  let headers = "";
  first.on("data", (chunk) => {
    if (headers.includes("\r\n\r\n")) return;
    headers += chunk.toString("latin1");
    const [, cookie] = /^set-cookie: (arcgis\.sid=[^;]+)/im.exec(headers) ?? [];
    if (headers.includes("\r\n\r\n")) second.write(get("/", cookie ?? ""));
  });
  first.on("close", () => headers.includes("\r\n\r\n") || second.destroy());
  first.write(get(pathname + search, cookies));
  const page = await text(second);
  first.destroy();
  assert.match(headers, /^HTTP\/1\.1 303 /);
  return page;
}

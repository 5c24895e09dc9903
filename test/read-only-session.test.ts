import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Request, RequestHandler } from "express";
import { readOnlySessions, sessions } from "#src/session/session.ts";
import type { Browser } from "./support/browser.ts";
import { signed, signedId } from "./support/person.ts";
import { openSite, type SiteOptions, secret, signIn } from "./support/site.ts";
import { day, identityFor } from "./support/store.ts";

const sid = "arcgis.sid";

/** A site with a page that says who is signed in, once with each kind of session. */
async function openBoth(t: TestContext, options: SiteOptions = {}, look?: (req: Request) => unknown) {
  return openSite(t, {
    ...options,
    host: (host, { config, store }) => {
      const answer: RequestHandler = (req, res) => {
        const { identity, profile, cookie } = req.session;
        const { username } = identity ?? {};
        res.json({
          username,
          profile,
          expires: cookie.expires,
          id: identity && req.sessionID,
          look: look?.(req),
        });
      };
      host.get("/full", sessions(config, store), answer);
      host.get("/read-only", readOnlySessions(config, store), answer);
      host.get("/both", readOnlySessions(config, store), sessions(config, store), answer);
    },
  });
}

/** What both pages say, which must be the same. */
async function seenBy(browser: Browser): Promise<Record<string, unknown>> {
  const [full, readOnly] = [await browser.get("/full"), await browser.get("/read-only")];
  assert.equal(full.status, 200, full.body);
  assert.equal(readOnly.status, 200, readOnly.body);
  assert.deepEqual(readOnly.json(), full.json());
  return readOnly.json() as Record<string, unknown>;
}

function idOf(browser: Browser): string {
  const cookie = decodeURIComponent(String(browser.cookies.get(sid)));
  return cookie.slice(2, cookie.lastIndexOf("."));
}

describe("a session that is only looked at", () => {
  test("is the session that express-session gives: same person, same id, same end", async (t) => {
    const site = await openBoth(t);
    const browser = site.browser();
    assert.deepEqual(await seenBy(browser), { expires: null });
    await signIn(browser, "zoe_editor");
    const { username, profile, id, expires } = await seenBy(browser);
    assert.equal(username, "zoe_editor");
    assert.match((profile as { fullName: string }).fullName, /Zoë 日本/);
    assert.equal(id, idOf(browser));
    assert.ok(Date.parse(String(expires)) > Date.now() + 13 * day);
    assert.equal((await browser.get("/both")).status, 200, "express-session leaves it alone");
  });

  test("SE-4 counts for exactly the cookies that express-session accepts", async (t) => {
    const [newest, older, foreign] = [secret(), secret(), secret()];
    const site = await openBoth(t, { settings: { SESSION_SECRET: [newest, older] } });
    const browser = site.browser();
    await signIn(browser, "vik_viewer");
    const id = idOf(browser);
    const good = signedId(id, newest);
    const accepted = [good, `${good} `, encodeURIComponent(good), signedId(id, older)];
    const refused = [
      signedId(id, foreign),
      signedId("unknown", newest),
      signedId("", newest),
      signedId(`${id}.x`, newest),
      `${good}=`,
      `${good}.`,
      good.slice(0, -1),
      good.slice(2),
      good.replace("s:", "S:"),
      good.replace("s:", "j:"),
      `s:${good}`,
      good.replace("+", " "),
      id,
      "s:",
      "s:.",
      "s:%",
      "%E0%A4%A",
      "",
      `${id}.`,
      encodeURIComponent(encodeURIComponent(good)),
    ].filter((value) => value !== good);
    const look = async (header: string) => {
      const visitor = site.browser();
      const ask = async (path: string) => (await visitor.send(path, { headers: { Cookie: header } })).json();
      const [full, readOnly] = [await ask("/full"), await ask("/read-only")] as { username?: string }[];
      assert.deepEqual(readOnly, full, header);
      return readOnly?.username;
    };
    for (const value of accepted) assert.equal(await look(`${sid}=${value}`), "vik_viewer", value);
    for (const value of refused) assert.equal(await look(`${sid}=${value}`), undefined, value);
    assert.equal(await look(`a=b; ${sid}=${good}; c=d`), "vik_viewer");
    assert.equal(await look(`${sid}=${good}; ${sid}=bad`), "vik_viewer");
    assert.equal(await look(`${sid}=bad; ${sid}=${good}`), undefined);
    assert.equal(await look(`x${sid}=${good}`), undefined);
  });

  test("cannot be changed: who tries gets a TypeError, at any depth, signed in or not", async (t) => {
    const refuse = () => {
      throw new TypeError("a stranger's cookie has no date");
    };
    const attempts: ((session: Record<string, unknown>) => unknown)[] = [
      (session) => Object.assign(session, { admin: true }),
      (session) => Object.assign(session, { identity: identityFor("eve") }),
      (session) => delete session.cookie,
      (session) => Object.assign(session.cookie as object, { originalMaxAge: 1 }),
      (session) => Object.assign((session.profile ?? session.cookie) as object, { fullName: "Eve" }),
      (session) => (session.cookie as { expires: Date | null }).expires?.setTime(0) ?? refuse(),
      (session) => (session.save as () => void)(),
      (session) => (session.regenerate as () => void)(),
      (session) => (session.destroy as () => void)(),
    ];
    const site = await openBoth(t, {}, (req) => {
      if (req.path === "/read-only") {
        for (const attempt of attempts)
          assert.throws(() => attempt(req.session as never), TypeError, String(attempt));
      }
    });
    const browser = site.browser();
    await seenBy(browser);
    await signIn(browser, "sandy_admin");
    const [file] = site.files();
    assert.equal((await seenBy(browser)).username, "sandy_admin");
    assert.deepEqual(site.files(), [file]);
  });

  test("is one object for all requests, and another one as soon as somebody has changed it", async (t) => {
    const sessions = new Set<unknown>();
    const site = await openBoth(t, {}, ({ path, session }) => {
      if (path === "/read-only") sessions.add(session);
      if (path === "/read-only" && session.identity) {
        const { identity } = session;
        assert.throws(() => identity.updateToken("another", new Date()), TypeError);
        return identity.token;
      }
      return undefined;
    });
    const browser = site.browser();
    await signIn(browser);
    // Until the store is sure of the file's state.
    for (let look = 0; look < 3; look++) {
      await browser.get("/read-only");
      await sleep(60);
    }
    sessions.clear();
    for (let look = 0; look < 3; look++) await browser.get("/read-only");
    assert.equal(sessions.size, 1);
    await site.store.update(
      idOf(browser),
      ({ identity }) => void identity?.updateToken("renewed", new Date()),
    );
    assert.equal(((await browser.get("/read-only")).json() as { look: string }).look, "renewed");
    assert.equal(sessions.size, 2);
  });

  test("ST-9 a stranger and a forged cookie do not reach the store", async (t) => {
    const site = await openBoth(t);
    const { mock } = t.mock.method(site.store, "look");
    const stranger = site.browser();
    await stranger.get("/read-only");
    stranger.cookies.set(sid, signed("A".repeat(32), secret()));
    await stranger.get("/read-only");
    assert.equal(mock.callCount(), 0);
  });

  test("ST-13 is a 503 while the store fails, and a stranger does not notice", async (t) => {
    const site = await openSite(t, {
      host: (host, { config, store }) => {
        host.get("/read-only", readOnlySessions(config, store), (_req, res) => void res.end("here"));
        host.use(((error, _req, res, _next) => {
          res.status(error.explanation.status).end(error.code);
        }) as import("express").ErrorRequestHandler);
      },
    });
    const [browser, stranger] = [site.browser(), site.browser()];
    await signIn(browser);
    rmSync(site.config.sessionDir, { recursive: true });
    writeFileSync(site.config.sessionDir, "");
    const answer = await browser.get("/read-only");
    assert.deepEqual([answer.status, answer.body], [503, "store_unavailable"]);
    assert.equal((await stranger.get("/read-only")).body, "here");
  });
});

test("SE-8 CK-7 the cookie is sent again when the session has come to live longer, and never beyond its end", async (t) => {
  const site = await openBoth(t);
  const browser = site.browser();
  const cookieIn = ({ setCookies }: { setCookies: string[] }) =>
    setCookies.find((cookie) => cookie.startsWith(`${sid}=`));
  const endIn = (cookie = "") => Date.parse(/Expires=([^;]+)/.exec(cookie)?.[1] ?? "");
  const renewFor = (days: number) =>
    site.store.update(idOf(browser), (data) => {
      const { portal, clientId } = site.config;
      const renewed = identityFor("sandy_admin", { refreshTokenExpires: new Date(Date.now() + days * day) });
      data.identity = Object.assign(renewed, { portal, clientId });
    });
  const look = async () => cookieIn(await browser.get("/read-only"));

  const first = cookieIn(await signIn(browser));
  assert.ok(endIn(first) <= Date.now() + 14 * day);
  assert.equal(await look(), undefined, "the browser knows the end");

  await renewFor(20);
  const again = await look();
  assert.ok(Math.abs(endIn(again) - (Date.now() + 20 * day)) < 60_000, again);
  const partsOf = (cookie = "") => new Set(cookie.split("; ").filter((part) => !part.startsWith("Expires=")));
  assert.deepEqual(partsOf(again), partsOf(first), "the same value, the same attributes");

  await renewFor(60);
  assert.ok(endIn(await look()) <= Date.now() + 30 * day, "no later than the absolute end");
  await renewFor(3);
  assert.equal(await look(), undefined, "an earlier end needs no cookie: the server knows it");
});

describe("tokens of another portal or application", () => {
  for (const [what, settings] of Object.entries({
    "another portal": { PORTAL_URL: "https://other.example/sharing/rest" },
    "another application": { CLIENT_ID: "other-app" },
  })) {
    test(`are no sign-in, from before the configuration named ${what}`, async (t) => {
      const kept = { SESSION_SECRET: secret(), ENCRYPTION_KEY: secret() };
      const before = await openBoth(t, { settings: kept });
      const browser = before.browser();
      await signIn(browser);
      assert.equal((await seenBy(browser)).username, "sandy_admin");

      const { sandbox, config } = before;
      const after = await openBoth(t, {
        sandbox,
        sessionDir: config.sessionDir,
        settings: { ...kept, ...settings },
      });
      const same = after.browser();
      same.cookies.set(sid, String(browser.cookies.get(sid)));
      for (const path of ["/full", "/read-only"]) {
        assert.equal(((await same.get(path)).json() as { username?: string }).username, undefined);
      }
      assert.equal((await seenBy(browser)).username, "sandy_admin", "nothing of it was removed");
    });
  }
});

describe("the start page, asked for twice in a second", () => {
  const nowOf = (html: string) => /data-now="([^"]+)"/.exec(html)?.[1];
  const start = Date.parse("2027-03-01T12:00:00.000Z");

  /** Somebody whose session has been looked at so often that all requests share it. */
  async function openShared(t: TestContext, username = "sandy_admin") {
    t.mock.timers.enable({ apis: ["Date"], now: start });
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser, username);
    await browser.get("/");
    // So long an older state of the file could look the same.
    await sleep(150);
    for (let times = 0; times < 3; times++) await browser.get("/");
    return { site, browser };
  }

  test("is made once, and again in the next second: it says how much time is left", async (t) => {
    const { browser } = await openShared(t);
    const made = await browser.get("/");
    t.mock.timers.tick(900);
    const again = await browser.get("/");
    assert.equal(again.body, made.body);
    assert.equal(nowOf(again.body), "2027-03-01T12:00:00.000Z");
    const names = Object.keys(made.headers).filter((name) => name !== "x-request-id" && name !== "date");
    for (const name of names) assert.equal(again.headers[name], made.headers[name], name);
    assert.equal(again.headers["referrer-policy"], "same-origin");
    assert.equal(
      (await browser.send("/", { method: "HEAD" })).headers["content-length"],
      made.headers["content-length"],
    );
    t.mock.timers.tick(100);
    assert.equal(nowOf((await browser.get("/")).body), "2027-03-01T12:00:01.000Z");
  });

  test("is everybody's own", async (t) => {
    const { site, browser } = await openShared(t, "pia_publisher");
    const other = site.browser();
    await signIn(other, "vik_viewer");
    await sleep(150);
    for (let times = 0; times < 3; times++) {
      assert.match((await browser.get("/")).body, /<h1><bdi>Pia Marlow<\/bdi><\/h1>/);
      assert.match((await other.get("/")).body, /<h1><bdi>Vik Rao<\/bdi><\/h1>/);
      assert.match((await site.browser().get("/")).body, /Sign in with ArcGIS/);
    }
  });

  test("is gone with the session, and new when the session has changed", async (t) => {
    const { site, browser } = await openShared(t);
    const copy = browser.copy();
    await site.store.update(idOf(browser), (data) => {
      if (data.profile) data.profile = { ...data.profile, fullName: "Somebody Else" };
    });
    assert.match((await browser.get("/")).body, /<h1><bdi>Somebody Else<\/bdi><\/h1>/);
    await site.store.end(idOf(browser));
    assert.match((await copy.get("/")).body, /Sign in with ArcGIS/);
  });

  test("has the links of the path under which it is asked for", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: start });
    const settings = { REDIRECT_URI: "http://localhost:3000/gis/authenticate" };
    const site = await openSite(t, { mount: "/:place", settings });
    const browser = site.browser();
    for (const place of ["gis", "maps", "gis"]) {
      assert.match((await browser.get(`/${place}/`)).body, new RegExp(`href="/${place}/sign-in"`));
    }
  });
});

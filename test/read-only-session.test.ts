import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Request, Response } from "express";
import { type AuthAppOptions, idOf, openAuthApp } from "./support/auth-app.ts";
import type { Browser } from "./support/browser.ts";
import { signIn } from "./support/sign-in.ts";
import { openSite } from "./support/site.ts";
import { day } from "./support/store.ts";
import { secret } from "./support/temporary.ts";
import { signed, signedId } from "./support/user.ts";

const sid = "arcgis.sid";

/** An app with a page that says who is signed in, once in front of session(), for reading only, and once behind it. */
function openBoth(t: TestContext, options: AuthAppOptions = {}) {
  const respond = (req: Request, res: Response) =>
    void res.json({ user: req.arcgis.user, name: req.arcgis.user && req.arcgis.sessionName });
  return openAuthApp(t, {
    mode: "shared",
    before: (app, auth) => app.get("/read-only", auth.readOnly, respond),
    routes: (app) => app.get("/full", respond),
    ...options,
  });
}

/** What both pages say, which must be the same. */
async function seenBy(browser: Browser) {
  const [full, readOnly] = [await browser.get("/full"), await browser.get("/read-only")];
  assert.equal(readOnly.status, 200, readOnly.body);
  assert.deepEqual(readOnly.json(), full.json());
  return readOnly.json() as { user?: { username: string; fullName: string }; name?: string };
}

describe("a session that is only read", () => {
  test("is the session that express-session loads: the same user, the same record", async (t) => {
    const app = await openBoth(t);
    const browser = app.browser();
    assert.deepEqual(await seenBy(browser), {});
    await signIn(browser, "zoe_editor");
    const { user, name } = await seenBy(browser);
    assert.equal(user?.username, "zoe_editor");
    assert.match(String(user?.fullName), /Zoë 日本/);
    assert.equal(name, app.auth.store.admin.nameOf(idOf(browser)));
  });

  test("SE-4 counts for exactly the cookies that express-session accepts", async (t) => {
    const [newest, older, foreign] = [secret(), secret(), secret()];
    const app = await openBoth(t, { auth: { sessionSecret: [newest, older] } });
    const browser = app.browser();
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
      const other = app.browser();
      const ask = async (path: string) => (await other.send(path, { headers: { Cookie: header } })).json();
      const [full, readOnly] = [await ask("/full"), await ask("/read-only")];
      assert.deepEqual(readOnly, full, header);
      return (readOnly as { user?: { username: string } }).user?.username;
    };
    for (const value of accepted) assert.equal(await look(`${sid}=${value}`), "vik_viewer", value);
    for (const value of refused) assert.equal(await look(`${sid}=${value}`), undefined, value);
    assert.equal(await look(`a=b; ${sid}=${good}; c=d`), "vik_viewer");
    assert.equal(await look(`${sid}=${good}; ${sid}=bad`), "vik_viewer");
    assert.equal(await look(`${sid}=bad; ${sid}=${good}`), undefined);
    assert.equal(await look(`x${sid}=${good}`), undefined);
  });

  test("ST-9 asks the store only for a session id that is signed", async (t) => {
    const { auth, browser } = await openBoth(t);
    const { mock } = t.mock.method(auth.store, "readParts");
    const visitor = browser();
    await visitor.get("/read-only");
    visitor.cookies.set(sid, signed("A".repeat(32), secret()));
    await visitor.get("/read-only");
    assert.equal(mock.callCount(), 0);
  });

  test("ST-13 is a 503 while the store fails; visitors without a session do not notice", async (t) => {
    const { browser, dir } = await openBoth(t);
    const [user, visitor] = [browser(), browser()];
    await signIn(user);
    rmSync(dir, { recursive: true });
    writeFileSync(dir, "");
    const { status, body } = await user.get("/read-only");
    assert.equal(status, 503, body);
    assert.equal((await visitor.get("/read-only")).status, 200);
  });

  test("SE-8 CK-7 sends the cookie again when the sign-in has come to live longer, and never beyond its end", async (t) => {
    const { auth, browser: open } = await openBoth(t);
    const browser = open();
    const cookieIn = ({ setCookies }: { setCookies: string[] }) =>
      setCookies.find((cookie) => cookie.startsWith(`${sid}=`));
    const endIn = (cookie = "") => Date.parse(/Expires=([^;]+)/.exec(cookie)?.[1] ?? "");
    const liveFor = (days: number) =>
      auth.store.update(idOf(browser), (data) => {
        const refreshTokenExpires = new Date(Date.now() + days * day);
        const serialized = JSON.parse(data.arcgis?.serialize() ?? "");
        data.arcgis = ArcGISIdentityManager.deserialize(
          JSON.stringify({ ...serialized, refreshTokenExpires }),
        );
      });
    const look = async () => cookieIn(await browser.get("/read-only"));

    const first = cookieIn(await signIn(browser));
    assert.ok(endIn(first) <= Date.now() + 14 * day);
    assert.equal(await look(), undefined, "the browser knows the end");

    await liveFor(20);
    const again = await look();
    assert.ok(Math.abs(endIn(again) - (Date.now() + 20 * day)) < 60_000, again);
    const partsOf = (cookie = "") =>
      new Set(cookie.split("; ").filter((part) => !/^(?:Expires|Max-Age)=/.test(part)));
    assert.deepEqual(partsOf(again), partsOf(first), "the same value, the same attributes");

    await liveFor(60);
    assert.ok(endIn(await look()) <= Date.now() + 30 * day, "no later than the absolute end");
    await liveFor(3);
    assert.equal(await look(), undefined, "an earlier end needs no cookie: the server knows it");
  });

  for (const [what, changed] of Object.entries({
    "another portal": { portal: "https://other.example/sharing/rest" },
    "another application": { clientId: "other-app" },
  })) {
    test(`of ${what}, from before the configuration was changed, is no sign-in`, async (t) => {
      const kept = { sessionSecret: secret(), encryptionKey: secret() };
      const before = await openBoth(t, { auth: kept });
      const browser = before.browser();
      await signIn(browser);
      assert.equal((await seenBy(browser)).user?.username, "sandy_admin");

      const { sandbox, dir } = before;
      const after = await openBoth(t, { sandbox, dir, auth: { ...kept, ...changed } });
      const same = after.browser();
      same.cookies.set(sid, String(browser.cookies.get(sid)));
      assert.equal((await seenBy(same)).user, undefined);
      assert.equal((await seenBy(browser)).user?.username, "sandy_admin", "nothing of it was removed");
    });
  }
});

describe("the start page", () => {
  test("is each user's own", async (t) => {
    const site = await openSite(t);
    const [one, other] = [site.browser(), site.browser()];
    await signIn(one, "pia_publisher");
    await signIn(other, "vik_viewer");
    for (let times = 0; times < 3; times++) {
      assert.match((await one.get("/")).body, /<h1><bdi>Pia Marlow<\/bdi><\/h1>/);
      assert.match((await other.get("/")).body, /<h1><bdi>Vik Rao<\/bdi><\/h1>/);
      assert.match((await site.browser().get("/")).body, /Sign in with ArcGIS/);
    }
  });

  test("is gone with the session, and new when the session has changed", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser);
    const copy = browser.copy();
    await site.store.update(idOf(browser), (data) => {
      const { arcgisSignIn } = data as { arcgisSignIn?: { user: object } };
      Object.assign(arcgisSignIn?.user ?? {}, { fullName: "Another Name" });
    });
    assert.match((await browser.get("/")).body, /<h1><bdi>Another Name<\/bdi><\/h1>/);
    await site.store.take(idOf(browser));
    assert.match((await copy.get("/")).body, /Sign in with ArcGIS/);
  });
});

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadConfig, parseConfig } from "#src/app/config/config.ts";
import { autoSignInCookie } from "#src/app/config/cookie-name.ts";
import { Browser, typed } from "./support/browser.ts";
import { whoIs } from "./support/expect.ts";
import { casesOf } from "./support/rounds.ts";
import {
  callbackFor,
  folder,
  openSite,
  type Site,
  type SiteOptions,
  secret,
  signIn,
} from "./support/site.ts";
import { signOut } from "./support/user.ts";

/** One browser that visits several ports of a host: it has one jar, because cookies do not know ports. */
function oneBrowser(...sites: Site[]): Browser[] {
  const cookies = new Map<string, string>();
  return sites.map(({ url }) => Object.assign(new Browser(url), { cookies }));
}

const pairs: Record<string, [SiteOptions & { mount: string }, SiteOptions & { mount: string }]> = {
  "under two paths": [{ mount: "/gis" }, { mount: "/water" }],
  "under a path and another below it": [{ mount: "/gis" }, { mount: "/gis/two" }],
  "one of them under a path": [{ mount: "" }, { mount: "/gis" }],
  "under paths that differ by a dot": [{ mount: "/a/b" }, { mount: "/a.b" }],
  "under long paths": [{ mount: `/${"x".repeat(60)}` }, { mount: `/${"x".repeat(61)}` }],
  "on two ports, one with a COOKIE_NAME": [{ mount: "" }, { mount: "", settings: { COOKIE_NAME: "water" } }],
};

describe("CK-8 two apps on one host name", () => {
  for (const [where, [one, other]] of casesOf(Object.entries(pairs), 2)) {
    test(`CK-8 ${where}: a browser signs in at both and out of one, and the other's session stays`, async (t) => {
      const [here, there] = [await openSite(t, one), await openSite(t, other)];
      const [atHere, atThere] = oneBrowser(here, there) as [Browser, Browser];
      const [home, away] = [`${one.mount}/`, `${other.mount}/`];
      await signIn(atHere, "sandy_admin", `${home}sign-in`);
      await signIn(atThere, "vik_viewer", `${away}sign-in`);
      assert.deepEqual(
        [await whoIs(atHere, home), await whoIs(atThere, away)],
        ["sandy_admin", "vik_viewer"],
      );
      const again = await signIn(atHere, "pia_publisher", `${home}sign-in`);
      assert.ok(again.setCookies.every((cookie) => cookie.split(";", 1).join().length < 200));
      assert.deepEqual(
        [await whoIs(atHere, home), await whoIs(atThere, away)],
        ["pia_publisher", "vik_viewer"],
      );
      assert.equal((await signOut(atThere, other.mount)).status, 303);
      assert.deepEqual([await whoIs(atHere, home), await whoIs(atThere, away)], ["pia_publisher", undefined]);
      assert.ok(!here.log.text().includes("cookie-replaced"));
    });
  }

  for (const mount of casesOf(["", "/gis"], 1)) {
    test(`CK-8 on two ports, ${mount || "without a path"}: sign-ins in progress at both finish`, async (t) => {
      const sites = [await openSite(t, { mount }), await openSite(t, { mount })];
      const [here, there] = oneBrowser(...sites) as [Browser, Browser];
      const first = await callbackFor(here, "sandy_admin", `${mount}/sign-in`);
      const second = await callbackFor(there, "vik_viewer", `${mount}/sign-in`);
      assert.equal((await here.get(first)).status, 303);
      assert.equal((await there.get(second)).status, 303);
    });
  }

  test("CK-8 on two ports, an automatic sign-in at one is no attempt at the other, and a sign-out neither", async (t) => {
    const settings = { AUTO_SIGN_IN: true };
    const sites = [await openSite(t, { settings }), await openSite(t, { settings })];
    const [here, there] = oneBrowser(...sites) as [Browser, Browser];
    assert.equal((await here.get("/", typed)).status, 302);
    assert.equal((await there.get("/", typed)).status, 302);
    assert.equal((await here.get("/", typed)).status, 200);
  });

  test("CK-8 on two ports under the same name, the log says that a session cookie of another server was replaced", async (t) => {
    const sites = [await openSite(t), await openSite(t)];
    const [here, there] = oneBrowser(...sites) as [Browser, Browser];
    await signIn(here);
    await signIn(there);
    await signIn(there);
    const lines = sites.map(({ log }) => log.lines.filter(({ event }) => event === "cookie-replaced"));
    assert.deepEqual(
      lines.map(({ length }) => length),
      [0, 1],
    );
    assert.match(String(lines[1]?.[0]?.msg), /COOKIE_NAME/);
  });
});

const required = () => ({ CLIENT_ID: "test-app", SESSION_SECRET: secret(), ENCRYPTION_KEY: secret() });

test("CK-8 the session's cookie of a server of its own is arcgis.sid, whatever its redirect URI, or COOKIE_NAME", (t) => {
  const nameOf = (settings: object, standalone: boolean) => {
    const cwd = join(folder(t), "app");
    mkdirSync(cwd);
    writeFileSync(join(cwd, "config.json"), JSON.stringify({ ...required(), ...settings }), { mode: 0o600 });
    return loadConfig({ cwd, env: {}, standalone }).cookieName;
  };
  const atRoot = { REDIRECT_URI: "https://gis.example.com/authenticate" };
  const deep = { REDIRECT_URI: "https://gis.example.com/apps/gis/authenticate" };
  assert.equal(nameOf(atRoot, true), "__Host-arcgis.sid");
  assert.equal(nameOf(deep, true), "__Host-arcgis.sid");
  assert.equal(nameOf({ ...deep, COOKIE_NAME: "water.sid" }, true), "__Host-water.sid");
  assert.equal(nameOf({ ...atRoot, REDIRECT_URI: "http://localhost:3000/authenticate" }, true), "arcgis.sid");
  assert.equal(nameOf(atRoot, false), "__Host-arcgis.sid");
  assert.equal(nameOf(deep, false), "__Host-arcgis.sid.apps.gis");
  assert.equal(nameOf({ ...deep, COOKIE_NAME: "arcgis.sid" }, false), "__Host-arcgis.sid");
});

test("CK-8 no two apps on a host name have a cookie in common, further portals included", () => {
  const county = {
    id: "county",
    title: "County",
    url: "https://county.example/portal",
    clientId: "county-app",
  };
  const uris = ["", "/county", "/portals", "/gis", "/gis/county", "/gis.county", "/tx", "/auto"].flatMap(
    (path) =>
      ["https://a.example", "https://a.example:8443"].map((origin) => `${origin}${path}/authenticate`),
  );
  const names = uris.flatMap((REDIRECT_URI) => {
    const config = parseConfig({ ...required(), REDIRECT_URI, PORTALS: [county] });
    // Only a COOKIE_NAME tells two ports apart.
    const isOther = REDIRECT_URI.includes(":8443");
    return [config, ...config.furtherPortals].flatMap((each) => [
      isOther ? each.cookieName.replace("arcgis", "other") : each.cookieName,
      autoSignInCookie(each),
    ]);
  });
  assert.equal(new Set(names).size, names.length, String(names));
  for (const name of names) assert.match(name, /^__Host-[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
});

test("CK-8 a COOKIE_NAME that browsers or this server could not keep apart stops the start", () => {
  const REDIRECT_URI = "http://localhost:3000/authenticate";
  for (const COOKIE_NAME of [
    "__Host-sid",
    "a b",
    "a;b",
    "a=b",
    "ü",
    "arcgis.sid.tx.x",
    "ARCGIS.AUTO.x",
    "x".repeat(41),
  ]) {
    assert.throws(
      () => parseConfig({ ...required(), REDIRECT_URI, COOKIE_NAME }),
      /COOKIE_NAME: is not a cookie/,
    );
  }
});

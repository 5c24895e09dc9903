import assert from "node:assert/strict";
import fs, { rmSync, writeFileSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { type TestContext, test } from "node:test";
import type { ErrorCode } from "#src/app/errors.ts";
import type { Fault } from "#src/sandbox/faults.ts";
import { Browser, click, crossSite, type TestResponse, typed } from "./support/browser.ts";
import { hurry } from "./support/callback-errors.ts";
import { assertErrorPage, assertNoInternals, tokenCalls, whoIs } from "./support/expect.ts";
import { callbackFor, choose, openSite, signIn } from "./support/site.ts";

/** Makes the disk fail: what is to be written (a full disk), or all. Ends with `t.mock.restoreAll()`. */
function breakDisk(t: TestContext, what: "writing" | "everything"): void {
  const fail = (path: unknown) => {
    throw Object.assign(new Error(`EIO: i/o error, open '${path}'`), { code: "EIO" });
  };
  const { open } = files;
  // With flags, it is to be written.
  t.mock.method(files, "open", async (path: string, flags?: string) =>
    what === "everything" || flags !== undefined ? fail(path) : open(path),
  );
  if (what === "everything")
    for (const name of ["openSync", "lstatSync"] as const) t.mock.method(fs, name, fail);
  syncBuiltinESMExports();
}

function repairDisk(t: TestContext): void {
  t.mock.restoreAll();
  syncBuiltinESMExports();
}

const sid = (browser: Browser) => browser.cookies.get("arcgis.sid");

/** What the portal's token endpoint does, and what the visitor sees of it. */
const troubles: { fault: Fault; code: ErrorCode }[] = [
  { fault: { kind: "reset" }, code: "portal_unreachable" },
  { fault: { kind: "status", status: 500 }, code: "portal_unreachable" },
  { fault: { kind: "status", status: 503 }, code: "portal_unreachable" },
  { fault: { kind: "html", status: 502 }, code: "portal_unreachable" },
  { fault: { kind: "html" }, code: "portal_response_invalid" },
  { fault: { kind: "html", status: 404 }, code: "portal_response_invalid" },
  { fault: { kind: "html", status: 429 }, code: "portal_response_invalid" },
  { fault: { kind: "body", body: "" }, code: "portal_response_invalid" },
  { fault: { kind: "body", body: "{", contentType: "application/json" }, code: "portal_response_invalid" },
  { fault: { kind: "redirect", location: "http://127.0.0.1:9/" }, code: "portal_response_invalid" },
  { fault: { kind: "hang" }, code: "portal_timeout" },
  { fault: { kind: "drip" }, code: "portal_timeout" },
  { fault: { kind: "delay", ms: 20_000 }, code: "portal_timeout" },
  { fault: { kind: "deny" }, code: "code_refused" },
  { fault: { kind: "status", status: 400 }, code: "code_refused" },
  {
    fault: { kind: "body", body: '{"error":{"code":498,"message":"code expired","details":[]}}' },
    code: "code_refused",
  },
  {
    fault: { kind: "body", body: '{"error":{"code":500,"message":"Could not generate token."}}' },
    code: "portal_unreachable",
  },
];

test("OU-5 trouble at the portal is a 502 or a 504, a refused code a 400, and no user is signed in", async (t) => {
  const site = await openSite(t);
  const limits = hurry(t, site);
  for (const { fault, code } of troubles) {
    const browser = site.browser();
    const callback = await callbackFor(browser, "sandy_admin");
    site.sandbox.faults.set("token", { ...fault, times: 1 });
    const response = await browser.get(callback, crossSite);
    assertErrorPage(response, code);
    const status = code === "portal_timeout" ? 504 : code === "code_refused" ? 400 : 502;
    assert.equal(response.status, status, code);
    assert.equal(sid(browser), undefined, JSON.stringify(fault));
    assert.match(response.body, /href="\/sign-in\?returnTo=%2F"/, "the next step is a new sign-in");
  }
  assert.deepEqual([...new Set(limits)], [10_000]);
  assert.deepEqual(site.files(), []);
  assert.equal((await signIn(site.browser())).status, 303, "and afterwards all is well");
});

test("OU-5 a portal that is switched off is a 502", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin");
  await site.sandbox.close();
  assertErrorPage(await browser.get(callback), "portal_unreachable");
  assert.equal((await browser.get("/sign-in")).status, 302, "the sign-in itself does not need the portal");
});

/** What a portal, or anybody who can make a link, may say in place of a code. */
const refusals: { query: string; code: ErrorCode }[] = [
  { query: "error=access_denied", code: "access_denied" },
  { query: "error=access_denied&code=x", code: "access_denied" },
  { query: "error=server_error", code: "portal_unreachable" },
  { query: "error=temporarily_unavailable", code: "portal_unreachable" },
  { query: "error=invalid_request", code: "sign_in_refused" },
  { query: "error=unauthorized_client", code: "sign_in_refused" },
  { query: "error=", code: "sign_in_refused" },
  { query: "error=__proto__", code: "sign_in_refused" },
  { query: "error=toString", code: "sign_in_refused" },
  { query: "error=%00%ff%0d%0a", code: "sign_in_refused" },
  { query: "error=access_denied&error=access_denied", code: "callback_malformed" },
];

test("OU-3 OU-5 an error in place of a code gets a page of ours, and its words go nowhere", async (t) => {
  const site = await openSite(t);
  const marker = "MARKER-7f3a";
  for (const { query, code } of refusals) {
    const browser = site.browser();
    const { headers } = await browser.get("/sign-in");
    const state = new URL(String(headers.location)).searchParams.get("state");
    const description = `error_description=${marker}%3Cscript%3E&error_uri=https://evil.example/${marker}`;
    const response = await browser.get(`/authenticate?${query}&${description}&state=${state}`, crossSite);
    assertErrorPage(response, code);
    assert.doesNotMatch(response.body + JSON.stringify(response.headers), /MARKER|evil|<script>/);
  }
  const unknown = site.browser();
  const { headers } = await unknown.get("/sign-in");
  const state = new URL(String(headers.location)).searchParams.get("state");
  const response = await unknown.get(`/authenticate?error=${marker}&state=${state}`);
  assertErrorPage(response, "sign_in_refused");
  assert.doesNotMatch(response.body + JSON.stringify(response.headers) + site.log.text(), /MARKER/);
  assert.equal(tokenCalls(site), 0);
});

test("OU-3 Cancel at the portal is a friendly page that leads back to the sign-in", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const { headers } = await browser.get("/sign-in?returnTo=/map?x=1%262");
  const callback = await choose(String(headers.location), { action: "cancel" });
  const response = await browser.get(callback, crossSite);
  assertErrorPage(response, "access_denied");
  const [, again = ""] = /class="button" href="([^"]+)"/.exec(response.body) ?? [];
  assert.equal(browser.cookies.size, 0, "the auth transaction is gone");
  assert.equal(tokenCalls(site), 0);
  assertErrorPage(await browser.get(callback, crossSite), "transaction_missing");

  const late = await signIn(browser, "sandy_admin", again);
  assert.equal(late.headers.location, "/map?x=1&2", "and from there to where the first one would have led");
});

test("a sign-in that goes wrong begins again in the way it began: from a page, in a window, or from the start page", async (t) => {
  const site = await openSite(t, { mount: "/gis" });
  for (const [begun, again] of [
    ["/gis/sign-in?returnTo=/gis/map", "/gis/sign-in?returnTo=%2Fgis%2Fmap"],
    ["/gis/sign-in?popup=1", "/gis/sign-in?popup=1"],
    ["/gis/sign-in", "/gis/sign-in?returnTo=%2Fgis%2F"],
    ["/gis/sign-in?returnTo=//evil.example", "/gis/sign-in?returnTo=%2Fgis%2F"],
  ] as const) {
    const browser = site.browser();
    const { headers } = await browser.get(begun);
    const cancelled = await browser.get(
      await choose(String(headers.location), { action: "cancel" }),
      crossSite,
    );
    assert.ok(cancelled.body.includes(`class="button" href="${again}"`), `${begun}: ${cancelled.body}`);

    site.sandbox.faults.set("token", { kind: "status", status: 500, times: 1 });
    const failed = await signIn(browser, "sandy_admin", begun);
    assert.ok(failed.body.includes(`class="button" href="${again}"`), `${begun}: ${failed.body}`);
  }
});

test("OA-10 a failed, forged or canceled callback changes nothing for a signed-in user", async (t) => {
  const site = await openSite(t);
  const alice = site.browser();
  await signIn(alice, "sandy_admin");
  const before = sid(alice);
  const file = site.files();
  const forged = await callbackFor(site.browser(), "ned_county");
  assertErrorPage(await alice.get(forged, crossSite), "transaction_missing");
  assertErrorPage(await alice.get("/authenticate?code=x&state=y", crossSite), "transaction_missing");
  assertErrorPage(await alice.get("/authenticate", crossSite), "callback_malformed");

  const own = await callbackFor(alice, "vik_viewer");
  assertErrorPage(await alice.get(forged, crossSite), "state_mismatch");
  const state = new URL(own).searchParams.get("state");
  assertErrorPage(await alice.get(`/authenticate?code=forged&state=${state}`, crossSite), "code_refused");
  assertErrorPage(await alice.get(own, crossSite), "transaction_missing");

  const { headers } = await alice.get("/sign-in");
  const cancelled = await choose(String(headers.location), { action: "cancel" });
  assertErrorPage(await alice.get(cancelled, crossSite), "access_denied");

  const faults: Fault[] = [{ kind: "reset" }, { kind: "html" }, { kind: "status", status: 500 }];
  for (const fault of faults) {
    const callback = await callbackFor(alice, "vik_viewer");
    site.sandbox.faults.set("token", { ...fault, times: 1 });
    assert.equal((await alice.get(callback, crossSite)).status, 502);
  }

  assert.equal(await whoIs(alice), "sandy_admin");
  assert.equal(sid(alice), before);
  assert.deepEqual(site.files(), file);
  assert.deepEqual(site.sandbox.revoked, []);
});

test("OU-5 programs get the same errors as JSON", async (t) => {
  const site = await openSite(t);
  const headers = { Accept: "application/json" };
  const response = await site.browser().get("/authenticate?code=x&state=y", headers);
  assert.equal(response.status, 400);
  assert.match(String(response.headers["content-type"]), /^application\/json; charset=utf-8$/);
  assert.deepEqual(response.json(), {
    error: {
      code: "transaction_missing",
      message: "This browser has no sign-in in progress. Allow cookies, then sign in again.",
    },
  });
  const missing = await site.browser().get("/nothing", headers);
  assert.deepEqual(missing.json(), {
    error: { code: "not_found", message: "This page does not exist." },
  });
});

test("ALLOWED_ORGS lets members of these organizations in, and takes the tokens of others back", async (t) => {
  const site = await openSite(t, { settings: { ALLOWED_ORGS: "0123456789ABCDEF" } });
  const browser = site.browser();
  assert.equal((await signIn(browser, "sandy_admin")).status, 303);
  const before = sid(browser);

  assertErrorPage(await signIn(browser, "ned_county"), "organization_not_allowed");
  assert.equal(site.sandbox.revoked.length, 1);
  assert.equal(await whoIs(browser), "sandy_admin", "who was signed in still is");
  assert.equal(sid(browser), before);
  assert.equal(site.files().length, 1);

  const newcomer = site.browser();
  for (const body of [
    "{}",
    '{"orgId":null}',
    '{"orgId":["0123456789ABCDEF"]}',
    '{"orgId":"0123456789abcdef"}',
  ]) {
    site.sandbox.faults.set("self", { kind: "body", body, times: 1 });
    assertErrorPage(await signIn(newcomer, "sandy_admin"), "organization_not_allowed");
  }
  assert.equal(site.sandbox.revoked.length, 5);
  assert.equal(newcomer.cookies.size, 0);
});

test("a user with the wrong account can use another one, though the portal remembers the first", async (t) => {
  const site = await openSite(t, { mount: "/gis", settings: { ALLOWED_ORGS: "0123456789ABCDEF" } });
  site.sandbox.settings.rememberUser = true;
  const app = site.browser();
  const portal = new Browser(site.sandbox.origin);
  const atPortal = async (signInUrl: string) => {
    const { headers } = await app.get(signInUrl, click);
    return portal.get(String(headers.location).slice(site.sandbox.origin.length), crossSite);
  };
  const choice = new URL(String((await app.get("/gis/sign-in?returnTo=/gis/map", click)).headers.location));
  const chosen = await portal.post(choice.pathname, {
    ...Object.fromEntries(choice.searchParams),
    username: "ned_county",
  });
  const refused = await app.get(String(chosen.headers.location), crossSite);
  assertErrorPage(refused, "organization_not_allowed");

  const silent = await atPortal("/gis/sign-in");
  assert.equal(silent.status, 302, "the portal remembers the user");
  assertErrorPage(await app.get(String(silent.headers.location), crossSite), "organization_not_allowed");

  const [, href = ""] = /class="button" href="([^"]+)">Use another account</.exec(refused.body) ?? [];
  assert.equal(href, "/gis/sign-in?returnTo=%2Fgis%2Fmap&amp;force_login=true");
  const page = await atPortal(href.replaceAll("&amp;", "&"));
  assert.equal(page.status, 200);
  assert.match(page.body, /name="username" value="sandy_admin"/);
});

test("OU-5 a store that fails makes a sign-in a 503, takes its tokens back, and loses no session", async (t) => {
  const site = await openSite(t);
  const alice = site.browser();
  await signIn(alice, "sandy_admin");
  const { sessionDir } = site.config;
  const visitor = site.browser();
  const callback = await callbackFor(visitor, "vik_viewer");

  breakDisk(t, "writing");
  assertErrorPage(await visitor.get(callback, crossSite), "store_unavailable");
  assert.equal(site.sandbox.revoked.length, 1);
  assert.equal(visitor.cookies.size, 0);
  const again = await signIn(alice, "vik_viewer");
  assertErrorPage(again, "store_unavailable");
  assert.equal(site.sandbox.revoked.length, 2);
  assert.equal(await whoIs(alice), "sandy_admin", "who was signed in still is");
  assert.equal(site.files().length, 1);

  repairDisk(t);
  const unread = await callbackFor(alice, "vik_viewer");
  breakDisk(t, "everything");
  assertErrorPage(await alice.get("/"), "store_unavailable");
  const calls = tokenCalls(site);
  const response = await alice.get(unread, crossSite);
  assertErrorPage(response, "store_unavailable");
  assert.match(
    response.body,
    /href="\/sign-in\?returnTo=%2F">Try again/,
    "the callback itself is no address to go to",
  );
  assert.equal(tokenCalls(site), calls, "without knowing which user it replaces, no sign-in begins");
  repairDisk(t);
  assert.equal((await alice.get(unread, crossSite)).status, 303, "and once the store is back it goes on");

  rmSync(sessionDir, { recursive: true });
  writeFileSync(sessionDir, "a file in place of the folder");
  assertErrorPage(await signIn(site.browser()), "store_unavailable");
  assertErrorPage(await alice.get("/"), "store_unavailable");
});

test("OU-4 no response shows a stack, a path or a package, whatever NODE_ENV says", async (t) => {
  const site = await openSite(t);
  const alice = site.browser();
  await signIn(alice, "sandy_admin");
  const { NODE_ENV } = process.env;
  t.after(() => {
    process.env.NODE_ENV = NODE_ENV;
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
  });
  hurry(t, site);

  const failing = async (fault: Fault): Promise<TestResponse> => {
    const browser = site.browser();
    const callback = await callbackFor(browser, "sandy_admin");
    site.sandbox.faults.set("token", { ...fault, times: 1 });
    return browser.get(callback, crossSite);
  };
  const requests: Record<number, () => Promise<TestResponse>> = {
    400: () => alice.get("/authenticate?code=x&state=y"),
    403: () => alice.send("/sign-out", { method: "POST", form: { csrf_token: "x" } }),
    404: () => alice.get("/%ff/../node_modules/express/package.json"),
    405: () => alice.send("/sign-in", { method: "PUT", headers: typed, body: "x" }),
    413: () => alice.send("/sign-out", { method: "POST", form: { csrf_token: "x".repeat(9_000) } }),
    431: () => alice.get("/", { "X-Long": "x".repeat(20_000) }),
    500: async () => {
      t.mock.method(site.store, "readParts", () => {
        throw new TypeError("Cannot read /secret/path");
      });
      return alice.get("/");
    },
    502: () => failing({ kind: "html" }),
    503: async () => {
      breakDisk(t, "everything");
      return alice.get("/");
    },
    504: () => failing({ kind: "hang" }),
  };
  for (const mode of ["production", "development", "test", undefined]) {
    if (mode === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = mode;
    for (const [status, send] of Object.entries(requests)) {
      const response = await send();
      repairDisk(t);
      hurry(t, site);
      assert.equal(response.status, Number(status), response.body);
      assertNoInternals(response.body + JSON.stringify(response.headers));
      assert.doesNotMatch(response.body, /secret|express/);
    }
  }
  assert.equal(await whoIs(alice), "sandy_admin");
});

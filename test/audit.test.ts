import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { openLog } from "#src/app/log.ts";
import { click, crossSite } from "./support/browser.ts";
import { callbackFor, openSite, type Site, signIn } from "./support/site.ts";
import { expireToken } from "./support/user.ts";

/** The lines of one kind, without what differs in every run. */
function events(site: Site, event: string) {
  return site.log.lines.filter((line) => line.event === event);
}

function assertTraceable(line: Record<string, unknown> | undefined): void {
  assert.match(String(line?.requestId), /^[0-9a-f-]{36}$/);
  assert.equal(line?.address, "127.0.0.1");
  assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "in UTC");
}

describe("LG-2 the log has one line that says who, from where and in which request", () => {
  test("for a sign-in and a sign-out", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser, "pia_publisher");
    await browser.get("/sign-out", click);
    for (const event of ["sign-in", "sign-out"]) {
      const [line, ...more] = events(site, event);
      assertTraceable(line);
      assert.equal(line?.user, "pia_publisher");
      assert.deepEqual(more, []);
    }
  });

  test("for a sign-in that was refused, with the reason", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await browser.get("/authenticate?code=x&state=y");
    const callback = await callbackFor(browser, "vik_viewer");
    site.sandbox.faults.set("token", { kind: "status", status: 500 });
    await browser.get(callback);
    const lines = events(site, "refused");
    for (const line of lines) assertTraceable(line);
    assert.deepEqual(
      lines.map(({ code }) => code),
      ["transaction_missing", "portal_unreachable"],
    );
    assert.match(String(lines[1]?.reason), /HTTP 500/);
  });

  test("for a 403 and a 429, with the user", async (t) => {
    const site = await openSite(t, {
      settings: { RATE_LIMIT: 3 },
      routes: ({ router, auth }) => void router.get("/admins", auth.requireRole("org_admin")),
    });
    const browser = site.browser();
    await signIn(browser, "vik_viewer");
    await browser.get("/admins");
    await browser.post("/sign-out", { csrf_token: "wrong" }, crossSite);
    await browser.get("/sign-in");
    await browser.get("/sign-in");
    const lines = events(site, "refused");
    for (const line of lines) assertTraceable(line);
    assert.deepEqual(
      lines.map(({ code, user }) => [code, user]),
      [
        ["role_missing", "vik_viewer"],
        ["csrf", "vik_viewer"],
        ["rate_limited", undefined],
      ],
    );
  });

  test("for a refresh and a revocation that failed, with the user and the reason", async (t) => {
    const site = await openSite(t, { settings: { TOKEN_HANDOVER: true } });
    const browser = site.browser();
    await signIn(browser);
    await expireToken(site, browser);
    site.sandbox.faults.set("token", { kind: "html", status: 502 });
    site.sandbox.faults.set("revokeToken", { kind: "reset" });
    await browser.get("/api/credential", click);
    await browser.get("/sign-out", click);
    const [refresh] = events(site, "refresh");
    assert.equal(refresh?.user, "sandy_admin");
    assert.match(String(refresh?.reason), /HTTP 502/);
    const [revoke] = events(site, "revoke");
    assert.equal(revoke?.user, "sandy_admin");
    assert.match(String(revoke?.reason), /ECONNRESET|hang up/);
  });
});

test("LG-2 a session file that was changed leaves a line, and no user is signed in by it", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  await signIn(browser);
  const path = join(site.config.sessionDir, site.files()[0] ?? "");
  const sealed = readFileSync(path, "latin1");
  writeFileSync(
    path,
    sealed.replace(/.$/, (end) => (end === "A" ? "B" : "A")),
  );
  assert.match((await browser.get("/")).body, /Sign in with ArcGIS/);
  const lines = events(site, "unreadable");
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]?.reason), /damaged or forged/);
});

test("LG-2 the log has the beginning of a long path", async (t) => {
  const site = await openSite(t);
  await site.browser().get(`/${"x".repeat(15_000)}`);
  const line = site.log.lines.find(({ method }) => method);
  assert.equal(line?.path, `/${"x".repeat(999)}...`);
});

test("LG-2 a request leaves one line: method, path without the query, status, time, id, address and user", async (t) => {
  const site = await openSite(t, { settings: { LOG_LEVEL: "info" } });
  const browser = site.browser();
  await signIn(browser);
  const { headers } = await browser.get("/?code=secret&state=secret");
  const line = site.log.lines.find(
    ({ requestId, method }) => method && requestId === headers["x-request-id"],
  );
  assertTraceable(line);
  const { method, path, status, user, ms } = { ...line };
  assert.deepEqual([method, path, status, user, typeof ms], ["GET", "/", 200, "sandy_admin", "number"]);
  assert.doesNotMatch(site.log.text(), /secret|state=|code=/);
});

test("LG-1 what an app around ours keeps about its users in res.locals stays out of the log", async (t) => {
  const site = await openSite(t, {
    mount: "/gis",
    host: (host) =>
      void host.use((_req, res, next) => {
        res.locals.user = { name: "hosts-user", password: "hosts-password" };
        next();
      }),
  });
  assert.equal((await site.browser().get("/gis/nothing")).status, 404);
  assert.equal(events(site, "refused").length, 1);
  assert.doesNotMatch(site.log.text(), /hosts-/);
});

describe("the log at a terminal", () => {
  async function written(tell: (log: Awaited<ReturnType<typeof openLog>>) => void): Promise<string> {
    const texts: string[] = [];
    tell(await openLog("info", { isTTY: true, write: (text) => texts.push(text) }));
    return texts.join("");
  }

  test("is one readable line, with colors", async () => {
    const text = await written((log) => {
      log.info({ requestId: "1-2", method: "GET", path: "/map", status: 200, ms: 7, user: "pia_publisher" });
      log.warn({ event: "refused", code: "not_found" }, "refused");
      log.debug("not asked for");
    });
    assert.notEqual(stripVTControlCharacters(text), text);
    const lines = stripVTControlCharacters(text).split("\n");
    assert.match(
      String(lines[0]),
      /^\[\d\d:\d\d:\d\d\] INFO: GET \/map 200 7 ms \{"requestId":"1-2","user":"pia_publisher"\}$/,
    );
    assert.match(String(lines[1]), /WARN: refused \{"event":"refused","code":"not_found"\}$/);
    assert.deepEqual(lines.slice(2), [""]);
  });

  test("LG-3 no name can draw on it, color it or begin a new line", async () => {
    const user = "eve\r\n[12:00:00] INFO: \u001b[31mroot\u001b[0m \u009b2J\u202egnp\u2066\u0007";
    const text = await written((log) => log.info({ event: "sign-in", user }, "signed in"));
    const plain = stripVTControlCharacters(text);
    assert.equal(plain.split("\n").length, 2, plain);
    assert.doesNotMatch(plain.trimEnd(), /\p{Cc}|\p{Bidi_Control}/u);
    assert.match(plain, /eve\\r\\n\[12:00:00\]/);
    assert.ok(!text.includes("\u001b[31mroot"), "no color of the name's");
  });
});

test("LG-2 a page that asks whether there is a sign-in causes no warning when there is none", async (t) => {
  const site = await openSite(t);
  assert.equal((await site.browser().get("/api/session", { Accept: "application/json" })).status, 401);
  const levels = site.log.lines.filter(({ event, path }) => event || path).map(({ level }) => Number(level));
  assert.deepEqual(levels.sort(), [20, 30], "a line at debug, and that of the request");
});

test("LG-2 the line of a request has the ID of its trace (W3C Trace Context), and nothing that is none", async (t) => {
  const site = await openSite(t);
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  for (const traceparent of [
    `00-${trace}-00f067aa0ba902b7-01`,
    `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    `00-${trace.toUpperCase()}-00f067aa0ba902b7-01`,
    "x".repeat(500),
  ])
    await site.browser().get("/", { ...click, traceparent });
  const ids = site.log.lines.filter(({ path }) => path === "/").map(({ traceId }) => traceId);
  assert.deepEqual(ids, [trace, undefined, undefined, undefined]);
});

test("the requests to the portal have the traceparent of the request that needs them, and of no other", async (t) => {
  const site = await openSite(t, { settings: { TOKEN_HANDOVER: true } });
  const [one, other] = ["1", "2"].map((digit) => `00-${digit.repeat(32)}-00f067aa0ba902b7-01`);
  const [browser, another] = [site.browser(), site.browser()];
  site.sandbox.settings.accessTokenSeconds = 0.001;
  await Promise.all([
    browser.get(await callbackFor(browser, "sandy_admin"), { ...click, traceparent: String(one) }),
    another.get(await callbackFor(another, "vik_viewer"), { ...click, traceparent: "x" }),
  ]);
  site.sandbox.settings.accessTokenSeconds = 1800;
  assert.equal((await browser.get("/api/credential", { ...click, traceparent: String(other) })).status, 200);
  await browser.get("/sign-out", click);
  const traced = (endpoint: string) =>
    site.sandbox.log.filter((each) => each.endpoint === endpoint).map(({ headers }) => headers.traceparent);
  assert.deepEqual(new Set(traced("token")), new Set([undefined, one, other]));
  assert.deepEqual(new Set(traced("self")), new Set([one, undefined]));
  assert.deepEqual(traced("revokeToken"), [undefined]);
});

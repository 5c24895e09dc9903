import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { click, crossSite } from "./support/browser.ts";
import { callbackFor, openSite, type Site, signIn } from "./support/site.ts";

/** The lines of one kind, without what differs in every run. */
function events(site: Site, event: string) {
  return site.log.lines.filter((line) => line.event === event);
}

function assertTraceable(line: Record<string, unknown> | undefined): void {
  assert.match(String(line?.requestId), /^[0-9a-f-]{36}$/);
  assert.equal(line?.address, "127.0.0.1");
  assert.equal(typeof line?.time, "number");
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
      ["flow_missing", "portal_unreachable"],
    );
    assert.match(String(lines[1]?.reason), /HTTP 500/);
  });

  test("for a 403 and a 429, with the user", async (t) => {
    const site = await openSite(t, {
      settings: { RATE_LIMIT: 3 },
      routes: ({ router, requireRole }) => void router.get("/admins", requireRole("org_admin")),
    });
    const browser = site.browser();
    await signIn(browser, "vik_viewer");
    await browser.get("/admins");
    await browser.post("/sign-out", { form_token: "wrong" }, crossSite);
    await browser.get("/sign-in");
    await browser.get("/sign-in");
    const lines = events(site, "refused");
    for (const line of lines) assertTraceable(line);
    assert.deepEqual(
      lines.map(({ code, user }) => [code, user]),
      [
        ["role_missing", "vik_viewer"],
        ["form_refused", "vik_viewer"],
        ["rate_limited", undefined],
      ],
    );
  });

  test("for a renewal and a revocation that failed, with the user and the reason", async (t) => {
    const site = await openSite(t, { settings: { TOKEN_HANDOVER: true } });
    site.sandbox.settings.accessTokenSeconds = 1;
    const browser = site.browser();
    await signIn(browser);
    site.sandbox.faults.set("token", { kind: "html", status: 502 });
    site.sandbox.faults.set("revokeToken", { kind: "reset" });
    await sleep(1000);
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

test("LG-2 a session file that somebody has changed leaves a line, and nobody is signed in by it", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  await signIn(browser);
  const path = join(site.config.sessionDir, site.files()[0] ?? "");
  const sealed = readFileSync(path, "latin1");
  writeFileSync(
    path,
    sealed.replace(/.\n/, (end) => (end === "A\n" ? "B\n" : "A\n")),
  );
  assert.match((await browser.get("/")).body, /Sign in with ArcGIS/);
  const lines = site.log.lines.filter(({ msg }) => /session/.test(String(msg)));
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]?.reason), /damaged or forged/);
});

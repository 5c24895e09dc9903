import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { click } from "./support/browser.ts";
import { openSite, signIn } from "./support/site.ts";

describe("a sign-out", () => {
  test("TK-5 succeeds here within 3 s whatever the portal does, and the token is revoked later", async (t) => {
    const faults = [
      { kind: "hang" },
      { kind: "reset" },
      { kind: "status", status: 500 },
      { kind: "html" },
      { kind: "drip" },
      { kind: "redirect", location: "http://127.0.0.1:9/", status: 307 },
      { kind: "body", body: "null" },
      { kind: "body", body: "x".repeat(10_000_000) },
    ] as const;
    const opened = await Promise.all(
      faults.map(async (fault) => {
        const site = await openSite(t);
        const browser = site.browser();
        await signIn(browser);
        site.sandbox.faults.set("revokeToken", fault);
        return { fault, site, browser };
      }),
    );
    const limits = t.mock.method(AbortSignal, "timeout").mock;
    // Side by side: some of them take the whole three seconds.
    const signOut = async ({ fault, site, browser }: (typeof opened)[number]) => {
      const response = await browser.get("/sign-out", click);
      assert.equal(response.status, 303, fault.kind);
      assert.match((await browser.get("/")).body, /Sign in with ArcGIS/);
      assert.deepEqual(site.files(), ["pending-revocations"], fault.kind);
    };
    await Promise.all(opened.map(signOut));
    assert.deepEqual(
      limits.calls.map(({ arguments: [ms] }) => ms),
      faults.map(() => 3_000),
    );

    const isRevokedLater = async ({ fault, site }: (typeof opened)[number]) => {
      site.sandbox.faults.clear();
      const next = await openSite(t, {
        sandbox: site.sandbox,
        sessionDir: site.config.sessionDir,
        settings: {
          SESSION_SECRET: site.config.sessionSecrets,
          ENCRYPTION_KEY: site.config.encryptionKeys,
        },
      });
      while (next.files().length > 0) await sleep(20);
      assert.equal(site.sandbox.revoked.length, 1, fault.kind);
    };
    await Promise.all(opened.map(isRevokedLater));
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openAuthApp, storedIdentity } from "./support/auth-app.ts";
import { typed } from "./support/browser.ts";
import { signIn } from "./support/sign-in.ts";

describe("an app with the library in it", () => {
  test("TK-5 a portal that is down keeps no user signed in; its revocations wait, sealed, and are done later", async (t) => {
    const app = await openAuthApp(t);
    const browser = app.browser();
    await signIn(browser);
    const { refreshToken } = await storedIdentity(app, browser);
    app.sandbox.faults.set("revokeToken", { kind: "hang" });
    const limits = t.mock.method(AbortSignal, "timeout").mock;
    await browser.get("/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" });
    assert.deepEqual(
      limits.calls.map(({ arguments: [ms] }) => ms),
      [3_000],
    );
    assert.deepEqual(app.sandbox.revoked, []);
    app.sandbox.faults.clear();
    assert.equal(await app.auth.revokePending(), 0);
    assert.deepEqual(app.sandbox.revoked, [refreshToken]);
    assert.equal(await app.auth.revokePending(), 0);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Fault } from "#src/sandbox/faults.ts";
import { expireStoredToken, modes, openAuthApp } from "./support/auth-app.ts";
import { signedIn } from "./support/auth-refresh.ts";
import { clock } from "./support/clock.ts";
import { rounds } from "./support/rounds.ts";

const json = { Accept: "application/json" };

for (const mode of modes)
  describe(`refresh, ${mode} session`, () => {
    test("TK-4 what says nothing about this refresh token ends no session", async (t) => {
      const app = await openAuthApp(t, { mode });
      const pass = clock(t);
      const body = (text: string, status?: number): Fault => ({
        kind: "body",
        body: text,
        ...(status && { status }),
      });
      const faults: Fault[] = [
        ...[403, 404, 408, 425, 429, 500, 502, 503].map((status): Fault => ({ kind: "status", status })),
        ...[403, 408, 425, 429, 500, 503].map((code) => body(`{"error":{"code":${code},"message":"x"}}`)),
        body('{"error":{"code":400,"error":"invalid_client_id","message":"Invalid client_id"}}'),
        body('{"error":{"code":400,"error":"invalid_client","message":"x"}}'),
        body('{"error":{"code":400,"error":"temporarily_unavailable","message":"x"}}'),
        body('{"error":"text"}'),
        body('{"error":"text"}', 400),
        body('{"error":true}'),
        body("null"),
        body("[]"),
        { kind: "html" },
        { kind: "html", status: 403 },
        { kind: "redirect", location: "http://127.0.0.1:9/" },
        { kind: "reset" },
      ];
      // What a response means does not depend on where the session is.
      const step = mode === modes[0] ? 1 : rounds(4, 1);
      for (const fault of faults.filter((_, index) => index % step === 0)) {
        const browser = await signedIn(app);
        await expireStoredToken(app, browser);
        app.sandbox.faults.set("token", { ...fault, times: 1 });
        const { status } = await browser.get("/token", json);
        assert.ok([502, 504].includes(status), `${status} for ${JSON.stringify(fault)}`);
        assert.equal((await browser.get("/reports")).status, 200, "a guard keeps the session, too");
        pass(510);
        assert.equal((await browser.get("/token", json)).status, 200, JSON.stringify(fault));
      }
    });
  });

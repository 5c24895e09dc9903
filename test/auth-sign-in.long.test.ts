import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { modes, openAuthApp } from "./support/auth-app.ts";
import { callbackFor, signIn } from "./support/sign-in.ts";

for (const mode of modes)
  describe(`a sign-in, ${mode} session`, () => {
    test("CK-5 AV-8 a returnTo of 2,000 characters is kept; when they do not fit, the oldest loses it, not its sign-in", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = app.browser();
      const long = (letter: string) => `/${letter.repeat(1_999)}`;
      const callbacks: string[] = [];
      for (const letter of ["a", "b", "c", "d", "e", "f"])
        callbacks.push(await callbackFor(browser, "sandy_admin", `/sign-in?returnTo=${long(letter)}`));
      const cookies = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      assert.ok(cookies.length <= 4_096, `${cookies.length} bytes`);
      const targets: string[] = [];
      for (const callback of callbacks) targets.push(String((await browser.get(callback)).headers.location));
      assert.deepEqual(targets, ["/", "/", "/", "/", "/", long("f")]);
      for (let i = 0; i < 60; i++) await browser.get("/sign-in");
      const bomb = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      assert.ok(bomb.length <= 4_200, `${bomb.length} bytes`);
      assert.equal((await signIn(browser)).status, 303);
    });
  });

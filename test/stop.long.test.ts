import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./support/browser.ts";
import { needsPosix } from "./support/posix.ts";
import { casesOf } from "./support/rounds.ts";
import { sharedSettings, startServer } from "./support/server-process.ts";
import { type openSite, secret } from "./support/site.ts";
import { abandon, openStopping } from "./support/stop.ts";
import { csrfTokenOf, until } from "./support/user.ts";

describe("AV-7 the end of the process", { concurrency: true }, () => {
  const canary = `canary-${secret()}`;
  const fragile = import.meta.resolve("./support/fragile-server.js");
  const start = (t: Parameters<typeof openSite>[0]) =>
    startServer(t, { ...sharedSettings(t, "http://127.0.0.1:9/portal"), CANARY: canary }, fragile);

  for (const path of casesOf(["/throw", "/reject", "/throw-text"], 1)) {
    test(`AV-7 an uncaught error (${path}) leaves one line without a secret; what is in flight is finished, and the exit code is 1`, async (t) => {
      const { url, child, output } = await start(t);
      const slow = new Browser(url).get("/slow?ms=500");
      await until(() => output().includes("in flight"), "the slow request has arrived");
      // It gets no response any more, and the server would wait for it to the end.
      const visitor = connect(Number(new URL(url).port), "127.0.0.1");
      visitor.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await until(() => output().includes("crash"), "the error is in the log");
      visitor.destroy();
      const [response, [code]] = await Promise.all([slow, once(child, "exit")]);
      assert.deepEqual([response.status, response.body, code], [200, "done", 1]);
      const lines = output()
        .split("\n")
        .filter((line) => line.includes("crash"));
      assert.equal(lines.length, 1, output());
      const { level, event, reason, at } = JSON.parse(String(lines[0]));
      assert.deepEqual([level, event, reason.replace(/^Error: refused /, "")], [60, "crash", "[...]"]);
      assert.ok(path === "/throw-text" || /fragile-server\.js/.test(at[0]), String(at));
      assert.ok(!output().includes(canary), "the canary stays inside");
    });
  }

  for (const isAsked of casesOf([true, false], 1)) {
    test(`AV-7 when the reader of the log goes away, the server ends in order, ${isAsked ? "after a request" : "at once"}`, {
      skip: needsPosix("SIGTERM"),
    }, async (t) => {
      const { url, child } = await start(t);
      child.stdout?.destroy();
      if (isAsked) assert.equal((await new Browser(url).get("/slow?ms=0")).status, 200);
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 60_000);
      assert.deepEqual(await exit, [0, null]);
      clearTimeout(late);
    });
  }

  test("a second SIGTERM does not wait, and leaves with exit code 1", {
    skip: needsPosix("SIGTERM"),
  }, async (t) => {
    const { url, child, output } = await start(t);
    const slow = assert.rejects(new Browser(url).get("/slow?ms=60000"));
    await until(() => output().includes("in flight"), "the slow request has arrived");
    child.kill("SIGTERM");
    await until(() => output().includes("stopping"), "the first signal is heard");
    assert.equal(child.exitCode, null);
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    assert.deepEqual(await exit, [1, null]);
    await slow;
  });
});

describe("TK-10 a server that stops keeps what is not revoked yet", { concurrency: true }, () => {
  test("TK-10 of twenty other sessions that a user has ended, though only some are being revoked", async (t) => {
    const { sandbox, url, calls, signIn, endAndStart } = await openStopping(t);
    const browser = new Browser(url);
    for (let index = 0; index < 20; index++) await signIn(new Browser(url));
    await signIn(browser);
    const home = await browser.get("/");
    sandbox.faults.set("revokeToken", { kind: "hang" });
    const csrf_token = csrfTokenOf(home);
    const form = String(new URLSearchParams({ csrf_token, session: "others" }));
    abandon(url, "/sign-ins", browser, () => calls("revokeToken") >= 8, form);
    await until(() => calls("revokeToken") >= 8, "the first tokens are being revoked");
    assert.equal(new Set(await endAndStart(20)).size, 20);
  });

  test("TK-10 and tokens that come after a sign-out, or to a browser that has gone", async (t) => {
    const { sandbox, url, calls, signIn, visit, endAndStart } = await openStopping(t);
    sandbox.settings.accessTokenSeconds = 1;
    sandbox.settings.refreshTokenSeconds = 3_600;
    const browser = new Browser(url);
    await signIn(browser);
    const other = new Browser(url);
    const second = await visit(other, "pia_publisher");
    await sleep(1_000);
    const before = calls("token");
    sandbox.faults.set("token", { kind: "delay", ms: 600 });
    abandon(url, "/map", browser, () => calls("token") > before);
    await until(() => calls("token") === before + 1, "a refresh is under way");
    abandon(url, second, other, () => calls("token") > before + 1);
    await until(() => calls("token") === before + 2, "a sign-in is under way");
    sandbox.faults.set("revokeToken", { kind: "hang" });
    abandon(url, "/sign-out", browser, () => calls("revokeToken") > 0);
    await until(() => calls("revokeToken") === 1, "a sign-out is under way");
    // The new pair of the refresh, which has ended the old one, and that of the sign-in.
    assert.equal(new Set(await endAndStart(2)).size, 2);
  });
});

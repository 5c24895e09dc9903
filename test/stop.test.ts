import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseConfig } from "#src/app/config/config.ts";
import { serve } from "#src/app/serve.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { sharedSettings } from "./support/server-process.ts";
import { callbackFor, folder, secret } from "./support/site.ts";
import { abandon, openStopping } from "./support/stop.ts";
import { until } from "./support/user.ts";

const clientId = "stop";

test("a server that stops finishes what is in flight and waits for no browser that only keeps connections", async (t) => {
  const redirectUri = "http://localhost/authenticate";
  const sandbox = await startSandbox({ clients: [{ clientId, redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const { url, stop } = await serve(
    parseConfig({
      CLIENT_ID: clientId,
      PORTAL_URL: sandbox.url,
      REDIRECT_URI: redirectUri,
      SESSION_SECRET: secret(),
      ENCRYPTION_KEY: secret(),
      SESSION_DIR: join(folder(t), "sessions"),
      PORT: 0,
      LOG_LEVEL: "silent",
    }),
  );
  const { port } = new URL(url);

  const early = connect(Number(port), "127.0.0.1");
  await once(early, "connect");
  const idle = connect(Number(port), "127.0.0.1");
  idle.write("GET /assets/app.css HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(idle, "data");

  const browser = new Browser(url);
  const { pathname, search } = new URL(await callbackFor(browser, "sandy_admin"));
  sandbox.faults.set("token", { kind: "delay", ms: 300 });
  const signingIn = browser.get(pathname + search);
  while (!sandbox.log.some(({ endpoint }) => endpoint === "token")) await new Promise(setImmediate);

  const [response] = await Promise.all([
    signingIn,
    stop({ patienceMs: 600_000 }),
    once(early, "close"),
    once(idle, "close"),
  ]);
  assert.equal(response.status, 303);
  await assert.rejects(once(connect(Number(port), "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
});

test("a server that stops does not wait for the rest of a request's headers", async (t) => {
  const settings = sharedSettings(t, "http://127.0.0.1:9/portal");
  const { url, stop } = await serve(parseConfig({ ...settings, LOG_LEVEL: "silent" }));
  const slow = connect(Number(new URL(url).port), "127.0.0.1");
  slow.on("error", () => {}).write("GET / HTTP/1.1\r\nHost: ");
  // The server reads the first connection before the second one.
  assert.equal((await new Browser(url).get("/readyz")).status, 200);
  await Promise.all([stop({ patienceMs: 600_000 }), once(slow, "close")]);
});

test("a server that stops waits for no request longer than its patience, and says on open connections that it stops", async (t) => {
  const settings = sharedSettings(t, "http://127.0.0.1:9/portal");
  const running = await serve(parseConfig({ ...settings, LOG_LEVEL: "silent" }), {
    routes: ({ router }) => void router.get("/never", () => {}),
  });
  const { port } = new URL(running.url);
  const never = new Browser(running.url).get("/never");
  const hungUp = assert.rejects(never, { code: "ECONNRESET" });
  const socket = connect(Number(port), "127.0.0.1");
  socket.write("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /");
  const [first] = await once(socket, "data");
  assert.match(String(first), /^HTTP\/1\.1 200 /);

  const stopped = running.stop({ patienceMs: 2_000 });
  socket.write("readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const [second] = await once(socket, "data");
  assert.match(String(second), /^HTTP\/1\.1 503 .*\{"status":"stopping"\}$/s);
  await Promise.all([stopped, hungUp]);
});

describe("TK-10 a server that stops keeps what is not revoked yet", { concurrency: true }, () => {
  test("TK-10 of a session that a new sign-in has replaced", async (t) => {
    const { sandbox, url, calls, signIn, endAndStart } = await openStopping(t);
    const browser = new Browser(url);
    await signIn(browser);
    sandbox.faults.set("revokeToken", { kind: "hang" });
    await signIn(browser, "vik_viewer");
    await until(() => calls("revokeToken") === 1, "the old tokens are being revoked");
    assert.equal((await endAndStart(1)).length, 1);
  });

  test("TK-10 of a sign-out whose browser has not waited for it", async (t) => {
    const { sandbox, url, calls, signIn, endAndStart } = await openStopping(t);
    const browser = new Browser(url);
    await signIn(browser);
    sandbox.faults.set("revokeToken", { kind: "hang" });
    abandon(url, "/sign-out", browser, () => calls("revokeToken") === 1);
    await until(() => calls("revokeToken") === 1, "the tokens are being revoked");
    assert.equal((await endAndStart(1)).length, 1);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { parseConfig } from "#src/config.ts";
import { startSandbox } from "#src/sandbox/portal.ts";
import { serve } from "#src/serve.ts";
import { Browser } from "./support/browser.ts";
import { callbackFor, folder, secret } from "./support/site.ts";

const clientId = "stop";

test("a server that stops answers what is in flight and waits for no browser that only keeps connections", {
  // It gives requests in flight nine seconds.
  timeout: 5_000,
}, async (t) => {
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

  const [answer] = await Promise.all([signingIn, stop(), once(early, "close"), once(idle, "close")]);
  assert.equal(answer.status, 303);
  await assert.rejects(once(connect(Number(port), "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
});

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import type { TestContext } from "node:test";
import { parseConfig } from "#src/app/config/config.ts";
import { serve } from "#src/app/serve.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { type Browser, click } from "./browser.ts";
import { redirectUri, sharedSettings } from "./server-process.ts";
import { callbackFor } from "./site.ts";
import { until } from "./user.ts";

/** Sends a request of this browser, and hangs up as soon as `isUnderWay`. */
export function abandon(
  url: string,
  path: string,
  browser: Browser,
  isUnderWay: () => boolean,
  form = "",
): void {
  const { hostname, port } = new URL(url);
  const headers = Object.entries({
    ...click,
    Host: `${hostname}:${port}`,
    Cookie: [...browser.cookies].map((pair) => pair.join("=")).join("; "),
    "Content-Type": "application/x-www-form-urlencoded",
    "Content-Length": form.length,
  }).map((header) => header.join(": "));
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.write([`${form === "" ? "GET" : "POST"} ${path} HTTP/1.1`, ...headers, "", form].join("\r\n"));
  void until(isUnderWay, path).then(() => socket.destroy());
}

/** A server, the portal that it signs users in at, and what becomes of its end. */
export async function openStopping(t: TestContext) {
  const clients = [{ clientId: "test-app", redirectUris: [redirectUri] }];
  const sandbox = await startSandbox({ clients });
  t.after(() => sandbox.close());
  const config = parseConfig({ ...sharedSettings(t, sandbox.url), LOG_LEVEL: "silent" });
  const { url, stop } = await serve(config);
  const calls = (endpoint: string) => sandbox.log.filter((call) => call.endpoint === endpoint).length;
  const visit = async (browser: Browser, username: string) => {
    const { pathname, search } = new URL(await callbackFor(browser, username));
    return pathname + search;
  };
  return {
    sandbox,
    url,
    calls,
    signIn: async (browser: Browser, username = "sandy_admin") => {
      const response = await browser.get(await visit(browser, username));
      assert.equal(response.status, 303);
    },
    visit,
    /** Stops the server, starts it again, and returns the tokens that are revoked then. */
    async endAndStart(expected: number): Promise<string[]> {
      await stop({ patienceMs: 100 });
      assert.ok(readdirSync(config.sessionDir).some((name) => name.includes("pending")));
      sandbox.faults.clear();
      const before = sandbox.revoked.length;
      const next = await serve(config);
      t.after(() => next.stop());
      await until(() => sandbox.revoked.length >= before + expected, "the tokens are revoked");
      return sandbox.revoked.slice(before);
    },
  };
}

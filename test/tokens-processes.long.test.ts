import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Sandbox, startSandbox } from "#src/sandbox/index.ts";
import { Browser, click, type TestResponse } from "./support/browser.ts";
import { redirectUri, sharedSettings, startServer } from "./support/server-process.ts";
import { callbackFor, openSite } from "./support/site.ts";
import { expireToken } from "./support/user.ts";

const fromPage = { ...click, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" };

/** How long the portal takes for a token (ms). */
const slow = { kind: "delay", ms: 5_000 } as const;

// Side by side: most of the time they wait for the portal.
describe("two processes on one folder, and a portal that takes 5 s for a token", {
  concurrency: true,
}, () => {
  test("TK-1 ask for one new token, and handle all 50 requests", async (t) => {
    const { sandbox, browsers } = await twoProcesses(t);
    sandbox.faults.set("token", slow);
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, i) => credential(browsers[i % 2] as Browser)),
    );
    assert.deepEqual(statusesOf(responses), Array(50).fill(200));
    assert.equal(new Set(responses.map(({ body }) => JSON.parse(body).token)).size, 1);
    assert.equal(refreshes(sandbox), 1);
  });

  test("TK-2 survive kill -9 of the one that is refreshing: the other handles all 50", async (t) => {
    const { sandbox, browsers, servers } = await twoProcesses(t);
    sandbox.faults.set("token", slow);
    const [first, second] = browsers as [Browser, Browser];
    const lost = credential(first).catch(() => undefined);
    while (refreshes(sandbox) === 0) await sleep(10);
    const waiting = Promise.all(Array.from({ length: 50 }, () => credential(second)));
    await sleep(300);
    await servers[0]?.end("SIGKILL");
    assert.equal(await lost, undefined);
    const responses = await waiting;
    assert.deepEqual(statusesOf(responses), Array(50).fill(200));
    assert.equal(new Set(responses.map(({ body }) => JSON.parse(body).token)).size, 1);
    assert.equal(refreshes(sandbox), 2, "one of the killed process, one of the other");
  });
});

function credential(browser: Browser): Promise<TestResponse> {
  return browser.get("/api/credential", fromPage);
}

function statusesOf(responses: TestResponse[]): number[] {
  return responses.map(({ status }) => status);
}

function refreshes(sandbox: Sandbox): number {
  return sandbox.log.filter(({ params }) => params.grant_type === "refresh_token").length;
}

/** One user whose token has just expired, signed in at two servers that share a folder. */
async function twoProcesses(t: TestContext) {
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const settings: Record<string, string> = { ...sharedSettings(t, sandbox.url), TOKEN_HANDOVER: "true" };
  const servers = await Promise.all([startServer(t, settings), startServer(t, settings)]);
  const [first, second] = servers.map(({ url }) => new Browser(url)) as [Browser, Browser];
  const { pathname, search } = new URL(await callbackFor(first, "sandy_admin"));
  assert.equal((await first.get(pathname + search)).status, 303);
  for (const [name, value] of first.cookies) second.cookies.set(name, value);
  const { SESSION_DIR: sessionDir = "", SESSION_SECRET, ENCRYPTION_KEY } = settings;
  await expireToken(
    await openSite(t, { sandbox, sessionDir, settings: { SESSION_SECRET, ENCRYPTION_KEY } }),
    first,
  );
  return { sandbox, servers, browsers: [first, second] };
}

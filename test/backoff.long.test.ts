import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import { routes, type Trouble, type User } from "./support/backoff.ts";
import { type Browser, click } from "./support/browser.ts";
import { openSite, signIn } from "./support/site.ts";
import { sessionIdOf, until } from "./support/user.ts";

const people = ["sandy_admin", "pia_publisher", "vik_viewer", "zoe_editor", "ned_county"];
const program = { ...click, Accept: "application/json" };
const accessSeconds = 60;

/**
 * A site whose portal is in trouble with some users only: for a refresh or a revocation by their refresh token,
 * for community/self by their access token. The calendar and the monotonic clock go on when the test says so.
 */
async function open(t: TestContext) {
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [] }] });
  t.after(() => sandbox.close());
  sandbox.settings.accessTokenSeconds = accessSeconds;
  const trouble: Trouble = { sick: new Set(), kind: "500", met: [], passed: [] };
  const front = createServer((req, res) => {
    let body = "";
    req.on("data", (data) => {
      body += data;
    });
    req.on("end", () => {
      const what = `${req.url}${req.headers["x-esri-authorization"] ?? ""}${body}`;
      const isWatched = /grant_type=\w*refresh_token|\/community\/self|\/revokeToken/.test(what);
      const isSick = isWatched && [...trouble.sick].some((token) => what.includes(encodeURIComponent(token)));
      if (isWatched) trouble[isSick ? "met" : "passed"].push(what);
      if (!isSick) {
        const { hostname, port } = new URL(sandbox.origin);
        const onward = request({ hostname, port, path: req.url, method: req.method, headers: req.headers });
        onward.on("response", (response) => {
          res.writeHead(response.statusCode ?? 500, response.headers);
          response.pipe(res);
        });
        onward.end(body);
      } else if (trouble.kind === "reset") req.socket.resetAndDestroy();
      else if (trouble.kind === "500") res.writeHead(500).end();
      else res.end(JSON.stringify({ error: { code: 500, message: "Out of order.", details: [] } }));
    });
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  t.after(() => void front.close().closeAllConnections());
  const { port } = front.address() as AddressInfo;
  const url = new URL(sandbox.url);
  url.port = String(port);
  const site = await openSite(t, {
    sandbox,
    routes,
    settings: { TOKEN_HANDOVER: true, PORTAL_URL: url.href },
  });

  const start = { now: Date.now(), steady: performance.now() };
  let passedMs = 0;
  t.mock.timers.enable({ apis: ["Date"], now: start.now });
  t.mock.method(performance, "now", () => start.steady + passedMs);
  return {
    site,
    trouble,
    goOn(ms: number): void {
      passedMs += ms;
      t.mock.timers.setTime(start.now + passedMs);
    },
    /** Signs in. */
    async user(username: string): Promise<User> {
      const browser = site.browser();
      await signIn(browser, username);
      let tokens = { refreshToken: "", accessToken: "" };
      await site.store.update(sessionIdOf(browser), ({ arcgis }) => {
        tokens = { refreshToken: arcgis?.refreshToken ?? "", accessToken: arcgis?.token ?? "" };
      });
      return { browser, ...tokens };
    },
  };
}

const credential = async (browser: Browser) => (await browser.get("/api/credential", program)).status;

test("TK-9 users whose refreshes go on failing do not keep those of other users from being the probe", async (t) => {
  const { trouble, goOn, user } = await open(t);
  const sick: User[] = [];
  for (const name of people.slice(0, 4)) sick.push(await user(name));
  const ned = await user("ned_county");
  trouble.sick = new Set(sick.map(({ refreshToken }) => refreshToken));
  goOn(accessSeconds * 1000);
  const statuses: number[] = [];
  for (let round = 0; round < 12; round++) {
    for (const { browser } of sick) assert.equal(await credential(browser), 502);
    statuses.push(await credential(ned.browser));
    goOn(500);
  }
  assert.equal(statuses[0], 502, "it is paused");
  assert.equal(statuses.at(-1), 200, String(statuses));
});

test("TK-9 tokens of one user that the portal cannot revoke keep no other user's waiting", async (t) => {
  const { site, trouble, user } = await open(t);
  const sick: User[] = [];
  for (let index = 0; index < 10; index++) sick.push(await user("sandy_admin"));
  const bob = await user("vik_viewer");
  trouble.sick = new Set([...sick, bob].map(({ refreshToken }) => refreshToken));
  for (const { browser } of [...sick, bob]) assert.equal((await browser.get("/sign-out", click)).status, 303);
  assert.equal(trouble.met.length, 11);

  trouble.sick.delete(bob.refreshToken);
  const { sessionSecrets, encryptionKeys, sessionDir, redirectUri, portal } = site.config;
  await openSite(t, {
    sandbox: site.sandbox,
    sessionDir,
    settings: {
      SESSION_SECRET: sessionSecrets,
      ENCRYPTION_KEY: encryptionKeys,
      REDIRECT_URI: redirectUri,
      PORTAL_URL: portal,
    },
  });
  await until(
    () => site.sandbox.revoked.includes(bob.refreshToken),
    "the token of the other user is revoked",
  );
});

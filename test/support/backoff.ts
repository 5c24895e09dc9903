import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { AppOptions } from "#src/app/create-app.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { type Browser, click } from "./browser.ts";
import { openSite, signIn } from "./site.ts";
import { sessionIdOf } from "./user.ts";

/** What the portal does with a request that holds one of these tokens. */
export interface Trouble {
  sick: Set<string>;
  kind: "500" | "reset" | "json";
  /** The requests that met it, and those that did not. */
  met: string[];
  passed: string[];
}

/** Who is signed in, and what the portal knows them by. */
export interface User {
  browser: Browser;
  refreshToken: string;
  accessToken: string;
}

export const routes: AppOptions["routes"] = ({ router, auth }) => {
  router.get("/rights", auth.requireRole("org_admin", "org_publisher", "org_user"), (req, res) => {
    res.json(req.arcgis.user?.fetchedAt);
  });
};

export const people = ["sandy_admin", "pia_publisher", "vik_viewer", "zoe_editor", "ned_county"];

export const program = { ...click, Accept: "application/json" };

export const accessSeconds = 60;

/**
 * A site whose portal is in trouble with some users only: for a refresh or a revocation by their refresh token,
 * for community/self by their access token. The calendar and the monotonic clock go on when the test says so.
 */
export async function open(t: TestContext) {
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

export const credential = async (browser: Browser) => (await browser.get("/api/credential", program)).status;

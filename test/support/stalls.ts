import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { Browser, click } from "./browser.ts";
import { usualMs } from "./pace.ts";
import { freePort } from "./program.ts";
import { startServer } from "./server-process.ts";
import { folder, secret } from "./temporary.ts";

/** No request and no response of a portal may keep everybody else waiting for longer (ms). */
const longestStall = 50;

/** Repeated, these are hard for one parser or another: separators, encodings, marks that combine, invisible characters. */
export const units = [
  ...'/&=;,.%"\\ -+?#(',
  "a&",
  "a=b&",
  "a=b; ",
  "a,",
  "a/b;q=",
  "%2f",
  "%252f",
  "1.",
  "../",
  "Version/1 ",
  "127.0.0.1, ",
];

/** `unit` again and again, cut to `length` characters. */
export const repeat = (unit: string, length: number) =>
  unit.repeat(Math.ceil(length / unit.length)).slice(0, length);

/** A portal whose responses a test chooses by the end of the path; and a server that is federated with it. */
async function startPortal(t: TestContext) {
  const valid: Record<string, unknown> = {
    "oauth2/token": {
      access_token: "access-token",
      expires_in: 1800,
      username: "sandy_admin",
      refresh_token: "refresh-token",
      refresh_token_expires_in: 1209600,
    },
    "community/self": { username: "sandy_admin", fullName: "Sandy", orgId: "org" },
    "portals/self": { id: "org", name: "Organization" },
    search: { total: 1, results: [{ id: "1", title: "Title", type: "Web Map" }] },
    "oauth2/revokeToken": { success: true },
  };
  const portal = {
    url: "",
    services: "",
    /** In place of the valid responses. */
    responses: {} as Record<string, unknown>,
  };
  const response = (url: string) => {
    const path = new URL(url, "http://localhost").pathname;
    for (const [name, value] of Object.entries({ ...valid, ...portal.responses }))
      if (path.endsWith(`/${name}`)) return value;
    return { error: { code: 404, message: "not found" } };
  };
  const origins: string[] = [];
  for (const _ of ["portal", "services"]) {
    const server = createServer((req, res) => {
      req.resume();
      const value = response(req.url ?? "");
      res.setHeader("Content-Type", "application/json");
      res.end(typeof value === "string" ? value : JSON.stringify(value));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    t.after(() => void server.close().closeAllConnections());
    origins.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
  portal.url = `${origins[0]}/portal/sharing/rest`;
  portal.services = String(origins[1]);
  return portal;
}

/** A server in a process of its own, and what tells how long it stood still meanwhile. */
export async function openWatched(t: TestContext) {
  const portal = await startPortal(t);
  const port = await freePort();
  const settings = {
    CLIENT_ID: "test-app",
    PORT: String(port),
    PORTAL_URL: portal.url,
    REDIRECT_URI: `http://localhost:${port}/authenticate`,
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    SESSION_DIR: `${folder(t)}/sessions`,
    PROXY_ALLOW: portal.services,
    TRUST_PROXY: "loopback",
    RATE_LIMIT: "off",
    LOG_LEVEL: "info",
    PORTALS: JSON.stringify([
      {
        id: "county",
        title: "County",
        url: "http://127.0.0.1:9/portal/sharing/rest",
        clientId: "county-app",
      },
    ]),
  };
  await startServer(t, settings, import.meta.resolve("./stall-server.js"));
  const origin = `http://localhost:${port}`;
  const probe = new Browser(origin);

  /** The callback's response to a sign-in. */
  async function signIn(browser: Browser, query = "code=x") {
    const { headers } = await browser.get("/sign-in?portal=main", click);
    const { searchParams } = new URL(String(headers.location));
    return browser.get(`/authenticate?${query}&state=${searchParams.get("state")}`, click);
  }

  /** The longest stall that `run` causes (ms). */
  async function stallOf(run: () => Promise<unknown>): Promise<number> {
    await probe.get("/longest-stall");
    await run();
    return ((await probe.get("/longest-stall")).json() as { ms: number }).ms;
  }

  /** Asserts that `run` causes no long stall. A busy machine causes some: one of a few tries without any is enough. */
  async function assertNoStall(what: string, run: () => Promise<unknown>): Promise<void> {
    let least = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 5 && least >= longestStall; attempt++) {
      const ms = await stallOf(run);
      // As on a usual machine.
      const pace = ms < longestStall ? 1 : (await stallOf(() => probe.get("/usual-stall"))) / usualMs;
      least = Math.min(least, ms / Math.max(1, pace));
    }
    assert.ok(least < longestStall, `${what}: the event loop stood still for ${Math.round(least)} ms`);
    t.diagnostic(`${Math.round(least)} ms: ${what}`);
  }
  return { portal, origin, signIn, assertNoStall, browser: () => new Browser(origin) };
}

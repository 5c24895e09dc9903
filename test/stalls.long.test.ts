import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { Browser, click, typed } from "./support/browser.ts";
import { freePort } from "./support/program.ts";
import { startServer } from "./support/server-process.ts";
import { folder, secret } from "./support/temporary.ts";

/** No request and no response of a portal may keep everybody else waiting for longer (ms). */
const longestStall = 50;

/** Repeated, these are hard for one parser or another: separators, encodings, marks that combine, invisible characters. */
const units = [
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
const unitsOfText = [
  ...units,
  "\u0301",
  "\u00e9",
  "\u0000",
  "\u202e",
  "\u3000",
  "\ud83d",
  "👨‍👩‍👧",
  "각",
  "<",
  "[[",
  "{}",
];

const repeat = (unit: string, length: number) =>
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
  const answer = (url: string) => {
    const path = new URL(url, "http://localhost").pathname;
    for (const [name, value] of Object.entries({ ...valid, ...portal.responses }))
      if (path.endsWith(`/${name}`)) return value;
    return { error: { code: 404, message: "not found" } };
  };
  const origins: string[] = [];
  for (const _ of ["portal", "services"]) {
    const server = createServer((req, res) => {
      req.resume();
      const value = answer(req.url ?? "");
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
async function open(t: TestContext) {
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
  await startServer(t, settings, import.meta.resolve("./support/stall-server.js"));
  const origin = `http://localhost:${port}`;
  const probe = new Browser(origin);

  /** The callback's response to a sign-in. */
  async function signIn(browser: Browser, query = "code=x") {
    const { headers } = await browser.get("/sign-in?portal=main", click);
    const { searchParams } = new URL(String(headers.location));
    return browser.get(`/authenticate?${query}&state=${searchParams.get("state")}`, click);
  }

  /** Asserts that `run` causes no long stall. A busy machine causes some: one of a few tries without any is enough. */
  async function assertNoStall(what: string, run: () => Promise<unknown>): Promise<void> {
    let least = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 5 && least >= longestStall; attempt++) {
      await probe.get("/longest-stall");
      await run();
      const { ms } = (await probe.get("/longest-stall")).json() as { ms: number };
      least = Math.min(least, ms);
    }
    assert.ok(least < longestStall, `${what}: the event loop stood still for ${Math.round(least)} ms`);
    t.diagnostic(`${Math.round(least)} ms: ${what}`);
  }
  return { portal, origin, signIn, assertNoStall, browser: () => new Browser(origin) };
}

test("AV-13 no single request stalls the event loop for 50 ms, whatever is repeated in it", async (t) => {
  const { origin, signIn, assertNoStall, browser, portal } = await open(t);
  const user = browser();
  assert.equal((await signIn(user)).status, 303);
  const longest = 15_000;
  const headers = [
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "Cookie",
    "User-Agent",
    "Referer",
    "Origin",
    "Range",
    "If-None-Match",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "Forwarded",
    "Content-Type",
    "Sec-Purpose",
    "Connection",
  ];
  for (const unit of units) {
    const text = repeat(unit, longest);
    const query = repeat(encodeURIComponent(unit), longest);
    // Several in one try: each for itself would take minutes.
    for (const name of headers) {
      await assertNoStall(`${name}: ${text.slice(0, 20)}`, async () => {
        for (const value of [text, `"${text}`, `a/b;${text}`])
          for (const path of ["/nothing", "/sign-in", "/assets/leaflet.js"])
            await browser().get(path, { ...typed, [name]: value.trim() || "x" });
      });
    }
    const raw = text.replaceAll(/[ "\\#]/g, "a");
    for (const url of [
      `/${raw}`,
      `/assets/${raw}`,
      `/portals/${raw}`,
      `/authenticate/${raw}`,
      `/?${raw}`,
      `/sign-in?returnTo=/${query}`,
      `/sign-in?portal=${query}`,
      `/sign-in?${raw}`,
      `/authenticate?code=x&state=y&iss=${encodeURIComponent("https://x/")}${query}`,
      `/authenticate?code=${query}&state=y`,
      `/authenticate?code=x&state=${query}`,
      `/authenticate?error=${query}&state=y`,
      `/proxy?${portal.url}/${raw}`,
      `/proxy?${portal.url}/x?${raw}`,
      `/proxy?${raw}`,
      `/proxy?${query}`,
      `/content?page=${query}`,
    ]) {
      await assertNoStall(url.slice(0, 60), () => user.get(origin + url, click));
    }
    await assertNoStall(`a form with ${unit}`, async () => {
      await user.post("/sign-out", { csrf_token: repeat(unit, 7_000) });
      await user.post("/sign-ins", { csrf_token: repeat(unit, 7_000) });
    });
  }
});

test("AV-13 no single response of a portal stalls the event loop for 50 ms, whatever is repeated in it", async (t) => {
  const { signIn, assertNoStall, browser, portal } = await open(t);
  const user = browser();
  assert.equal((await signIn(user)).status, 303);
  let services = 0;
  const longest = 900_000;
  for (const unit of unitsOfText) {
    // Such as \u0000, each of which takes six bytes in JSON.
    const text = repeat(unit, (longest / (JSON.stringify(unit).length - 2)) * unit.length);
    const third = text.slice(0, text.length / 3);
    const what = JSON.stringify(unit);
    const token = { access_token: "a", expires_in: 1800, username: "u" };
    const errors = [
      { error: { code: 400, message: text } },
      { error: { code: text, message: "x" } },
      { error: text, error_description: "x" },
      { error: { code: 400, message: "x", details: [text] } },
    ];
    for (const response of [
      { ...token, access_token: text },
      { ...token, username: text },
      { ...token, refresh_token: text },
      ...errors,
      text,
      `{"access_token":${repeat("[", longest / 2)}${repeat("]", longest / 2)}}`,
      `{${repeat('"":{', longest / 2)}`,
    ]) {
      portal.responses = { "oauth2/token": response };
      await assertNoStall(`token response with ${what}`, () => signIn(browser()));
    }
    portal.responses = {
      "community/self": { fullName: third, role: third, orgId: third },
      "portals/self": { name: text },
    };
    await assertNoStall(`profile with ${what}`, async () => {
      const another = browser();
      assert.equal((await signIn(another)).status, 303);
      assert.match((await another.get("/", typed)).body, /Sign out/);
    });
    for (const results of [
      [{ id: "1", title: text, type: "x", thumbnail: "x" }],
      [{ id: "1", title: "x", type: third, thumbnail: third, owner: third }],
      Array.from({ length: 30_000 }, () => ({ id: "1", title: unit })),
    ]) {
      portal.responses = { search: { total: 1, results } };
      await assertNoStall(`search with ${what}`, () => user.get("/content", typed));
    }
    for (const response of [{ owningSystemUrl: `https://x/${text}x` }, ...errors]) {
      portal.responses = { "rest/info": response };
      await assertNoStall(`rest/info with ${what}`, () => {
        services += 1;
        return user.get(`/proxy?${portal.services}/gis${services}/rest/services?f=json`, click);
      });
    }
  }
});

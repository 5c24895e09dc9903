import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import express, { type ErrorRequestHandler, type Express } from "express";
import { authErrorHandler } from "#src/index.ts";
import {
  type ArcGISProxyOptions,
  arcgisProxy,
  isAllowedTarget,
  ProxyError,
} from "#src/proxy/arcgis-proxy.ts";
import { type AuthAppOptions, openAuthApp, storedIdentity } from "./support/auth-app.ts";
import type { TestResponse } from "./support/browser.ts";
import { startFederatedServer } from "./support/federated.ts";
import { script } from "./support/proxy.ts";
import { signIn } from "./support/sign-in.ts";
import { startUpstream } from "./support/upstream.ts";

function codeOf(response: TestResponse): string {
  return (response.json() as { error: { code: string } }).error.code;
}

const invalid = '{"error":{"code":498,"message":"Invalid token.","details":[]}}';

/** An app of another user, with the sign-in and the proxy in it, and a user who is signed in. */
async function openApp(
  t: Parameters<typeof openAuthApp>[0],
  { allow = [], ...options }: ArcGISProxyOptions = {},
  appOptions: AuthAppOptions = {},
) {
  const upstream = await startUpstream(t);
  const app = await openAuthApp(t, {
    ...appOptions,
    routes: (host, auth) => {
      host.all("/proxy", arcgisProxy({ allow: [`${upstream.origin}/`, ...allow], ...options }));
      appOptions.routes?.(host, auth);
    },
  });
  const browser = app.browser();
  await signIn(browser);
  const ask = (target: string, headers: Record<string, string> = {}, method = "GET") =>
    browser.send(`/proxy?${target}`, { method, headers: { ...script, ...headers } });
  return { app, browser, upstream, ask };
}

for (const mode of ["own", "shared"] as const) {
  test(`PX-12 in any app, the proxy requests the portal and what is allowed with the user's token (${mode} session)`, async (t) => {
    const bytes = { sent: 0, received: 0 };
    const times: number[] = [];
    const { app, browser, upstream, ask } = await openApp(
      t,
      {
        onBytes: (direction, count) => {
          bytes[direction] += count;
        },
        onResponse: (seconds) => void times.push(seconds),
      },
      { mode },
    );
    const { token } = await storedIdentity(app, browser);
    const self = await ask(`${app.sandbox.url}/community/self`);
    assert.equal((self.json() as { username: string }).username, "sandy_admin");
    assert.equal(app.sandbox.log.at(-1)?.headers["x-esri-authorization"], `Bearer ${token}`);

    upstream.behave = (_seen, res) =>
      void res.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    const response = await ask(`${upstream.origin}/x?token=y&a=1`);
    assert.deepEqual([response.status, response.body], [200, "{}"]);
    assert.equal(upstream.seen[0]?.url, "/x?a=1&f=json");
    assert.equal(upstream.seen[0]?.headers["x-esri-authorization"], `Bearer ${token}`);
    assert.equal(upstream.seen[0]?.headers.cookie, undefined);
    // The app itself sets none of them.
    assert.equal(response.headers["cache-control"], "no-store");
    assert.equal(response.headers["x-content-type-options"], "nosniff");
    assert.equal(response.headers["cross-origin-resource-policy"], "same-origin");
    assert.match(String(response.headers["content-security-policy"]), /^sandbox; default-src 'none';/);
    assert.equal(times.length, 2);
    assert.deepEqual(bytes, { sent: 0, received: self.body.length + 2 });
  });
}

test("PX-12 the portal is that of the user's identity and no other; with contextOf the proxy works outside the mount", async (t) => {
  const app = await openAuthApp(t, {
    mount: "/gis",
    routes: (host, auth) => void host.all("/proxy", arcgisProxy({ contextOf: auth.contextOf })),
  });
  const other = await openAuthApp(t);
  const browser = app.browser();
  await signIn(browser, "sandy_admin", "/gis/sign-in");
  assert.equal((await browser.get(`/proxy?${app.sandbox.url}/community/self`, script)).status, 200);
  const response = await browser.get(`/proxy?${other.sandbox.url}/community/self`, script);
  assert.equal(codeOf(response), "untrusted_url");
  assert.equal(other.sandbox.log.length, 0);
});

test("PX-12 a rejected token is refreshed once; then it is 401", async (t) => {
  const { app, browser, upstream, ask } = await openApp(t);
  const { token: old } = await storedIdentity(app, browser);
  upstream.behave = ({ headers }, res) => {
    const isOld = headers["x-esri-authorization"] === `Bearer ${old}`;
    res.writeHead(200, { "Content-Type": "application/json" }).end(isOld ? invalid : "{}");
  };
  assert.equal((await ask(`${upstream.origin}/x`)).body, "{}");
  const { token } = await storedIdentity(app, browser);
  assert.notEqual(token, old);
  assert.equal(upstream.seen[1]?.headers["x-esri-authorization"], `Bearer ${token}`);
  assert.equal(app.grants("refresh_token"), 1);

  upstream.behave = (_seen, res) =>
    void res.writeHead(200, { "Content-Type": "application/json" }).end(invalid);
  const rejected = await ask(`${upstream.origin}/x`);
  assert.deepEqual([rejected.status, codeOf(rejected)], [401, "token_rejected"]);
  assert.equal(app.grants("refresh_token"), 1);
});

test("PX-12 a federated server gets tokens of its own, also when the portal has ended the user's early", async (t) => {
  const first = await openApp(t);
  const server = await startFederatedServer(t, first.app.sandbox);
  const { app, browser, ask } = await openApp(t, { allow: [server.root] }, { sandbox: first.app.sandbox });
  const query = `${server.layer}/query?where=1%3D1`;
  const { token } = await storedIdentity(app, browser);
  assert.match((await ask(query)).body, /Lime/);
  app.sandbox.serverTokens.clear();
  assert.match((await ask(query)).body, /Lime/);
  assert.equal(app.grants("refresh_token"), 0);
  app.sandbox.serverTokens.clear();
  app.sandbox.expireAccessTokens();
  assert.match((await ask(query)).body, /Lime/);
  assert.equal(app.grants("refresh_token"), 1);
  const { token: latest } = await storedIdentity(app, browser);
  for (const { url, headers } of server.seen)
    assert.ok(![token, latest].some((portalToken) => (url + JSON.stringify(headers)).includes(portalToken)));
});

test("PX-12 a long query gets the token, too", async (t) => {
  const { app, ask } = await openApp(t);
  const response = await ask(`${app.sandbox.url}/community/self?f=json&x=${"y".repeat(9_000)}`);
  assert.equal((response.json() as { username: string }).username, "sandy_admin");
});

test("PX-12 errors are JSON with authErrorHandler, and reach a handler of the app's own as ProxyError and AuthError", async (t) => {
  const caught: unknown[] = [];
  const { app, upstream, ask } = await openApp(
    t,
    { maxBytes: 100, concurrency: { total: 10, perUser: 1 } },
    {
      routes: (host: Express) => {
        const remember: ErrorRequestHandler = (error, _req, _res, next) => {
          caught.push(error);
          next(error);
        };
        host.use(remember, authErrorHandler());
      },
    },
  );
  const expected: [code: string, status: number, response: ReturnType<typeof ask>][] = [
    ["signed_out", 401, app.browser().get(`/proxy?${upstream.origin}/x`, script)],
    ["cross_site", 403, ask(`${upstream.origin}/x`, { "Sec-Fetch-Site": "cross-site" })],
    ["untrusted_url", 403, ask("https://evil.example/")],
    ["method_not_allowed", 405, ask(`${upstream.origin}/x`, {}, "OPTIONS")],
  ];
  for (const [code, status, pending] of expected) {
    const response = await pending;
    const { error } = response.json() as { error: { code: string; message: string } };
    assert.deepEqual([response.status, error.code], [status, code]);
    assert.ok(error.message);
    assert.equal(response.headers["cache-control"], "no-store");
    if (code === "method_not_allowed")
      assert.equal(response.headers.allow, "GET, HEAD, POST, PUT, PATCH, DELETE");
  }
  upstream.behave = (_seen, res) => void res.writeHead(302, { Location: "/" }).end();
  assert.equal((await ask(`${upstream.origin}/x`)).status, 502);
  upstream.behave = (_seen, res) =>
    void res.writeHead(200, { "Content-Type": "text/plain" }).end("x".repeat(101));
  assert.equal((await ask(`${upstream.origin}/x`)).status, 502);
  const isProxyError = (error: unknown) => error instanceof ProxyError && error.expose;
  assert.equal(caught.filter(isProxyError).length, 4);

  let release: (() => void) | undefined;
  const arrived = new Promise<void>((resolve) => {
    upstream.behave = (_seen, res) => {
      release = () => void res.writeHead(204).end();
      resolve();
    };
  });
  const held = ask(`${upstream.origin}/x`);
  await arrived;
  const busy = await ask(`${upstream.origin}/x`);
  assert.deepEqual([busy.status, busy.headers["retry-after"]], [503, "5"]);
  release?.();
  assert.equal((await held).status, 204);
});

test("PX-12 allowedOrganizations binds the proxy, too", async (t) => {
  const { app, browser, ask, upstream } = await openApp(t);
  const { sessionSecret, encryptionKey } = app.options;
  // The app's next configuration.
  const strict = await openAuthApp(t, {
    sandbox: app.sandbox,
    dir: app.dir,
    auth: { sessionSecret, encryptionKey, allowedOrganizations: ["another"] },
    routes: (host) => void host.all("/proxy", arcgisProxy({ allow: [upstream.origin] })),
  });
  assert.equal((await ask(`${upstream.origin}/x`)).status, 200);
  const later = strict.browser();
  for (const [name, value] of browser.cookies) later.cookies.set(name, value);
  const response = await later.get(`/proxy?${upstream.origin}/x`, script);
  assert.deepEqual([response.status, codeOf(response)], [403, "organization_not_allowed"]);
  assert.equal(upstream.seen.length, 1);
});

test("PX-12 without arcgisAuth in front, the proxy says so; what it may not send tokens to, it does not accept", async (t) => {
  const host = express();
  let error: unknown;
  host.all("/proxy", arcgisProxy());
  host.use(((caught, _req, res, _next) => {
    error = caught;
    res.sendStatus(500);
  }) as ErrorRequestHandler);
  const server = createServer(host).listen(0, "127.0.0.1");
  t.after(() => void server.close().closeAllConnections());
  await once(server, "listening");
  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/proxy?https://x.example/`);
  assert.match(String(error), /app\.use\(auth\) must come first/);

  for (const url of [
    "",
    "x",
    "http://gis.example.com/",
    "https://a@gis.example.com/",
    "https://x/?a",
    "ftp://x/",
  ])
    assert.throws(() => arcgisProxy({ allow: [url] }), TypeError, url);
  for (const url of ["https://gis.example.com/arcgis", "http://localhost:6080/", "http://[::1]/x"])
    assert.doesNotThrow(() => arcgisProxy({ allow: [url] }), url);
});

test("PX-12 an app with several portals can ask whose target a request has", () => {
  const rules = {
    portal: "https://gis.example.com/portal/sharing/rest",
    allow: ["https://x.example/arcgis"],
  };
  assert.ok(isAllowedTarget("/proxy?https://gis.example.com/portal/sharing/rest/info", rules));
  assert.ok(isAllowedTarget("/proxy?https://x.example/arcgis/rest", rules));
  assert.ok(!isAllowedTarget("/proxy?https://x.example/other", rules));
  assert.ok(!isAllowedTarget("/proxy", rules));
});

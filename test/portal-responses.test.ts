import assert from "node:assert/strict";
import { createServer as createHttpServer, globalAgent as httpAgent } from "node:http";
import { createServer as createHttpsServer, globalAgent } from "node:https";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { ErrorCode } from "#src/app/errors.ts";
import { portalRequest } from "#src/auth/arcgis/portal-request.ts";
import { click } from "./support/browser.ts";
import { selfSigned } from "./support/certificate.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { bluntPortal, head, http, listen, signInWith, validResponse } from "./support/portal-responses.ts";
import { openSite, signIn } from "./support/site.ts";

/** Errors as no ArcGIS would write them: each is trouble at the portal or a refused code, never a fault of ours. */
const strangeErrors: [string, ErrorCode][] = [
  ['{"error":"x"}', "code_refused"],
  ['{"error":true}', "code_refused"],
  ['{"error":[]}', "code_refused"],
  ['{"error":{}}', "code_refused"],
  ['{"error":{"code":null,"message":null}}', "code_refused"],
  ['{"error":{"code":"500","message":["x"]}}', "portal_unreachable"],
  ['{"error":{"code":503,"message":{"a":1}}}', "portal_unreachable"],
  ['{"error":{"code":{"toString":1,"valueOf":1},"message":{"toString":1}}}', "portal_response_invalid"],
  ['{"error":{"code":400,"message":{"toString":1,"valueOf":1}}}', "portal_response_invalid"],
  ['{"code":400,"message":"x"}', "code_refused"],
  ['{"code":500,"message":"x","status":"failure"}', "portal_unreachable"],
  ['{"status":"failure","statusMessage":"{\\"message\\":{\\"toString\\":1}}"}', "portal_response_invalid"],
  ['{"status":"failed"}', "code_refused"],
  ['{"error":null}', "portal_response_invalid"],
  ['{"error":0,"success":false}', "portal_response_invalid"],
];

test("OA-11 an error of any shape is told from a token, and never a fault of ours", async (t) => {
  const portal = await bluntPortal(
    t,
    strangeErrors.map(([body]) => http(body)),
  );
  const site = await openSite(t, { settings: { PORTAL_URL: portal } });
  for (const [index, [, code]] of strangeErrors.entries()) {
    assertErrorPage((await signInWith(site, index)).response, code);
  }
  assert.deepEqual(site.files(), []);
});

test("OA-11 of a sound response only the known fields are kept", async (t) => {
  const site = await openSite(t);
  const more =
    '"isAdmin":true,"password":"p","server":"https://evil.example","portal":"https://evil.example",';
  const body = JSON.stringify(validResponse).replace(
    "{",
    `{"__proto__":{"isAdmin":1},"constructor":1,${more}`,
  );
  site.sandbox.faults.set("token", { kind: "body", body });
  const browser = site.browser();
  assert.equal((await signIn(browser)).status, 303);
  const home = await browser.get("/");
  assert.match(home.body, /sandy_admin/);
  assert.doesNotMatch(home.body, /evil\.example/);
  assert.ok(home.body.includes(site.sandbox.url));

  await browser.get("/sign-out", click);
  const revoked = site.sandbox.log.filter(({ endpoint }) => endpoint === "revokeToken");
  assert.deepEqual(
    revoked.map(({ params }) => params.auth_token),
    ["sound-refresh-token"],
  );
});

/** What a broken or hostile server may send instead of HTTP as it should be. */
const wire: { name: string; bytes: Buffer | string; code: ErrorCode }[] = [
  { name: "not HTTP", bytes: "SSH-2.0-OpenSSH_9.2\r\n", code: "portal_unreachable" },
  { name: "nothing", bytes: "", code: "portal_unreachable" },
  { name: "a status line only", bytes: "HTTP/1.1 200 OK\r\n", code: "portal_unreachable" },
  {
    name: "100 kB of headers",
    bytes: `${head(`X: ${"x".repeat(100_000)}`)}{}`,
    code: "portal_unreachable",
  },
  {
    name: "a body that ends too early",
    bytes: head("Content-Length: 5000") + JSON.stringify(validResponse),
    code: "portal_timeout",
  },
  {
    name: "chunks that are none",
    bytes: `${head("Transfer-Encoding: chunked")}zz\r\n{}\r\n`,
    code: "portal_response_invalid",
  },
  { name: "no content", bytes: "HTTP/1.1 204 No Content\r\n\r\n", code: "portal_response_invalid" },
  { name: "not modified", bytes: "HTTP/1.1 304 Not Modified\r\n\r\n", code: "portal_response_invalid" },
  {
    name: "gzip that is none",
    bytes: `${head("Content-Encoding: gzip", "Content-Length: 2")}{}`,
    code: "portal_response_invalid",
  },
  {
    name: "a gzip bomb",
    bytes: gzipResponse(`{"a":"${"x".repeat(50 * 1024 * 1024)}"}`),
    code: "portal_response_invalid",
  },
];

test("OA-11 whatever comes down the wire, the visitor sees an error page and the server lives", async (t) => {
  const sound = gzipResponse(JSON.stringify(validResponse));
  const portal = await bluntPortal(t, [
    ...wire.map(({ bytes }) => bytes),
    sound,
    http(JSON.stringify(validResponse), "text/plain"),
  ]);
  const site = await openSite(t, { settings: { PORTAL_URL: portal } });
  // The body that ends too early never ends for node-fetch; ten seconds would be long for a test.
  let isEndless = false;
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  t.mock.method(AbortSignal, "timeout", (ms: number) => timeout(isEndless ? 500 : ms));
  for (const [index, { name, code }] of wire.entries()) {
    isEndless = code === "portal_timeout";
    const { response } = await signInWith(site, index);
    assert.ok(response.body.includes(code), `${name}: ${response.body}`);
    assertErrorPage(response, code);
  }
  isEndless = false;
  assert.deepEqual(site.files(), []);
  for (const index of [wire.length, wire.length + 1]) {
    const { response, browser } = await signInWith(site, index);
    assert.equal(response.status, 303, response.body);
    assert.equal(await whoIs(browser), "sandy_admin");
  }
});

function gzipResponse(text: string): Buffer {
  const body = gzipSync(text);
  return Buffer.concat([Buffer.from(head("Content-Encoding: gzip", `Content-Length: ${body.length}`)), body]);
}

test("OA-13 a redirect of the portal is not followed: no code and no token goes to another host", async (t) => {
  let visits = 0;
  const elsewhere = createHttpServer((_req, res) => {
    visits += 1;
    res.setHeader("Content-Type", "application/json").end(JSON.stringify(validResponse));
  });
  const location = `http://127.0.0.1:${await listen(t, elsewhere)}/portal/sharing/rest/oauth2/token`;
  const site = await openSite(t);

  for (const status of [301, 302, 303, 307, 308] as const) {
    site.sandbox.faults.set("token", { kind: "redirect", location, status, times: 1 });
    assertErrorPage(await signIn(site.browser()), "portal_response_invalid");
  }
  const browser = site.browser();
  for (const endpoint of ["self", "portalSelf", "revokeToken"] as const) {
    site.sandbox.faults.set(endpoint, { kind: "redirect", location });
  }
  assert.equal((await signIn(browser)).status, 303);
  assert.equal((await browser.get("/sign-out", click)).status, 303);
  assert.equal(await whoIs(browser), undefined);
  assert.equal(visits, 0);
});

test("OA-13 every call to the portal has a time limit of ten seconds at most", async (t) => {
  const site = await openSite(t);
  const limits: number[] = [];
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  t.mock.method(AbortSignal, "timeout", (ms: number) => {
    limits.push(ms);
    return timeout(ms);
  });
  const browser = site.browser();
  const before = site.sandbox.log.length;
  await signIn(browser);
  await browser.get("/sign-out", click);
  const calls = site.sandbox.log.slice(before).flatMap(({ endpoint }) => endpoint ?? []);
  assert.deepEqual(calls.filter((endpoint) => endpoint !== "authorize").sort(), [
    "portalSelf",
    "revokeToken",
    "self",
    "token",
  ]);
  assert.deepEqual(limits.sort(), [10_000, 3_000, 3_000, 3_000]);
  const kept = site.sandbox.log
    .slice(before)
    .filter(({ path, headers }) => !/authorize/.test(path) && headers.connection !== "close");
  const methods = new Set(kept.map(({ method }) => method));
  assert.deepEqual(
    [...methods],
    ["GET"],
    "others have connections of their own, not closed since the last call",
  );
});

test("OA-13 a portal that says nothing is given up when the time is over", async (t) => {
  const site = await openSite(t);
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  t.mock.method(AbortSignal, "timeout", () => timeout(100));
  site.sandbox.faults.set("token", { kind: "delay", ms: 2_000, times: 1 });
  assertErrorPage(await signIn(site.browser()), "portal_timeout");
});

test("OA-13 a question is asked again when the portal closes the kept connection just then; a code is sent once", async (t) => {
  const connections = new Map<unknown, number>();
  const asked: string[] = [];
  const portal = createHttpServer((req, res) => {
    const before = connections.get(req.socket) ?? 0;
    connections.set(req.socket, before + 1);
    asked.push(`${req.method} ${before}`);
    if (before > 0 || req.method === "POST") req.socket.destroy();
    else res.setHeader("Content-Type", "application/json").end(`{"username":"sandy"}`);
  });
  const url = `http://127.0.0.1:${await listen(t, portal)}/portal/sharing/rest/community/self`;
  const ask = portalRequest();
  const get = () => ask(url, { httpMethod: "GET" });
  // Two connections are kept, and the portal closes both.
  await Promise.all([get(), get()]);
  assert.deepEqual(await get(), { username: "sandy" });
  assert.deepEqual(asked, ["GET 0", "GET 0", "GET 1", "GET 0"]);
  await assert.rejects(ask(url, { httpMethod: "POST" }), { code: "portal_unreachable" });
  assert.deepEqual(asked.slice(4), ["POST 0"], "not on the other kept connection");
});

test("OA-13 a GET is sent again when its kept connection was closed and reset, as load balancers do", async (t) => {
  const portal = createHttpServer((_req, res) => {
    res.setHeader("Content-Type", "application/json").end(`{"username":"sandy"}`);
  });
  const port = await listen(t, portal);
  const ask = portalRequest();
  const get = () => ask(`http://127.0.0.1:${port}/portal/sharing/rest/community/self`, { httpMethod: "GET" });
  await get();
  const kept = Object.entries(httpAgent.freeSockets).find(([name]) => name.includes(`:${port}:`))?.[1]?.[0];
  assert.ok(kept);
  // What Linux reports of a connection that has ended before it was reset.
  kept._write = (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  assert.deepEqual(await get(), { username: "sandy" });
});

test("AV-13 the rest of a response that is too large is not read", async (t) => {
  let sent = 0;
  const server = createHttpServer((_req, res) => {
    const send = () => {
      sent += 1;
      res.write(Buffer.alloc(65_536, " "));
    };
    res.on("drain", send);
    send();
  });
  t.after(() => server.closeAllConnections());
  const ask = portalRequest({ timeoutMs: 60_000 });
  await assert.rejects(ask(`http://127.0.0.1:${await listen(t, server)}/`), {
    code: "portal_response_invalid",
  });
  // Until all buffers on the way are full.
  for (let before = 0; before !== sent; await sleep(500)) {
    before = sent;
    assert.ok(sent < 2_000, "it is read");
  }
});

test("OA-13 a portal whose certificate is not trusted gets no code", async (t) => {
  const { key, cert } = selfSigned();
  let visits = 0;
  const portal = createHttpsServer({ key, cert }, (_req, res) => {
    visits += 1;
    res.setHeader("Content-Type", "application/json").end(JSON.stringify(validResponse));
  });
  portal.on("tlsClientError", () => {});
  const port = await listen(t, portal);
  const site = await openSite(t, { settings: { PORTAL_URL: `https://localhost:${port}/portal` } });

  assertErrorPage((await signInWith(site, 1)).response, "portal_unreachable");
  assert.equal(visits, 0);
  assert.match(site.log.text(), /self-signed certificate/);

  globalAgent.options.ca = cert;
  t.after(() => {
    delete globalAgent.options.ca;
  });
  const { response, browser } = await signInWith(site, 1);
  assert.equal(response.status, 303, "with a certificate that is vouched for, the same sign-in works");
  assert.equal(await whoIs(browser), "sandy_admin");
});

import assert from "node:assert/strict";
import { METHODS } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { httpLimits } from "#src/app/http-server.ts";
import { click, crossSite, typed } from "./support/browser.ts";
import { assertErrorPage, assertNoInternals, tokenCalls, whoIs } from "./support/expect.ts";
import { assertAlive } from "./support/hostile-requests.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { callbackFor, openSite, signIn } from "./support/site.ts";
import { transactionCookie } from "./support/user.ts";

const crlf = (...lines: string[]) => lines.join("\r\n");

test("AV-3 a body in pieces is measured too, and one that never ends holds up no other request", async (t) => {
  const site = await openSite(t);
  const head = (...lines: string[]) =>
    crlf(
      ...lines,
      `Host: ${new URL(site.url).host}`,
      "Content-Type: application/x-www-form-urlencoded",
      "Connection: close",
      "",
      "",
    );
  const chunked = head("POST /sign-out HTTP/1.1", "Transfer-Encoding: chunked");
  const large = await sendRaw(site.url, `${chunked}2800\r\n${"x".repeat(0x2800)}\r\n0\r\n\r\n`);
  assert.equal(large.status, 413);
  const misplaced = await sendRaw(site.url, `${head("GET / HTTP/1.1", "Content-Length: 1000000000")}x`);
  assert.equal(misplaced.status, 200);

  const sockets = Array.from({ length: 50 }, () => connect(Number(new URL(site.url).port), "127.0.0.1"));
  for (const socket of sockets) {
    socket.on("error", () => {});
    socket.write(`${head("POST /sign-out HTTP/1.1", "Content-Length: 1000000000")}csrf_token=x`);
  }
  await assertAlive(site);
  for (const socket of sockets) socket.destroy();
});

/** Query strings of a callback whose parameters are polluted; each is asked for with an auth transaction. */
const polluted = [
  "code=a&code=b&state=STATE",
  "code=a&state=STATE&state=STATE",
  "code=a&state=STATE&state=",
  "code=a&state[]=STATE",
  "code=a&state[0]=STATE",
  "code[a]=a&state=STATE",
  "code=a;state=STATE",
  "code=a&amp;state=STATE",
  "__proto__=a&state=STATE",
  "__proto__[code]=a&__proto__[state]=STATE",
  "constructor[prototype][code]=a&state=STATE",
  "code=a%00&state=STATE",
  "code=%00&state=STATE",
  "code=a&state=STATE%00",
  "code=%ff&state=STATE",
  "code=%c3%28&state=STATE",
  "code=%ed%a0%80&state=STATE",
  "code=a%0d%0aX-Evil:%201&state=STATE",
  "code=a&state=STATE%0d%0aX-Evil:%201",
  "code=%E2%80%AE&state=STATE",
  "error=a&error=b&state=STATE",
  "error[]=access_denied&state=STATE",
  `${"x&".repeat(2_000)}code=a&state=STATE`,
];

test("AV-6 polluted parameters of a callback are a 400, nothing is asked of the portal, and the auth transaction stays", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin");
  const state = String(new URL(callback).searchParams.get("state"));
  const requests = site.sandbox.log.length;
  for (const query of polluted) {
    const response = await browser.get(`/authenticate?${query.replaceAll("STATE", state)}`, crossSite);
    assert.equal(response.status, 400, query);
    assertErrorPage(response, "callback_malformed");
    assert.equal(response.headers["x-evil"], undefined);
  }
  assert.equal(site.sandbox.log.length, requests);
  assert.equal((await browser.get(callback, crossSite)).status, 303);
});

test("AV-6 no parameter reaches the prototype of anything", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const keys =
    "__proto__[admin]=1&__proto__.admin=1&constructor[prototype][admin]=1&__proto__=1&toString=1&hasOwnProperty=1";
  for (const path of ["/", "/sign-in", "/authenticate", "/sign-out", "/nothing", "/assets/app.css"]) {
    const { status } = await browser.get(`${path}?${keys}`);
    assert.ok(status < 500, path);
  }
  await browser.post("/sign-out", {
    "__proto__[admin]": "1",
    __proto__: "1",
    "constructor[prototype][admin]": "1",
  });
  assert.equal(({} as Record<string, unknown>).admin, undefined);
  assert.equal(String({}), "[object Object]");
  await assertAlive(site);
});

test("AV-4 AV-6 smuggled, doubled and malformed headers are refused or ignored", async (t) => {
  const site = await openSite(t);
  const host = `Host: ${new URL(site.url).host}`;
  const body = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const post = (...lines: string[]) =>
    crlf("POST /sign-out HTTP/1.1", ...lines, "Connection: close", "", body);
  const refused = [
    post(host, `Content-Length: ${body.length}`, "Transfer-Encoding: chunked"),
    post(host, "Transfer-Encoding: chunked", `Content-Length: ${body.length}`),
    post(host, "Content-Length: 5", "Content-Length: 6"),
    post(host, "Content-Length: 5, 6"),
    post(host, "Content-Length: +5"),
    post(host, "Content-Length: -1"),
    post(host, "Content-Length: 0x5"),
    post(host, "Transfer-Encoding : chunked"),
    post(host, " X: folded"),
    `POST /sign-out HTTP/1.1\n${host}\nContent-Length: 0\n\n`,
    rawGet("/"),
    rawGet("/", host, "X Y: z"),
    rawGet("/", host, "X\u0000: z"),
    rawGet("/", host, "X: a\u0000b"),
    crlf("GET / HTTP/3.0", host, "Connection: close", "", ""),
    crlf("get / HTTP/1.1", host, "Connection: close", "", ""),
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc",
  ];
  for (const bytes of refused) {
    const { status, text } = await sendRaw(site.url, bytes);
    assert.equal(status, 400, `${JSON.stringify(bytes.slice(0, 200))}\n${text}`);
    assertNoInternals(text);
  }
  // Node hears of these only after it has given the request to the app: what counts is that there is one response.
  for (const coding of [
    "xchunked",
    "identity",
    "chunked, identity",
    "chunked, x",
    "chunked\r\nTransfer-Encoding: x",
  ]) {
    const { text } = await sendRaw(site.url, post(host, `Transfer-Encoding: ${coding}`));
    assert.equal(text.match(/HTTP\/1\.1 \d/g)?.length, 1, text);
  }
  assert.doesNotMatch(site.log.text(), /smuggled/);

  const ignored = [
    rawGet("/", host, "Host: evil.example"),
    rawGet("/", "Host: evil.example", host),
    rawGet("http://evil.example/", host),
    rawGet("/", "Host: evil.example:1@evil.example"),
    rawGet(
      "/",
      host,
      "X-HTTP-Method-Override: DELETE",
      "X-Forwarded-Prefix: //evil.example",
      "X-Original-URL: /evil",
    ),
    rawGet(
      "/",
      host,
      "Upgrade: websocket",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
    ),
    rawGet(
      "/",
      host,
      "Range: bytes=0-1",
      `If-None-Match: "x"`,
      "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
    ),
    rawGet("/", host, "Accept: ,;q=x/y, */*;q=banana", "Accept-Language: *", "Accept-Encoding: gzip;q=-1"),
    rawGet("/", host, "Content-Type: application/json;charset=utf-99", "Content-Encoding: br"),
  ];
  for (const bytes of ignored) {
    const { status, text } = await sendRaw(site.url, bytes);
    assert.equal(status, 200, `${bytes}\n${text}`);
    assert.match(text, /Sign in with ArcGIS/);
    assert.doesNotMatch(text, /evil/);
  }
  await assertAlive(site);
});

test("AV-6 two hundred cookies, or cookies of any shape, are no error, and the good one among them counts", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  await signIn(browser);
  const good = `arcgis.sid=${browser.cookies.get("arcgis.sid")}`;
  const another = site.browser();
  await another.get("/sign-in");
  const transaction = transactionCookie(another);
  const visitor = site.browser();
  const many = Array.from({ length: 200 }, (_, i) => `c${i}=${i}`).join("; ");
  assert.match((await visitor.get("/", { ...typed, Cookie: `${many}; ${good}` })).body, /sandy_admin/);

  const odd = [
    "",
    ";",
    "=",
    "=;=",
    "a",
    "a=",
    `a="`,
    "a=%",
    "a=%ff",
    transaction,
    `${transaction}=`,
    "arcgis.sid",
    "arcgis.sid=",
  ];
  const worse = [
    "arcgis.sid=s%3A",
    "arcgis.sid=s:x.y",
    "arcgis.sid=j:{}",
    "arcgis.sid=%E0%A4%A",
    "arcgis.sid=s%3A%00.x",
    "__proto__=x",
  ];
  const worst = [
    `arcgis.sid=s%3A..%2f..%2fx.${"A".repeat(43)}`,
    `${transaction}=${"A".repeat(8_000)}`,
    `${transaction}=\u00ff`,
  ];
  for (const cookie of [...odd, ...worse, ...worst]) {
    for (const path of ["/", "/sign-out", "/sign-in", "/authenticate?code=x&state=y"]) {
      const { status, setCookies } = await visitor.get(path, { ...typed, Cookie: cookie });
      const expected = { "/": 200, "/sign-out": 303, "/sign-in": 302 }[path] ?? 400;
      assert.equal(status, expected, `${path} ${cookie}`);
      assert.ok(!setCookies.some((each) => /\.sid=/.test(each)));
    }
  }
  assert.equal(site.files().length, 1);
});

test("AV-9 a method that a route does not have is a 405 that names those it has, and 404 where nothing is", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  await signIn(browser);
  const methods = [
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "MKCOL",
    "LOCK",
    "SEARCH",
    "PURGE",
    "QUERY",
  ];
  const allowed: Record<string, string> = {
    "/": "GET, HEAD",
    "/sign-in": "GET, HEAD",
    "/SIGN-IN/": "GET, HEAD",
    "/authenticate": "GET, HEAD",
    "/authenticate?code=x&state=y": "GET, HEAD",
    "/sign-out": "GET, HEAD, POST",
    "/Sign-Out/": "GET, HEAD, POST",
  };
  const known = methods.filter((method) => METHODS.includes(method));
  assert.ok(known.length > 8);
  for (const [path, allow] of Object.entries(allowed)) {
    for (const method of known.filter((method) => !allow.includes(method))) {
      const response = await browser.send(path, { method, headers: click });
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.equal(response.headers.allow, allow);
      assert.doesNotMatch(response.body, /Cookie|arcgis\.sid/, "TRACE echoes nothing");
    }
  }
  for (const method of known) {
    const response = await browser.send("/nothing", { method, headers: click });
    assert.equal(response.status, 404, method);
  }
  const host = `Host: ${new URL(site.url).host}`;
  const unknown = await sendRaw(site.url, crlf("BREW / HTTP/1.1", host, "Connection: close", "", ""));
  assert.equal(unknown.status, 400);
  const tunnel = await sendRaw(site.url, crlf("CONNECT evil.example:443 HTTP/1.1", host, "", ""));
  assert.equal(tunnel.status, 405, "no tunnel");
  assert.equal(await whoIs(browser), "sandy_admin");
});

test("AV-9 OA-6 a callback that comes as a form post is a 405 and spends nothing", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  const callback = new URL(await callbackFor(browser, "sandy_admin"));
  const response = await browser.send("/authenticate", {
    method: "POST",
    form: Object.fromEntries(callback.searchParams),
    headers: crossSite,
  });
  assert.equal(response.status, 405);
  assert.equal(tokenCalls(site), 0);
  assert.equal((await browser.get(callback.href)).status, 303);
});

test("AV-3 a visitor who hangs up in the middle of anything does not disturb the server", async (t) => {
  const site = await openSite(t);
  const { host, port } = new URL(site.url);
  const browser = site.browser();
  const { pathname, search } = new URL(await callbackFor(browser, "sandy_admin"));
  const cookie = `Cookie: ${[...browser.cookies].map((pair) => pair.join("=")).join("; ")}`;
  const half = [
    "",
    "G",
    "GET /sign-in HTTP/1.1\r\nHo",
    rawGet("/sign-in", `Host: ${host}`),
    rawGet(pathname + search, `Host: ${host}`, cookie),
    crlf("POST /sign-out HTTP/1.1", `Host: ${host}`, "Content-Length: 100", "", "csrf_token="),
  ];
  for (const bytes of half) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write(bytes, () => socket.resetAndDestroy());
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    });
  }
  await assertAlive(site);
});

describe("AV-2 slow visitors", { concurrency: true }, () => {
  test("AV-2 the limits are no wider than asked for", () => {
    assert.ok(httpLimits.headersMs <= 10_000, "headers");
    assert.ok(httpLimits.bodyMs <= 30_000, "a body that does not come");
    assert.ok(httpLimits.checkMs <= 1_000, "the check");
    assert.ok(httpLimits.connections <= 10_000, "connections");
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { Browser } from "./support/browser.ts";
import { nginx, nginxIsMissing } from "./support/nginx.ts";
import { slowness } from "./support/pace.ts";
import { openProxy, script } from "./support/proxy.ts";
import { emptyJson, type RawUpstream, startRawUpstream } from "./support/raw-upstream.ts";
import { casesOf, rounds } from "./support/rounds.ts";
import { openSite, signIn } from "./support/site.ts";
import { until } from "./support/user.ts";

const methods = ["DELETE", "GET", "HEAD", "POST", "PUT", "PATCH"];

/** How long what must not arrive is waited for (ms). */
const graceMs = rounds(30, 100);

/** A body that is a request itself, for a server that loses count. */
const smuggled = "GET /forbidden HTTP/1.1\r\nHost: x\r\n\r\n";
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const chunked = ["Transfer-Encoding: chunked"];
const sized = (text: string) => [`Content-Length: ${text.length}`];
const form = "Content-Type: application/x-www-form-urlencoded";
const multipart = `--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n${smuggled}\r\n--x--\r\n`;

interface Kind {
  headers: string[];
  /** What is sent after the headers, with a pause in between; "continue" waits for 100 Continue. */
  parts: string[];
  /** What arrives; `undefined` when the client goes before the end. */
  body: string | undefined;
}

const kinds: Record<string, Kind> = {
  chunked: { headers: chunked, parts: [`${chunk(smuggled)}0\r\n\r\n`], body: smuggled },
  "of two chunks": {
    headers: chunked,
    parts: [chunk(smuggled), `${chunk(smuggled)}0\r\n\r\n`],
    body: smuggled + smuggled,
  },
  "with trailers": {
    headers: [...chunked, "Trailer: X"],
    parts: [`${chunk(smuggled)}0\r\nX: 1\r\nX-Esri-Authorization: x\r\n\r\n`],
    body: smuggled,
  },
  "with chunk extensions": {
    headers: chunked,
    parts: [`${smuggled.length.toString(16)};a="b"\r\n${smuggled}\r\n0;x\r\n\r\n`],
    body: smuggled,
  },
  "with a length": { headers: sized(smuggled), parts: [smuggled], body: smuggled },
  "of a form": { headers: [form, ...sized("a=1&token=x")], parts: ["a=1&token=x"], body: "a=1" },
  "of a chunked form": {
    headers: [form, ...chunked],
    parts: [chunk("a=1&to"), `${chunk("ken=x&b")}0\r\n\r\n`],
    body: "a=1&b",
  },
  "that is multipart": {
    headers: ["Content-Type: multipart/form-data; boundary=x", ...sized(multipart)],
    parts: [multipart],
    body: multipart,
  },
  "after 100 Continue": {
    headers: ["Expect: 100-continue", ...sized(smuggled)],
    parts: ["continue", smuggled],
    body: smuggled,
  },
  "in chunks after 100 Continue": {
    headers: ["Expect: 100-continue", ...chunked],
    parts: ["continue", `${chunk(smuggled)}0\r\n\r\n`],
    body: smuggled,
  },
  "that is an empty chunk": { headers: chunked, parts: ["0\r\n\r\n"], body: "" },
  "of length 0": { headers: sized(""), parts: [], body: "" },
  "of no length": { headers: [], parts: [], body: "" },
  "that comes late": { headers: sized(smuggled), parts: ["", smuggled], body: smuggled },
  "in chunks that come late": {
    headers: chunked,
    parts: ["", `${chunk(smuggled)}0\r\n\r\n`],
    body: smuggled,
  },
  "whose client goes": { headers: sized(`${smuggled}more`), parts: [smuggled], body: undefined },
  "in chunks whose client goes": { headers: chunked, parts: [chunk(smuggled)], body: undefined },
  "of a form whose client goes": { headers: [form, ...chunked], parts: [chunk("a=1&b=")], body: undefined },
};

interface Setup {
  upstream: RawUpstream;
  browser: Browser;
  /** Opens a connection to where visitors come in. */
  open: () => Socket;
}

async function direct(t: TestContext): Promise<Setup> {
  const upstream = await startRawUpstream(t);
  const { site, browser } = await openProxy(t, { settings: { PROXY_ALLOW: `${upstream.origin}/allowed/` } });
  return { upstream, browser, open: () => connect(Number(new URL(site.url).port), "localhost") };
}

async function throughNginx(t: TestContext): Promise<Setup> {
  const upstream = await startRawUpstream(t);
  const front = await nginx(t);
  const site = await openSite(t, {
    settings: {
      PROXY_ALLOW: `${upstream.origin}/allowed/`,
      REDIRECT_URI: `${front.url}/authenticate`,
      TRUST_PROXY: 1,
    },
  });
  await front.start(site.url);
  const browser = front.browser();
  await signIn(browser);
  const port = Number(new URL(front.url).port);
  return {
    upstream,
    browser,
    open: () => connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: front.ca }),
  };
}

/** The headers of a request to /proxy by a signed-in user. */
function head({ browser, upstream }: Setup, method: string, path: string, headers: string[]): string {
  const cookie = [...browser.cookies].map((pair) => pair.join("=")).join("; ");
  const lines = [
    `${method} /proxy?${upstream.origin}${path} HTTP/1.1`,
    "Host: localhost",
    `Cookie: ${cookie}`,
    "Sec-Fetch-Site: same-origin",
    ...headers,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Sends one request as it is written. Gives the status of the response, or 0 when the client goes before it. */
async function send(setup: Setup, method: string, { headers, parts, body }: Kind): Promise<number> {
  const socket = setup.open().on("error", () => {});
  let text = "";
  socket.on("data", (data) => {
    text += data.toString("latin1");
  });
  const hasClosed = once(socket, "close");
  // Through nginx "close" would end the connection before the whole body is there.
  socket.write(head(setup, method, "/allowed/thing?f=json", headers));
  for (const part of parts) {
    if (part === "continue") await until(() => text.includes("\r\n\r\n"), "100 Continue, or a response");
    else {
      await sleep(graceMs / 3);
      socket.write(part);
    }
  }
  if (body === undefined) await sleep(graceMs);
  else await until(() => /HTTP\/1\.1 [2-5]/.test(text) || socket.destroyed, "a response");
  socket.destroy();
  await hasClosed;
  return Number(/HTTP\/1\.1 ([2-5]\d\d)/.exec(text)?.[1] ?? 0);
}

/** What arrived since the last call, as text; fails when anything was not a well-formed request. */
function arrivals({ upstream }: Setup): string[] {
  assert.deepEqual(upstream.malformed, []);
  return upstream.requests.splice(0).map(({ method, target, body }) => `${method} ${target} ${body}`);
}

const ways = [
  ["directly", direct, casesOf(methods, 2), false],
  ["through the nginx site of deploy/", throughNginx, casesOf(methods, 1), nginxIsMissing()],
] as const;

for (const [way, openSetup, methodsHere, skip] of casesOf(ways, 1)) {
  describe(way, { skip }, () => {
    for (const method of methodsHere) {
      test(`PX-7 ${method}, with each of ${Object.keys(kinds).length} kinds of body, is exactly one request to the server behind`, async (t) => {
        const setup = await openSetup(t);
        const takesBody = method !== "GET" && method !== "HEAD";
        for (const [name, kind] of Object.entries(kinds)) {
          const status = await send(setup, method, kind);
          const expected = `${method} /allowed/thing?f=json ${takesBody ? kind.body : ""}`;
          const seen = arrivals(setup);
          if (kind.body !== undefined) assert.deepEqual([status, seen], [200, [expected]], name);
          // A GET is complete without its body, so it may be sent before its client has gone.
          else assert.deepEqual(takesBody ? seen : seen.slice(1), [], name);

          const next = await setup.browser.get(`/proxy?${setup.upstream.origin}/allowed/next?f=json`, script);
          assert.deepEqual([next.status, next.body], [200, "{}"], name);
          assert.deepEqual(
            arrivals(setup).filter((request) => !request.endsWith("/allowed/thing?f=json ")),
            ["GET /allowed/next?f=json "],
            name,
          );
        }
        assert.equal(Object.keys(kinds).length, 18);
      });
    }

    test("PX-7 a request whose framing has two meanings, or a method that ArcGIS does not have, reaches no server", async (t) => {
      const setup = await openSetup(t);
      const body = `${chunk(smuggled)}0\r\n\r\n`;
      const hostile: [headers: string[], body: string, method?: string][] = [
        [["Transfer-Encoding: gzip, chunked"], body],
        [["Transfer-Encoding: chunked, chunked"], body],
        [["Transfer-Encoding: chunked, identity"], body],
        [["Transfer-Encoding: identity"], smuggled],
        [["Transfer-Encoding: xchunked"], body],
        [["Transfer-Encoding: chunked;q=1"], body],
        [["Transfer-Encoding:\x0bchunked"], body],
        [["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], body],
        [["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"], body],
        [["Transfer-Encoding: chunked", "Content-Length: 3"], body],
        [["Content-Length: 3", "Transfer-Encoding: chunked"], body],
        [["Content-Length: +5"], smuggled],
        [["Content-Length: -1"], smuggled],
        [["Content-Length: 5, 5"], smuggled],
        [["Content-Length: 5", "Content-Length: 6"], smuggled],
        [["Content-Length: 0x5"], smuggled],
        [["Content-Length: 5 5"], smuggled],
        [["Content-Length: 99999999999999999999"], smuggled],
        [["Content-Length : 5"], smuggled],
        [["Transfer-Encoding:", " chunked, x"], body],
        [["X: y\r\n Transfer-Encoding: chunked", "Content-Length : 5"], body],
        [chunked, "+3\r\nabc\r\n0\r\n\r\n"],
        [chunked, "3 \r\nabc\r\n0\r\n\r\n"],
        [chunked, "0x3\r\nabc\r\n0\r\n\r\n"],
        [chunked, "3\r\nabcd\r\n0\r\n\r\n"],
        [chunked, `${chunk(smuggled)}0\r\nContent-Length: 5\r\n\r\n`],
        [chunked, `${chunk(smuggled)}0\r\nTransfer-Encoding: x\r\n\r\n`],
        [chunked, "3\nabc\n0\n\n"],
        [chunked, "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"],
        [[form, "Content-Encoding: gzip", ...sized(smuggled)], smuggled],
        [["Content-Encoding: deflate", ...chunked], body],
        [chunked, body, "OPTIONS"],
        [chunked, body, "TRACE"],
        [chunked, body, "CONNECT"],
        [chunked, body, "QUERY"],
        [chunked, body, "delete"],
        [sized(smuggled), smuggled, "OPTIONS"],
        [
          ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
          "",
          "PRI",
        ],
      ];
      for (const [headers, content, method = "DELETE"] of hostile) {
        const what = `${method} ${headers.join("; ")} ${JSON.stringify(content.slice(0, 12))}`;
        const status = await send(setup, method, { headers, parts: [content], body: "" });
        // A second request may arrive after the response to the first one.
        await sleep(graceMs);
        const seen = arrivals(setup);
        // nginx puts some of them right, and what it then sends has one meaning.
        if (way === "directly") assert.deepEqual([status === 200, seen], [false, []], what);
        else
          assert.ok(
            seen.length <= 1 && seen.every((line) => / \/allowed\/thing\?/.test(line.slice(0, 30))),
            `${what}: ${status} ${JSON.stringify(seen)}`,
          );
      }
      const next = await setup.browser.get(`/proxy?${setup.upstream.origin}/allowed/next`, script);
      assert.equal(next.status, 200);
    });
  });
}

const json = "Content-Type: application/json\r\n";

/** What a server sends for a request, and whether its connection is good for another one. */
const responses: [what: string, isKept: boolean, sent: string[], method?: string][] = [
  ["one response", true, [emptyJson]],
  [
    "one chunked response",
    true,
    [`HTTP/1.1 200 OK\r\n${json}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
  ],
  ["no body", true, ["HTTP/1.1 204 No Content\r\n\r\n"]],
  ["100 Continue that was not asked for", false, [`HTTP/1.1 100 Continue\r\n\r\n${emptyJson}`]],
  ["early hints", false, [`HTTP/1.1 103 Early Hints\r\n\r\n${emptyJson}`]],
  ["two responses", false, [emptyJson + emptyJson]],
  ["a second response, later", false, [emptyJson, emptyJson]],
  ["the beginning of a second response", false, [emptyJson, "HTTP/1.1 20"]],
  ["garbage after it", false, [`${emptyJson}garbage`]],
  ["garbage later", false, [emptyJson, "x"]],
  ["a line break later", false, [emptyJson, "\r\n"]],
  ["more than its length", false, [emptyJson.replace("{}", "{}{}")]],
  ["a body for HEAD", false, [emptyJson], "HEAD"],
  ["a body with 204", false, ["HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}"]],
  ["no length", false, [`HTTP/1.1 200 OK\r\n${json}\r\n{}`, "end"]],
  ["less than its length", false, [emptyJson.replace(": 2", ": 9"), "end"]],
  ["Connection: close", false, [emptyJson.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")]],
  ["HTTP/1.0", false, [emptyJson.replace("HTTP/1.1", "HTTP/1.0")]],
  [
    "a change of protocol",
    false,
    ["HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"],
  ],
  ["101 alone", false, [`HTTP/1.1 101 Switching Protocols\r\n\r\n${emptyJson}`]],
  ["a length twice", false, [emptyJson.replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\n")]],
  ["a length and chunks", false, [emptyJson.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n")]],
];

test(`PX-8 after any of ${responses.length} responses, only a connection on which all was as expected is used again`, async (t) => {
  const upstream = await startRawUpstream(t);
  const { ask } = await openProxy(t, { settings: { PROXY_ALLOW: `${upstream.origin}/` } });
  for (const [what, isKept, sent, method = "GET"] of responses) {
    let isSent = false;
    upstream.respond = async (_request, socket) => {
      for (const [index, part] of sent.entries()) {
        if (index > 0) await sleep(30);
        if (part === "end") socket.end();
        else socket.write(part, "latin1");
      }
      isSent = true;
    };
    const asked = performance.now();
    await ask(`${upstream.origin}/x?f=json`, { method }).catch(() => {});
    await until(() => isSent, what);
    if (isKept) await sleep(20);
    else await until(() => upstream.open() === 0, `${what}: the connection ends`);
    // An idle connection would end as well, after 4 s.
    assert.ok(performance.now() - asked < 3_500 * slowness(), what);
    upstream.respond = (_request, socket) => void socket.write(emptyJson);
    const next = await ask(`${upstream.origin}/next?f=json`);
    assert.deepEqual([next.status, next.body], [200, "{}"], what);
    const [before, after] = upstream.requests.slice(-2);
    assert.equal(before?.connection === after?.connection, isKept, what);
  }
  assert.deepEqual(upstream.malformed, []);
});

test("PX-8 a connection whose server responds before it has read the body is not used again", async (t) => {
  const upstream = await startRawUpstream(t);
  const { ask, begin } = await openProxy(t, { settings: { PROXY_ALLOW: `${upstream.origin}/` } });
  for (const isFinished of [true, false]) {
    const upload = begin(`${upstream.origin}/x`, {
      method: "DELETE",
      headers: { "Transfer-Encoding": "chunked" },
    });
    upstream.onHead = (socket) => {
      socket.write(isFinished ? emptyJson.slice(0, -1) : emptyJson);
      if (isFinished) setTimeout(() => upload.end(), 50);
    };
    upstream.respond = (_request, socket) => void socket.write("}");
    upload.on("error", () => {}).write(smuggled);
    const [response] = await once(upload, "response");
    assert.equal(response.statusCode, 200);
    response.resume();
    await until(() => upstream.open() === 0, "the connection ends");
    upload.destroy();
    upstream.onHead = undefined;
    upstream.respond = (_request, socket) => void socket.write(emptyJson);
    assert.equal((await ask(`${upstream.origin}/next`)).status, 200);
    assert.equal(upstream.requests.at(-1)?.target, "/next?f=json");
    assert.ok(!upstream.requests.some(({ target }) => target === "/forbidden"));
  }
});

test("PX-8 a server that never reads bodies cannot be made to give one user the request of another", async (t) => {
  const upstream = await startRawUpstream(t);
  const { ask, site } = await openProxy(t, { settings: { PROXY_ALLOW: `${upstream.origin}/` } });
  const other = site.browser();
  await signIn(other, "vik_viewer");
  await ask(`${upstream.origin}/x`, { method: "POST", body: smuggled });
  await other.get(`/proxy?${upstream.origin}/x`, script);
  await ask(`${upstream.origin}/x`);
  const tokens = new Map<number, Set<unknown>>();
  for (const { connection, headers } of upstream.requests)
    tokens.set(connection, (tokens.get(connection) ?? new Set()).add(headers.get("x-esri-authorization")));
  assert.deepEqual(
    [...tokens.values()].map(({ size }) => size),
    [1, 1],
    "each connection carries the token of one user",
  );
});

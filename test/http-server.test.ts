import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { httpLimits } from "#src/app/http-server.ts";
import { assertNoInternals } from "./support/expect.ts";
import { get, isClosed, open, openSlow, refusals } from "./support/http-server.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { casesOf } from "./support/rounds.ts";
import { until } from "./support/user.ts";

describe("AV-10 one connection", { concurrency: true }, () => {
  for (const mount of casesOf(["", "/gis"], 1)) {
    test(`AV-10 pipelined requests are handled one at a time, in order${mount && ", also in an app that is mounted"}`, async (t) => {
      const { site, seen } = await openSlow(t, { mount });
      const post = (id: number, length: number) =>
        `POST ${mount}/slow?id=${id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
      const bytes = [
        get(`${mount}/slow?id=1`),
        get(`${mount}/slow?id=2`),
        post(3, 50_000),
        get(`${mount}/slow?id=4`, "Expect: 100-continue"),
        post(5, 100_000),
        get(`${mount}/slow?id=6`, "Connection: close"),
      ].join("");
      const { text } = await sendRaw(site.url, bytes);
      const bodies = Array.from(text.matchAll(/(\d) with (\d+) bytes;/g), ([, id, length]) => [id, length]);
      assert.deepEqual(bodies, [
        ["1", "0"],
        ["2", "0"],
        ["3", "50000"],
        ["4", "0"],
        ["5", "100000"],
        ["6", "0"],
      ]);
      assert.equal(seen.most, 1);
    });
  }

  test("AV-10 a client that pipelines more than a few requests is disconnected, and others are served", async (t) => {
    // The limit of all connections together would hide that of each.
    const limits = { ...httpLimits, waitingInTotal: Infinity };
    const { site, seen } = await openSlow(t, { limits });
    const sockets = Array.from({ length: 20 }, () => open(t, site.url));
    const closed = sockets.map(isClosed);
    for (const socket of sockets) socket.write(get("/slow?ms=60000").repeat(1_300));
    await Promise.all(closed);
    assert.ok(seen.paths.length <= sockets.length, "the rest is not handled");
    assert.equal((await site.browser().get("/healthz")).status, 200);
    assert.equal(refusals(site)[0]?.reason, "too many pipelined requests");
  });

  test("AV-10 requests that wait are limited on all connections together, and those that have gone do not count", async (t) => {
    const limits = { ...httpLimits, waitingInTotal: 12 };
    const { site, seen } = await openSlow(t, { limits });
    for (let round = 0; round < 3; round++) {
      const first = open(t, site.url);
      first.write(get("/slow?ms=60000").repeat(9));
      await until(() => seen.paths.length === 2 * round + 1, "the first request of the first connection");
      const second = open(t, site.url);
      second.write(get("/slow?ms=60000").repeat(9));
      await isClosed(second);
      first.destroy();
    }
    const { text } = await sendRaw(
      site.url,
      get("/slow?ms=1&id=1").repeat(9) + rawGet("/slow?ms=1&id=9", "Host: a"),
    );
    assert.equal(text.match(/with 0 bytes/g)?.length, 10);
    assert.ok(refusals(site).every(({ reason }) => reason === "too many pipelined requests"));
    assert.ok(httpLimits.waitingInTotal <= 1_000);
  });

  test("AV-10 the limits are no wider than asked for", () => {
    assert.ok(httpLimits.stalledMs <= 60_000);
    assert.ok(httpLimits.waiting <= 20);
  });
});

describe("AV-11 what never reaches the app", { concurrency: 4 }, () => {
  const host = "Host: localhost";
  const cases: Record<string, [status: number, bytes: string]> = {
    "a request line that is none": [400, "hello\r\n\r\n"],
    "TLS without TLS": [400, "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc"],
    "a method that does not exist": [400, `BREW / HTTP/1.1\r\n${host}\r\n\r\n`],
    "two lengths": [400, `POST / HTTP/1.1\r\n${host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`],
    "no Host": [400, "GET / HTTP/1.1\r\n\r\n"],
    "a body in bad chunks": [
      400,
      `POST /slow HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    ],
    "chunk extensions without end": [
      413,
      `POST /slow HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n1;${"x".repeat(20_000)}`,
    ],
    "headers that are too long": [431, rawGet("/", host, `X: ${"x".repeat(17_000)}`)],
    "headers that are much too long": [431, rawGet("/", host, `X: ${"x".repeat(1_000_000)}`)],
    "an expectation": [417, rawGet("/", host, "Expect: the-unexpected")],
    "a tunnel": [405, `CONNECT localhost:443 HTTP/1.1\r\n${host}\r\n\r\n`],
    "headers that do not end": [408, `GET / HTTP/1.1\r\n${host}\r\nX: `],
    "a body that does not come": [408, `POST /slow HTTP/1.1\r\n${host}\r\nContent-Length: 9\r\n\r\nx`],
  };
  for (const [what, [status, bytes]] of Object.entries(cases)) {
    test(`AV-11 ${what}: ${status}, a line of text and a line in the log`, async (t) => {
      const limits = { ...httpLimits, headersMs: 1_000, bodyMs: 1_000, checkMs: 20 };
      const { site } = await openSlow(t, { limits });
      const response = await sendRaw(site.url, bytes);
      const [head = "", body = ""] = response.text.split("\r\n\r\n");
      assert.equal(response.status, status, response.text);
      assert.match(head, /^Content-Type: text\/plain; charset=utf-8$/m);
      assert.match(head, /^Connection: close$/m);
      assert.match(head, new RegExp(`^Content-Length: ${body.length}$`, "m"));
      assert.match(body, /^[A-Z][\w -]+\n$/);
      assert.equal(response.text.match(/HTTP\/1\.1 /g)?.length, 1, "one response");
      assertNoInternals(response.text);
      const [line, ...more] = refusals(site);
      assert.deepEqual([line?.status, line?.address, more.length], [status, "127.0.0.1", 0]);
      assert.equal((await site.browser().get("/healthz")).status, 200);
    });
  }

  test("AV-11 the responses to earlier requests come before the refusal of a later one", async (t) => {
    const { site } = await openSlow(t);
    const { text } = await sendRaw(site.url, `${get("/slow?id=1&ms=200")}${get("/slow?id=2")}\u0000\r\n\r\n`);
    assert.deepEqual(text.match(/(?:HTTP\/1\.1 \d+)|\d with/g), [
      "HTTP/1.1 200",
      "1 with",
      "HTTP/1.1 200",
      "2 with",
      "HTTP/1.1 400",
    ]);
  });

  test("AV-11 a connection that is opened in advance and never used leaves no line", async (t) => {
    const { site } = await openSlow(t, { limits: { ...httpLimits, headersMs: 300, checkMs: 20 } });
    await isClosed(open(t, site.url).resume());
    assert.deepEqual(refusals(site), []);
  });

  test("AV-11 a flood of them leaves a bounded number of lines", async (t) => {
    const { site } = await openSlow(t, { limits: { ...httpLimits, logLines: 5 } });
    for (let index = 0; index < 50; index++) await sendRaw(site.url, "hello\r\n\r\n");
    assert.equal(refusals(site).length, 5);
  });
});

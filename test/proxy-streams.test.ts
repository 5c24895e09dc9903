import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Request } from "express";
import { bodyOf } from "#src/proxy/body.ts";
import { openProxy, responseOf } from "./support/proxy.ts";
import { binary, block, sending, sizeOf } from "./support/proxy-streams.ts";
import { casesOf } from "./support/rounds.ts";
import { type Behaviour, echo } from "./support/upstream.ts";
import { until } from "./support/user.ts";

const mebibyte = 1024 * 1024;

const bodies = {
  "a body that is held": { "content-length": String(4 * mebibyte) },
  "a body of unknown length": { "transfer-encoding": "chunked" },
  "a form": { "content-type": "application/x-www-form-urlencoded", "transfer-encoding": "chunked" },
};

for (const [what, headers] of casesOf(Object.entries(bodies), 1))
  test(`PX-10 while ${what} is read, other requests have their turn, however fast it comes`, async () => {
    let left = 2_048;
    const piece = Buffer.from("a=1&".repeat(512));
    const source = new Readable({ read: () => void source.push(left-- > 0 ? piece : null) });
    const req = Object.assign(source, { method: "POST", headers }) as unknown as Request;
    let [inTurn, most, sent] = [0, 0, 0];
    const onBytes = (_direction: string, bytes: number) => {
      inTurn += bytes;
      most = Math.max(most, inTurn);
    };
    let turn = setImmediate(function next() {
      inTurn = 0;
      turn = setImmediate(next);
    });
    const body = await bodyOf(req, 8 * mebibyte, () => true, onBytes);
    for await (const chunk of body?.chunks ?? []) sent += chunk.length;
    clearImmediate(turn);
    assert.ok(sent >= 4 * mebibyte - 1, `${sent} bytes`);
    assert.ok(most <= 256 * 1024, `${most} bytes in one turn of the event loop`);
  });

test("a response is passed on as it comes: its beginning is here before its end exists", async (t) => {
  const { begin, upstream } = await openProxy(t);
  let finish: (() => void) | undefined;
  upstream.behave = (_seen, res) => {
    res.writeHead(200, { "Content-Type": "application/json" }).write(`["${"x".repeat(10_000)}",`);
    finish = () => res.end("1]");
  };
  const response = await responseOf(begin(`${upstream.origin}/x`));
  const [beginning] = await once(response, "data");
  assert.equal(beginning.length, 10_004);
  const rest = sizeOf(response);
  finish?.();
  assert.equal(await rest, 2);
});

for (const [when, behave] of [
  ["before the response", () => {}],
  ["in the small beginning of the response", (_seen, res) => void res.writeHead(200, binary).write("x")],
  ["in the midst of the response", sending(50 * mebibyte)],
] as [string, Behaviour][]) {
  test(`a browser that goes ${when} ends the request behind, and leaves no error in the log`, async (t) => {
    const { begin, upstream, site } = await openProxy(t);
    const open = new Set<ServerResponse>();
    upstream.behave = (seen, res, req) => {
      open.add(res);
      res.on("close", () => open.delete(res));
      void behave(seen, res, req);
    };
    const going = begin(`${upstream.origin}/x`);
    going.on("error", () => {}).end();
    await until(() => open.size === 1, "the request has arrived");
    await sleep(50);
    going.destroy();
    await until(() => open.size === 0, "the request behind has ended");
    await sleep(20);
    assert.deepEqual(
      site.log.lines.filter(({ msg }) => msg === "refused"),
      [],
    );
  });
}

for (const [kind, length] of [
  ["streamed", 50 * mebibyte],
  ["held", mebibyte],
] as const) {
  test(`a browser that goes in the midst of its ${kind} upload ends the request behind, and leaves no error in the log`, async (t) => {
    const { begin, upstream, site } = await openProxy(t);
    let ended = 0;
    upstream.server.prependListener("request", (req) => req.once("close", () => ended++));
    const upload = begin(`${upstream.origin}/x`, {
      method: "POST",
      headers: { ...binary, "Content-Length": String(length) },
    });
    // What is held is kept in memory of this size.
    const { mock } = t.mock.method(Buffer, "allocUnsafe");
    const isHeld = () => mock.calls.some(({ arguments: [size] }) => size === length);
    upload.on("error", () => {}).write(block);
    await until(() => (kind === "streamed" ? upstream.connections() === 1 : isHeld()), "it has arrived");
    upload.destroy();
    if (kind === "streamed") await until(() => ended === 1, "the request behind has ended");
    const isOver = () => site.log.lines.some(({ path, method }) => path === "/proxy" && method === "POST");
    await until(isOver, "the request has ended");
    await sleep(20);
    assert.equal(upstream.seen.length, 0);
    assert.deepEqual(
      site.log.lines.filter(({ msg }) => msg === "refused"),
      [],
    );
  });
}

test("a response that breaks off breaks off for the browser, too: half of one never looks whole", async (t) => {
  const { begin, upstream, site } = await openProxy(t);
  let breakOff: (() => void) | undefined;
  for (const headers of [{}, { "Content-Length": 100_000 }]) {
    upstream.behave = (_seen, res) => {
      res.writeHead(200, { ...binary, ...headers }).write(Buffer.alloc(50_000));
      breakOff = () => res.destroy();
    };
    const response = await responseOf(begin(`${upstream.origin}/x`));
    breakOff?.();
    await assert.rejects(sizeOf(response), { code: "ECONNRESET" });
  }
  const codes = () => site.log.lines.filter(({ msg }) => msg === "refused").map(({ code }) => code);
  await until(() => codes().length === 2, "it is in the log");
  assert.deepEqual(codes(), ["portal_unreachable", "portal_unreachable"]);
});

test("an early response to an upload comes back, and the connection ends instead of hanging", async (t) => {
  const { begin, upstream } = await openProxy(t);
  upstream.server.removeAllListeners("request");
  let ended = 0;
  upstream.server.keepAliveTimeout = 0;
  upstream.server.on("request", (req, res) => {
    req.socket.on("close", () => ended++);
    req.resume();
    res.writeHead(413, { "Content-Type": "application/json" }).end('{"error":{"code":413}}');
  });
  const upload = begin(`${upstream.origin}/x`, {
    method: "POST",
    headers: { ...binary, "Content-Length": String(50 * mebibyte) },
  });
  upload.on("error", () => {}).write(block);
  const [response] = await once(upload, "response");
  assert.equal(response.statusCode, 413);
  assert.equal(response.headers.connection, "close");
  assert.equal(await sizeOf(response), 22);
  await until(() => ended === 1, "the request behind has ended");
  upload.destroy();
});

test("connections to the server behind are kept, and one that it has closed meanwhile does no harm", async (t) => {
  const { ask, upstream } = await openProxy(t);
  for (let times = 0; times < 10; times++) assert.equal((await ask(`${upstream.origin}/x`)).status, 200);
  assert.equal(upstream.connections(), 1);
  let closed = 0;
  upstream.behave = (seen, res, req) => {
    echo(seen, res, req);
    const { socket } = res;
    socket?.once("close", () => closed++);
    res.on("finish", () => setTimeout(() => socket?.end(), 5));
  };
  for (let times = 1; times <= 5; times++) {
    assert.equal((await ask(`${upstream.origin}/x`)).status, 200);
    await until(() => closed === times, "the connection is closed");
  }
});

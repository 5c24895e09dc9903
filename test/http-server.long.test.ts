import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttpServer, httpLimits } from "#src/app/http-server.ts";
import { get, isClosed, open, openSlow, refusals } from "./support/http-server.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { until } from "./support/user.ts";

test("AV-10 a response that the client stops reading ends the connection; one that makes progress does not", async (t) => {
  const stalledMs = 4_000;
  const { site } = await openSlow(t, { limits: { ...httpLimits, stalledMs } });
  const stopped = open(t, site.url).pause();
  stopped.write(get("/large"));
  const slow = open(t, site.url);
  slow.write(get("/large", "Connection: close"));
  let received = 0;
  let pauses = 0;
  slow.on("data", async (chunk) => {
    received += chunk.length;
    // Not after each chunk: the system reports progress only when a third of its buffer is free again, some megabytes.
    if (received < (pauses + 1) * 4_000_000) return;
    pauses += 1;
    slow.pause();
    await sleep(0.4 * stalledMs);
    slow.resume();
  });
  const patient = sendRaw(site.url, rawGet(`/slow?ms=${1.5 * stalledMs}&id=1`, "Host: localhost"));
  const slowly = isClosed(slow);

  const isReported = () => refusals(site).some(({ reason }) => /does not read/.test(String(reason)));
  await until(isReported, "the end of the one that stopped");
  stopped.resume();
  await isClosed(stopped);
  assert.ok(stopped.bytesRead < 20_000_000);
  await slowly;
  assert.ok(received > 20_000_000, "all of it");
  assert.equal(pauses, 5, "which last longer than the limit, together");
  assert.match((await patient).text, /1 with 0 bytes/, "the app may take its time");
  assert.equal(refusals(site).length, 1);
});

test("AV-10 a client that reads nothing is disconnected, too, if it goes on sending", async (t) => {
  const { site } = await openSlow(t, { limits: { ...httpLimits, stalledMs: 2_000 } });
  const sent = {
    "empty lines": ["", "\r\n"],
    "another request, slowly": [get("/large").slice(0, -2), "a"],
    "what is no request": ["\0", "\0"],
  };
  for (const [what, [first, more = ""]] of Object.entries(sent)) {
    const before = refusals(site).length;
    const socket = open(t, site.url).pause();
    socket.write(get("/large") + first);
    const sending = setInterval(() => socket.write(more), 200);
    const isReported = () =>
      refusals(site)
        .slice(before)
        .some(({ reason }) => /does not read/.test(String(reason)));
    await until(isReported, what);
    clearInterval(sending);
  }
});

describe("AV-10 one connection", { concurrency: true }, () => {
  test("AV-10 requests that arrive later than the first one wait, too, and a connection may be used a hundred times", async (t) => {
    const { site, seen } = await openSlow(t);
    const socket = open(t, site.url);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    for (let id = 0; id < 5; id++) {
      socket.write(get(`/slow?ms=100&id=${id}`));
      await sleep(20);
    }
    await until(() => text.includes("4 with"), "five responses");
    for (let id = 5; id < 100; id++) {
      socket.write(get(`/slow?ms=0&id=${id}`));
      await until(() => text.includes(`;HTTP`) && text.includes(`${id} with`), `response ${id}`);
    }
    assert.deepEqual([seen.most, seen.paths.length], [1, 100]);
  });
});

test("AV-10 an idle connection stays open as long as is said, past every other limit, and is used again", async (t) => {
  const limits = { ...httpLimits, headersMs: 200, requestMs: 400, checkMs: 50, stalledMs: 400 };
  const respond = (_req: IncomingMessage, res: ServerResponse) => void res.end("here");
  const server = createHttpServer(respond, { limits, keepAliveSeconds: 5 });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => void server.close().closeAllConnections());
  const socket = open(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  let responses = "";
  socket.setEncoding("latin1").on("data", (text) => {
    responses += text;
  });
  socket.write(get("/"));
  await until(() => responses.endsWith("here"), "a response");
  assert.match(responses, /^Keep-Alive: timeout=5\r$/m);
  await sleep(1_000);
  socket.write(get("/"));
  await until(() => responses.split("here").length === 3, "another one on the same connection");
  await isClosed(socket);
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openProxy, responseOf } from "./support/proxy.ts";
import { block, sending, sizeOf } from "./support/proxy-streams.ts";
import { until } from "./support/user.ts";

const mebibyte = 1024 * 1024;

/** Runs `work`, and gives by how much the process grew meanwhile, at its largest (MiB). */
async function growth(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  await work();
  clearInterval(watch);
  return Math.round((most - before) / mebibyte);
}

test("a large body is passed on as it comes", async (t) => {
  const { begin, upstream } = await openProxy(t);
  const beginnings: number[] = [];
  upstream.server.prependListener("request", (req) =>
    req.once("data", (chunk) => beginnings.push(chunk.length)),
  );
  const upload = begin(`${upstream.origin}/addPart`, {
    method: "POST",
    headers: { "Content-Type": "multipart/form-data; boundary=x", "Content-Length": String(10 * mebibyte) },
  });
  upload.write(block);
  await until(() => beginnings.length === 1, "the beginning has arrived before the rest");
  const responded = once(upload, "response");
  upload.end(Buffer.alloc(10 * mebibyte - block.length, 7));
  const [response] = await responded;
  assert.equal(response.statusCode, 200);
  assert.equal(upstream.seen[0]?.body.length, 10 * mebibyte);
  assert.equal(upstream.seen[0]?.headers["content-length"], String(10 * mebibyte));
});

test("nothing of 200 MiB through the proxy is held", async (t) => {
  const { begin, upstream } = await openProxy(t);
  upstream.behave = sending(20 * mebibyte);
  await sizeOf(await responseOf(begin(`${upstream.origin}/x`)));
  upstream.behave = sending(200 * mebibyte);
  const grown = await growth(async () => {
    assert.equal(await sizeOf(await responseOf(begin(`${upstream.origin}/x`))), 200 * mebibyte);
  });
  t.diagnostic(`grown by ${grown} MiB`);
  // This process sends and reads them, too; what the server alone takes, the benchmark tells.
  assert.ok(grown < 120, `${grown} MiB`);
});

test("40 downloads at once whose readers are slow keep the memory flat, and each arrives whole", async (t) => {
  const { begin, upstream } = await openProxy(t);
  const size = 12 * mebibyte;
  upstream.behave = sending(size);
  const grown = await growth(async () => {
    const responses = await Promise.all(
      Array.from({ length: 40 }, () => responseOf(begin(`${upstream.origin}/x`))),
    );
    await sleep(300);
    // Two read to the end. The others would fill half a gigabyte, if anybody held it for them.
    assert.deepEqual(await Promise.all(responses.slice(0, 2).map(sizeOf)), [size, size]);
    for (const response of responses) response.destroy();
  });
  t.diagnostic(`grown by ${grown} MiB`);
  assert.ok(grown < 100, `${grown} MiB`);
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { httpLimits } from "#src/app/http-server.ts";
import { get, refusals } from "./support/http-server.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { openSite, type SiteOptions } from "./support/site.ts";
import { until } from "./support/user.ts";

function open(t: Pick<TestContext, "after">, url: string): Socket {
  const socket = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
  t.after(() => void socket.destroy());
  return socket;
}

const isClosed = (socket: Socket) => once(socket, "close");

/** A site with /slow?ms=, which remembers how many of its requests were in progress at once. */
async function openSlow(t: TestContext, options: SiteOptions = {}) {
  let inProgress = 0;
  const seen = { most: 0, paths: [] as string[] };
  const site = await openSite(t, {
    ...options,
    routes: ({ router }) => {
      router.all("/slow", async (req, res) => {
        inProgress += 1;
        seen.most = Math.max(seen.most, inProgress);
        seen.paths.push(req.originalUrl);
        res.once("close", () => {
          inProgress -= 1;
        });
        let length = 0;
        for await (const chunk of req) length += chunk.length;
        await sleep(Number(req.query.ms ?? 20), undefined, { ref: false });
        res.send(`${req.query.id} with ${length} bytes;`);
      });
      // More than all buffers on the way hold.
      router.get("/large", (_req, res) => void res.send(Buffer.alloc(20_000_000)));
    },
  });
  return { site, seen };
}

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

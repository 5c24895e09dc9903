import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { redirectUri, sharedSettings, startServer } from "./support/server-process.ts";
import { secret } from "./support/site.ts";
import { signed } from "./support/user.ts";

const sid = "arcgis.sid";
const skip = process.platform !== "linux" && "memory is read from /proc";

/** The memory of a process. */
function megabytes({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

test("AV-5 ten thousand requests of visitors of every kind leave no file, and 50 MB of memory at most", {
  skip,
}, async (t) => {
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const settings = sharedSettings(t, sandbox.url);
  // A small heap is collected often: what grows then is what is kept, not what waits for the garbage collector.
  const NODE_OPTIONS = "--max-semi-space-size=2 --max-old-space-size=64";
  const { url, child } = await startServer(t, { ...settings, NODE_OPTIONS });
  const forged = `Cookie: ${sid}=${signed("a".repeat(32), secret())}; ${sid}.tx.abcdefgh=${"b".repeat(2_000)}`;
  const stale = `Cookie: ${sid}=${signed("c".repeat(32), String(settings.SESSION_SECRET))}`;
  const kinds = [
    "GET / HTTP/1.1",
    "GET /sign-in?returnTo=/map HTTP/1.1",
    `GET /?${"x".repeat(2_000)} HTTP/1.1\r\n${forged}`,
    `GET / HTTP/1.1\r\n${stale}`,
    "GET /authenticate?code=x&state=y HTTP/1.1",
    "GET /authenticate?error=access_denied&state=y HTTP/1.1",
    `GET /api/session HTTP/1.1\r\n${stale}`,
    "GET /map HTTP/1.1\r\nAccept: text/html",
    "GET /nowhere HTTP/1.1",
    `POST /sign-out HTTP/1.1\r\n${forged}\r\nContent-Length: 0`,
  ];
  const requests = kinds.map((kind) => `${kind}\r\nHost: localhost\r\n\r\n`).join("");
  /** Ten visitors side by side, each with one request of every kind after another. */
  const pour = (rounds: number) => Promise.all(Array.from({ length: 10 }, () => visit(rounds)));
  async function visit(rounds: number): Promise<void> {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write(requests);
    let responses = 0;
    // The beginning of a response may come in two pieces.
    let rest = "";
    for await (const chunk of socket) {
      const text = rest + chunk.toString("latin1");
      const before = Math.floor(responses / kinds.length);
      responses += text.split("HTTP/1.1 ").length - 1;
      rest = text.slice(-8);
      const after = Math.floor(responses / kinds.length);
      if (after === rounds) return;
      if (after > before) socket.write(requests.repeat(after - before));
    }
    assert.fail(`the server hung up after ${responses} responses`);
  }
  await pour(10);
  const before = megabytes(child);
  await pour(100);
  const growth = megabytes(child) - before;
  t.diagnostic(`${before.toFixed()} MB and then ${growth.toFixed()} MB more`);
  assert.ok(growth < 50, `${growth} MB more`);
  assert.deepEqual(readdirSync(String(settings.SESSION_DIR)), []);
  assert.equal((await new Browser(url).get("/")).status, 200);
  assert.equal(sandbox.log.filter(({ endpoint }) => endpoint === "token").length, 0);
});

for (const [count, requests] of [
  [5, 1_300],
  [200, 40],
  [200, 1],
] as const) {
  test(`AV-10 ${count} clients with ${requests} requests each that never read cost less than 50 MB and one file each at most`, {
    skip,
  }, async (t) => {
    const { url, child } = await startServer(t, sharedSettings(t, "http://127.0.0.1:9"));
    const files = () => readdirSync(`/proc/${child.pid}/fd`).length;
    const [filesBefore, before] = [files(), megabytes(child)];
    const open = () => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
      t.after(() => void socket.destroy());
      return socket;
    };
    for (let index = 0; index < count; index++)
      open().pause().write("GET /assets/leaflet.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(requests));
    await sleep(3_000);
    const growth = Math.round(megabytes(child) - before);
    t.diagnostic(`${growth} MB, ${files() - filesBefore} files`);
    assert.ok(growth < 50, `${growth} MB more`);
    // The connection itself is a file, too.
    assert.ok(files() - filesBefore <= 2 * count + 20, `${files() - filesBefore} files more`);
  });
}

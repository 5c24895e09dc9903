import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { httpLimits } from "#src/app/http-server.ts";
import { click } from "./support/browser.ts";
import { assertErrorPage, assertNoInternals, tokenCalls, whoIs } from "./support/expect.ts";
import { assertAlive } from "./support/hostile-requests.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { openSite, type Site, signIn } from "./support/site.ts";
import { startUpstream } from "./support/upstream.ts";

test("AV-3 what is too large is refused: 431 for headers and addresses, 413 for bodies, 400 for code and state", async (t) => {
  const site = await openSite(t);
  const host = `Host: ${new URL(site.url).host}`;
  const tooLarge = [
    rawGet("/", host, `X-Long: ${"x".repeat(17_000)}`),
    rawGet("/", host, `Cookie: ${"a=b; ".repeat(20_000)}`),
    rawGet("/", host, `Cookie: arcgis.sid=${"x".repeat(100_000)}`),
    rawGet("/", host, ...Array.from({ length: 3_000 }, (_, i) => `X-${i}: x`)),
    rawGet(`/${"x".repeat(17_000)}`, host),
    rawGet(`/sign-in?returnTo=/${"x".repeat(100_000)}`, host),
    rawGet(`/authenticate?code=${"x".repeat(17_000)}&state=y`, host),
  ];
  for (const bytes of tooLarge) {
    const { status, text } = await sendRaw(site.url, bytes);
    assert.equal(status, 431, bytes.slice(0, 60));
    assertNoInternals(text);
  }

  const browser = site.browser();
  await signIn(browser);
  const form = { csrf_token: "x".repeat(8 * 1024) };
  assertErrorPage(await browser.post("/sign-out", form), "payload_too_large");
  assertErrorPage(await site.browser().post("/sign-out", form), "payload_too_large");
  assertErrorPage(
    await browser.post("/sign-out", { csrf_token: "x".repeat(1024 * 1024) }),
    "payload_too_large",
  );
  assert.equal(await whoIs(browser), "sandy_admin");

  for (const query of [`code=${"x".repeat(2049)}&state=y`, `code=x&state=${"y".repeat(513)}`]) {
    assertErrorPage(await browser.get(`/authenticate?${query}`), "callback_malformed");
  }
  const long = await signIn(site.browser(), "vik_viewer", `/sign-in?returnTo=/${"x".repeat(8_000)}`);
  assert.equal(long.headers.location, "/", "a returnTo that is too long is forgotten");
  assert.equal(tokenCalls(site), 2);
  await assertAlive(site);
});

test("AV-6 requests that stretch HTTP get a response below 500, tell nothing, and do no harm", async (t) => {
  const site = await openSite(t);
  const host = `Host: ${new URL(site.url).host}`;
  const targets: [string, number][] = [
    ["/%00", 404],
    ["/%ff", 404],
    ["/%", 404],
    ["/%c0%ae%c0%ae/config.json", 404],
    ["/../../etc/passwd", 404],
    ["/..%2f..%2fetc%2fpasswd", 404],
    ["/assets/../../package.json", 404],
    ["/assets/..%2f..%2fpackage.json", 404],
    ["/assets/%2e%2e/%2e%2e/package.json", 404],
    ["/assets/..%5c..%5cpackage.json", 404],
    ["/assets/%00", 404],
    ["/assets/%ff", 404],
    ["/assets/", 404],
    ["/assets", 404],
    ["//", 200],
    ["//evil.example/sign-in", 404],
    ["/sign-in;x=1", 404],
    ["/sign-in%2f", 404],
    ["/%73ign-in", 404],
    ["/sign-in/..", 404],
    ["/sign-in?", 302],
    ["/sign-in?%", 302],
    ["/sign-in#x", 302],
    ["*", 404],
    ["http://evil.example", 200],
    ["http://evil.example/nothing", 404],
    // Express cannot read the URL and responds by itself, before any of our code; nothing is shown of it.
    ["http://[", 404],
    ["http://", 404],
    ["http://evil.example:99999999/", 404],
    ["\\\\evil.example", 400],
    ["sign-in", 400],
    ["/a b", 400],
    ["/\u0000", 400],
    ["/\u009b31m", 400],
    ["/\u00ff", 400],
  ];
  for (const [target, expected] of targets) {
    const { status, text } = await sendRaw(site.url, rawGet(target, host, "Accept: text/html"));
    const seen = target.startsWith("http://evil.example:") ? status < 500 : status === expected;
    assert.ok(seen, `${JSON.stringify(target)}: ${text}`);
    assertNoInternals(text);
    assert.doesNotMatch(text, /evil\.example|passwd|package\.json/, target);
  }
  await assertAlive(site);
});

describe("AV-2 slow visitors", { concurrency: true }, () => {
  /** The usual limits, but ten times as hasty. */
  const hasty = { ...httpLimits, headersMs: 1_000, bodyMs: 1_000, checkMs: 20 };

  /** Opens many connections that begin like this; resolves when the server has hung up on all of them. */
  async function hold(site: Site, bytes: string, count = 100): Promise<void> {
    const sockets = Array.from({ length: count }, () => connect(Number(new URL(site.url).port), "127.0.0.1"));
    const closed = sockets.map(
      (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
    );
    for (const socket of sockets) {
      socket.on("error", () => {});
      socket.on("data", () => {});
      socket.write(bytes);
    }
    const drip = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write("x");
    }, 50);
    await Promise.all(closed).finally(() => clearInterval(drip));
  }

  for (const [what, bytes] of Object.entries({
    "say nothing at all": "",
    "drip their headers": "GET /sign-in HTTP/1.1\r\nHost: localhost\r\nX-A: ",
    "drip a form": `POST /sign-out HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8000\r\n\r\ncsrf_token=`,
    "drip a body that is not read": "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000\r\n\r\n",
    "drip a body without a length":
      "POST /proxy HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    "drip the headers of a second request":
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /sign-in HTTP/1.1\r\nX-A: ",
  })) {
    test(`AV-2 a hundred that ${what} are hung up on, and a sign-in goes on meanwhile`, {}, async (t) => {
      const site = await openSite(t, { limits: hasty });
      await Promise.all([hold(site, bytes), assertAlive(site)]);
      await assertAlive(site);
    });
  }

  /** Sends a body as `send` does it, and gives the status of the response. */
  async function upload(url: string, headers: object, send: (outgoing: ClientRequest) => unknown) {
    const outgoing = request(url, { method: "POST", headers: { ...headers } });
    const responded = once(outgoing, "response") as Promise<[IncomingMessage]>;
    await send(outgoing);
    outgoing.end();
    const [response] = await responded;
    response.resume();
    return response.statusCode;
  }
  const chunk = Buffer.alloc(100_000);

  test("AV-2 a large body through /proxy may take its time as long as it comes", async (t) => {
    const upstream = await startUpstream(t);
    const limits = { ...hasty, bodyBytesPerSecond: 100_000 };
    const site = await openSite(t, { limits, settings: { PROXY_ALLOW: upstream.origin } });
    const browser = site.browser();
    await signIn(browser);
    const Cookie = [...browser.cookies].map((pair) => pair.join("=")).join("; ");
    const headers = { ...click, Cookie, "Content-Type": "application/octet-stream" };
    // Twice as long as a body that does not come.
    const status = await upload(`${site.url}/proxy?${upstream.origin}/x`, headers, async (outgoing) => {
      for (let part = 0; part < 20; part++) {
        outgoing.write(chunk);
        await sleep(100);
      }
    });
    assert.deepEqual([status, upstream.seen[0]?.body.length], [200, 2_000_000]);
  });

  test("AV-2 more connections than the server takes are hung up on, and those inside are served", async (t) => {
    const site = await openSite(t, { limits: { ...httpLimits, connections: 5 } });
    const port = Number(new URL(site.url).port);
    const first = connect(port, "127.0.0.1");
    await once(first, "connect");
    const more = Array.from({ length: 20 }, () => connect(port, "127.0.0.1").on("error", () => {}));
    const closed = more.map(
      (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
    );
    await Promise.all(closed.slice(4));
    first.write(rawGet("/healthz", "Host: localhost"));
    assert.match(String(await once(first, "data")), /200 OK/);
    for (const socket of more) socket.destroy();
  });

  test("AV-2 no client is disconnected because the body waits where it goes", async (t) => {
    let received = 0;
    const site = await openSite(t, {
      limits: { ...hasty, bodyBytesPerSecond: 400_000 },
      routes: ({ router }) =>
        void router.post("/later", async (req, res) => {
          await sleep(6_000);
          for await (const { length } of req) received += length;
          res.end();
        }),
    });
    const status = await upload(`${site.url}/later`, {}, (outgoing) => {
      for (let part = 0; part < 10; part++) outgoing.write(chunk);
    });
    assert.deepEqual([status, received], [200, 1_000_000]);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser, type Sending } from "./support/browser.ts";
import { assertError, openProxy, responseOf, script } from "./support/proxy.ts";
import { signIn } from "./support/site.ts";
import { echo } from "./support/upstream.ts";
import { until } from "./support/user.ts";

test("PX-3 no padding is long enough to hide a parameter, in the query and in a form in pieces", async (t) => {
  const { ask, begin, upstream } = await openProxy(t);
  for (const unit of ["+", "%20", "%0a", "%09+"])
    for (const length of [1, 30, 57, 60, 64, 65, 66, 90, 1_000])
      for (const name of ["token", "%74oken", "callback", "TOKEN+"]) {
        const padded = `${unit.repeat(length)}${name}=x`;
        await ask(`${upstream.origin}/q?a=1&${padded}&f=json`);
        assert.equal(upstream.seen.at(-1)?.url, "/q?a=1&f=json", padded);
      }
  for (const cut of [1, 64, 65, 80]) {
    const form = `${"+".repeat(80)}token=x&a=1`;
    const request = begin(`${upstream.origin}/x`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked" },
    });
    request.write(form.slice(0, cut));
    await sleep(20);
    request.write(form.slice(cut));
    assert.equal((await responseOf(request)).resume().statusCode, 200);
    assert.equal(upstream.seen.at(-1)?.body, "a=1", `cut at ${cut}`);
  }
});

test("PX-10 no form, query, body or response makes the others wait", async (t) => {
  const { ask, begin, upstream } = await openProxy(t);
  const direct = new Browser(upstream.origin);
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  let longestMs = 0;
  let before = process.cpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    longestMs = Math.max(longestMs, (user + system) / 1000);
    before = process.cpuUsage();
  }, 1);
  t.after(() => clearInterval(timer));
  /** The most CPU time between two turns of a timer. */
  async function longestOf(run: () => Promise<unknown>): Promise<number> {
    await sleep(5);
    longestMs = 0;
    await run();
    await sleep(5);
    return longestMs;
  }
  /** Compares with the same requests without the proxy, so that a slow machine makes no difference. A body is 64 reads. */
  async function assertNoStall(what: string, run: (send: typeof ask) => Promise<unknown>): Promise<void> {
    let least = Number.POSITIVE_INFINITY;
    let withoutProxy = 0;
    for (let attempt = 0; attempt < 5 && least >= 10 * withoutProxy; attempt++) {
      least = Math.min(least, await longestOf(() => run(ask)));
      const straight = (target: string, sending?: Sending) => direct.send(target, sending);
      withoutProxy = Math.max(withoutProxy, await longestOf(() => run(straight)));
    }
    assert.ok(least < 10 * withoutProxy, `${what}: ${least} ms, ${withoutProxy} ms without the proxy`);
  }
  for (const unit of ["a&", "&", "%61=1&", "token&", "a=&token=&"]) {
    const body = unit.repeat(4_000_000 / unit.length);
    await assertNoStall(unit, async (send) => {
      assert.equal((await send(`${upstream.origin}/x`, { method: "POST", body, headers })).status, 200);
      assert.equal((await send(`${upstream.origin}/x?${unit.repeat(7_000 / unit.length)}`)).status, 200);
    });
  }
  upstream.behave = (_seen, res) => {
    const type = { "Content-Type": "application/json", "Transfer-Encoding": "chunked" };
    res.writeHead(200, { ...type, Connection: "close" }).flushHeaders();
    res.socket?.end(`${"1\r\n1\r\n".repeat(500_000)}0\r\n\r\n`);
  };
  const response = await responseOf(begin(`${upstream.origin}/x`));
  let [pieces, length] = [0, 0];
  response.on("data", (piece) => {
    pieces += 1;
    length += piece.length;
  });
  await once(response, "end");
  assert.equal(length, 500_000);
  assert.ok(pieces < 5_000, `${pieces} pieces`);
  let isReadToItsEnd = false;
  upstream.behave = (_seen, res) => {
    res.socket?.once("finish", () => {
      isReadToItsEnd = true;
    });
    res.socket?.end("HTTP/1.1 100 Continue\r\n\r\n".repeat(2_000_000));
  };
  assertError(await ask(`${upstream.origin}/x`), "portal_unreachable");
  assert.equal(isReadToItsEnd, false);
});

test("PX-4 a file that users have uploaded comes back as a download, whatever its type, and never as a page", async (t) => {
  const { ask, upstream } = await openProxy(t);
  const item = "/portal/sharing/rest/content/items/0f5c";
  const paths = [
    "/arcgis/FeatureServer/0/7/attachments/12",
    `${item}/data`,
    `${item}/resources/a/b.svg`,
    "/export",
  ];
  const types = [
    "text/html",
    "image/svg+xml",
    "application/xml",
    "text/javascript",
    "application/msword",
    "x/y",
    "",
  ];
  for (const path of paths) {
    for (const type of [...types, "application/pdf", "image/jpeg"]) {
      for (const length of [3, 20_000]) {
        upstream.behave = (_seen, res) => {
          if (type) res.setHeader("Content-Type", type);
          res
            .setHeader("Content-Disposition", path === "/export" ? "ATTACHMENT" : "inline")
            .end("x".repeat(length));
        };
        const { status, headers, body } = await ask(`${upstream.origin}${path}`);
        assert.deepEqual([status, body.length], [200, length], `${path} ${type}`);
        assert.equal(headers["content-disposition"], "attachment");
        assert.equal(headers["x-content-type-options"], "nosniff");
        assert.match(String(headers["content-security-policy"]), /^sandbox;/);
        const isHarmless = ["application/pdf", "image/jpeg"].includes(type);
        assert.equal(headers["content-type"], isHarmless ? type : "application/octet-stream");
      }
    }
  }
  const page = { "Content-Type": "text/html" };
  for (const [path, status, headers] of [
    ["/arcgis/FeatureServer/0/7/attachments", 200, page],
    ["/arcgis/FeatureServer/0/7/attachments/12/x", 200, page],
    ["/arcgis/FeatureServer/0/7/attachments/12", 404, page],
    [`${item}/data`, 500, page],
    [`${item}/data/x`, 200, page],
    ["/x", 200, { ...page, "Content-Disposition": "inline; filename=attachment" }],
  ] as const) {
    upstream.behave = (_seen, res) => void res.writeHead(status, headers).end("<html>no</html>");
    assertError(await ask(`${upstream.origin}${path}`), "response_rejected");
  }
});

test("PX-4 a file has the same name whether it is small or large, in every alphabet, and no path", async (t) => {
  const { ask, upstream } = await openProxy(t);
  const bytes = (name: string) => Buffer.from(name, "utf8").toString("latin1");
  const names: [given: string, expected: string][] = [
    ['filename="plan.pdf"', "filename=plan.pdf"],
    ["filename=plan.pdf", "filename=plan.pdf"],
    [
      `filename="${bytes("Straße 日本.pdf")}"`,
      "filename=\"Stra_e __.pdf\"; filename*=UTF-8''Stra%C3%9Fe%20%E6%97%A5%E6%9C%AC.pdf",
    ],
    ['filename="Stra\xDFe.pdf"', "filename=Stra_e.pdf; filename*=UTF-8''Stra%C3%9Fe.pdf"],
    [
      "filename=\"x.pdf\"; filename*=UTF-8''%E6%97%A5%2b.pdf",
      "filename=_+.pdf; filename*=UTF-8''%E6%97%A5%2B.pdf",
    ],
    ["filename*=UTF-8''%FF; filename=\"y.pdf\"", "filename=y.pdf"],
    ['filename="../../etc/passwd"', "filename=passwd"],
    ['filename="C:\\\\a\\\\b.txt"', "filename=b.txt"],
    ['filename="a\\"b.txt"', "filename=a_b.txt; filename*=UTF-8''a%22b.txt"],
    [
      `filename="${bytes("‮fdp.exe (1)'s")}"`,
      "filename=\"_fdp.exe (1)'s\"; filename*=UTF-8''%E2%80%AEfdp.exe%20%281%29%27s",
    ],
  ];
  for (const [given, expected] of names) {
    for (const type of ["attachment", "inline"]) {
      for (const length of [1_000, 1_000_000]) {
        upstream.behave = (_seen, res) =>
          void res
            .writeHead(200, ["Content-Type", "text/plain", "Content-Disposition", `${type}; ${given}`])
            .end("x".repeat(length));
        const { headers, body } = await ask(`${upstream.origin}/x`);
        assert.deepEqual([headers["content-disposition"], body.length], [`${type}; ${expected}`, length]);
      }
    }
  }
});

test("PX-6 a body above PROXY_MAX_BYTES is 413, announced or not; all that is smaller passes, forms too", async (t) => {
  const { ask, begin, upstream } = await openProxy(t, { settings: { PROXY_MAX_BYTES: 6_000_000 } });
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  const binary = { "Content-Type": "application/octet-stream" };
  const mebibytes = (count: number) => "x".repeat(count * 1024 * 1024);

  const connections = upstream.connections();
  const announced = begin(`${upstream.origin}/x`, {
    method: "POST",
    headers: { ...binary, "Content-Length": "6000001" },
  });
  announced.flushHeaders();
  const [refused] = await once(announced, "response");
  assert.equal(refused.statusCode, 413);
  assert.equal(refused.headers.connection, "close");
  announced.destroy();
  assert.equal(upstream.connections(), connections);

  assert.equal(
    (await ask(`${upstream.origin}/x`, { method: "POST", body: mebibytes(5), headers: binary })).status,
    200,
  );
  assert.equal(upstream.seen.at(-1)?.body.length, 5 * 1024 * 1024);
  assert.equal(
    (await ask(`${upstream.origin}/x`, { method: "POST", body: mebibytes(3), headers: form })).status,
    200,
  );
  const large = { method: "POST", body: `token=x&${mebibytes(5)}&callback=x`, headers: form };
  assert.equal((await ask(`${upstream.origin}/x`, large)).status, 200);
  assert.equal(upstream.seen.at(-1)?.body.length, 5 * 1024 * 1024);

  const seen = upstream.seen.length;
  const endless = begin(`${upstream.origin}/x`, { method: "POST", headers: binary });
  endless.on("error", () => {});
  const more = () => endless.write(mebibytes(1));
  endless.on("drain", more);
  more();
  const [cut] = await once(endless, "response");
  assert.equal(cut.statusCode, 413);
  endless.destroy();
  assert.equal(upstream.seen.length, seen, "no request of it was ever complete");
});

test("PX-6 silence for PROXY_TIMEOUT_SECONDS is 504, before the response and, as a broken one, within it", async (t) => {
  const { ask, upstream, site } = await openProxy(t, { settings: { PROXY_TIMEOUT_SECONDS: 1 } });
  // Meanwhile, one with more patience waits for longer than connections are kept.
  const patient = await openProxy(t);
  patient.upstream.behave = (seen, res, req) => void setTimeout(() => echo(seen, res, req), 4_500);
  const late = patient.ask(`${patient.upstream.origin}/x`);

  let ended = 0;
  upstream.behave = (_seen, res) => void res.on("close", () => ended++);
  assertError(await ask(`${upstream.origin}/x`), "portal_timeout");

  upstream.behave = (_seen, res) => {
    res.on("close", () => ended++);
    res.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100" }).write("{");
  };
  assertError(await ask(`${upstream.origin}/x`), "portal_timeout");

  upstream.behave = (_seen, res) => {
    res.on("close", () => ended++);
    res.writeHead(200, { "Content-Type": "application/json" }).write("x".repeat(20_000));
  };
  await assert.rejects(ask(`${upstream.origin}/x`), { code: "ECONNRESET" });
  const reasons = site.log.lines.filter(({ msg }) => msg === "refused").map(({ code }) => code);
  assert.deepEqual(reasons, ["portal_timeout", "portal_timeout", "portal_timeout"]);
  await until(() => ended === 3, "the server behind is told each time");
  assert.equal((await late).status, 200);
});

test("PX-6 one user has 128 requests at once; then it is 503, and each that ends makes room for another", async (t) => {
  const { begin, ask, site, upstream } = await openProxy(t);
  upstream.behave = () => {};
  const held = Array.from({ length: 128 }, () =>
    begin(`${upstream.origin}/x`)
      .on("error", () => {})
      .end(),
  );
  while (upstream.seen.length < 128) await sleep(5);
  assertError(await ask(`${upstream.origin}/x`), "busy");

  const other = site.browser();
  await signIn(other, "vik_viewer");
  upstream.behave = echo;
  assert.equal(
    (await other.get(`/proxy?${upstream.origin}/x`, script)).status,
    200,
    "others are not affected",
  );

  held[0]?.destroy();
  let free = await ask(`${upstream.origin}/x`);
  for (let tries = 0; free.status === 503 && tries < 100; tries++) free = await ask(`${upstream.origin}/x`);
  assert.equal(free.status, 200);
  for (const one of held) one.destroy();
});

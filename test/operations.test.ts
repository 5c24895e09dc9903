import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { click } from "./support/browser.ts";
import { assertNoInternals } from "./support/expect.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { casesOf } from "./support/rounds.ts";
import { callbackFor, openSite, type Site, signIn } from "./support/site.ts";
import { startUpstream } from "./support/upstream.ts";
import { until } from "./support/user.ts";

/** What a program on this machine sends; no header that a browser would add. */
const program = { Accept: "*/*" };

/** The value of one series of /metrics, such as `arcgis_sign_ins_total{outcome="signed_in"}`; 0 without one. */
async function metric(site: Site, series: string): Promise<number> {
  const { status, body } = await site.browser().get("/metrics", program);
  assert.equal(status, 200, body);
  const line = body.split("\n").find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

/** By how much series grow while something happens: the counts belong to the process, not to one site. */
async function growth(site: Site, series: string[], happens: () => Promise<unknown>): Promise<number[]> {
  const all = async () => {
    const values: number[] = [];
    for (const each of series) values.push(await metric(site, each));
    return values;
  };
  const before = await all();
  await happens();
  const after = await all();
  return after.map((value, index) => value - (before[index] ?? 0));
}

describe("/healthz and /readyz", () => {
  test("both respond 200 to anyone, without a session, a cookie, or a line in the log at info", async (t) => {
    const site = await openSite(t, { settings: { LOG_LEVEL: "info" } });
    for (const path of ["/healthz", "/readyz"]) {
      const { status, headers, body, setCookies } = await site.browser().get(path, program);
      assert.deepEqual([status, body, setCookies], [200, `{"status":"ok"}`, []]);
      assert.equal(headers["cache-control"], "no-store");
      assert.equal((await site.browser().send(path, { method: "HEAD" })).status, 200);
      const posted = await site.browser().post(path, {});
      assert.deepEqual([posted.status, posted.headers.allow], [405, "GET, HEAD"]);
    }
    await site.browser().get("/metrics", program);
    const requests = site.log.lines.filter(({ path, method }) => path && method === "GET");
    assert.deepEqual(requests, []);
    assert.deepEqual(site.files(), []);
  });

  test("at debug the log has them", async (t) => {
    const site = await openSite(t, { settings: { LOG_LEVEL: "debug" } });
    await site.browser().get("/healthz", program);
    const isThere = () => site.log.lines.some(({ path, level }) => path === "/healthz" && level === 20);
    await until(isThere, "a line for /healthz");
  });

  test("a store that is away makes /readyz 503 and leaves /healthz alone; the log says it once, and when it is back", async (t) => {
    const site = await openSite(t);
    renameSync(site.config.sessionDir, `${site.config.sessionDir}.away`);
    writeFileSync(site.config.sessionDir, "a full disk or a lost mount");
    // Many at once: the store is asked once.
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => site.browser().get("/readyz", program)),
    );
    for (const { status, body } of responses) {
      assert.deepEqual([status, body], [503, `{"status":"store_unavailable"}`]);
      assertNoInternals(body);
    }
    assert.equal((await site.browser().get("/healthz", program)).status, 200);
    const lines = () => site.log.lines.filter(({ event }) => /ready/.test(String(event)));
    assert.deepEqual(
      lines().map(({ event, msg }) => [event, msg]),
      [["not-ready", "the session store is away"]],
    );
    const reason = String(lines()[0]?.reason);
    assert.match(reason, /ENOTDIR/);
    assert.ok(reason.includes(`'${site.config.sessionDir}/`), `the folder is named: ${reason}`);

    renameSync(site.config.sessionDir, `${site.config.sessionDir}.file`);
    renameSync(`${site.config.sessionDir}.away`, site.config.sessionDir);
    for (const end = performance.now() + 60_000; ; await sleep(50)) {
      if ((await site.browser().get("/readyz", program)).status === 200) break;
      assert.ok(performance.now() < end, "ready again within a minute");
    }
    assert.deepEqual(
      lines().map(({ event }) => event),
      ["not-ready", "ready"],
    );
  });

  test("however often visitors ask, the store is asked once a second", async (t) => {
    let pings = 0;
    const site = await openSite(t);
    t.mock.method(site.store.admin, "probe", async () => void pings++);
    const begin = performance.now();
    for (let index = 0; index < 50; index++) await site.browser().get("/readyz", program);
    assert.ok(pings <= 1 + (performance.now() - begin) / 1_000, `${pings} pings`);
  });

  test("mounted under a path they are there, too", async (t) => {
    const site = await openSite(t, { mount: "/gis" });
    for (const path of ["/gis/healthz", "/gis/readyz", "/gis/metrics"]) {
      assert.equal((await site.browser().get(path, program)).status, 200, path);
    }
  });
});

describe("/metrics counts", () => {
  test("sign-ins by outcome, those begun, sign-outs, refusals by code, and the portal's time", async (t) => {
    const site = await openSite(t);
    const series = [
      "arcgis_sign_ins_started_total",
      `arcgis_sign_ins_total{outcome="signed_in"}`,
      `arcgis_sign_ins_total{outcome="transaction_missing"}`,
      `arcgis_sign_ins_total{outcome="portal_unreachable"}`,
      "arcgis_sign_outs_total",
      `arcgis_refusals_total{code="not_found"}`,
      `arcgis_refusals_total{code="transaction_missing"}`,
      `arcgis_portal_request_duration_seconds_count{operation="oauth2/token"}`,
      `arcgis_portal_request_duration_seconds_bucket{le="+Inf",operation="oauth2/token"}`,
      `arcgis_revocations_total{outcome="revoked"}`,
    ];
    const grown = await growth(site, series, async () => {
      const browser = site.browser();
      await signIn(browser);
      await browser.get("/authenticate?code=x&state=y");
      await browser.get("/nothing");
      await browser.get("/sign-out", click);
      site.sandbox.faults.set("token", { kind: "status", status: 500 });
      await browser.get(await callbackFor(browser, "vik_viewer"));
    });
    assert.deepEqual(grown, [2, 1, 1, 1, 1, 1, 1, 2, 2, 1]);
  });

  test("refreshes by outcome, and revocations that fail", async (t) => {
    const site = await openSite(t, { settings: { TOKEN_HANDOVER: true } });
    const series = ["refreshed", "failed", "rejected"].map(
      (outcome) => `arcgis_token_refreshes_total{outcome="${outcome}"}`,
    );
    const grown = await growth(site, [...series, `arcgis_revocations_total{outcome="failed"}`], async () => {
      site.sandbox.settings.accessTokenSeconds = 0.001;
      const [first, second, third] = [site.browser(), site.browser(), site.browser()];
      for (const browser of [first, second, third]) await signIn(browser);
      site.sandbox.settings.accessTokenSeconds = 1800;
      await sleep(5);
      assert.equal((await first.get("/api/credential", click)).status, 200);
      site.sandbox.expireRefreshTokens();
      assert.equal((await second.get("/api/credential", click)).status, 401);
      site.sandbox.faults.set("token", { kind: "reset" });
      assert.equal((await third.get("/api/credential", click)).status, 502);
      site.sandbox.faults.set("revokeToken", { kind: "reset" });
      await third.get("/sign-out", click);
    });
    assert.deepEqual(grown, [1, 1, 1, 1]);
  });

  test("sessions, failures of the store, bytes through /proxy both ways, and the lag of the event loop", async (t) => {
    const upstream = await startUpstream(t, (_seen, res) => {
      res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify("x".repeat(99_998)));
    });
    const site = await openSite(t, { settings: { PROXY_ALLOW: upstream.origin } });
    const browser = site.browser();
    await signIn(browser);
    await signIn(site.browser());
    assert.equal(await metric(site, "arcgis_sessions"), 2);

    const series = [
      `arcgis_proxy_bytes_total{direction="received"}`,
      `arcgis_proxy_bytes_total{direction="sent"}`,
      `arcgis_portal_request_duration_seconds_count{operation="proxy"}`,
      "arcgis_store_errors_total",
    ];
    const grown = await growth(site, series, async () => {
      const form = { method: "POST", headers: { ...click, Origin: site.url }, form: { a: "b".repeat(998) } };
      const { status, body } = await browser.send(`/proxy?${upstream.origin}/x`, form);
      assert.deepEqual([status, body.length], [200, 100_000]);
      renameSync(site.config.sessionDir, `${site.config.sessionDir}.away`);
      writeFileSync(site.config.sessionDir, "");
      assert.equal((await browser.get("/")).status, 503);
    });
    assert.deepEqual(grown, [100_000, 1_000, 1, 1]);
    assert.ok((await metric(site, "nodejs_eventloop_lag_p99_seconds")) > 0, "a lag");
    assert.equal(await metric(site, "arcgis_sessions"), 2, "counted once a minute");
  });

  test("requests are counted by route: what visitors make up, paths and methods, makes no series", async (t) => {
    const site = await openSite(t);
    const series = (method: string, route: string, status: number) =>
      `http_server_request_duration_seconds_count{http_request_method="${method}",http_route="${route}",http_response_status_code="${status}"}`;
    const grown = await growth(
      site,
      [
        series("GET", "/api/session", 401),
        series("GET", "/sign-in", 302),
        series("GET", "", 404),
        series("_OTHER", "", 404),
        series("_OTHER", "/made-up", 404),
      ],
      async () => {
        await site.browser().get("/api/session", program);
        await site.browser().get("/sign-in?returnTo=/map");
        await site.browser().get("/made-up");
        await site.browser().get("/made-up-as-well");
        await site.browser().send("/made-up", { method: "PROPFIND" });
      },
    );
    assert.deepEqual(grown, [1, 1, 2, 1, 0]);
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    assert.equal(await metric(site, `arcgis_sign_in_build_info{version="${version}"}`), 1);
  });

  test("LG-1 no user's name, no host, no token and no session id is in it", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser, "pia_publisher");
    await browser.get("/pia_publisher?user=pia_publisher");
    const { body, headers } = await site.browser().get("/metrics", program);
    assert.match(String(headers["content-type"]), /^text\/plain; version=0\.0\.4/);
    assert.doesNotMatch(body, /pia|publisher|localhost|127\.0\.0\.1|[A-Za-z0-9_~-]{60,}/);
    const series = [...body.matchAll(/^arcgis_\w+\{(.*)\} /gm)].map(([, labels]) => String(labels));
    const labels = series.flatMap((each) => [...each.matchAll(/(\w+)="/g)].map(([, name]) => name));
    assert.deepEqual([...new Set(labels)].sort(), [
      "code",
      "direction",
      "le",
      "operation",
      "outcome",
      "version",
    ]);
  });
});

describe("/metrics is for this machine", () => {
  const refused: Record<string, Record<string, string>> = {
    "through a reverse proxy that says so": { "X-Forwarded-For": "127.0.0.1" },
    "through one that says it in the new way": { Forwarded: "for=127.0.0.1" },
    "through one that only names the scheme": { "X-Forwarded-Proto": "https" },
    "through nginx as many set it up": { "X-Real-IP": "::1" },
    "through a cache": { Via: "1.1 cache" },
    "under the public name": { Host: "gis.example.com" },
    "under a name that begins like this machine": { Host: "127.0.0.1.evil.example" },
    "under another name that begins like it": { Host: "localhost.evil.example:3000" },
  };
  for (const [how, headers] of casesOf(Object.entries(refused), 3)) {
    test(`${how} it is a 404`, async (t) => {
      for (const TRUST_PROXY of [false, "loopback"]) {
        const site = await openSite(t, { settings: { TRUST_PROXY } });
        const { status, body } = await site.browser().get("/metrics", { ...program, ...headers });
        assert.equal(status, 404, body);
        assert.doesNotMatch(body, /arcgis_/);
      }
    });
  }

  test("from another address it is a 404, whatever a trusted proxy says", async (t) => {
    const site = await openSite(t, {
      settings: { TRUST_PROXY: 1 },
      host: (host) =>
        void host.use((req, _res, next) => {
          // Another machine of the network.
          Object.defineProperty(req.socket, "remoteAddress", { value: "10.0.0.7", configurable: true });
          next();
        }),
    });
    assert.equal((await site.browser().get("/metrics", program)).status, 404);
    const spoofed = { ...program, "X-Forwarded-For": "127.0.0.1" };
    assert.equal((await site.browser().get("/metrics", spoofed)).status, 404);
    assert.equal((await site.browser().get("/readyz", program)).status, 200);
  });

  test("a request without Host, by any loopback name, or in any case is one of this machine, or no request", async (t) => {
    const site = await openSite(t);
    const { port } = new URL(site.url);
    for (const host of [`127.0.0.1:${port}`, `[::1]:${port}`, "LOCALHOST", "127.1.2.3"]) {
      assert.equal((await sendRaw(site.url, rawGet("/metrics", `Host: ${host}`))).status, 200, host);
    }
    assert.equal((await sendRaw(site.url, rawGet("/metrics", "Host:"))).status, 404);
    assert.equal((await sendRaw(site.url, rawGet("/metrics"))).status, 400);
  });

  test("METRICS=public opens it to everybody", async (t) => {
    const site = await openSite(t, { settings: { METRICS: "public" } });
    const headers = { ...program, Host: "gis.example.com", "X-Forwarded-For": "203.0.113.9" };
    const { status, body } = await site.browser().get("/metrics", headers);
    assert.equal(status, 200);
    assert.match(body, /^arcgis_sign_ins_total\{outcome="signed_in"\} \d+$/m);
  });
});

test("the Grafana dashboard asks for nothing that /metrics does not have, and for all that is ours", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  await signIn(browser);
  await browser.get("/nothing");
  const { body } = await site.browser().get("/metrics", program);
  const there = new Set([...body.matchAll(/^(\w+)[ {]/gm)].map(([, name]) => name));
  const dashboard = JSON.parse(readFileSync("deploy/grafana-dashboard.json", "utf8"));
  const asked = new Set<string>();
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr } of targets) {
      const names =
        expr.match(/\b(?:arcgis|http|nodejs|process)_\w+(?=\{)/g) ?? assert.fail(`${title} asks for nothing`);
      for (const name of names) asked.add(name);
    }
  }
  for (const name of asked) assert.ok(there.has(name), `/metrics has no ${name}`);
  const ours = [...body.matchAll(/^# TYPE (arcgis_\w+)/gm)].map(([, name]) => String(name));
  for (const name of ours) {
    assert.ok(
      [...asked].some((each) => each.startsWith(name)),
      `no panel shows ${name}`,
    );
  }
});

describe("/.well-known/security.txt", () => {
  const path = "/.well-known/security.txt";

  test("names the contact, and expires within a year, where SECURITY_CONTACT is set (RFC 9116)", async (t) => {
    const site = await openSite(t, { settings: { SECURITY_CONTACT: "security@example.com" } });
    const { status, headers, body } = await site.browser().get(path);
    assert.deepEqual([status, headers["content-type"]], [200, "text/plain; charset=utf-8"]);
    const fields = new Map(
      body
        .trim()
        .split("\n")
        .map((line) => line.split(": ", 2) as [string, string]),
    );
    assert.equal(fields.get("Contact"), "mailto:security@example.com");
    assert.equal(fields.get("Canonical"), `${site.url}${path}`);
    const days = (Date.parse(String(fields.get("Expires"))) - Date.now()) / 86_400_000;
    assert.ok(days > 30 && days < 365, `${days} days`);
    assert.equal((await site.browser().post(path, {})).status, 405);
  });

  test("does not exist otherwise", async (t) => {
    const site = await openSite(t);
    assert.equal((await site.browser().get(path)).status, 404);
  });
});

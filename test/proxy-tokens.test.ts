import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { getLayer, queryFeatures } from "@esri/arcgis-rest-feature-service";
import { getSelf, searchItems } from "@esri/arcgis-rest-portal";
import { isSamePortal } from "#src/auth/arcgis/trusted-urls.ts";
import { rejectsToken } from "#src/proxy/token-rejection.ts";
import { itemsOf } from "#src/sandbox/items.ts";
import { tokenCalls } from "./support/expect.ts";
import { startFederatedServer } from "./support/federated.ts";
import { assertError, openProxy, script } from "./support/proxy.ts";
import { currentToken, refusing, responding } from "./support/proxy-tokens.ts";
import { casesOf } from "./support/rounds.ts";
import { signIn } from "./support/site.ts";
import { echo, startUpstream } from "./support/upstream.ts";

const invalid = '{"error":{"code":498,"message":"Invalid token.","details":[]}}';
const required = '{"error":{"code":499,"message":"Token Required","messageCode":"GWM_0003"}}';

/** How a token is refused: always with the same content type as the good response, as far as anybody can know it. */
const refusals: [name: string, body: string | Buffer, headers: Record<string, string>, status?: number][] = [
  ["JSON", invalid, { "Content-Type": "application/json" }],
  ["JSON, 499", required, { "Content-Type": "application/json;charset=UTF-8" }],
  ["JSON for people", JSON.stringify(JSON.parse(invalid), undefined, 2), { "Content-Type": "text/plain" }],
  ["JSON with a code in quotes", '{"error":{"code":"498"}}', { "Content-Type": "application/json" }],
  ["protobuf that is JSON", invalid, { "Content-Type": "application/x-protobuf" }],
  ["an image that is JSON", invalid, { "Content-Type": "image/png" }],
  ["JSONP", `dojo.io.script.jsonp_1._cb(${invalid});`, { "Content-Type": "application/javascript" }],
  ["JSONP with a comment", `/**/ cb(${required})`, { "Content-Type": "text/javascript" }],
  ["gzip", gzipSync(invalid), { "Content-Type": "application/json", "Content-Encoding": "gzip" }],
  ["deflate", deflateSync(invalid), { "Content-Type": "text/plain", "Content-Encoding": "deflate" }],
  [
    "deflate as IIS sends it",
    deflateRawSync(invalid),
    { "Content-Type": "text/plain", "Content-Encoding": "deflate" },
  ],
  ["x-gzip", gzipSync(invalid), { "Content-Type": "application/json", "Content-Encoding": "X-GZip" }],
  [
    "brotli",
    brotliCompressSync(invalid),
    { "Content-Type": "application/x-protobuf", "Content-Encoding": "br" },
  ],
  ["a page", "<html><title>Error: Invalid Token</title>Code: 498</html>", { "Content-Type": "text/html" }],
  ["HTTP 498", invalid, { "Content-Type": "application/json" }, 498],
  ["HTTP 499", "", {}, 499],
  ["HTTP 401", '{"error":{"message":"no"}}', { "Content-Type": "application/json" }, 401],
  ["HTTP 401, long", "x".repeat(50_000), { "Content-Type": "text/html", "WWW-Authenticate": "Basic" }, 401],
];

for (const [name, body, headers, status] of casesOf(refusals, 3)) {
  test(`TK-8 a refused token (${name}) costs one refresh and one more request, and its response comes back`, async (t) => {
    const proxy = await openProxy(t);
    const { site, upstream, ask } = proxy;
    const old = await currentToken(proxy);
    upstream.behave = refusing(old, responding(body, headers, status));
    const response = await ask(`${upstream.origin}/x?f=json`, { method: "POST", form: { where: "1=1" } });

    assert.equal(response.status, 200, response.body);
    const fresh = await currentToken(proxy);
    assert.notEqual(fresh, old);
    assert.deepEqual(
      upstream.seen.map((seen) => [seen.method, seen.url, seen.body, seen.headers["x-esri-authorization"]]),
      [old, fresh].map((token) => ["POST", "/x?f=json", "where=1%3D1", `Bearer ${token}`]),
    );
    assert.equal(tokenCalls(site), 2, "the sign-in and one refresh");
    assert.equal((await ask(`${upstream.origin}/x`)).status, 200);
    assert.equal(tokenCalls(site), 2, "the new token stays");
  });
}

test("TK-8 when a server rejects every token, it is asked twice and the portal once; then the portal is left alone for a while", async (t) => {
  const { site, upstream, ask, browser } = await openProxy(t);
  let steady = performance.now();
  t.mock.method(performance, "now", () => steady);
  /** How often one request makes us ask the server, and the portal. */
  const cost = async ([name, body, headers, status]: (typeof refusals)[number]) => {
    const before = [upstream.seen.length, tokenCalls(site)] as const;
    upstream.behave = responding(body, headers, status);
    const response = await ask(`${upstream.origin}/x`);
    assertError(response, "token_rejected");
    assert.equal(response.headers["www-authenticate"], undefined, name);
    return [upstream.seen.length - before[0], tokenCalls(site) - before[1]];
  };
  const [first, ...others] = refusals as [(typeof refusals)[number], ...typeof refusals];
  assert.deepEqual(await cost(first), [2, 1]);
  for (const refusal of others) assert.deepEqual(await cost(refusal), [2, 0], refusal[0]);
  steady += 5_001;
  assert.deepEqual(await cost(first), [2, 1]);
  steady += 9_000;
  assert.deepEqual(await cost(first), [2, 0], "the second pause is longer");
  assert.equal((await browser.get("/api/session", script)).status, 200, "the session continues");
});

test("AV-13 a few bytes of brotli that decode to megabytes do not block the event loop", async () => {
  const bomb = brotliCompressSync(Buffer.alloc(16_000_000), {
    params: { [constants.BROTLI_PARAM_LGWIN]: 24 },
  });
  const headers = { "content-encoding": "br" };
  // A machine that does other work keeps the event loop waiting, too, but not each time.
  const busy: number[] = [];
  while (busy.length < 10 && !busy.some((share) => share < 0.5)) {
    const before = performance.eventLoopUtilization();
    for (let i = 0; i < 5; i++)
      assert.equal(await rejectsToken({ status: 200, headers, head: bomb, rest: undefined }), false);
    busy.push(performance.eventLoopUtilization(before).utilization);
  }
  assert.ok(
    busy.some((share) => share < 0.5),
    `the event loop was busy for ${busy} of the time`,
  );
});

test("TK-8 what only looks like it is passed on: other errors, large responses, bombs, numbers in data", async (t) => {
  const { site, upstream, ask } = await openProxy(t);
  const json = { "Content-Type": "application/json" };
  const harmless: [body: string | Buffer, headers?: Record<string, string>, status?: number][] = [
    ['{"error":{"code":403,"message":"You do not have permissions"}}'],
    ['{"error":{"code":400,"message":"498"}}'],
    ['{"code":498,"status":"error"}'],
    ['{"features":[{"error":{"code":498}}]}'],
    ["498"],
    ["null"],
    ["[]"],
    ['{"error":null}'],
    ['{"error":"498"}'],
    ["{"],
    [`{"error":{"code":498,"details":["${"x".repeat(10_000)}"]}}`],
    [
      gzipSync(`{"error":{"code":498,"details":["${"x".repeat(1_000_000)}"]}}`),
      { "Content-Encoding": "gzip" },
    ],
    ["not gzip", { "Content-Encoding": "gzip" }],
    ["not deflate", { "Content-Encoding": "deflate" }],
    [deflateRawSync('{"total":498}'), { "Content-Encoding": "deflate" }],
    [invalid, {}, 500],
  ];
  for (const [body, headers, status] of harmless) {
    upstream.behave = responding(body, { ...json, ...headers }, status);
    const response = await ask(`${upstream.origin}/x`);
    assert.equal(response.status, status ?? 200);
    assert.equal(response.body, body.toString("utf8"));
  }
  assert.equal(upstream.seen.length, harmless.length);
  assert.equal(tokenCalls(site), 1);
});

test("TK-8 fifty requests whose token is refused at once cause one refresh, and all get a response", async (t) => {
  const proxy = await openProxy(t);
  const { site, upstream, ask } = proxy;
  upstream.behave = refusing(
    await currentToken(proxy),
    responding(invalid, { "Content-Type": "application/json" }),
  );
  const responses = await Promise.all(Array.from({ length: 50 }, () => ask(`${upstream.origin}/x`)));
  assert.deepEqual(
    responses.map(({ status }) => status),
    Array(50).fill(200),
  );
  assert.equal(tokenCalls(site), 2);
  assert.ok(upstream.seen.length <= 100);
});

test("TK-8 when the portal rejects the refresh token, it is 401 session_ended, and the session has ended", async (t) => {
  const { site, upstream, ask } = await openProxy(t);
  upstream.behave = responding(invalid, { "Content-Type": "application/json" });
  site.sandbox.expireRefreshTokens();
  assertError(await ask(`${upstream.origin}/x`), "session_ended");
  assertError(await ask(`${upstream.origin}/x`), "signed_out");
  assert.equal(upstream.seen.length, 1);
});

test("TK-8 when the portal cannot refresh the token now, that is said, and the session stays", async (t) => {
  const { site, upstream, ask, browser } = await openProxy(t);
  upstream.behave = responding(invalid, { "Content-Type": "application/json" });
  site.sandbox.faults.set("token", { kind: "status", status: 503 });
  assertError(await ask(`${upstream.origin}/x`), "portal_unreachable");
  assert.equal((await browser.get("/api/session", script)).status, 200);
});

test("TK-7 a federated server gets a token of its own, once for all, and never the portal's", async (t) => {
  const proxy = await openProxy(t);
  const server = await startFederatedServer(t, proxy.site.sandbox);
  const other = await openProxy(t, {
    sandbox: proxy.site.sandbox,
    settings: { PROXY_ALLOW: `${server.root}/rest/` },
  });
  const { ask, site } = other;

  const responses = await Promise.all(
    Array.from({ length: 20 }, () => ask(`${server.layer}/query?where=1%3D1&f=json`)),
  );
  for (const response of responses) {
    assert.equal((response.json() as { features: unknown[] }).features.length, 2, response.body);
  }
  const exchanges = site.sandbox.log.filter(({ endpoint }) => endpoint === "generateToken");
  assert.equal(exchanges.length, 1);
  assert.equal(exchanges[0]?.params.token, await other.token());
  assert.equal(exchanges[0]?.params.serverUrl, server.root);
  assert.equal(server.seen.filter(({ url }) => url.startsWith("/arcgis/rest/info")).length, 1);
  const portalToken = String(await other.token());
  for (const { url, headers, body } of server.seen) {
    assert.ok(!`${url}${JSON.stringify(headers)}${body}`.includes(portalToken));
    assert.ok(!/token=/i.test(url));
  }
});

test("TK-8 a federated server that has forgotten its token gets one new one; the portal refreshes nothing", async (t) => {
  const first = await openProxy(t);
  const server = await startFederatedServer(t, first.site.sandbox);
  const { ask, site } = await openProxy(t, {
    sandbox: first.site.sandbox,
    settings: { PROXY_ALLOW: `${server.root}/` },
  });
  const query = `${server.layer}/query?f=json`;
  assert.equal((await ask(query)).status, 200);
  site.sandbox.serverTokens.clear();
  const queries = () => server.seen.filter(({ url }) => url.includes("/query")).length;
  const [calls, asked] = [tokenCalls(site), queries()];
  const response = await ask(query);
  assert.ok("features" in (response.json() as object), response.body);
  assert.equal(site.sandbox.log.filter(({ endpoint }) => endpoint === "generateToken").length, 2);
  assert.equal(queries(), asked + 2);
  assert.equal(tokenCalls(site), calls);
});

test("TK-8 a portal token that was ended early is refreshed before a federated server can be asked", async (t) => {
  const first = await openProxy(t);
  const server = await startFederatedServer(t, first.site.sandbox);
  const { ask, site } = await openProxy(t, {
    sandbox: first.site.sandbox,
    settings: { PROXY_ALLOW: `${server.root}/` },
  });
  site.sandbox.expireAccessTokens();
  const calls = tokenCalls(site);
  const response = await ask(`${server.layer}/query?f=json`);
  assert.equal(response.status, 200, response.body);
  assert.ok("features" in (response.json() as object));
  assert.equal(tokenCalls(site), calls + 1);
});

test("TK-7 an ArcGIS Server that is not the portal's gets no token, and its response comes back as it is", async (t) => {
  const { ask, upstream, site } = await openProxy(t);
  const evil = await startUpstream(t);
  const owners = [
    undefined,
    "",
    "https://www.arcgis.com",
    `${evil.origin}/portal`,
    `${evil.origin}/?${site.sandbox.origin}/portal`,
    `${site.sandbox.origin}/portal/../evil`,
    `${site.sandbox.origin}/portals`,
    ["x"],
  ];
  for (const [index, owningSystemUrl] of owners.entries()) {
    const root = `/server${index}`;
    upstream.behave = (seen, res, req) => {
      if (seen.url !== `${root}/rest/info?f=json`)
        return responding(required, { "Content-Type": "text/plain" })(seen, res, req);
      const authInfo = { tokenServicesUrl: `${evil.origin}/tokens` };
      res
        .writeHead(200, { "Content-Type": "application/json" })
        .end(JSON.stringify({ currentVersion: 11, owningSystemUrl, authInfo }));
    };
    for (let times = 0; times < 3; times++) {
      const response = await ask(`${upstream.origin}${root}/rest/services?f=json`);
      assert.deepEqual([response.status, response.body], [200, required]);
    }
  }
  for (const { url, headers, body } of upstream.seen) {
    assert.equal(headers["x-esri-authorization"], undefined, url);
    assert.equal(body, "");
  }
  assert.equal(upstream.seen.length, owners.length * 4, "each was asked once whose it is");
  assert.equal(evil.connections(), 0);
  assert.equal(tokenCalls(site), 1);
});

test("TK-7 owningSystemUrl names a portal by host and web adaptor, however it was typed", () => {
  const portal = "https://gis.example.com/portal/sharing/rest";
  const same = [
    "https://gis.example.com/portal",
    "http://gis.example.com/portal",
    "https://gis.example.com:443/portal",
    "http://gis.example.com:443/portal/",
    "http://gis.example.com:80/portal//",
    "HTTPS://GIS.Example.com/Portal",
    "https://gis.example.com/%70ortal",
    "https://gis.example.com/portal/home/",
    "https://gis.example.com/portal/sharing",
    "https://gis.example.com/portal/sharing/rest",
  ];
  for (const owner of same) assert.ok(isSamePortal(owner, portal), owner);
  const others = [
    ...["", "portal", "//gis.example.com/portal", "https://gis.example.com", "https://gis.example.com/"],
    ...[
      "https://gis.example.com/portals",
      "https://gis.example.com/portal/x",
      "https://gis.example.com/x/portal",
    ],
    ...[
      "https://gis.example.com:7443/portal",
      "https://example.com/portal",
      "https://gis.example.com.evil/portal",
    ],
    ...["https://me@gis.example.com/portal", "https://evil.example/#https://gis.example.com/portal"],
    ...["https://gis.example.com/portal;x", "https://www.arcgis.com"],
  ];
  for (const owner of [...others, undefined, null, 7, ["https://gis.example.com/portal"]])
    assert.equal(isSamePortal(owner, portal), false, String(owner));

  const byPort = "https://gis.example.com:7443/arcgis/sharing/rest";
  assert.ok(isSamePortal("http://gis.example.com:7443/arcgis", byPort));
  assert.equal(isSamePortal("https://gis.example.com/arcgis", byPort), false);
  const online = "https://www.arcgis.com/sharing/rest";
  for (const owner of ["https://www.arcgis.com", "http://www.arcgis.com", "https://city.maps.arcgis.com/"])
    assert.ok(isSamePortal(owner, online), owner);
  for (const owner of [
    "https://www.arcgis.com.evil",
    "https://arcgis.com.evil/",
    "https://www.arcgis.com:8443",
  ])
    assert.equal(isSamePortal(owner, online), false, owner);
});

test("TK-7 what is below /sharing of the portal is the portal's: services with stored credentials get its token", async (t) => {
  const { ask, site, token } = await openProxy(t, { settings: { PROXY_ALLOW: "https://gis.example/" } });
  const service = "/portal/sharing/servers/0f5c/rest/services/Trees/FeatureServer/0";
  await ask(`${site.sandbox.origin}${service}?f=json`);
  const seen = site.sandbox.log.filter(({ path }) => path.startsWith("/portal/sharing/servers/"));
  assert.deepEqual(
    seen.map(({ path, headers }) => [path, headers["x-esri-authorization"]]),
    [[service, `Bearer ${await token()}`]],
  );
  assertError(await ask(`${site.sandbox.origin}/portal/sharing/proxy?https://evil.example`), "untrusted_url");
});

test("TK-7 a server whose rest/info is closed, missing or not that of ArcGIS is sent what PROXY_ALLOW says: the request, as the user", async (t) => {
  const { ask, upstream, token } = await openProxy(t);
  const html = { "Content-Type": "text/html" };
  const json = { "Content-Type": "application/json" };
  const infos: [body: string, headers: Record<string, string>, status: number][] = [
    ["<html>404</html>", html, 404],
    ["<html>Welcome</html>", html, 200],
    ["", {}, 204],
    ["Unauthorized", { "WWW-Authenticate": "Negotiate" }, 401],
    ["Forbidden", html, 403],
    ["", { Location: "/login" }, 302],
    ["[]", json, 200],
    ["null", json, 200],
    ['{"about":{"resource":[]}}', json, 200],
    ['{"status":404,"error":"Not Found","path":"/rest/info"}', json, 404],
    [required, json, 200],
    ['{"error":{"code":403,"message":"Access denied"}}', json, 200],
  ];
  for (const [index, [body, headers, status]] of infos.entries()) {
    upstream.seen.splice(0);
    const root = `/api${index}/rest`;
    upstream.behave = (seen, res, req) =>
      seen.url.startsWith(`${root}/info`)
        ? responding(body, headers, status)(seen, res, req)
        : echo(seen, res, req);
    for (let times = 0; times < 3; times++) {
      const response = await ask(`${upstream.origin}${root}/workspaces.json`);
      assert.equal(response.status, 200, `${body}: ${response.body}`);
    }
    const [info, ...requests] = upstream.seen;
    assert.deepEqual([info?.url, info?.headers["x-esri-authorization"]], [`${root}/info?f=json`, undefined]);
    assert.deepEqual(
      requests.map((seen) => seen.headers["x-esri-authorization"]),
      Array(3).fill(`Bearer ${await token()}`),
    );
  }
});

test("TK-7 a server of which rest/info is down now is not taken for one that is no ArcGIS Server", async (t) => {
  const { ask, upstream, token } = await openProxy(t);
  upstream.behave = responding("busy", {}, 503);
  assertError(await ask(`${upstream.origin}/arcgis/rest/services?f=json`), "portal_unreachable");
  upstream.behave = responding('{"currentVersion":11.3}', { "Content-Type": "application/json" });
  assert.equal((await ask(`${upstream.origin}/arcgis/rest/services?f=json`)).status, 200);
  assert.ok(!JSON.stringify(upstream.seen).includes(String(await token())));
});

test("a 499 for want of a token is explained in the log, once, with the portal that the server names", async (t) => {
  const { ask, upstream, site } = await openProxy(t);
  upstream.behave = (seen, res, req) => {
    const body = seen.url.startsWith("/arcgis/rest/info")
      ? '{"currentVersion":11.3,"owningSystemUrl":"https://gis.internal.example/portal"}'
      : required;
    responding(body, { "Content-Type": "application/json" })(seen, res, req);
  };
  for (let times = 0; times < 5; times++)
    assert.equal(
      (await ask(`${upstream.origin}/arcgis/rest/services/T/FeatureServer/0?f=json`)).body,
      required,
    );
  const lines = site.log.lines.filter(({ event }) => event === "token-withheld");
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.host, new URL(upstream.origin).host);
  assert.match(
    String(lines[0]?.reason),
    /belongs to https:\/\/gis\.internal\.example\/portal, and the user to http/,
  );
  assert.match(String(lines[0]?.msg), /PORTAL_URL/);
});

test("TK-7 PX-11 a path is judged as the server decodes it: however /rest/ is written, it is a service", async (t) => {
  const { ask, upstream, token } = await openProxy(t);
  upstream.behave = (seen, res, req) => {
    const body = seen.url.startsWith("/server/rest/info") ? '{"currentVersion":11}' : "{}";
    responding(body, { "Content-Type": "application/json" })(seen, res, req);
  };
  for (const rest of ["rest", "%72est", "r%65s%74", "REST", "%52%45%53%54", "rest.", "rest%2E"]) {
    upstream.seen.splice(0);
    assert.equal((await ask(`${upstream.origin}/server/${rest}/services?f=json`)).status, 200, rest);
    assert.match(String(upstream.seen.at(-1)?.url), /^\/server\/rest\.?\/services\?f=json$/i);
    for (const { url, headers } of upstream.seen)
      assert.equal(headers["x-esri-authorization"], undefined, url);
  }
  upstream.seen.splice(0);
  for (const rest of ["%2572est", "%25%37%32est", "rest%20", "rest%09", "rest%3b", "%72est%2F..%2Frest"])
    assertError(await ask(`${upstream.origin}/server/${rest}/services?f=json`), "untrusted_url");
  assert.equal(upstream.seen.length, 0);

  // All that is not a service is told who asks.
  await ask(`${upstream.origin}/restaurants?f=json`);
  assert.equal(upstream.seen[0]?.headers["x-esri-authorization"], `Bearer ${await token()}`);
});

test("TK-7 no script can fetch a token over the proxy", async (t) => {
  const { ask, site } = await openProxy(t);
  const before = site.sandbox.log.length;
  const form = { request: "getToken", serverUrl: "https://x.example", f: "json" };
  assertError(await ask(`${site.sandbox.url}/generateToken`, { method: "POST", form }), "untrusted_url");
  assertError(await ask(`${site.sandbox.url}/oauth2/token`, { method: "POST", form }), "untrusted_url");
  assert.equal(site.sandbox.log.length, before);
});

test("TK-7 Esri's own packages work with the session's identity, and put no token into an address", async (t) => {
  const first = await openProxy(t);
  const { sandbox } = first.site;
  const server = await startFederatedServer(t, sandbox);
  const { site, browser } = await openProxy(t, {
    sandbox,
    routes: ({ router, auth }) => {
      router.get("/try", auth.requireSignIn(), async (req, res) => {
        const authentication = await req.arcgis.identity();
        // Without it the library writes the token into the address of a GET.
        const asWho = { authentication, hideToken: true };
        const [self, found, layer, features] = await Promise.all([
          getSelf(asWho),
          searchItems({ q: `owner:${authentication.username}`, ...asWho }),
          getLayer({ url: server.layer, ...asWho }),
          queryFeatures({ url: server.layer, ...asWho }),
        ]);
        const trees = "features" in features && features.features.length;
        res.json({ user: self.user?.username, found: found.total, layer: layer.name, trees });
      });
    },
  });
  await signIn(browser, "sandy_admin");
  const response = await browser.get("/try", script);
  assert.equal(response.status, 200, response.body);
  assert.deepEqual(response.json(), {
    user: "sandy_admin",
    found: itemsOf("sandy_admin").length,
    layer: "Trees",
    trees: 2,
  });
  assert.ok(itemsOf("sandy_admin").length > 0);

  for (const { query, path } of site.sandbox.log) assert.ok(!("token" in query), path);
  for (const { url } of server.seen) assert.ok(!/token=/i.test(url), url);
});

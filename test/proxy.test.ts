import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import express, { type Express } from "express";
import { assertError, openProxy, responseOf, script } from "./support/proxy.ts";
import { signIn } from "./support/site.ts";
import { type Seen, startUpstream } from "./support/upstream.ts";

test("PX-1 the portal's API is asked with the user's token in a header, and its JSON comes back", async (t) => {
  const { site, ask, token } = await openProxy(t);
  const response = await ask(`${site.sandbox.url}/community/self?f=json`);
  assert.equal(response.status, 200);
  assert.equal((response.json() as { username: string }).username, "sandy_admin");
  const asked = site.sandbox.log.at(-1);
  assert.equal(asked?.headers["x-esri-authorization"], `Bearer ${await token()}`);
  assert.deepEqual({ ...asked?.query }, { f: "json" });
});

test("PX-1 a site mounted below a path has its proxy there, in any spelling that the router takes", async (t) => {
  const { site, browser, ask, upstream } = await openProxy(t, { mount: "/gis" });
  assert.equal((await ask(`${site.sandbox.url}/community/self`)).status, 200);
  for (const path of ["/gis/PROXY", "/gis/proxy/", "/GIS/Proxy/"]) {
    const url = `${path}?${upstream.origin}/x`;
    assert.equal((await browser.get(url, script)).status, 200);
    assertError(await browser.get(url, { ...script, "Sec-Fetch-Site": "cross-site" }), "cross_site");
    assertError(await site.browser().get(url, script), "signed_out");
  }
});

test("a body parser in front of a mounted site is named in the log, and no request hangs", async (t) => {
  const host = (outer: Express) => void outer.use(express.json(), express.urlencoded());
  const { ask, upstream, site } = await openProxy(t, { mount: "/gis", host });
  assertError(await ask(`${upstream.origin}/x`, { method: "POST", form: { a: "1" } }), "internal");
  const line = site.log.lines.find(({ code }) => code === "internal");
  assert.equal(line?.reason, "the proxy must be in front of any body parser");
  assert.equal((await ask(`${upstream.origin}/x`)).status, 200);
});

test("PX-2 a redirect is not followed, and its address does not come back", async (t) => {
  const { ask, upstream } = await openProxy(t);
  const evil = await startUpstream(t);
  for (const status of [300, 301, 302, 303, 304, 305, 307, 308, 399]) {
    upstream.behave = (_seen, res) => {
      res.writeHead(status, { Location: `${evil.origin}/`, Refresh: `0;url=${evil.origin}` }).end();
    };
    for (const method of ["GET", "POST"]) {
      const response = await ask(`${upstream.origin}/x`, { method });
      assertError(response, "response_rejected");
      assert.equal(response.headers.location ?? response.headers.refresh, undefined);
    }
  }
  assert.equal(evil.connections(), 0);
});

test("PX-3 the server behind learns nothing of our cookies, of other credentials, or of the way here", async (t) => {
  const { ask, upstream, token, site } = await openProxy(t);
  await ask(`${upstream.origin}/x?f=json`, {
    method: "POST",
    body: "{}",
    headers: {
      Authorization: "Bearer mine",
      "X-Esri-Authorization": "Bearer mine",
      "Proxy-Authorization": "Basic bWluZQ==",
      Origin: site.url,
      Referer: `${site.url}/map?x=1`,
      Forwarded: "for=192.0.2.1",
      "X-Forwarded-For": "192.0.2.1",
      "X-Forwarded-Host": "evil.example",
      "X-Forwarded-Proto": "https",
      "X-Real-IP": "192.0.2.1",
      Via: "1.1 elsewhere",
      TE: "trailers",
      "Keep-Alive": "timeout=99",
      "Proxy-Connection": "keep-alive",
      "If-None-Match": '"x"',
      "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT",
      "X-HTTP-Method-Override": "DELETE",
      "X-Requested-With": "XMLHttpRequest",
      "Content-Type": "application/json",
      "Accept-Language": "de-CH",
      "Accept-Encoding": "gzip, deflate;q=0, br;q=0.5, zstd, *",
      "User-Agent": "Mozilla/5.0",
      Range: "bytes=0-99",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      tracestate: "vendor=1",
    },
  });
  const { host, connection, ...headers } = upstream.seen[0]?.headers ?? {};
  assert.deepEqual(headers, {
    accept: "*/*",
    "accept-encoding": "gzip, br",
    "accept-language": "de-CH",
    "content-length": "2",
    "content-type": "application/json",
    range: "bytes=0-99",
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    tracestate: "vendor=1",
    "user-agent": "Mozilla/5.0",
    "x-esri-authorization": `Bearer ${await token()}`,
  });
  assert.equal(host, new URL(upstream.origin).host);
  assert.match(String(connection), /^(?:keep-alive|close)$/);
});

test("PX-3 a header that Connection names goes no further, in either direction (RFC 9110, 7.6.1)", async (t) => {
  const { ask, upstream } = await openProxy(t);
  await ask(`${upstream.origin}/x`, {
    headers: { Connection: "close, User-Agent ,accept-language", "User-Agent": "x", "Accept-Language": "de" },
  });
  assert.deepEqual(
    Object.keys(upstream.seen[0]?.headers ?? {}).filter((name) =>
      /^(?:user-agent|accept-language)$/.test(name),
    ),
    [],
  );
  upstream.behave = (_seen, res) => {
    res
      .writeHead(200, {
        Connection: "close, Content-Disposition",
        "Content-Disposition": "attachment",
        "Content-Type": "text/plain",
      })
      .end("x");
  };
  const response = await ask(`${upstream.origin}/x`);
  assert.equal(response.status, 200);
  assert.equal(response.headers["content-disposition"], undefined);
});

test("PX-3 token and callback of the client are dropped from query and form; the rest stays letter by letter", async (t) => {
  const { ask, upstream } = await openProxy(t);
  const kept = "f=json&where=A+%3D%20'x'&a&b=&=c&tokens=1&x=token&q=~!*()%2a&%zz=1";
  const dropped = [
    "token=x",
    "TOKEN=x",
    "%74oken=x",
    "token",
    "callback=f",
    "t%6Fken=",
    "+token=x",
    "Callback=f",
  ];
  const sent = [...dropped.slice(0, 4), kept, ...dropped.slice(4)].join("&");

  await ask(`${upstream.origin}/q?${sent}`);
  assert.equal(upstream.seen[0]?.url, `/q?${kept.replaceAll("'", "%27")}`);

  for (const type of [
    "application/x-www-form-urlencoded",
    "Application/X-WWW-Form-URLEncoded; charset=UTF-8",
  ]) {
    await ask(`${upstream.origin}/q?f=json&token=x`, {
      method: "POST",
      body: sent,
      headers: { "Content-Type": type },
    });
    const { url, body, headers } = upstream.seen.at(-1) as Seen;
    assert.deepEqual([url, body, headers["content-length"]], ["/q?f=json", kept, String(kept.length)]);
  }
});

test("PX-3 a form in pieces loses the same parameters, wherever it is cut", async (t) => {
  const { begin, upstream } = await openProxy(t);
  const form = "a=1&token=x&%74oken&&b&call%62ack=f&c=2&";
  for (let cut = 0; cut <= form.length; cut++) {
    const request = begin(`${upstream.origin}/x`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked" },
    });
    request.write(form.slice(0, cut) || "&");
    await new Promise((resolve) => setTimeout(resolve, 2));
    request.write(form.slice(cut) || "&");
    assert.equal((await responseOf(request)).resume().statusCode, 200);
    assert.equal(upstream.seen.at(-1)?.body, "a=1&b&c=2", `cut at ${cut}`);
  }
});

test("PX-4 a format with control characters around it is no other format", async (t) => {
  const { ask, upstream } = await openProxy(t);
  for (const format of ["f=html%00", "f=%00html", "f=%0ahtml%1f", "f=%01", "f%00=html"]) {
    await ask(`${upstream.origin}/q?${format}`);
    assert.equal(upstream.seen.at(-1)?.url, "/q?f=json", format);
  }
});

test("PX-3 a multipart body passes as it is, and our own token is still in no part of it", async (t) => {
  const { ask, upstream, token } = await openProxy(t);
  const body = '--x\r\nContent-Disposition: form-data; name="token"\r\n\r\nthe client\'s own\r\n--x--\r\n';
  const headers = { "Content-Type": "multipart/form-data; boundary=x" };
  await ask(`${upstream.origin}/addItem`, { method: "POST", body, headers });
  const [seen] = upstream.seen;
  assert.equal(seen?.body, body);
  assert.equal(seen?.headers["content-type"], "multipart/form-data; boundary=x");
  assert.equal(seen?.headers["x-esri-authorization"], `Bearer ${await token()}`);
});

test("PX-3 of a response's headers only those come back that are needed to read it", async (t) => {
  const { ask, upstream, browser } = await openProxy(t);
  const cookies = new Map(browser.cookies);
  upstream.behave = (_seen, res) => {
    res.setHeader("Set-Cookie", ["arcgis.sid=evil; Path=/", "x=1"]);
    res
      .writeHead(206, {
        "Content-Type": "application/json",
        "Content-Disposition": 'attachment; filename="a.json"',
        "Content-Range": "bytes 0-1/2",
        "Accept-Ranges": "bytes",
        "Content-Length": "2",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Credentials": "true",
        "Content-Security-Policy": "default-src *",
        "Content-Security-Policy-Report-Only": "default-src *",
        "X-Frame-Options": "ALLOWALL",
        "X-Content-Type-Options": "sniff",
        "Strict-Transport-Security": "max-age=0",
        "Clear-Site-Data": '"*"',
        "Service-Worker-Allowed": "/",
        "WWW-Authenticate": "Basic",
        "Cache-Control": "public, max-age=9999",
        Expires: "Thu, 01 Jan 2099 00:00:00 GMT",
        ETag: '"x"',
        "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT",
        Link: "</evil.js>; rel=preload",
        Refresh: "0;url=/",
        SourceMap: "/x",
        Server: "Microsoft-IIS/10.0",
        "X-Powered-By": "ASP.NET",
        "X-Request-Id": "theirs",
        "Alt-Svc": 'h3=":443"',
        "Proxy-Authenticate": "Basic",
        "Keep-Alive": "timeout=99",
        Upgrade: "h2c",
      })
      .end("{}");
  };
  const response = await ask(`${upstream.origin}/x`);
  assert.equal(response.status, 206);
  const own = await ask(`${upstream.origin}/../nowhere`, { method: "OPTIONS" });
  const added = Object.entries(response.headers).filter(([name]) => !(name in own.headers));
  assert.deepEqual(Object.fromEntries(added), {
    "accept-ranges": "bytes",
    "content-disposition": "attachment; filename=a.json",
    "content-range": "bytes 0-1/2",
  });
  const { headers } = response;
  assert.match(String(headers["x-request-id"]), /^[0-9a-f-]{36}$/);
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["x-frame-options"], "DENY");
  assert.equal(headers["cross-origin-resource-policy"], "same-origin");
  assert.match(String(headers["content-security-policy"]), /^sandbox; default-src 'none';/);
  assert.deepEqual(new Map(browser.cookies), cookies);
});

test("PX-4 HTML, SVG, XML, scripts and unknown types do not come through, whatever they call themselves", async (t) => {
  const { ask, upstream } = await openProxy(t);
  const types = [
    undefined,
    "",
    "text/html",
    "text/html; charset=utf-8",
    "TEXT/HTML",
    " text/html",
    "application/xhtml+xml",
    "image/svg+xml",
    "image/svg",
    "IMAGE/SVG+XML; charset=utf-8",
    "text/xml",
    "application/xml",
    "application/rss+xml",
    "application/vnd.google-earth.kml+xml",
    "application/vnd.mozilla.xul+xml",
    "text/javascript",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "text/css",
    "text/cache-manifest",
    "application/wasm",
    "application/x-shockwave-flash",
    "multipart/x-mixed-replace; boundary=x",
    "message/rfc822",
    "text/vbscript",
    "application/json, text/html",
    "text/html, application/json",
    "application/jsonp",
    "json",
    "*/*",
    "image/",
    "application/json text/html",
  ];
  const bodies = ["<script>alert(1)</script>", "x".repeat(100_000), '{"json":"called html"}'];
  for (const type of types) {
    for (const body of bodies) {
      upstream.behave = (_seen, res) => {
        if (type !== undefined) res.setHeader("Content-Type", type);
        res.end(body);
      };
      const response = await ask(`${upstream.origin}/x`);
      assertError(response, "response_rejected");
    }
  }
  // A page that says 404 is a page.
  upstream.behave = (_seen, res) =>
    void res.writeHead(404, { "Content-Type": "text/html" }).end("<h1>No</h1>");
  assertError(await ask(`${upstream.origin}/x`), "response_rejected");
});

test("PX-4 JSON, protobuf, images and other data come back as they are, and as nothing else", async (t) => {
  const { ask, upstream } = await openProxy(t);
  const types: [sent: string, received?: string][] = [
    ["application/json"],
    ["application/json;charset=UTF-8", "application/json; charset=utf-8"],
    ["application/geo+json"],
    ["application/problem+json"],
    ["text/plain;charset=utf-8", "text/plain; charset=utf-8"],
    ["text/csv"],
    ["application/x-protobuf"],
    ["application/vnd.mapbox-vector-tile"],
    ["application/octet-stream"],
    ["application/zip"],
    ["application/pdf"],
    ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    ["image/png"],
    ["image/jpeg"],
    ["image/tiff"],
    ["Image/PNG", "image/png"],
    ["video/mp4"],
    // A browser would believe what stands last.
    ["application/json; charset=utf-8, text/html", "application/json"],
    ["application/json;x=y,text/html;charset=utf-8", "application/json; charset=utf-8"],
    ['image/png; a="\\", text/html"', "image/png"],
  ];
  const body = Buffer.from([0, 255, 60, 104, 116, 109, 108, 62, 195, 40]);
  for (const [sent, received = sent] of types) {
    upstream.behave = (_seen, res) => void res.writeHead(200, { "Content-Type": sent }).end(body);
    const response = await ask(`${upstream.origin}/x`);
    assert.equal(response.status, 200, sent);
    assert.equal(response.headers["content-type"], received);
    assert.equal(response.body, body.toString("utf8"));
    assert.match(String(response.headers["content-security-policy"]), /^sandbox; default-src 'none';/);
    assert.equal(response.headers["x-content-type-options"], "nosniff");
  }
  for (const status of [201, 400, 403, 404, 409, 429, 500, 503]) {
    upstream.behave = (_seen, res) => {
      res.writeHead(status, { "Content-Type": "application/json" }).end('{"error":{"code":400}}');
    };
    const response = await ask(`${upstream.origin}/x`);
    assert.deepEqual([response.status, response.body], [status, '{"error":{"code":400}}']);
  }
  upstream.behave = (_seen, res) => void res.writeHead(204).end();
  assert.equal((await ask(`${upstream.origin}/x`, { method: "DELETE" })).status, 204);
});

test("PX-4 where ArcGIS would respond with a page it is asked for JSON", async (t) => {
  const { ask, upstream } = await openProxy(t);
  const cases: [asked: string, forwarded: string, headers?: Record<string, string>][] = [
    ["/rest-less", "/rest-less?f=json"],
    ["/x?", "/x?f=json"],
    ["/x?a=1", "/x?a=1&f=json"],
    ["/x?f=", "/x?f=json"],
    ["/x?f", "/x?f=json"],
    ["/x?f=html&a=1", "/x?a=1&f=json"],
    ["/x?F=HTML", "/x?f=json"],
    ["/x?%66=htm%6c", "/x?f=json"],
    ["/x?f=json&f=html", "/x?f=json"],
    ["/x?f=pjson", "/x?f=pjson"],
    ["/x?f=pbf&a=1", "/x?f=pbf&a=1"],
    ["/x?f=image", "/x?f=image"],
    ["/users/jane.doe", "/users/jane.doe?f=json"],
    ["/MapServer/tile/1/2/3", "/MapServer/tile/1/2/3"],
    ["/FeatureServer/0/7/attachments/3", "/FeatureServer/0/7/attachments/3"],
    ["/items/x/data", "/items/x/data"],
    ["/items/x/info/thumbnail/t.PNG?w=200", "/items/x/info/thumbnail/t.PNG?w=200"],
    ["/items/x/data?f=html", "/items/x/data?f=json"],
    ["/photo", "/photo", { "Sec-Fetch-Dest": "image" }],
    ["/photo?f=html", "/photo?f=json", { "Sec-Fetch-Dest": "image" }],
    ["/items/x/d%61ta", "/items/x/data"],
    ["/thumb%2Epng", "/thumb.png"],
    ["/page", "/page?f=json", { "Sec-Fetch-Dest": "iframe" }],
  ];
  for (const [asked, forwarded, headers] of cases) {
    await ask(upstream.origin + asked, { headers });
    assert.equal(upstream.seen.at(-1)?.url, forwarded, asked);
  }
  await ask(`${upstream.origin}/x`, { method: "POST", form: { a: "1" } });
  assert.equal(upstream.seen.at(-1)?.url, "/x");
});

test("PX-5 a visitor who is not signed in gets 401 as JSON, and the server behind hears nothing of it", async (t) => {
  const { site, upstream } = await openProxy(t);
  const before = [site.sandbox.log.length, upstream.connections()];
  const visitor = site.browser();
  const accepts = ["*/*", "text/html", "application/json", ""];
  for (const target of [`${upstream.origin}/x`, `${site.sandbox.url}/community/self`, "nonsense", ""]) {
    for (const method of ["GET", "POST", "DELETE"]) {
      for (const Accept of accepts) {
        assertError(
          await visitor.send(`/proxy?${target}`, { method, headers: { ...script, Accept } }),
          "signed_out",
        );
      }
    }
  }
  assertError(await visitor.send(`/proxy?${upstream.origin}/x`), "signed_out");
  visitor.cookies.set("arcgis.sid", "s%3Aforged.signature");
  assertError(await visitor.get(`/proxy?${upstream.origin}/x`, script), "signed_out");
  assert.deepEqual([site.sandbox.log.length, upstream.connections()], before);
});

test("PX-5 two users at once get their own responses; after sign-out neither does", async (t) => {
  const { site, browser, ask } = await openProxy(t);
  const other = site.browser();
  await signIn(other, "vik_viewer");
  const self = `/proxy?${site.sandbox.url}/community/self`;
  const responses = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? other : browser).get(self, script)),
  );
  const names = responses.map((response) => (response.json() as { username: string }).username);
  assert.deepEqual(
    names,
    names.map((_, index) => (index % 2 ? "vik_viewer" : "sandy_admin")),
  );

  const stolen = browser.copy();
  await browser.get("/sign-out", { ...script, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" });
  assertError(await stolen.get(self, script), "signed_out");
  assertError(await ask(`${site.sandbox.url}/community/self`), "signed_out");
  assert.equal((await other.get(self, script)).status, 200);
});

test("PX-6 the methods of ArcGIS pass, all others are 405 and reach no server", async (t) => {
  const { ask, upstream } = await openProxy(t);
  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
    const response = await ask(`${upstream.origin}/x?f=json`, { method });
    assert.equal(response.status, 200, method);
    assert.equal(upstream.seen.at(-1)?.method, method);
    assert.equal(response.body === "", method === "HEAD");
  }
  const count = upstream.seen.length;
  for (const method of ["OPTIONS", "TRACE", "PROPFIND", "PURGE", "QUERY"]) {
    const response = await ask(`${upstream.origin}/x`, { method });
    assertError(response, "method_not_allowed");
    assert.equal(response.headers.allow, "GET, HEAD, POST, PUT, PATCH, DELETE");
    assert.equal(response.headers["access-control-allow-origin"], undefined);
  }
  assert.equal(upstream.seen.length, count);
});

test("PX-6 a compressed body, which could hide a token, is refused for a form", async (t) => {
  const { begin, upstream } = await openProxy(t);
  const headers = { "Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip" };
  const sent = begin(`${upstream.origin}/x`, { method: "POST", headers });
  sent.end(gzipSync("token=x"));
  const [response] = await once(sent, "response");
  assert.equal(response.statusCode, 400);
  assert.equal(upstream.seen.length, 0);
});

test("PX-6 a response above PROXY_MAX_BYTES is 502 when it says so, and is cut off when it does not", async (t) => {
  const { ask, upstream, site } = await openProxy(t, { settings: { PROXY_MAX_BYTES: 1_000_000 } });
  const headers = { "Content-Type": "application/octet-stream" };
  upstream.behave = (_seen, res) => {
    res.writeHead(200, { ...headers, "Content-Length": "1000001" }).end("x".repeat(1_000_001));
  };
  assertError(await ask(`${upstream.origin}/x`), "response_rejected");
  upstream.behave = (_seen, res) => void res.writeHead(200, headers).end("x".repeat(1_000_000));
  assert.equal((await ask(`${upstream.origin}/x`)).body.length, 1_000_000);

  upstream.behave = (_seen, res) => {
    res.writeHead(200, headers);
    const more = () => res.write("x".repeat(100_000));
    res.on("drain", more);
    more();
  };
  await assert.rejects(ask(`${upstream.origin}/x`), { code: "ECONNRESET" });
  const line = site.log.lines.find(({ code }) => code === "response_rejected" && site.log.lines.length > 0);
  assert.equal(line?.reason, "more than maxBytes");
});

test("PX-6 after 15 minutes it is over, however lively the server behind is", async (t) => {
  const { begin, upstream, site } = await openProxy(t);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const arrived = new EventEmitter();
  upstream.behave = () => void arrived.emit("request");
  const waiting = begin(`${upstream.origin}/x`).end();
  await once(arrived, "request");
  t.mock.timers.tick(15 * 60_000);
  const [late] = await once(waiting, "response");
  assert.equal(late.statusCode, 504);

  upstream.behave = (_seen, res) => {
    res.writeHead(200, { "Content-Type": "text/csv" }).write("x".repeat(10_000));
  };
  const [response] = await once(begin(`${upstream.origin}/x`).end(), "response");
  await once(response, "data");
  t.mock.timers.tick(15 * 60_000);
  const [error] = await once(response, "error");
  assert.equal(error.code, "ECONNRESET");
  const codes = site.log.lines.filter(({ msg }) => msg === "refused").map(({ code }) => code);
  assert.deepEqual(codes, ["portal_timeout", "portal_timeout"]);
});

test("PX-6 a server behind that is gone, resets, or talks nonsense is 502", async (t) => {
  const { ask, upstream, site } = await openProxy(t, { settings: { PROXY_ALLOW: "http://127.0.0.1:9/" } });
  assertError(await ask("http://127.0.0.1:9/x"), "portal_unreachable");
  const other = await openProxy(t, { sandbox: site.sandbox });
  other.upstream.behave = (_seen, res) => res.socket?.resetAndDestroy();
  assertError(await other.ask(`${other.upstream.origin}/x`), "portal_unreachable");
  for (const nonsense of [
    "nonsense\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    `HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
    "",
  ]) {
    other.upstream.behave = (_seen, res) => res.socket?.end(nonsense);
    assertError(await other.ask(`${other.upstream.origin}/x`), "portal_unreachable");
  }
  assert.equal(upstream.seen.length, 0);
});

test("PX-4 whatever a server behind sends, one response comes back, whole and of the first one's making, or an error", async (t) => {
  const { ask, upstream, browser } = await openProxy(t);
  const json = "Content-Type: application/json\r\n";
  const two = `${json}Content-Length: 2\r\n\r\n{}`;
  const cookies = new Map(browser.cookies);
  const sound: [what: string, sent: string][] = [
    [
      "a thousand interim responses",
      `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000)}HTTP/1.1 200 OK\r\n${two}`,
    ],
    [
      "early hints",
      `HTTP/1.1 103 Early Hints\r\nLink: </evil.js>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n${two}`,
    ],
    ["two responses", `HTTP/1.1 200 OK\r\n${two}HTTP/1.1 200 OK\r\n${two.replace("{}", "no")}`],
    [
      "trailers",
      `HTTP/1.1 200 OK\r\n${json}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nSet-Cookie: arcgis.sid=x\r\n\r\n`,
    ],
    ["HTTP/1.0", `HTTP/1.0 200 OK\r\n${json}\r\n{}`],
    ["a second type", `HTTP/1.1 200 OK\r\n${json}Content-Type: text/html\r\nContent-Length: 2\r\n\r\n{}`],
  ];
  for (const [what, sent] of sound) {
    upstream.behave = (_seen, res) => void res.socket?.end(sent, "latin1");
    const response = await ask(`${upstream.origin}/x`);
    assert.deepEqual([response.status, response.body], [200, "{}"], what);
    assert.equal(response.headers["content-type"], "application/json", what);
    assert.equal(response.headers.link ?? response.headers.trailer, undefined, what);
  }
  const unsound: [what: string, sent: string, code: "portal_unreachable" | "response_rejected"][] = [
    ["the type after another", `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n${two}`, "response_rejected"],
    ["two lengths", `HTTP/1.1 200 OK\r\nContent-Length: 3\r\n${two} `, "portal_unreachable"],
    [
      "a control character in a header",
      `HTTP/1.1 200 OK\r\nContent-Disposition: \x01\r\n${two}`,
      "portal_unreachable",
    ],
    ["no header at all", "{}", "portal_unreachable"],
    ...["000", "099", "600", "999"].map((status): [string, string, "response_rejected"] => [
      status,
      `HTTP/1.1 ${status} x\r\n${two}`,
      "response_rejected",
    ]),
  ];
  for (const [what, sent, code] of unsound) {
    upstream.behave = (_seen, res) => void res.socket?.end(sent, "latin1");
    const response = await ask(`${upstream.origin}/x`);
    assert.equal((response.json() as { error: { code: string } }).error.code, code, what);
  }
  upstream.behave = (_seen, res) => {
    res.socket?.end(`HTTP/1.1 204 No Content\r\n${json}Content-Length: 5\r\n\r\n`, "latin1");
  };
  const empty = await ask(`${upstream.origin}/x`);
  assert.deepEqual([empty.status, empty.headers["content-length"]], [204, undefined]);
  assert.deepEqual(new Map(browser.cookies), cookies);
});

test("CS-5 a request from elsewhere is 403 for every method, GET included, and the server behind hears nothing of it", async (t) => {
  const { browser, site, upstream } = await openProxy(t);
  const before = site.sandbox.log.length;
  const evil = "https://evil.example";
  const elsewhere: Record<string, string>[] = [
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
    { "Sec-Fetch-Site": "none" },
    { "Sec-Fetch-Site": "" },
    { "Sec-Fetch-Site": "SAME-ORIGIN" },
    { "Sec-Fetch-Site": "cross-site", Origin: site.url },
    {
      "Sec-Fetch-Site": "cross-site",
      "Sec-Fetch-Mode": "navigate",
      "Sec-Fetch-Dest": "document",
      Accept: "text/html",
    },
    { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image" },
    { Origin: evil },
    { Origin: "null" },
    { Origin: `${site.url}.evil.example` },
    { Referer: `${site.url}/` },
    { "X-Requested-With": "XMLHttpRequest" },
    {},
  ];
  for (const headers of elsewhere) {
    for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE"]) {
      for (const target of [
        `${upstream.origin}/x`,
        `${site.sandbox.url}/FeatureServer/0/deleteFeatures?where=1=1`,
      ]) {
        assertError(await browser.send(`/proxy?${target}`, { method, headers }), "cross_site");
      }
    }
  }
  for (const headers of [
    ...[
      `${evil}/map`,
      `${site.url}.evil.example/map`,
      `${site.url}@evil.example/map`,
      `${site.url}/map/../x`,
    ],
    ...[`${evil}/?${site.url}/map`, `${site.url}/mapped`, `${site.url}/MAP`, "/map", "map", ""],
  ].map((Referer) => ({ Referer })))
    assertError(await browser.send(`/proxy?${upstream.origin}/x`, { headers }), "cross_site");
  const ofMap = { Referer: `${site.url}/map` };
  for (const method of ["POST", "PUT", "PATCH", "DELETE"])
    assertError(await browser.send(`/proxy?${upstream.origin}/x`, { method, headers: ofMap }), "cross_site");
  for (const [name, value] of [
    ["Sec-Fetch-Site", "cross-site"],
    ["Sec-Fetch-Site", ""],
    ["Origin", evil],
    ["Origin", "null"],
  ] as const) {
    const headers = { ...ofMap, [name]: value };
    assertError(await browser.send(`/proxy?${upstream.origin}/x`, { headers }), "cross_site");
  }
  assert.deepEqual([site.sandbox.log.length, upstream.connections()], [before, 0]);

  // Safari before 16.4, on our map page: nothing but the Referer tells where a GET comes from.
  for (const Referer of [`${site.url}/map`, `${site.url}/map?layer=1&x=/../`]) {
    const response = await browser.send(`/proxy?${upstream.origin}/x`, { headers: { Referer } });
    assert.equal(response.status, 200, Referer);
  }

  assert.equal(
    (await browser.send(`/proxy?${upstream.origin}/x`, { headers: { Origin: site.url } })).status,
    200,
  );
});

test("LG-1 what the proxy logs holds no token, no query and no body", async (t) => {
  const { ask, site, upstream, token } = await openProxy(t);
  const canary = "canary-4711";
  await ask(`${upstream.origin}/x?where=${canary}&token=${canary}`);
  await ask(`http://127.0.0.1:9/x?token=${canary}`);
  upstream.behave = (_seen, res) => void res.writeHead(302, { Location: `/?token=${canary}` }).end();
  await ask(`${upstream.origin}/x?${canary}`, { method: "POST", form: { token: canary } });
  upstream.behave = (_seen, res) =>
    void res.writeHead(200, { "Content-Type": `text/html;${canary}` }).end(canary);
  await ask(`${upstream.origin}/x?${canary}`);
  upstream.behave = (_seen, res) => void res.socket?.end(`HTTP/1.1 200 OK\r\n${canary}\r\n\r\n`);
  await ask(`${upstream.origin}/x?${canary}`);
  assert.ok(site.log.lines.some(({ code }) => code === "untrusted_url"));
  assert.ok(!site.log.text().includes(canary));
  assert.ok(!site.log.text().includes(String(await token())));
});

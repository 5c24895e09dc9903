import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { click, typed } from "./support/browser.ts";
import { forged, identityIn, rules, streets } from "./support/forward-auth.ts";
import { freePort, frontIsMissing, startEcho, startFront } from "./support/front-proxy.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { openSite, signIn } from "./support/site.ts";
import { until } from "./support/user.ts";

const behindProxy = { TRUST_PROXY: "127.0.0.1", ACCESS: rules };
const program = { Accept: "application/json" };

/** The sign-in behind a proxy with its file of deploy/forward-auth, in front of an app that echoes. */
async function openBehind(t: TestContext, proxy: "nginx" | "caddy" | "haproxy") {
  const port = await freePort();
  const REDIRECT_URI = `http://localhost:${port}/authenticate`;
  const site = await openSite(t, { settings: { ...behindProxy, REDIRECT_URI } });
  const echo = await startEcho(t);
  const url = await startFront(t, proxy, { port, signIn: site.url, behind: { app: echo.url } });
  const { Browser } = await import("./support/browser.ts");
  return { site, echo, url, browser: () => new Browser(url) };
}

for (const proxy of ["nginx", "caddy", "haproxy"] as const) {
  describe(`behind ${proxy} with its file of deploy/forward-auth`, { skip: frontIsMissing(proxy) }, () => {
    test("AC-5 a page leads to the sign-in and back, and the app gets the request with the identity", async (t) => {
      const { echo, browser: open } = await openBehind(t, proxy);
      const browser = open();
      const out = await browser.get("/streets/a?b=1");
      assert.equal(out.status, 302, out.body);
      assert.equal(out.headers.location, "/sign-in?returnTo=%2Fstreets%2Fa%3Fb%3D1");
      assert.equal((await browser.get("/streets", program)).status, 401);
      assert.equal(echo.received.length, 0);
      assert.equal((await browser.get("/about")).status, 200);
      const back = await signIn(browser, "zoe_editor", out.headers.location);
      assert.deepEqual([back.status, back.headers.location], [303, "/streets/a?b=1"], back.body);
      const response = await browser.get("/streets/a?b=1");
      assert.equal(response.status, 200, response.body);
      const { url, headers } = echo.received.at(-1) ?? assert.fail();
      assert.equal(url, "/streets/a?b=1");
      assert.deepEqual(identityIn({ ...response, headers }), {
        user: "zoe_editor",
        name: "Zo%C3%AB %E6%97%A5%E6%9C%AC <b>",
        organization: "0123456789ABCDEF",
        role: "org_user",
        groups: streets,
      });
      const refused = await browser.get("/admin", typed);
      assert.equal(refused.status, 403);
      // HAProxy's script reads no body.
      if (proxy !== "haproxy")
        assert.match(refused.body, /data-code="role_missing"[\s\S]*Use another account/);
      const ended = await browser.get("/signed-out?returnTo=%2Fstreets", typed);
      assert.match(
        ended.body,
        /id="sign-in-again"/,
        "a page of the sign-in whose session ended in another tab",
      );
      const post = await browser.post("/streets", { a: "1".repeat(50_000) });
      assert.equal(post.status, 200, "bodies pass");
      assert.equal((await browser.get("/sign-out", click)).status, 303);
      assert.equal((await browser.get("/streets", program)).status, 401);
    });

    test("AC-9 nothing passes while the sign-in does not respond", async (t) => {
      const echo = await startEcho(t);
      const port = await freePort();
      const signIn = `http://127.0.0.1:${await freePort()}`;
      const url = await startFront(t, proxy, { port, signIn, behind: { app: echo.url } });
      for (const path of ["/", "/about"]) {
        const { status } = await sendRaw(url, rawGet(path, "Host: localhost"));
        assert.ok(status >= 500, `${path}: ${status}`);
      }
      assert.equal(echo.received.length, 0);
    });

    test("AC-9 identity headers that a client sends do not reach the app, and paths that it claims decide nothing", async (t) => {
      const { site, echo, url, browser: open } = await openBehind(t, proxy);
      const user = open();
      await signIn(user, "zoe_editor");
      const cookie = [...user.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const lines = [...forged, "X-Forwarded-Host"].map((name) => `${name}: forged`);
      for (const [path, sent, who] of [
        ["/about", [], undefined],
        ["/about", [`Cookie: ${cookie}`], undefined],
        ["/streets", [`Cookie: ${cookie}`], "zoe_editor"],
      ] as const) {
        const { status } = await sendRaw(url, rawGet(path, "Host: localhost", ...lines, ...sent));
        assert.equal(status, 200, path);
        const { headers } = echo.received.at(-1) ?? assert.fail();
        const found = JSON.stringify(headers);
        assert.doesNotMatch(found, /forged/, `${path}: ${found}`);
        assert.equal(headers["x-auth-request-user"] || undefined, who);
      }
      const hops = "Connection: close, X-Auth-Request-User, x-auth-request-role";
      await sendRaw(url, `GET /streets HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n${hops}\r\n\r\n`);
      const { headers } = echo.received.at(-1) ?? assert.fail();
      assert.deepEqual(
        [headers["x-auth-request-user"], headers["x-auth-request-role"]],
        ["zoe_editor", "org_user"],
        "a client cannot remove them, either",
      );
      assert.doesNotMatch(headers.connection ?? "", /auth/i);
      const { length } = echo.received;
      for (const name of [
        "X-Original-URI",
        "X-Forwarded-Uri",
        "X-Forwarded-Method",
        "X-Original-URL",
        "X_Forwarded_Uri",
      ]) {
        const { status } = await sendRaw(url, rawGet("/streets", "Host: localhost", `${name}: /about`));
        assert.ok([302, 401, 403].includes(status), `${name}: ${status}`);
      }
      assert.equal(echo.received.length, length);
      assert.equal((await user.get("/auth", { ...program, "X-Original-URI": "/about" })).status, 200);
      assert.equal(echo.received.at(-1)?.url, "/auth", "that path is the app's");
      assert.doesNotMatch(site.log.text(), /forged/);
    });

    test("AC-9 the app gets the path that was judged, and no host name that it could take for another path", async (t) => {
      const { echo, url } = await openBehind(t, proxy);
      for (const [target, host] of [
        ["/about", "localhost\\streets?"],
        ["/about", "localhost?"],
        ["/about", "user@localhost"],
        ["http://localhost/about", "localhost"],
        ["http://localhost\\streets?/about", "localhost\\streets?"],
        ["http://x\\streets?@localhost/about", "localhost"],
        ["http://localhost?/about", "localhost?"],
        ["http:///about", ""],
      ]) {
        const { length } = echo.received;
        await sendRaw(url, rawGet(String(target), `Host: ${host}`));
        for (const { url: path, headers } of echo.received.slice(length))
          assert.deepEqual(
            [path, headers.host?.split(":", 1)[0]],
            ["/about", "localhost"],
            `${target} ${host}`,
          );
      }
      assert.equal((await sendRaw(url, rawGet("/about", `Host: ${new URL(url).host}`))).status, 200);
    });

    test("AC-9 WebSockets pass, and no client takes the app to another protocol, in which requests would pass without the check", async (t) => {
      const upgrades: (string | undefined)[] = [];
      const app = createServer(({ headers }, res) => void res.end(String(upgrades.push(headers.upgrade))));
      app.on("upgrade", ({ headers }, socket) => {
        upgrades.push(headers.upgrade);
        const accept = hash(
          "sha1",
          `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
          "base64",
        );
        const lines = [
          "Connection: Upgrade",
          `Upgrade: ${headers.upgrade}`,
          `Sec-WebSocket-Accept: ${accept}`,
        ];
        socket.end(["HTTP/1.1 101 Switching Protocols", ...lines, "", ""].join("\r\n"));
      });
      await once(app.listen(0, "127.0.0.1"), "listening");
      t.after(() => void app.close().closeAllConnections());
      const behind = { app: `http://127.0.0.1:${(app.address() as AddressInfo).port}` };
      const port = await freePort();
      const REDIRECT_URI = `http://localhost:${port}/authenticate`;
      const site = await openSite(t, { settings: { ...behindProxy, REDIRECT_URI } });
      // As nginx-site.conf says.
      const edit = (text: string) =>
        text
          .replace(/ *proxy_set_header Connection +"";\n(?=[^}]*#proxy_set_header Upgrade)/, "")
          .replace("#proxy_set_header Upgrade", "proxy_set_header Upgrade");
      const url = await startFront(t, proxy, { port, signIn: site.url, behind, edit });
      const settings = ["Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"];
      const key = ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"];
      const send = (path: string, ...headers: string[]) =>
        sendRaw(url, rawGet(path, "Host: localhost", ...headers));
      const { status, text } = await send("/about", "Upgrade: websocket", "Connection: Upgrade", ...key);
      assert.equal(status, 101, text);
      assert.equal((await send("/streets", "Upgrade: websocket", "Connection: Upgrade", ...key)).status, 401);
      assert.deepEqual(upgrades, ["websocket"]);
      for (const lines of [
        ["Upgrade: h2c"],
        ["Upgrade: H2C", ...key],
        ["Upgrade: TLS/1.0"],
        ["Upgrade: h2c, websocket", ...key],
        ["Upgrade: websocket, h2c", ...key],
        ["Upgrade: websocket", "Upgrade: h2c", ...key],
        ["Upgrade: h2c", "Upgrade: websocket", ...key],
      ])
        await send("/about", ...settings, ...lines);
      const others = upgrades.filter((upgrade) => upgrade !== undefined && upgrade !== "websocket");
      assert.deepEqual(others, []);
    });
  });
}

test("LG-3 behind nginx, its log names the user, and has no code, no state and no query", {
  skip: frontIsMissing("nginx"),
}, async (t) => {
  const port = await freePort();
  const REDIRECT_URI = `http://localhost:${port}/authenticate`;
  const site = await openSite(t, { settings: { ...behindProxy, REDIRECT_URI } });
  const echo = await startEcho(t);
  let log = "";
  const edit = (text: string) => {
    log = /access_log (\S+) arcgis_app/.exec(text)?.[1] ?? log;
    return text;
  };
  const url = await startFront(t, "nginx", { port, signIn: site.url, behind: { app: echo.url }, edit });
  const { Browser } = await import("./support/browser.ts");
  const browser = new Browser(url);
  await signIn(browser, "zoe_editor");
  await browser.get("/streets/a%20b?secret=1", { ...typed, Referer: `${url}/x?secret=2` });
  await browser.get("/admin?secret=3", typed);
  const read = () => readFileSync(log, "utf8");
  await until(() => read().includes("/admin"), "nginx has written its log");
  assert.match(read(), /"GET \/authenticate HTTP\/1\.1" 303/);
  assert.match(read(), /"GET \/streets\/a%20b HTTP\/1\.1" 200 .* "zoe_editor"/);
  assert.match(read(), /"GET \/admin HTTP\/1\.1" 403/);
  assert.doesNotMatch(read(), /code=|state=|secret|\?/);
});

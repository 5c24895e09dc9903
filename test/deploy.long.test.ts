import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { configKeys } from "#src/app/config/config.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { type Browser, click } from "./support/browser.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { type Nginx, nginx, nginxIsMissing } from "./support/nginx.ts";
import { redisIsMissing, startRedis } from "./support/redis.ts";
import { sharedSettings, startServer } from "./support/server-process.ts";
import { callbackFor, folder, openSite, type Site, signIn } from "./support/site.ts";
import { startUpstream } from "./support/upstream.ts";
import { signOut, until } from "./support/user.ts";

/** The app behind the nginx of deploy/. */
async function openDeployed(
  t: TestContext,
  settings: Record<string, unknown> = {},
): Promise<{ site: Site; front: Nginx; browser: Browser }> {
  const front = await nginx(t);
  const REDIRECT_URI = `${front.url}/authenticate`;
  const site = await openSite(t, { settings: { REDIRECT_URI, TRUST_PROXY: 1, ...settings } });
  await front.start(site.url);
  return { site, front, browser: front.browser() };
}

describe("behind Debian's nginx with the site of deploy/", { skip: nginxIsMissing() }, () => {
  test("CK-1 CK-2 CK-3 HT-8 a sign-in has the registered redirect URI, a __Host- cookie that is Secure, and HSTS", async (t) => {
    const { front, browser } = await openDeployed(t);
    const begun = await browser.get("/sign-in?returnTo=/map", click);
    const authorize = new URL(String(begun.headers.location));
    assert.equal(authorize.searchParams.get("redirect_uri"), `${front.url}/authenticate`);
    const done = await signIn(browser, "pia_publisher");
    assert.deepEqual([done.status, done.headers.location], [303, "/"]);
    const session = done.setCookies.find((cookie) => cookie.includes("arcgis.sid="));
    assert.match(
      String(session),
      /^__Host-arcgis\.sid=s%3A[\w.%-]+; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/,
    );
    for (const response of [begun, done, await browser.get("/"), await browser.get("/nothing")]) {
      assert.equal(response.headers["strict-transport-security"], "max-age=31536000");
      assert.doesNotMatch(String(response.headers.server), /\d/, "no version");
    }
    assert.equal(await whoIs(browser), "pia_publisher");
    assert.equal((await signOut(browser)).status, 303);
    assert.equal(await whoIs(browser), undefined);
  });

  test("CK-3 CF-5 OA-8 what a visitor claims of address, scheme and host counts for nothing", async (t) => {
    const { site, front } = await openDeployed(t, { RATE_LIMIT: 5 });
    let letThrough = 0;
    for (let index = 0; index < 15; index++) {
      const lies = {
        ...click,
        "X-Forwarded-For": `203.0.113.${index}`,
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "80",
        "X-Real-IP": `203.0.113.${index}`,
        Forwarded: `for=203.0.113.${index};proto=http;host=evil.example`,
      };
      const { status, headers, body } = await front.browser().get("/sign-in", lies);
      assert.doesNotMatch(`${headers.location}${body}`, /evil\.example/);
      if (status === 302) letThrough++;
      else assert.equal(status, 429);
    }
    assert.equal(letThrough, 5);
    for (const { address } of site.log.lines.filter((line) => "address" in line))
      assert.equal(address, "127.0.0.1");
    assert.doesNotMatch(front.accessLog(), /203\.0\.113/);
  });

  test("LG-3 neither of nginx's logs has a query or a Referer, not even when the app is down", async (t) => {
    const front = await nginx(t);
    const site = await openSite(t, {
      settings: { REDIRECT_URI: `${front.url}/authenticate`, TRUST_PROXY: 1 },
    });
    // The second server of the list is one that hangs up: the error is logged, and the first one is asked.
    const broken = await startUpstream(t, (_seen, res) => res.destroy());
    await front.start(broken.origin);
    const browser = front.browser();
    const referer = { ...click, Referer: `${front.url}/?canary-referer` };
    assert.equal(
      (await browser.get("/authenticate?code=canary-code&state=canary-state", referer)).status,
      502,
    );
    broken.server.close();
    broken.server.closeAllConnections();
    assert.equal(
      (await browser.get("/authenticate?code=canary-code&state=canary-state", referer)).status,
      502,
    );
    assert.equal((await browser.get("/x%0d%0aforged%20line%1b[31m?canary", referer)).status, 502);
    await until(() => front.accessLog().includes("forged"), "three lines");
    const lines = front.accessLog().trimEnd().split("\n");
    assert.equal(lines.length, 3, front.accessLog());
    assert.match(String(lines[0]), /^127\.0\.0\.1 \[\S+\] "GET \/authenticate HTTP\/1\.1" 502 /);
    assert.doesNotMatch(front.accessLog() + front.errorLog() + site.log.text(), /canary/);
  });

  test("a GET without TLS is sent on to https, and what is posted without it is refused", async (t) => {
    const { site, front } = await openDeployed(t);
    const plain = site.browser();
    const moved = await plain.get(`${front.plainUrl}/map?a=b`);
    assert.deepEqual([moved.status, moved.headers.location], [301, `${front.url}/map?a=b`]);
    const posted = await plain.post(`${front.plainUrl}/sign-out`, { csrf_token: "x" });
    assert.equal(posted.status, 403);
    assert.doesNotMatch(site.log.text(), /sign-out/);
  });

  test("AV-12 /metrics does not come through in any spelling, not even with METRICS=public; /healthz and /readyz do", async (t) => {
    const { site, front, browser } = await openDeployed(t, { METRICS: "public" });
    for (const path of [
      "/metrics",
      "/METRICS",
      "/Metrics/",
      "/metrics//",
      "/mEtRiCs?x",
      "/metrics;x",
      "/METRICS.",
      "/metrics%20",
      "/metrics/x",
      "/METRICS%2f",
      "/metrics%3fx",
      "//metrics",
      "//METRICS//",
      "/./Metrics",
      "/%6detrics",
      "/%4dETRICS",
      "/x/../metrics",
      "/x/%2e%2e/Metrics",
      "http://localhost/METRICS",
    ]) {
      const response = await sendTls(
        front,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      assert.match(response, /^HTTP\/1\.1 404 /, path);
      assert.doesNotMatch(response, /arcgis_|X-Request-Id/i, path);
    }
    assert.doesNotMatch(site.log.text(), /metrics/i, "the app hears of none");
    assert.equal((await browser.get("/healthz")).status, 200);
    assert.equal((await browser.get("/readyz")).status, 200);
  });

  test("CK-3 without TRUST_PROXY the sign-in says insecure_connection, and does not go in circles", async (t) => {
    const { browser } = await openDeployed(t, { TRUST_PROXY: false });
    assertErrorPage(await browser.get("/sign-in", click), "insecure_connection");
    assert.deepEqual([...browser.cookies], []);
  });

  test("AV-4 smuggled, doubled and malformed headers do not come through, and nothing hidden reaches the app", async (t) => {
    const { site, front } = await openDeployed(t);
    const body = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const post = (...lines: string[]) =>
      ["POST /sign-out HTTP/1.1", ...lines, "Connection: close", "", body].join("\r\n");
    const host = "Host: localhost";
    for (const bytes of [
      post(host, `Content-Length: ${body.length}`, "Transfer-Encoding: chunked"),
      post(host, "Transfer-Encoding: chunked", `Content-Length: ${body.length}`),
      post(host, "Content-Length: 5", "Content-Length: 6"),
      post(host, "Content-Length: -1"),
      post(host, "Transfer-Encoding: chunked, identity"),
      post(host, "Transfer-Encoding: xchunked"),
      post(host, "Host: evil.example", "Content-Length: 0"),
      post("Content-Length: 0"),
    ]) {
      const response = await sendTls(front, bytes);
      assert.match(response, /^HTTP\/1\.1 (?:400|501) /, bytes);
    }
    for (const bytes of [
      post(host, "Transfer-Encoding : chunked"),
      post(host, "Transfer-Encoding\t: chunked"),
      `POST /sign-out HTTP/1.1\n${host}\nContent-Length: 0\nConnection: close\n\n`,
    ]) {
      await sendTls(front, bytes);
    }
    assert.doesNotMatch(site.log.text() + front.accessLog(), /smuggled/);
    assert.equal((await signIn(front.browser())).status, 303);
  });

  test("/proxy takes a large body as it comes, and hands the response on", async (t) => {
    const upstream = await startUpstream(t, ({ body }, res) => {
      res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ length: body.length }));
    });
    const { front, browser } = await openDeployed(t, { PROXY_ALLOW: upstream.origin });
    await signIn(browser);
    const headers = { ...click, "Content-Type": "application/octet-stream" };
    const url = `/proxy?${upstream.origin}/a/b/upload?x=1`;
    const { status, json } = await browser.send(url, {
      method: "POST",
      headers,
      body: "x".repeat(5_000_000),
    });
    assert.deepEqual([status, json()], [200, { length: 5_000_000 }]);
    assert.equal(upstream.seen[0]?.url, "/a/b/upload?x=1");
    const tooLarge = `POST ${url} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000000\r\nConnection: close\r\n\r\n`;
    // nginx waits for the rest for a while, so that the response is seen.
    assert.match(await sendTls(front, tooLarge, { onlyFirst: true }), /^HTTP\/1\.1 413 /);
  });

  for (const base of ["", "/portals/county"]) {
    test(`${base}/proxy passes a body on while it comes, and leaves nothing of it on nginx's disk`, async (t) => {
      const upstream = await startUpstream(t);
      const county = await startSandbox({ clients: [] });
      t.after(() => county.close());
      const entry = { id: "county", title: "County", url: county.url, clientId: "county-app" };
      const proxyAllow = [upstream.origin];
      const { front, browser } = await openDeployed(t, {
        PORTALS: [base ? { ...entry, proxyAllow } : entry],
        ...(!base && { PROXY_ALLOW: proxyAllow }),
      });
      county.clients.push({
        clientId: "county-app",
        redirectUris: [`${front.url}/portals/county/authenticate`],
      });
      const at = base ? `${base}/sign-in` : "/sign-in?portal=main";
      assert.equal((await browser.get(await callbackFor(browser, "sandy_admin", at))).status, 303);
      const cookies = [...browser.cookies].map((cookie) => cookie.join("=")).join("; ");
      const upload = request(`${front.url}${base}/proxy?${upstream.origin}/upload`, {
        method: "POST",
        ca: front.ca,
        headers: { ...click, Cookie: cookies, "Content-Length": 20_000_000 },
      }).on("error", () => {});

      upload.write("x".repeat(10_000));

      await until(() => upstream.connections() > 0, "the service hears of it before all of it is here");
      upload.destroy();
    });
  }

  test("two processes with one Redis: one is killed in the middle of a load by 200 users, and no user is signed out", {
    skip: redisIsMissing(),
  }, async (t) => {
    const front = await nginx(t);
    const REDIRECT_URI = `${front.url}/authenticate`;
    const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [REDIRECT_URI] }] });
    t.after(() => sandbox.close());
    const redis = await startRedis(t);
    const settings = {
      ...sharedSettings(t, sandbox.url),
      REDIRECT_URI,
      REDIS_URL: redis.url,
      TRUST_PROXY: "1",
    };
    const servers = await Promise.all([startServer(t, settings), startServer(t, settings)]);
    const [doomed, other] = servers;
    await front.start(...servers.map(({ url }) => url));

    const users = Array.from({ length: 200 }, (_, index) => ({
      browser: front.browser(),
      username: index % 2 === 0 ? "sandy_admin" : "pia_publisher",
    }));
    await sideBySide(users, async ({ browser, username }) => {
      assert.equal((await browser.get(await callbackFor(browser, username))).status, 303);
    });

    let responded = 0;
    const rounds = [...users, ...users, ...users];
    await sideBySide(rounds, async ({ browser, username }) => {
      assert.equal(await whoIs(browser), username);
      if (++responded === 250) doomed.child.kill("SIGKILL");
    });
    assert.equal(responded, 600);
    assert.equal(doomed.child.signalCode, "SIGKILL");
    assert.equal(other.child.exitCode, null);
    assert.equal(await redis.send("DBSIZE"), 200);
    const [first] = users;
    assert.equal((await signOut(first?.browser ?? assert.fail())).status, 303);
  });
});

/** Sends bytes over TLS, and gives what comes back until nginx hangs up, or only the first of it. */
function sendTls(front: Nginx, bytes: string, { onlyFirst = false } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const port = Number(new URL(front.url).port);
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: front.ca });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
      if (onlyFirst) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
    socket.setTimeout(60_000, () => {
      reject(new Error("nginx neither responded nor hung up within a minute"));
      socket.destroy();
    });
    socket.write(bytes);
  });
}

/** Does something for each, for 16 at a time. */
async function sideBySide<Item>(items: Item[], task: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await task(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

describe("deploy/arcgis-sign-in.service", { skip: systemdIsMissing() }, () => {
  test("systemd finds nothing wrong with it, and its exposure is 2.0 at most", (t) => {
    const file = join(folder(t), "arcgis-sign-in.service");
    const unit = readFileSync("deploy/arcgis-sign-in.service", "utf8");
    assert.match(unit, /^ExecStart=\/usr\/bin\/node dist\/server\.js$/m);
    // That program and that user need not be here.
    writeFileSync(
      file,
      unit.replace("=/usr/bin/node", `=${process.execPath}`).replace(/^(User|Group)=.*$/gm, "$1=daemon"),
    );
    const verified = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
    assert.deepEqual([verified.status, verified.stderr], [0, ""]);
    const threshold = "--threshold=20";
    const args = ["security", "--offline=yes", "--no-pager", threshold, file];
    const judged = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    assert.equal(judged.status, 0, judged.stdout);
  });
});

/** For the `skip` option of a test: false, or what to install. */
function systemdIsMissing(): string | false {
  if (spawnSync("systemd-analyze", ["--version"]).status === 0) return false;
  const reason = `there is no systemd-analyze: install Debian's package "systemd"`;
  if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
  return reason;
}

test("what the Dockerfile copies into its last stage is all that the server needs, and it needs to write nothing else", async (t) => {
  const dockerfile = readFileSync("deploy/Dockerfile", "utf8");
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf("FROM "));
  const copied = [...lastStage.matchAll(/^COPY (?:--from=build )?(\S+) (\S+)$/gm)];
  const names = copied.map(([, from = ""]) => from.replace("/app/", ""));
  assert.deepEqual(names, ["node_modules", "dist", "package.json", "views"]);
  assert.match(lastStage, /^USER node$/m);
  assert.match(lastStage, /^CMD \["node", "dist\/server\.js"\]$/m);

  const app = join(folder(t), "app");
  mkdirSync(app);
  for (const name of names) {
    if (name === "node_modules") symlinkSync(join(process.cwd(), name), join(app, name));
    else cpSync(name, join(app, name), { recursive: true });
  }
  const [, ready = ""] =
    /^ +CMD \["node", "-e", "(.*)"\]$/m.exec(lastStage) ?? assert.fail("no health check");
  const settings = sharedSettings(t, "http://127.0.0.1:9/portal");
  const { url } = await startServer(t, settings, `file://${join(app, "dist/server.js")}`);
  const check = (port: string) => spawnSync(process.execPath, ["-e", ready], { env: { PORT: port } }).status;
  assert.equal(check(new URL(url).port), 0);
  assert.equal(check("9"), 1);
});

test("no file of deploy/ or of docs/deploy.md names a setting that there is not", () => {
  const others = [
    "NODE_ENV",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NODE_USE_SYSTEM_CA",
    "NODE_USE_ENV_PROXY",
    "HTTPS_PROXY",
    "CONFIG_FILE",
    "REDIS_PASSWORD",
    "REDISCLI_AUTH",
    "SUDO_USER",
  ];
  const known = new Set([...configKeys.map(({ key }) => key), ...others]);
  for (const file of [
    "deploy/compose.yaml",
    "deploy/Dockerfile",
    "deploy/arcgis-sign-in.service",
    "docs/deploy.md",
  ]) {
    const names = readFileSync(file, "utf8").match(/\b[A-Z]{4,}(?:_[A-Z]+)+\b/g) ?? [];
    for (const name of names) assert.ok(known.has(name), `${file}: ${name}`);
  }
});

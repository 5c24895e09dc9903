import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { ConfigError, loadConfig, parseConfig } from "#src/app/config/config.ts";
import { checkRedirect } from "#src/cli/doctor/settings.ts";
import { arcgisAuth, atServer } from "#src/index.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { click } from "./support/browser.ts";
import { selfSigned } from "./support/certificate.ts";
import { callCli } from "./support/cli.ts";
import { sharedSettings } from "./support/server-process.ts";
import { folder, openSite, secret, signIn } from "./support/site.ts";
import { identityOf, signOut } from "./support/user.ts";
import { valid } from "./support/windows.ts";

describe("behind IIS ARR with its defaults", () => {
  const path = "/portal/sharing/rest/oauth2/authorize?client_id=test-app&state=secret-state";

  test("a redirect to the portal that comes back ends on a page and a log line that name the switch", async (t) => {
    const site = await openSite(t);
    const { status, body } = await site.browser().get(path);
    assert.equal(status, 500);
    assert.match(body, /data-code="redirect_rewritten"/);
    assert.match(body, /Reverse rewrite host in response headers/);
    const line = site.log.lines.find(({ code }) => code === "redirect_rewritten");
    assert.match(String(line?.reason), /Reverse rewrite host in response headers/);
    assert.doesNotMatch(site.log.text(), /secret-state/);
    const json = await site.browser().get(path, { Accept: "application/json" });
    assert.equal((json.json() as { error: { code: string } }).error.code, "redirect_rewritten");
  });

  test("so it is for one of several portals and for a mounted app, but not for other paths", async (t) => {
    const site = await openSite(t, { mount: "/gis" });
    assert.match((await site.browser().get(`/gis${path}`)).body, /data-code="redirect_rewritten"/);
    for (const other of ["/gis/oauth2", "/gis/oauth2/authorized", "/gis/xoauth2/authorize"])
      assert.match((await site.browser().get(other)).body, /data-code="not_found"/, other);
  });

  test("AV-12 /metrics is not for visitors, even where IIS keeps localhost as the host", async (t) => {
    const site = await openSite(t);
    const ask = (headers: Record<string, string>) => site.browser().get("/metrics", headers);
    assert.equal((await ask({})).status, 200);
    for (const name of ["X-ARR-LOG-ID", "X-ARR-SSL", "X-Original-URL"])
      assert.equal((await ask({ [name]: "x" })).status, 404, name);
  });
});

test("the doctor begins a sign-in by the public URL, and says what the reverse proxy makes of the redirect", async (t) => {
  const certificate = selfSigned();
  const portal = "https://gis.example.com/portal/sharing/rest";
  const authorize = "/portal/sharing/rest/oauth2/authorize?client_id=test-app";
  let location: string | undefined;
  const server = createTlsServer(certificate, (req, res) => {
    assert.equal(req.url, "/app/sign-in?portal=main");
    if (location) res.writeHead(302, { Location: location });
    res.end('<main data-code="insecure_connection">');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close().closeAllConnections());
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  const settings = { ...valid(), PORTAL_URL: portal, REDIRECT_URI: `${origin}/app/authenticate` };
  const check = () => checkRedirect(parseConfig(settings), { ca: certificate.cert });

  assert.match(String((await check())?.fix), /X-Forwarded-Proto.*TRUST_PROXY/);
  location = `https://gis.example.com${authorize}`;
  assert.deepEqual(await check(), { status: "ok", found: "leads to the portal" });
  location = origin + authorize;
  const rewritten = await check();
  assert.equal(rewritten?.status, "problem");
  assert.match(String(rewritten?.fix), /"Reverse rewrite host in response headers"/);
  const { host } = new URL(origin);
  const skipped = (found: string) => ({ status: "skipped", found });
  const body = "<p>Another server</p>";
  server.removeAllListeners("request").on("request", (_req, res) => res.writeHead(502).end(body));
  const other = `what responds at ${host} is not this server (HTTP 502), or it does not run`;
  assert.deepEqual(await check(), skipped(other));
  const untrusted = await checkRedirect(parseConfig(settings), {});
  assert.match(
    String(untrusted?.found),
    new RegExp(`^the certificate of ${host} is self-signed\\. .*NODE_EXTRA_CA_CERTS`),
  );
  server.close().closeAllConnections();
  assert.deepEqual(await check(), skipped(`nothing listens at ${host}`));
  settings.REDIRECT_URI = "https://nowhere.invalid/authenticate";
  assert.match(String((await check())?.found), /^the host name nowhere\.invalid (?:does not exist|cannot)/);
  settings.REDIRECT_URI = "http://localhost:3000/authenticate";
  assert.equal(await check(), undefined, "without a reverse proxy there is nothing to check");
});

describe("a portal with Integrated Windows Authentication at its web adaptor", () => {
  /** Browsers get through to the sandbox; servers get 401. */
  async function webAdaptor(t: TestContext, sandboxUrl: string): Promise<string> {
    const { origin, pathname } = new URL(sandboxUrl);
    const server = createServer((req, res) => {
      if (!/\/oauth2\/(?:authorize|signin)/.test(String(req.url))) {
        res.writeHead(401, { "WWW-Authenticate": ["Negotiate", "NTLM"], "Content-Type": "text/html" });
        return res.end("<!DOCTYPE html><h1>401 - Unauthorized</h1>");
      }
      const { method, headers, url = "" } = req;
      const forwarded = request(origin + url, { method, headers }, (response) => {
        res.writeHead(Number(response.statusCode), response.headers);
        response.pipe(res);
      });
      req.pipe(forwarded);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => void server.close().closeAllConnections());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`;
  }

  async function openBehindAdaptor(t: TestContext, settings: (sandboxUrl: string) => object) {
    const clients = [{ clientId: "test-app", redirectUris: ["http://localhost/authenticate"] }];
    const sandbox = await startSandbox({ clients });
    t.after(() => sandbox.close());
    const portal = await webAdaptor(t, sandbox.url);
    const site = await openSite(t, { sandbox, settings: { PORTAL_URL: portal, ...settings(sandbox.url) } });
    return { site, portal };
  }

  test("the sign-in ends on a page of its own that names PORTAL_SERVER_URL", async (t) => {
    const { site } = await openBehindAdaptor(t, () => ({}));
    const { status, body } = await signIn(site.browser());
    assert.equal(status, 502);
    assert.match(body, /data-code="web_tier_authentication"/);
    assert.match(body, /PORTAL_SERVER_URL/);
    const line = site.log.lines.find(({ code }) => code === "web_tier_authentication");
    assert.match(String(line?.reason), /401.*Negotiate/);
  });

  test("portalServerUrl counts for the portal in any spelling, and for no other", async (t) => {
    const { close } = arcgisAuth({
      portal: "https://gis.example.com/portal/sharing/rest",
      ...{ clientId: "x", redirectUri: "https://app.example.com/authenticate", sessionDir: folder(t) },
      ...{ sessionSecret: secret(), encryptionKey: secret() },
      portalServerUrl: "https://gis.example.com:7443/arcgis/sharing/rest/",
    });
    t.after(close);
    assert.equal(
      atServer("https://gis.example.com/Portal/sharing/rest/community/self"),
      "https://gis.example.com:7443/arcgis/sharing/rest/community/self",
    );
    const other = "https://gis.example.com/portal/sharing/rests";
    assert.equal(atServer(other), other);
  });

  test("with PORTAL_SERVER_URL a sign-in, a refresh, the proxy and the sign-out work, and tokens belong to PORTAL_URL", async (t) => {
    const { site, portal } = await openBehindAdaptor(t, (url) => ({ PORTAL_SERVER_URL: url }));
    const browser = site.browser();
    const { headers } = await browser.get("/sign-in", click);
    assert.ok(String(headers.location).startsWith(`${portal}/oauth2/authorize?`));
    assert.equal((await signIn(browser, "sandy_admin")).status, 303);
    const session = (await browser.get("/api/session")).json() as { portal: string; fullName: string };
    assert.deepEqual([session.portal, session.fullName], [portal, "Sandy Boxwell"]);
    assert.equal((await identityOf(site, browser)).portal, portal);
    const self = await browser.get(`/proxy?${portal}/community/self?f=json`, click);
    assert.deepEqual([self.status, (self.json() as { username: string }).username], [200, "sandy_admin"]);
    assert.equal((await signOut(browser)).status, 303);
    assert.equal(site.sandbox.revoked.length, 1);
  });

  test("the doctor names the ways out", async (t) => {
    const sandbox = await startSandbox({ clients: [] });
    t.after(() => sandbox.close());
    const portal = await webAdaptor(t, sandbox.url);
    const settings = { ...sharedSettings(t, portal), SESSION_DIR: join(folder(t), "sessions") };
    const doctor = (env: object) => callCli(["doctor"], { cwd: folder(t), env: { ...settings, ...env } });
    const { code, output } = await doctor({});
    assert.equal(code, 1);
    assert.match(
      output,
      /PROBLEM +portal +the web adaptor asks this server for a Windows sign-in.*PORTAL_SERVER_URL.*7443/,
    );
    assert.match((await doctor({ PORTAL_SERVER_URL: sandbox.url })).output, /ok +portal +\S+ responds/);
  });
});

/** The configuration of a folder with this config.json, or what is wrong with it. */
function configured(t: TestContext, json: string | Buffer, env: Record<string, string> = {}) {
  const cwd = folder(t);
  writeFileSync(join(cwd, "config.json"), json, { mode: 0o600 });
  try {
    return loadConfig({ cwd, env });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

describe("mistakes in the configuration that are usual on Windows", () => {
  const withDir = (literal: string) =>
    `${JSON.stringify(valid(), null, 2).slice(0, -2)},\n  "SESSION_DIR": ${literal}\n}\n`;

  for (const literal of [
    String.raw`"C:\sessions"`,
    String.raw`"C:\temp"`,
    String.raw`"C:\new\files"`,
    String.raw`"C:\Program Files\\sessions"`,
    String.raw`"sessions\folder"`,
    String.raw`"\\files\new"`,
    String.raw`"C:\sessions\"`,
  ]) {
    test(`a backslash in ${literal}`, (t) => {
      const [problem = "", ...more] = Object.values(configured(t, withDir(literal)));
      assert.equal(more.length, 0);
      assert.match(problem, /^config\.json: (?:is not valid JSON|SESSION_DIR contains a control character)/);
      assert.match(problem, /\bwrite \/ /i);
    });
  }

  test("what is right is not refused: / and two backslashes, quotes, and letters by their number", (t) => {
    for (const literal of [
      '"C:/sessions"',
      String.raw`"C:\\new"`,
      String.raw`"\\\\files\\new"`,
      '"sessions"',
    ])
      assert.ok("sessionDir" in configured(t, withDir(literal)), literal);
    const tiles = String.raw`{"MAP_TILES": "https://tiles.example.com/{z}/{x}/{y}.png \u00a9 \"Makers\""`;
    const config = configured(t, `${tiles}, ${JSON.stringify(valid()).slice(1)}`);
    assert.ok("mapTiles" in config);
    assert.equal(config.mapTiles?.attribution, '© "Makers"');
  });

  test("a file that PowerShell wrote as UTF-16 is named as such, with the command that converts it", (t) => {
    const json = JSON.stringify(valid());
    const fix =
      "config.json: is not UTF-8, but probably UTF-16. Run in PowerShell: (Get-Content config.json) | Set-Content -Encoding UTF8 config.json";
    const utf16 = Buffer.from(`\ufeff${json}`, "utf16le");
    for (const bytes of [utf16, Buffer.from(json, "utf16le"), Buffer.from(utf16).swap16()])
      assert.deepEqual(configured(t, bytes), [fix]);
  });

  test("a byte order mark and line ends of Windows do no harm, neither in config.json nor in .env", (t) => {
    const json = `\ufeff${JSON.stringify(valid(), null, 2).replaceAll("\n", "\r\n")}\r\n`;
    assert.ok("clientId" in configured(t, json));
    const cwd = folder(t);
    const lines = Object.entries(valid()).map(([key, value]) => `${key}=${value}\r\n`);
    writeFileSync(join(cwd, ".env"), `\ufeff${lines.join("")}`, { mode: 0o600 });
    assert.equal(loadConfig({ cwd, env: {} }).clientId, "test-app");
  });

  test("a backslash in .env is a line break where dotenv makes one of it, and none elsewhere", (t) => {
    const withDir = (literal: string) => {
      const cwd = folder(t);
      const lines = Object.entries(valid()).map(([key, value]) => `${key}=${value}\n`);
      writeFileSync(join(cwd, ".env"), `${lines.join("")}SESSION_DIR=${literal}\n`, { mode: 0o600 });
      return () => loadConfig({ cwd, env: {} });
    };
    for (const literal of [String.raw`"C:\new"`, String.raw`"D:\files\reports"`])
      assert.throws(withDir(literal), {
        problems: [
          String.raw`.env: SESSION_DIR contains a control character, such as the line break that \n is. Write / for a backslash, as in C:/new.`,
        ],
      });
    for (const literal of [String.raw`C:\new`, String.raw`'C:\new'`, '"C:/new"', String.raw`"C:\sessions"`])
      assert.ok(withDir(literal)().sessionDir.length > 0, literal);
  });

  test("a named pipe as PORT says that iisnode is not supported, and what is", (t) => {
    const problems = configured(t, JSON.stringify(valid()), { PORT: String.raw`\\.\pipe\3c4f2a2e-5c1c` });
    assert.deepEqual(problems, [
      "PORT: is a named pipe: iisnode is not supported. Use HttpPlatformHandler, or a Windows service behind ARR (docs/windows.md). (set in the environment)",
    ]);
  });
});

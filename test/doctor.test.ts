import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import { selfSigned } from "./support/certificate.ts";
import { callCli } from "./support/cli.ts";
import { assertTrouble, examine, patient, redirectUri, run } from "./support/doctor.ts";
import { asPlainUser } from "./support/plain-user.ts";
import { needsPosix } from "./support/posix.ts";
import { freePort } from "./support/program.ts";
import { folder } from "./support/temporary.ts";
import { tlsProxy } from "./support/tls-proxy.ts";
import { startUpstream } from "./support/upstream.ts";

describe("a server that can work", () => {
  test("gets one line for each check, exit code 0, and nothing is changed", async (t) => {
    const it = await patient(t);
    const { code, output, error } = await run(it);
    assert.deepEqual([code, error], [0, ""]);
    const expected = [
      /^ok +Node\.js +\d+\.\d+\.\d+$/,
      /^- +private certificate authority +NODE_EXTRA_CA_CERTS is not set: only well-known authorities are trusted$/,
      /^ok +configuration +is valid, with strong secrets; the session cookie is arcgis\.sid$/,
      /^ok +reverse proxy +none, because REDIRECT_URI is on this machine$/,
      /^ok +address to listen on +127\.0\.0\.1:3000; users must open localhost, because 127\.0\.0\.1 is another host to browsers$/,
      /^ok +session store +files in .*sessions, which the server will create$/,
      /^ok +portal +http:\/\/127\.0\.0\.1:\d+\/portal\/sharing\/rest responds in \d+ ms; its version is 2024\.2$/,
      /^ok +clock +agrees with the portal's$/,
      /^- +OAuth metadata +the portal has none \(RFC 8414\), which is usual for Enterprise$/,
      /^ok +PKCE +is on, and the portal supports it$/,
      /^ok +client ID +is known to the portal$/,
      /^ok +redirect URI +http:\/\/localhost:3000\/authenticate is registered$/,
    ];
    const lines = output.trimEnd().split("\n");
    assert.equal(lines.length, expected.length, output);
    for (const [index, line] of expected.entries()) assert.match(String(lines[index]), line);
    assert.deepEqual(readdirSync(it.cwd), ["config.json"]);
    assert.ok(
      it.sandbox.log.every(({ endpoint }) => endpoint !== "token"),
      "no code is spent",
    );
  });

  test("every portal of PORTALS is asked, too, and its lines bear its id", async (t) => {
    const it = await patient(t);
    const county = await startSandbox({ clients: [] });
    t.after(() => county.close());
    const portal = { id: "county", title: "County GIS", url: county.url, clientId: "county-app" };
    it.settings.PORTALS = [portal];
    await assertTrouble(it, /^problem client ID \(county\): is unknown to the portal\. Copy the client ID/);

    county.clients.push({
      clientId: "county-app",
      redirectUris: ["http://localhost:3000/portals/county/authenticate"],
    });
    const checks = (await examine(it)).map(({ check }) => check);
    assert.deepEqual(
      checks.filter((check) => check.endsWith(" (county)")),
      ["portal", "clock", "OAuth metadata", "PKCE", "client ID", "redirect URI"].map(
        (it) => `${it} (county)`,
      ),
    );
    await county.close();
    await assertTrouble(
      it,
      /^problem portal \(county\): nothing listens at 127\.0\.0\.1:\d+\. Start the portal/,
    );
  });

  test("--help says what it does, and an unknown option is refused", async (t) => {
    const cwd = folder(t);
    const { code, output } = await callCli(["doctor", "--help"], { cwd });
    assert.equal(code, 0);
    assert.match(output, /^Usage: arcgis-sign-in doctor \[options\]$/m);
    const mistyped = await callCli(["doctor", "--jsno"], { cwd });
    assert.deepEqual([mistyped.code, mistyped.output], [64, ""]);
    assert.match(mistyped.error, /^error: unknown option '--jsno'\n\(Did you mean --json\?\)\n/);
  });
});

describe("a fault of the machine or the configuration", () => {
  test("Node is too old", async (t) => {
    const it = await patient(t);
    for (const [nodeVersion, isOld] of [
      ["18.20.4", true],
      ["20.19.1", true],
      ["20.19.2"],
      ["21.7.3", true],
      ["22.11.0", true],
      ["22.12.0"],
      ["24.0.0"],
      ["100.0.0"],
    ] as const) {
      it.options = { nodeVersion, now: () => Date.parse("2026-04-20") };
      const { status, found, fix } = (await examine(it)).find(({ check }) => check === "Node.js") ?? {};
      const trouble = ["problem", `${nodeVersion} is too old`, "Install 20.19.2, 22.12.0 or later."];
      assert.deepEqual([status, found, fix], isOld ? trouble : ["ok", nodeVersion, undefined]);
    }
  });

  test("Node gets no security fixes from the month after its last one", async (t) => {
    const it = await patient(t);
    for (const [nodeVersion, month, status] of [
      ["20.19.2", "2026-04", "ok"],
      ["20.19.2", "2026-05", "warning"],
      ["22.20.1", "2027-05", "warning"],
      ["24.0.0", "2028-04", "ok"],
      ["24.0.0", "2028-05", "warning"],
      ["25.9.0", "2026-07", "warning"],
      ["26.1.0", "2029-05", "warning"],
      ["28.0.0", "2029-05", "ok"],
    ] as const) {
      it.options = { nodeVersion, now: () => Date.parse(`${month}-20`) };
      const found = (await examine(it)).find(({ check }) => check === "Node.js");
      assert.equal(found?.status, status, `${nodeVersion} in ${month}`);
    }
  });

  test("NODE_USE_SYSTEM_CA makes Node trust the authorities of the machine", async (t) => {
    const it = await patient(t);
    it.env = { NODE_USE_SYSTEM_CA: "1" };
    const found = (await examine(it)).find(({ check }) => check === "private certificate authority");
    assert.deepEqual(
      [found?.status, found?.found],
      ["ok", "NODE_USE_SYSTEM_CA: those of this machine are trusted"],
    );
  });

  test("NODE_EXTRA_CA_CERTS names a file that is missing, or holds no certificate", async (t) => {
    const it = await patient(t);
    const file = join(it.cwd, "ca.pem");
    it.env = { NODE_EXTRA_CA_CERTS: file };
    const fix = "Set it to a PEM file with your authority's certificate that the server's user can read.";
    const found = "problem private certificate authority: the file in NODE_EXTRA_CA_CERTS cannot be used";
    await assertTrouble(it, `${found} (ENOENT). ${fix}`);
    writeFileSync(file, "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n");
    await assertTrouble(it, `${found} (no certificate in it). ${fix}`);
    writeFileSync(file, selfSigned().key);
    await assertTrouble(it, `${found} (no certificate in it). ${fix}`);
    writeFileSync(file, `# ours\n${selfSigned().cert}`);
    await assertTrouble(it);
    // As Windows exports a certificate.
    writeFileSync(file, Buffer.from(selfSigned().cert.replace(/-----[\w ]+-----/g, ""), "base64"));
    const run = `openssl x509 -inform der -in ${file} -out ${file}.pem, or on Windows: certutil -encode ${file} ${file}.pem`;
    await assertTrouble(
      it,
      `${found} (it is DER, not PEM). Convert it, and name the new file instead. Run: ${run}`,
    );
  });

  test("the authorities of the machine are trusted where Node knows NODE_USE_SYSTEM_CA, and where it does not, that is said", async (t) => {
    const it = await patient(t);
    const upgrade = (version: string) =>
      `Install Node.js 22.19, 24.6 or later: ${version} cannot do this. Set NODE_USE_SYSTEM_CA=1 in the environment of the server.`;
    for (const [nodeVersion, isKnown] of [
      ["20.20.0", false],
      ["22.18.0", false],
      ["22.19.0", true],
      ["23.11.0", false],
      ["24.5.0", false],
      ["26.0.0", true],
    ] as const) {
      it.env = { NODE_USE_SYSTEM_CA: "1" };
      it.options = { nodeVersion };
      const authorities = async () => (await examine(it)).find(({ check }) => /authority/.test(check));
      const trusted = "NODE_USE_SYSTEM_CA: those of this machine are trusted";
      const { status, found, fix } = (await authorities()) ?? {};
      const trouble = ["warning", "NODE_USE_SYSTEM_CA is set, but not used", upgrade(nodeVersion)];
      assert.deepEqual([status, found, fix], isKnown ? ["ok", trusted, undefined] : trouble);
      it.env = { NODE_OPTIONS: "--use-system-ca" };
      assert.equal((await authorities())?.found, trusted);
    }
  });

  test("nothing is configured, or the secrets are weak: every problem is a line, and no value is shown", async (t) => {
    const empty = { cwd: folder(t), settings: {}, env: {}, options: {} };
    const { code, output } = await run(empty);
    assert.equal(code, 1);
    assert.equal(output.match(/^PROBLEM {2}configuration .* is missing\. /gm)?.length, 4, output);
    assert.match(output, /^- .*npm run init/m);
    assert.match(output, /^- +everything else +needs a valid configuration$/m);

    const it = await patient(t);
    it.settings.SESSION_SECRET = "changeme-changeme-changeme-changeme";
    it.settings.ENCRYPTION_KEY = "short-but-mine";
    it.settings.NO_SUCH_KEY = "x";
    const weak = await run(it);
    assert.equal(weak.code, 1);
    assert.equal(
      weak.output.match(/^PROBLEM {2}configuration {4,}(?:SESSION_SECRET|ENCRYPTION_KEY|NO_SUCH_KEY): /gm)
        ?.length,
      3,
      weak.output,
    );
    assert.doesNotMatch(weak.output, /changeme|short-but-mine/);
    assert.match(weak.output, /^ok +redirect URI +http:\/\/localhost:3000\/authenticate is registered$/m);
  });

  test("checks that need a setting that is not valid are skipped, each with its name, and the others run", async (t) => {
    const it = await patient(t);
    const upstream = await startUpstream(t);
    const worse = async (settings: Record<string, unknown>) => {
      const findings = await examine({ ...it, settings: { ...it.settings, ...settings } });
      const of = (status: string) =>
        findings.filter((each) => each.status === status).map(({ check, found }) => `${check}: ${found}`);
      assert.ok(of("ok").length > 0);
      const authorities = "private certificate authority: NODE_EXTRA_CA_CERTS is not set";
      const skipped = of("skipped").filter((line) => !/^OAuth metadata: the portal/.test(line));
      assert.match(String(skipped.shift()), new RegExp(`^${authorities}`));
      return { problems: of("problem").map((line) => line.replace(/:? [^:]*$/, "")), skipped };
    };
    const portal = [
      "portal",
      "portal's certificate",
      "clock",
      "OAuth metadata",
      "PKCE",
      "client ID",
      "redirect URI",
    ];
    assert.deepEqual(await worse({ PORTAL_URL: "ftp://x" }), {
      problems: ["configuration: PORTAL_URL"],
      skipped: ["redirect to the portal", ...portal].map((check) => `${check}: needs a valid PORTAL_URL`),
    });
    assert.deepEqual(await worse({ CLIENT_ID: undefined, REDIRECT_URI: "nonsense" }), {
      problems: ["configuration: CLIENT_ID", "configuration: REDIRECT_URI"],
      skipped: [
        "reverse proxy: needs a valid REDIRECT_URI",
        "address to listen on: needs a valid REDIRECT_URI",
        "redirect to the portal: needs a valid REDIRECT_URI",
        "client ID: needs a valid CLIENT_ID",
        "redirect URI: needs a valid CLIENT_ID and REDIRECT_URI",
      ],
    });
    assert.deepEqual(await worse({ SESSION_DIR: 1, PKCE: "maybe" }), {
      problems: ["configuration: SESSION_DIR", "configuration: PKCE"],
      skipped: ["session store: needs a valid SESSION_DIR", "PKCE: needs a valid PKCE"],
    });
    assert.deepEqual(await worse({ REDIS_URL_FILE: "no-such-file" }), {
      problems: ["configuration: REDIS_URL_FILE"],
      skipped: ["session store: needs a valid REDIS_URL"],
    });
    // What depends on what is left out: a layer on a server that is not allowed, an idle time above the longest.
    for (const [settings, key] of [
      [{ PROXY_ALLOW: ["ftp://x"], MAP_LAYERS: `${upstream.origin}/FeatureServer/0` }, "PROXY_ALLOW"],
      [{ SESSION_MAX_SECONDS: 3600 }, "SESSION_IDLE_SECONDS"],
      [{ SESSION_IDLE_SECONDS: 7200, SESSION_MAX_SECONDS: 3600 }, "SESSION_IDLE_SECONDS"],
      [{ NO_SUCH_KEY: 1 }, "NO_SUCH_KEY"],
      [{ ENCRYPTION_KEY: it.settings.SESSION_SECRET }, "ENCRYPTION_KEY"],
    ] as const) {
      const { problems, skipped } = await worse(settings);
      assert.deepEqual([problems, skipped], [[`configuration: ${key}`], []]);
    }
  });

  test("a file that cannot be read leaves the checks of the machine", async (t) => {
    const it = await patient(t);
    writeFileSync(join(it.cwd, ".env"), "X=1\0");
    const findings = await examine(it);
    assert.deepEqual(
      findings.map(({ check, status }) => `${status} ${check}`),
      [
        "ok Node.js",
        "skipped private certificate authority",
        "problem configuration",
        "skipped everything else",
      ],
    );
  });

  test("a configuration that other users may open, and TLS checks that are switched off", {
    skip: needsPosix("modes of files"),
  }, async (t) => {
    const it = await patient(t);
    await run(it);
    chmodSync(join(it.cwd, "config.json"), 0o644);
    it.env = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const { output } = await run(it);
    assert.match(
      output,
      /^PROBLEM .*config\.json: contains secrets that other users can read\. Run: chmod 600/m,
    );
    assert.match(output, /^PROBLEM .*NODE_TLS_REJECT_UNAUTHORIZED: turns off certificate checks\. Unset it/m);
  });

  test("CK-3 the public address is https, and TRUST_PROXY is false", async (t) => {
    const it = await patient(t);
    it.settings.REDIRECT_URI = "https://gis.example.com/authenticate";
    it.sandbox.clients[0]?.redirectUris.push("https://gis.example.com/authenticate");
    await assertTrouble(it, /^problem reverse proxy: .*TRUST_PROXY is false.*\. Set TRUST_PROXY to 1 /);
    it.settings.TRUST_PROXY = 1;
    await assertTrouble(it);
    const { found } = (await examine(it)).find(({ check }) => check === "configuration") ?? {};
    assert.match(String(found), /the session cookie is __Host-arcgis\.sid$/);
  });

  test("CF-5 TRUST_PROXY where there is none, and a port that visitors reach past the proxy", async (t) => {
    const it = await patient(t);
    it.settings.TRUST_PROXY = 1;
    it.settings.HOST = "0.0.0.0";
    await assertTrouble(
      it,
      /^warning reverse proxy: .*clients could forge their address\. Remove TRUST_PROXY/,
      /^warning address to listen on: 0\.0\.0\.0:3000, so .*\. Listen on 127\.0\.0\.1, /,
    );
  });

  test("the redirect URI leads to another port than the server's", async (t) => {
    const it = await patient(t);
    it.settings.PORT = 8080;
    await assertTrouble(
      it,
      "problem address to listen on: REDIRECT_URI leads to port 3000, but the server listens on 8080. Set PORT to 3000, or correct REDIRECT_URI here and at the portal.",
    );
  });
});

test("pages of one's own: all compile, or the file that does not is named", async (t) => {
  const it = await patient(t);
  const views = folder(t);
  it.settings.VIEWS_DIR = views;
  writeFileSync(join(views, "home.ejs"), "<h1><%= appName %></h1>");
  const { found } = (await examine(it)).find(({ check }) => check === "own pages") ?? {};
  assert.equal(found, "the pages compile, in en, de, es, fr, ja");
  writeFileSync(join(views, "home.ejs"), "<% if ( %>");
  await assertTrouble(it, /^problem own pages: VIEWS_DIR: home\.ejs: .*\. Correct the file: until then /);
});

describe("a fault of the place where sessions are kept", () => {
  test("the folder cannot be made, is a link, belongs to another user, is open to others, or cannot be written", {
    skip: needsPosix("modes and owners of files"),
  }, async (t) => {
    const it = await patient(t);
    const place = (name: string) => join(it.cwd, name);
    it.settings.SESSION_DIR = place("config.json/sessions");
    await assertTrouble(
      it,
      /^problem session store: .* does not exist, and cannot be created in .*config\.json\. Create /,
    );

    mkdirSync(place("real"), { mode: 0o700 });
    symlinkSync(place("real"), place("link"));
    it.settings.SESSION_DIR = place("link");
    await assertTrouble(
      it,
      `problem session store: SESSION_DIR: ${place("link")} is not a folder (a symbolic link is not accepted). Set SESSION_DIR to the path of a folder of this user, not of a link.`,
    );

    it.settings.SESSION_DIR = place("real");
    await assertTrouble(it);
    assert.deepEqual(readdirSync(place("real")), []);
    chmodSync(place("real"), 0o750);
    await assertTrouble(it, /^warning session store: other users can open .*run: chmod 700 /);
    chmodSync(place("real"), 0o500);
    await asPlainUser([it.cwd, join(it.cwd, "config.json")], async () => {
      await assertTrouble(
        it,
        new RegExp(
          `^problem session store: SESSION_DIR cannot be used: EACCES.*'${place("real")}/.*\\. Run this .* make that user the owner`,
        ),
      );
    });
    const others = "/usr/lib";
    if (process.getuid?.() !== 0) {
      it.settings.SESSION_DIR = others;
      await assertTrouble(
        it,
        `problem session store: SESSION_DIR: ${others} belongs to another user. Set SESSION_DIR to the path of a folder of this user, not of a link.`,
      );
      return;
    }
    chownSync(place("real"), 65534, 65534);
    for (const dir of ["real", "real/below/it"]) {
      it.settings.SESSION_DIR = place(dir);
      await assertTrouble(
        it,
        `warning session store: ${place("real")} belongs to another user; you are root. Run this as that user.`,
      );
    }
  });
});

describe("a fault of the portal", () => {
  test("it does not listen, hangs up, or never responds", async (t) => {
    const it = await patient(t);
    const port = await freePort();
    it.settings.PORTAL_URL = `http://127.0.0.1:${port}/portal`;
    await assertTrouble(
      it,
      `problem portal: nothing listens at 127.0.0.1:${port}. Start the portal, or correct PORTAL_URL.`,
    );
    it.settings.PORTAL_URL = it.sandbox.url;
    const { host } = new URL(it.sandbox.url);
    it.sandbox.faults.set("portalSelf", { kind: "reset" });
    await assertTrouble(
      it,
      new RegExp(`^problem portal: ${host} closes the connection\\. Check for a firewall`),
    );
    it.options = { ...it.options, timeoutMs: 300 };
    for (const kind of ["hang", "drip"] as const) {
      it.sandbox.faults.set("portalSelf", { kind });
      await assertTrouble(it, new RegExp(`^problem portal: ${host} does not respond within 10 s\\. `));
    }
    const skipped = (await examine(it)).filter(({ found }) => found === "needs a portal that responds");
    assert.deepEqual(
      skipped.map(({ check, status }) => [status, check]),
      ["OAuth metadata", "PKCE", "client ID", "redirect URI"].map((check) => ["skipped", check]),
    );
  });

  test("what responds is no portal: a redirect, a web page, an error, a closed door, a fault, no OAuth", async (t) => {
    const it = await patient(t);
    const portal = await startUpstream(t);
    it.settings.PORTAL_URL = portal.origin;
    const cases: [number, Record<string, string>, string, RegExp][] = [
      [301, { Location: "https://new.example/x" }, "", /the URL redirects to new\.example\. Set PORTAL_URL/],
      [302, { Location: "/elsewhere" }, "", /the URL redirects\. Set PORTAL_URL/],
      [302, { Location: "http://[" }, "", /the URL redirects\. Set PORTAL_URL/],
      [
        200,
        {},
        "<!doctype html>",
        /the response is not from a portal \(HTTP 200, no JSON\)\. Set PORTAL_URL/,
      ],
      [404, {}, "", /the response is not from a portal \(HTTP 404, no JSON\)\. Set PORTAL_URL/],
      [
        200,
        {},
        `{"error":{"code":400}}`,
        /the response is not from a portal \(HTTP 200, an error\)\. Set PORTAL_URL/,
      ],
      [200, {}, "null", /the response is not from a portal/],
      [200, {}, "[]", /the response is not from a portal/],
      [401, {}, "", /rejects this server's requests \(HTTP 401\)\. Web-tier authentication/],
      [503, {}, "", /the portal responds with an error \(HTTP 503\)\. Try again/],
    ];
    for (const [status, headers, body, trouble] of cases) {
      portal.behave = (_seen, res) => void res.writeHead(status, headers).end(body);
      await assertTrouble(it, trouble);
    }
    portal.behave = ({ url }, res) => {
      const self = { currentVersion: "10\u001b[31m.1", supportsOAuth: false };
      res.writeHead(url.includes("portals/self") ? 200 : 404).end(JSON.stringify(self));
    };
    await assertTrouble(
      it,
      /^problem portal: .* does not support OAuth\. Ask an administrator/,
      /^warning redirect URI: the portal's sign-in page could not be read\. Open http:\/\/localhost:3000\/sign-in /,
    );
    assert.ok(!(await run(it)).output.includes("\u001b"), "no colors of the portal's");
  });

  test("CF-4 its certificate: of an unknown authority, for another name, at its end, or over", async (t) => {
    const it = await patient(t);
    const soon = new Date(Date.now() + 5 * 24 * 60 * 60_000);
    const open = async (certificate: { key: string; cert: string }) => {
      const front = await tlsProxy(t, certificate);
      front.target = it.sandbox.origin;
      it.settings.PORTAL_URL = `${front.url}/portal`;
      it.options = { nodeVersion: "100.0.0", ca: certificate.cert };
    };
    await open(selfSigned());
    await assertTrouble(it);
    it.options = { nodeVersion: "100.0.0" };
    await assertTrouble(
      it,
      /^problem portal: the certificate of localhost:\d+ is self-signed\. .*NODE_EXTRA_CA_CERTS/,
    );
    it.options = { nodeVersion: "100.0.0", ca: selfSigned().cert };
    await assertTrouble(it, /^problem portal: .*certificate.*NODE_EXTRA_CA_CERTS/);

    await open(selfSigned({ host: "gis.example.com" }));
    await assertTrouble(
      it,
      /^problem portal: the certificate of localhost:\d+ is for another name\. Set PORTAL_URL/,
    );
    await open(selfSigned({ ends: soon }));
    const day = soon.toISOString().slice(0, 10);
    await assertTrouble(
      it,
      new RegExp(`^warning portal's certificate: is trusted, but expires on ${day}\\. Replace it`),
    );
    await open(selfSigned({ ends: new Date("2021-01-01") }));
    await assertTrouble(it, /^problem portal: the certificate of localhost:\d+ has expired\. Replace it/);
    it.settings.PORTAL_URL = it.sandbox.url.replace("http:", "https:");
    await assertTrouble(
      it,
      /^problem portal: TLS with 127\.0\.0\.1:\d+ fails\. Check whether that port uses https/,
    );
  });

  test("its clock is not ours", async (t) => {
    const it = await patient(t);
    const fix = "Let both machines set their clocks by NTP.";
    for (const [seconds, expected] of [
      [10, undefined],
      [-10, undefined],
      [120, /^warning clock: this machine's is 1[12]\d s ahead of the portal's\. /],
      [-3600, /^problem clock: this machine's is 3(?:59|60)\d s behind the portal's\. /],
    ] as const) {
      it.options = { nodeVersion: "100.0.0", now: () => Date.now() + seconds * 1000 };
      await assertTrouble(it, ...(expected ? [new RegExp(expected.source + fix)] : []));
    }
  });

  test("its metadata is about another portal, or says that PKCE is unknown", async (t) => {
    const it = await patient(t);
    const portal = await startUpstream(t);
    it.settings.PORTAL_URL = portal.origin;
    const { origin } = portal;
    let metadata: object = {};
    portal.behave = ({ url }, res) => {
      const response = url.startsWith("/.well-known/oauth-authorization-server")
        ? metadata
        : { currentVersion: "2024.2" };
      res.writeHead(200).end(JSON.stringify(response));
    };
    const endpoints = { issuer: origin, authorization_endpoint: `${origin}/sharing/rest/oauth2/authorize` };
    metadata = { ...endpoints, code_challenge_methods_supported: ["S256"] };
    await assertTrouble(it);
    const offered = (await examine(it)).find(({ check }) => check === "OAuth metadata");
    assert.deepEqual(offered?.status, "ok");
    metadata = { ...endpoints, issuer: "https://other.example" };
    await assertTrouble(it, /^warning OAuth metadata: .*describes another host\. Set PORTAL_URL/);
    metadata = { ...endpoints, code_challenge_methods_supported: ["plain"] };
    await assertTrouble(it, /^problem PKCE: is on, but the portal does not support it\. If /);
  });

  test("PKCE is off though the portal knows it, or on though it may be too old", async (t) => {
    const it = await patient(t);
    it.settings.PKCE = false;
    await assertTrouble(
      it,
      "problem PKCE: is off, but the portal supports it. Remove PKCE from the configuration.",
    );
    const old = JSON.stringify({ currentVersion: "7.3", supportsOAuth: true });
    it.sandbox.faults.set("portalSelf", { kind: "body", body: old });
    await assertTrouble(it, /^warning PKCE: is off\. Remove PKCE .* once the portal is 10\.8\.1 or later\.$/);
    it.settings.PKCE = true;
    await assertTrouble(
      it,
      /^warning PKCE: is on, but this version of the portal may not support it\. If it is older/,
    );
  });

  test("it does not know the client id", async (t) => {
    const it = await patient(t);
    it.settings.CLIENT_ID = "another-app";
    await assertTrouble(it, /^problem client ID: is unknown to the portal\. Copy the client ID from /);
  });

  test("it does not know the redirect URI: the line has the exact text to paste, and names a spelling that it knows", async (t) => {
    const it = await patient(t);
    const paste = (uri: string) => `exactly this redirect URI to the OAuth credentials item: ${uri}`;
    const instead = "Set REDIRECT_URI to the registered one, or add";
    for (const [ours, known] of [
      ["http://127.0.0.1:3000/authenticate", redirectUri],
      ["http://localhost:3000/authenticate/", redirectUri],
      ["http://127.0.0.1:3000/authenticate/", redirectUri],
      ["http://localhost:3000/callback", undefined],
      ["http://localhost:3000/Authenticate", undefined],
    ] as const) {
      it.settings.REDIRECT_URI = ours;
      const found = known ? ` (${known} is registered). ${instead}` : ". Add";
      await assertTrouble(it, `problem redirect URI: is not registered${found} ${paste(ours)}`);
    }
    it.sandbox.clients[0]?.redirectUris.splice(0, 1, "http://127.0.0.1:3000/authenticate");
    it.settings.REDIRECT_URI = redirectUri;
    const other = " (http://127.0.0.1:3000/authenticate is registered)";
    await assertTrouble(
      it,
      `problem redirect URI: is not registered${other}. ${instead} ${paste(redirectUri)}`,
    );
  });

  test("it says no in another way: by sending back an error, by a fault; a way on to another sign-in page is none", async (t) => {
    const it = await patient(t);
    it.sandbox.faults.set("authorize", { kind: "deny" });
    await assertTrouble(it, /^warning redirect URI: the portal returns an error to this app\. Open /);
    it.sandbox.faults.set("authorize", { kind: "status", status: 500 });
    await assertTrouble(it, /^warning redirect URI: the portal's sign-in page could not be read\. Open /);
    it.sandbox.faults.set("authorize", { kind: "redirect", location: "https://idp.example/", status: 302 });
    await assertTrouble(it);
  });
});

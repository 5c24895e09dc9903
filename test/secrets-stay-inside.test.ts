import assert from "node:assert/strict";
import { test } from "node:test";
import { click, typed } from "./support/browser.ts";
import { openSite, signIn } from "./support/site.ts";

test("LG-1 the request line of the callback has no query", async (t) => {
  const site = await openSite(t);
  await signIn(site.browser());
  const line = site.log.lines.find(({ path }) => String(path).startsWith("/authenticate"));
  assert.equal(line?.path, "/authenticate");
  assert.equal(line?.status, 303);
  assert.equal(line?.user, "sandy_admin");
});

test("LG-3 whatever is put into a request or a portal's error, the log stays one JSON object a line", async (t) => {
  const site = await openSite(t, { settings: { TRUST_PROXY: 1 } });
  const injected = '\r\n{"level":30,"msg":"forged"}\u2028\u2029\u0085\u001b[31m\u009b31m\u202e\0"\\';
  const browser = site.browser();
  const path = `/${encodeURIComponent(injected)}`;
  await browser.get(`${path}?${encodeURIComponent(injected)}`, {
    ...typed,
    "User-Agent": "x\u009b31m",
    Referer: "x\u009b31m",
    "X-Request-Id": "forged",
    "X-Forwarded-For": "\u009b31m, forged, 192.0.2.7",
  });
  await browser.get("/auth", {
    ...typed,
    "X-Original-URI": "/x\u009b31m\u0085y",
    "X-Forwarded-For": "x\u009b31m",
  });
  const messages = [injected, [injected], { a: injected }];
  for (const message of messages) {
    const body = JSON.stringify({ error: { code: injected, message } });
    site.sandbox.faults.set("token", { kind: "body", body, times: 1 });
    assert.equal((await signIn(browser)).status, 400);
    site.sandbox.faults.set("self", { kind: "body", body, times: 1 });
    assert.equal((await signIn(browser)).status, 303);
  }
  const lines = site.log.text().split("\n");
  assert.equal(lines.pop(), "");
  const entries = lines.map((line) => JSON.parse(line));
  assert.deepEqual(
    entries.filter(({ msg }) => msg === "forged"),
    [],
  );
  // The control characters of C1 and of bidirectional text are not escaped in JSON, but terminals obey them.
  assert.doesNotMatch(site.log.text(), /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  const visit = entries.find(({ status }) => status === 404);
  assert.equal(visit?.path, path);
  assert.equal(visit?.address, "192.0.2.7");
  assert.deepEqual(new Set(entries.flatMap((entry) => entry.for ?? [])), new Set(["/x%C2%9B31m%C2%85y"]));
  assert.match(visit?.requestId, /^[0-9a-f-]{36}$/);
});

test("OU-1 no page gets an access token unless TOKEN_HANDOVER is set", async (t) => {
  const browser = (await openSite(t)).browser();
  await signIn(browser);
  assert.equal((await browser.get("/api/session", click)).status, 200);
  for (const path of ["/api/credential", "/embed?url=https://experience.arcgis.com/"])
    assert.equal((await browser.get(path, click)).status, 404, path);
});

test("CF-6 configuration, sessions, sources and packages are served under no URL, to no user", async (t) => {
  const site = await openSite(t);
  const user = site.browser();
  await signIn(user);
  const places = [
    ...[
      "/config.json",
      "/config.example.json",
      "/.env",
      "/.demo/secrets.json",
      "/package.json",
      "/.git/config",
    ],
    ...[
      "/sessions/",
      `/sessions/${site.files()[0]}`,
      "/src/app.ts",
      "/dist/server.js",
      "/dist/",
      "/views/home.ejs",
    ],
    ...[
      "/node_modules/express/package.json",
      "/docs/security.md",
      "/backup.zip",
      "/config.json~",
      "/config.json.bak",
    ],
  ];
  for (const place of places) {
    for (const path of [
      place,
      `/assets/..${place}`,
      `/assets/%2e%2e${place}`,
      `/assets/..%2f..${place}`,
      `/.${place}`,
    ]) {
      for (const browser of [user, site.browser()]) {
        assert.equal((await browser.get(path, typed)).status, 404, path);
      }
    }
  }
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs, { renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { arcgisAuth } from "#src/index.ts";
import { type Browser, click, type TestResponse, typed } from "./support/browser.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { needsPosix } from "./support/posix.ts";
import { script } from "./support/proxy.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { casesOf } from "./support/rounds.ts";
import {
  openSite,
  type Site,
  type SiteOptions,
  secret,
  signIn,
  folder as tempFolder,
} from "./support/site.ts";
import { makeFiles } from "./support/site-folder.ts";
import { signOut } from "./support/user.ts";

const html = { Accept: "text/html" };
const image = { ...script, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image" };

/** A server with this folder, and a browser that is signed in. */
async function openFolder(
  t: TestContext,
  files: Record<string, string | Buffer>,
  { settings, mount = "", ...options }: SiteOptions = {},
): Promise<{ site: Site; folder: string; browser: Browser }> {
  const folder = makeFiles(t, { "index.html": "<h1>Home of the app</h1>", ...files });
  const site = await openSite(t, { ...options, mount, settings: { SITE_DIR: folder, ...settings } });
  const browser = site.browser();
  await signIn(browser, "sandy_admin", `${mount}/sign-in`);
  return { site, folder, browser };
}

const kindOf = ({ status, headers }: TestResponse) => [status, headers["content-type"]];

test("a folder's index.html is at /, and our own page about the sign-in at /account, with and without a folder", async (t) => {
  const { site, browser } = await openFolder(t, { "docs/index.html": "Docs" });
  const home = await browser.get("/");
  assert.deepEqual(kindOf(home), [200, "text/html; charset=utf-8"]);
  assert.equal(home.body, "<h1>Home of the app</h1>");
  assert.equal(await whoIs(browser, "/account"), "sandy_admin");
  const account = await browser.get("/account");
  assert.match(account.body, /<a class="button" href="\/">Open the app<\/a>/);
  assert.match((await browser.get("/sign-ins")).body, /<a class="button plain" href="\/account">Start page</);
  assert.equal((await browser.get("/docs/")).body, "Docs");

  const bare = await openSite(t);
  const another = bare.browser();
  assert.equal(await whoIs(another, "/account"), undefined);
  await signIn(another);
  assert.equal(await whoIs(another, "/account"), "sandy_admin");
  assert.equal(await whoIs(another, "/"), "sandy_admin");
  assert.equal((await another.send("/account", { method: "POST" })).status, 405);
  assert.doesNotMatch((await another.get("/account")).body, /Open the app/);
  assert.equal((await site.browser().get("/account")).status, 200, "for visitors, too");
});

test("SD-2 a page without a sign-in leads to the sign-in and back, and what is not a page gets 401, whether it is there or not", async (t) => {
  const { site } = await openFolder(t, { "app.js": "1", "docs/guide.html": "The guide" });
  const visitor = site.browser();
  for (const path of ["/", "/docs/guide.html?a=1", "/nothing", "/docs"]) {
    const { status, headers, body } = await visitor.get(path, typed);
    assert.deepEqual([status, body], [302, ""], path);
    assert.equal(headers.location, `/sign-in?returnTo=${encodeURIComponent(path)}`);
    assert.equal(headers["cache-control"], "no-store");
  }
  for (const [path, headers] of [
    ["/app.js", script],
    ["/app.js", image],
    ["/app.js", { Accept: "*/*" }],
    ["/nothing.js", script],
    ["/docs/guide.html", { ...script, ...html }],
  ] as const) {
    const response = await visitor.get(path, headers);
    assert.equal(response.status, 401, path);
    assert.doesNotMatch(response.body, /The guide/);
  }
  assert.equal((await visitor.send("/app.js", { method: "HEAD" })).status, 401);
  assert.equal((await visitor.send("/app.js", { method: "POST", headers: click })).status, 401);

  const back = await signIn(visitor, "vik_viewer", "/sign-in?returnTo=%2Fdocs%2Fguide.html%3Fa%3D1");
  assert.equal(back.headers.location, "/docs/guide.html?a=1");
  assert.equal((await visitor.get("/docs/guide.html?a=1")).body, "The guide");
});

test("SD-3 after a sign-out the folder is closed, the browser forgets what it has kept, and is not signed in again by itself", async (t) => {
  const { browser } = await openFolder(t, {});
  const { status, headers } = await signOut(browser, "", "/account");
  assert.deepEqual([status, headers.location], [303, "/account"]);
  assert.equal(headers["clear-site-data"], '"cache", "storage"');
  assert.equal((await browser.get("/")).status, 302);
  assert.match((await browser.get("/account")).body, /Sign in with ArcGIS/);
  assert.equal((await browser.get("/sign-out")).headers.location, "/account");
});

test("the server's own routes win over files, and other names below /assets are the folder's", async (t) => {
  const own = [
    "account",
    "sign-in",
    "sign-out",
    "signed-in",
    "sign-ins",
    "authenticate",
    "proxy",
    "healthz",
    "metrics",
  ];
  const taken = Object.fromEntries([...own, "api/session"].map((name) => [name, "TAKEN"]));
  const { browser } = await openFolder(t, {
    ...taken,
    "assets/app.css": "body{}",
    "map/index.html": "My map",
    "embed.html": "My frame",
  });
  for (const name of Object.keys(taken)) {
    const { body } = await browser.get(`/${name}`);
    assert.doesNotMatch(body, /TAKEN/, name);
  }
  assert.equal((await browser.get("/assets/app.css")).body, "body{}");
  assert.equal((await browser.get("/map/")).body, "My map");
  const [ours = ""] = /\/assets\/[0-9a-f]{12}\/app\.css/.exec((await browser.get("/account")).body) ?? [];
  assert.match((await browser.get(ours)).body, /color-scheme/);
});

test("SD-3 files have their type, an ETag and a date, and are the user's: caches may keep them, and must ask", async (t) => {
  const { browser } = await openFolder(t, {
    "app.js": "1",
    "app.mjs": "1",
    "style.css": "",
    "data.json": "{}",
    "places.geojson": "{}",
    "lib.wasm": Buffer.of(0),
    "picture.svg": "<svg/>",
    "font.woff2": Buffer.of(0),
    "site.webmanifest": "{}",
    LICENSE: "free",
    "odd.zzz": "?",
  });
  const types: Record<string, string> = {
    "/app.js": "text/javascript; charset=utf-8",
    "/app.mjs": "text/javascript; charset=utf-8",
    "/style.css": "text/css; charset=utf-8",
    "/data.json": "application/json; charset=utf-8",
    "/places.geojson": "application/geo+json",
    "/lib.wasm": "application/wasm",
    "/picture.svg": "image/svg+xml",
    "/font.woff2": "font/woff2",
    "/site.webmanifest": "application/manifest+json; charset=utf-8",
    "/LICENSE": "application/octet-stream",
    "/odd.zzz": "application/octet-stream",
  };
  for (const [path, type] of Object.entries(types)) {
    const { status, headers, setCookies } = await browser.get(path, script);
    assert.deepEqual([status, headers["content-type"]], [200, type], path);
    assert.match(String(headers.etag), /^W\/"[\w-]+"$/);
    assert.ok(headers["last-modified"]);
    assert.equal(headers["cache-control"], "private, no-cache");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.deepEqual(setCookies, []);
  }
});

test("HEAD, If-None-Match and If-Modified-Since, Range and If-Range work as RFC 9110 says", async (t) => {
  const { browser } = await openFolder(t, { "app.txt": "0123456789" });
  const get = (headers: Record<string, string>, method = "GET") =>
    browser.send("/app.txt", { method, headers });
  const { headers: first } = await get({});
  const etag = String(first.etag);
  const head = await get({}, "HEAD");
  assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", "10"]);
  assert.deepEqual([head.headers.etag, head.headers["content-type"]], [etag, first["content-type"]]);

  for (const condition of [
    { "If-None-Match": etag },
    { "If-None-Match": `"x", ${etag}` },
    { "If-Modified-Since": String(first["last-modified"]) },
  ] as Record<string, string>[]) {
    const { status, body, headers } = await get(condition);
    assert.deepEqual([status, body, headers.etag], [304, "", etag]);
    assert.equal(headers["cache-control"], "private, no-cache");
  }
  assert.equal((await get({ "If-None-Match": '"another"' })).status, 200);

  const range = await get({ Range: "bytes=2-4" });
  assert.deepEqual([range.status, range.body, range.headers["content-range"]], [206, "234", "bytes 2-4/10"]);
  assert.equal((await get({ Range: "bytes=-2" })).body, "89");
  assert.equal((await get({ Range: "bytes=2-4", "If-Range": '"another"' })).body, "0123456789");
  const beyond = await get({ Range: "bytes=10-" });
  assert.deepEqual([beyond.status, beyond.body, beyond.headers["content-range"]], [416, "", "bytes */10"]);
  const changed = await get({ "If-Match": '"another"' });
  assert.deepEqual([changed.status, changed.body], [412, ""]);
  for (const { headers } of [beyond, changed]) assert.equal(headers["cache-control"], "no-store");
});

test("other methods are refused with 405 where there is a file, and with 404 where there is none", async (t) => {
  const { browser } = await openFolder(
    t,
    { "app.js": "1", "docs/index.html": "Docs" },
    { settings: { SITE_FALLBACK: true } },
  );
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]) {
    for (const path of ["/app.js", "/", "/docs/", "/docs"]) {
      const { status, headers } = await browser.send(path, { method, headers: click });
      assert.deepEqual([status, headers.allow], [405, "GET, HEAD"], `${method} ${path}`);
    }
    assert.equal((await browser.send("/nothing.js", { method })).status, 404, method);
  }
});

test("files that were compressed beforehand are sent to those who take them, unless they are older than the file", async (t) => {
  const text = "const response = 42;\n".repeat(100);
  const { folder, browser } = await openFolder(t, {
    "app.js": text,
    "app.js.br": brotliCompressSync(text),
    "app.js.gz": gzipSync(text),
    "old.js": text,
    "old.js.gz": gzipSync("const response = 41;"),
    "dir.js": text,
    "dir.js.br/index.html": "no file",
    "data.csv.gz": gzipSync("a,b"),
  });
  utimesSync(join(folder, "old.js.gz"), 1, 1);
  const get = (path: string, accepted?: string, more = {}) =>
    browser.get(path, { ...(accepted !== undefined && { "Accept-Encoding": accepted }), ...more });

  for (const [accepted, encoding] of [
    ["gzip, deflate, br, zstd", "br"],
    ["gzip", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["*", "br"],
    ["identity", undefined],
    ["zstd", undefined],
    ["", undefined],
    [undefined, undefined],
  ] as const) {
    const { headers, bytes } = await get("/app.js", accepted);
    assert.equal(headers["content-encoding"], encoding, accepted);
    const open =
      encoding === "br" ? brotliDecompressSync : encoding === "gzip" ? gunzipSync : (plain: Buffer) => plain;
    assert.equal(open(bytes).toString(), text);
    assert.equal(headers["content-type"], "text/javascript; charset=utf-8");
    assert.equal(headers.vary, "Accept-Encoding");
    assert.equal(headers["content-length"], String(bytes.length));
  }
  const [packed, plain] = [await get("/app.js", "br"), await get("/app.js")];
  assert.notEqual(packed.headers.etag, plain.headers.etag);
  const again = await get("/app.js", "br", { "If-None-Match": String(packed.headers.etag) });
  assert.deepEqual([again.status, again.headers.vary], [304, "Accept-Encoding"]);
  const part = await get("/app.js", "br", { Range: "bytes=0-3" });
  assert.deepEqual([part.status, part.bytes], [206, packed.bytes.subarray(0, 4)]);
  const beyond = await get("/app.js", "br", { Range: "bytes=99999-" });
  assert.deepEqual([beyond.status, beyond.headers["content-encoding"]], [416, undefined]);

  assert.equal((await get("/old.js", "gzip")).bytes.toString(), text);
  assert.equal((await get("/dir.js", "br")).bytes.toString(), text);
  const direct = await get("/data.csv.gz", "gzip");
  assert.deepEqual(
    [direct.headers["content-type"], direct.headers["content-encoding"]],
    ["application/gzip", undefined],
  );
});

test("with SITE_FALLBACK pages that are not there are index.html, and nothing else is", async (t) => {
  const { browser } = await openFolder(
    t,
    { "app.js": "1", "docs/a.html": "A" },
    { settings: { SITE_FALLBACK: true } },
  );
  for (const path of [
    "/users/7",
    "/users/7/",
    "/docs",
    "/docs/",
    "/file.js",
    "/a:b",
    "/.hidden",
    "/con",
    "/docs/a.html/",
  ]) {
    const { status, body, headers } = await browser.get(path, typed);
    assert.deepEqual([status, body], [200, "<h1>Home of the app</h1>"], path);
    assert.equal(headers["cache-control"], "private, no-cache");
  }
  assert.equal((await browser.send("/users/7", { method: "HEAD", headers: typed })).status, 200);
  for (const headers of [script, image, { ...script, ...html }, { Accept: "application/json" }, {}] as Record<
    string,
    string
  >[])
    assert.equal((await browser.get("/users/7", headers)).status, 404);
  assert.equal((await browser.get("/a%2fusers", typed)).status, 403);
  assert.equal((await browser.get("/api/nothing", script)).status, 404);

  const { browser: strict } = await openFolder(t, {});
  assertErrorPage(await strict.get("/users/7"), "not_found");
});

test("a folder without the slash gets it, wherever the app is mounted, and has no list of its files", async (t) => {
  for (const mount of ["", "/gis"]) {
    const files = {
      "docs/index.html": "Docs",
      "docs/a b/index.html": "Space",
      "bare/file.txt": "1",
      "app.js": "1",
    };
    const { site, browser } = await openFolder(t, files, { mount });
    const moved = async (path: string) => {
      const { status, headers } = await browser.get(mount + path);
      assert.equal(status, 302, path);
      return new URL(String(headers.location), `${site.url}${mount}${path}`).href.slice(site.url.length);
    };
    assert.equal(await moved("/docs?a=1?b"), `${mount}/docs/?a=1?b`);
    assert.equal(await moved("/docs/a%20b"), `${mount}/docs/a%20b/`);
    assert.equal((await browser.get(`${mount}/docs/a%20b/`)).body, "Space");
    if (mount) assert.equal(await moved("?a=1"), "/gis/?a=1");
    for (const path of ["/bare", "/bare/", "/app.js/"])
      assertErrorPage(await browser.get(mount + path), "not_found");
    const left = await signOut(browser, mount, "/account");
    assert.equal(left.headers["clear-site-data"], mount ? '"cache"' : '"cache", "storage"');
    const { headers } = await site.browser().get(`${mount}/docs/`);
    assert.equal(headers.location, `${mount}/sign-in?returnTo=${encodeURIComponent(`${mount}/docs/`)}`);
  }
});

test("SD-4 the folder's pages have SITE_CSP or a policy for apps, and our own pages keep theirs", async (t) => {
  const policyOf = async (browser: Browser, path: string, headers = typed) =>
    (await browser.get(path, headers)).headers;
  const { browser } = await openFolder(t, {});
  const page = await policyOf(browser, "/");
  assert.equal(
    page["content-security-policy"],
    "default-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data: blob:;font-src 'self' data:;media-src 'self' data: blob:;worker-src 'self' blob:;object-src 'none';base-uri 'self';form-action 'self';frame-ancestors 'self'",
  );
  assert.equal(page["x-frame-options"], "SAMEORIGIN");
  assert.equal(page["referrer-policy"], "strict-origin-when-cross-origin");
  assert.equal(page["cross-origin-opener-policy"], "same-origin-allow-popups");
  assert.equal(page["cross-origin-resource-policy"], "same-origin");

  const SITE_CSP =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; frame-ancestors https://intranet.example";
  const { browser: custom } = await openFolder(t, {}, { settings: { SITE_CSP } });
  assert.equal((await policyOf(custom, "/"))["content-security-policy"], SITE_CSP);
  const own = await policyOf(await openSite(t).then((site) => site.browser()), "/");
  for (const path of ["/account", "/nothing", "/%00"])
    assert.equal(
      (await policyOf(custom, path))["content-security-policy"],
      own["content-security-policy"],
      path,
    );
});

describe("SD-1 nothing leaves the folder but its files", () => {
  const spellings = [
    ..."/../secret.txt /..%2fsecret.txt /%2e%2e/secret.txt /%2e%2e%2fsecret.txt /..%5csecret.txt /..\\secret.txt".split(
      " ",
    ),
    ..."/docs/../../secret.txt /docs/..;/..;/secret.txt /.%2e/secret.txt /%252e%252e/secret.txt /..%252fsecret.txt".split(
      " ",
    ),
    ..."//secret.txt //../secret.txt /./secret.txt /%c0%ae%c0%ae/secret.txt /%e0%80%ae%e0%80%ae/secret.txt".split(
      " ",
    ),
    ..."/%ff /%00 /index.html%00 /index.html%00.txt /%u002e%u002e/secret.txt /..%c0%afsecret.txt /...//secret.txt".split(
      " ",
    ),
    ..."/.env /.git/config /docs/.hidden.txt /%2eenv /.ENV /docs/%2ehidden.txt /.env/ /.well-known/x".split(
      " ",
    ),
    ..."/.env::$DATA /docs/page.txt::$DATA /docs/page.txt:stream /docs::$INDEX_ALLOCATION/page.txt".split(
      " ",
    ),
    ..."/docs/page.txt. /docs/page.txt.. /docs/page.txt%20 /docs%20/page.txt /docs./page.txt /docs/page.txt%20.".split(
      " ",
    ),
    ..."/con /CON /nul.txt /aux /docs/com1 /docs/LPT9.html /com%C2%B9 /prn%20.txt /CONIN$ /conout$.x".split(
      " ",
    ),
    ..."/docs\\page.txt /docs%5cpage.txt /C:/secret.txt /c%3a/secret.txt /C:secret.txt /%5c%5chost%5cshare%5cx".split(
      " ",
    ),
    ..."/docs%2fpage.txt /docs;x/page.txt /docs//page.txt /docs/./page.txt /docs/page.txt?/../../secret.txt%00".split(
      " ",
    ),
    ..."/leak.txt /leaks/secret.txt /leaks/ /leaks /hidden.txt /dangling /loop /pipe /docs/page.txt* /docs/page.t?t".split(
      " ",
    ),
    ..."/docs /docs/ /GIT~1/config /ENV~1 /docs|page.txt /docs/page.txt%0a /docs/page.txt%7f /docs/page%22.txt".split(
      " ",
    ),
    `/${"a".repeat(300)}`,
    `/${"a/".repeat(3_000)}`,
  ];
  const allowed = new Set(["/docs/page.txt?/../../secret.txt%00"]);

  for (const SITE_FALLBACK of casesOf([false, true], 1)) {
    test(`by any spelling${SITE_FALLBACK ? ", with SITE_FALLBACK" : ""}`, {
      skip: needsPosix("links and pipes"),
    }, async (t) => {
      const { site, folder, browser } = await openFolder(
        t,
        {
          "docs/page.txt": "the page",
          ".env": "SECRET",
          ".git/config": "SECRET",
          "docs/.hidden.txt": "SECRET",
          "app.js": "plain",
        },
        { settings: { SITE_FALLBACK } },
      );
      writeFileSync(join(folder, "../secret.txt"), "SECRET");
      writeFileSync(join(folder, "../site-secret.txt"), "SECRET");
      symlinkSync("../secret.txt", join(folder, "leak.txt"));
      symlinkSync("..", join(folder, "leaks"));
      symlinkSync(".env", join(folder, "hidden.txt"));
      symlinkSync("nowhere", join(folder, "dangling"));
      symlinkSync("loop", join(folder, "loop"));
      symlinkSync("../secret.txt", join(folder, "app.js.br"));
      symlinkSync("docs/page.txt", join(folder, "inside.txt"));
      spawnSync("mkfifo", [join(folder, "pipe")]);

      const headers = [
        `Host: ${new URL(site.url).host}`,
        `Cookie: ${[...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ")}`,
      ];
      const get = (path: string, accept: string) =>
        sendRaw(site.url, rawGet(path, ...headers, `Accept: ${accept}`));
      for (const path of spellings) {
        for (const accept of ["text/html", "*/*"]) {
          const { status, text } = await get(path, accept);
          assert.doesNotMatch(text, /SECRET|root:|page\.txt.*hidden/, path);
          if (allowed.has(path)) assert.match(text, /the page$/);
          else if (SITE_FALLBACK && accept === "text/html" && status === 200)
            assert.match(text, /Home of the app<\/h1>$/, path);
          else assert.ok([400, 403, 404].includes(status), `${status} ${path}`);
        }
      }
      assert.match(
        (await get("/inside.txt", "*/*")).text,
        /the page$/,
        "a link within the folder is followed",
      );
      const { text } = await sendRaw(site.url, rawGet("/app.js", ...headers, "Accept-Encoding: br"));
      assert.match(text, /plain$/, "a compressed file elsewhere is not sent");
    });
  }

  test("a folder that is a link leads to a new version of the site at once", {
    skip: needsPosix("links"),
  }, async (t) => {
    const base = makeFiles(t, { "1/index.html": "One", "2/index.html": "Two" });
    symlinkSync("1", join(base, "current"));
    const site = await openSite(t, { settings: { SITE_DIR: join(base, "current") } });
    const browser = site.browser();
    await signIn(browser);
    assert.equal((await browser.get("/")).body, "One");
    symlinkSync("2", join(base, "next"));
    renameSync(join(base, "next"), join(base, "current"));
    assert.equal((await browser.get("/")).body, "Two");
  });
});

test("SD-2 a sign-in at the app around this one is none here", async (t) => {
  const files = makeFiles(t, { "index.html": "Home" });
  const site = await openSite(t, {
    settings: { SITE_DIR: files },
    host(host, { url, sandbox }) {
      const redirectUri = `${url}/host/authenticate`;
      sandbox.clients[0]?.redirectUris.push(redirectUri);
      const keys = { sessionSecret: secret(), encryptionKey: secret(), sessionDir: tempFolder(t) };
      const around = arcgisAuth({ clientId: "test-app", portal: sandbox.url, redirectUri, ...keys });
      t.after(() => around.close());
      host.use(around);
      host.get("/who", (req, res) => void res.send(req.arcgis.user?.username));
    },
  });
  const browser = site.browser();
  await signIn(browser, "sandy_admin", "/host/sign-in");
  assert.equal((await browser.get("/who")).body, "sandy_admin");
  assert.equal((await browser.get("/")).headers.location, "/sign-in?returnTo=%2F");
  await signIn(browser, "vik_viewer", "/sign-in");
  assert.equal((await browser.get("/")).body, "Home");
});

describe("ACCESS is for the folder, too", () => {
  const trees = "a53c5e0b8d7f4b1c9e2f6a7d8c9b0e1f";

  async function openWithRules(t: TestContext, settings: Record<string, unknown> = {}) {
    const files = {
      "public/index.html": "For all",
      "public/app.js": "1",
      "staff/index.html": "the plan",
      "staff/plan.txt": "the plan",
      "admin/list.txt": "ADMIN",
      "index.html.gz": gzipSync("Home, compressed"),
    };
    const ACCESS = [
      { path: "/public", allow: "everyone" },
      { path: "/robots.txt", allow: "everyone" },
      { path: "/staff", groups: [trees] },
      { path: "/admin", roles: ["org_admin"] },
    ];
    return openFolder(t, files, { settings: { ACCESS, ...settings } });
  }

  test("SD-3 everyone gets what is for everyone, and caches and search engines may have it; the session is not touched", async (t) => {
    const { site, browser } = await openWithRules(t);
    for (const each of [site.browser(), browser]) {
      const { body, headers, setCookies } = await each.get("/public/");
      assert.equal(body, "For all");
      assert.equal(headers["cache-control"], "public, no-cache");
      assert.equal(headers["x-robots-tag"], undefined);
      assert.deepEqual(setCookies, []);
    }
    const visitor = site.browser();
    assert.equal((await visitor.get("/public")).headers.location, "./public/");
    assert.equal((await visitor.get("/public/nothing")).status, 404);
    assert.equal((await visitor.get("/robots.txt")).status, 404);
    for (const path of ["/", "/publicity", "/nothing"])
      assert.equal((await visitor.get(path)).status, 302, path);
    const { headers } = await browser.get("/");
    assert.deepEqual([headers["cache-control"], headers["x-robots-tag"]], ["private, no-cache", "noindex"]);
  });

  test("a user without the right gets a page that leads to another account and back, and a script 403", async (t) => {
    const { browser } = await openWithRules(t);
    assert.equal((await browser.get("/admin/list.txt")).body, "ADMIN");
    const page = await browser.get("/staff/?a=1");
    assertErrorPage(page, "group_missing");
    const returnTo = encodeURIComponent("/staff/?a=1");
    const button = `<a class="button" href="/sign-in?returnTo=${returnTo}&amp;force_login=true">Use another account</a>`;
    assert.ok(page.body.includes(button), page.body);
    for (const path of ["/staff/plan.txt", "/staff/nothing", "/STAFF/plan.txt", "/staff."]) {
      const { status, body } = await browser.get(path, script);
      assert.equal(status, 403, path);
      assert.doesNotMatch(body, /the plan/);
    }
    assert.equal((await browser.send("/staff/plan.txt", { method: "HEAD" })).status, 403);
    assert.equal(
      (await browser.get("/staff/plan.txt", { ...script, Range: "bytes=0-1", "If-None-Match": "*" })).status,
      403,
    );
  });

  test("SD-2 a link from what is for everyone does not open what is not, and neither does SITE_FALLBACK", {
    skip: needsPosix("links"),
  }, async (t) => {
    const { site, folder, browser } = await openWithRules(t, { SITE_FALLBACK: true });
    symlinkSync("../staff", join(folder, "public/more"));
    symlinkSync("../public/app.js", join(folder, "staff/app.js"));
    symlinkSync("../staff/plan.txt", join(folder, "public/app.js.br"));
    const visitor = site.browser();
    for (const path of ["/public/more/plan.txt", "/public/more/", "/public/more", "/public/unknown"])
      assert.equal((await visitor.get(path)).status, 302, path);
    assert.equal((await visitor.get("/public/more/plan.txt", script)).status, 401);
    for (const path of ["/public/more/plan.txt", "/public/more/", "/staff/app.js", "/staff/unknown"])
      assert.equal((await browser.get(path)).status, 403, path);
    assert.equal((await visitor.get("/public/app.js", { ...script, "Accept-Encoding": "br" })).body, "1");
    const home = await browser.get("/public/unknown", { ...typed, "Accept-Encoding": "gzip" });
    assert.equal(gunzipSync(home.bytes).toString(), "Home, compressed");
    assert.equal(home.headers["cache-control"], "private, no-cache", "index.html is not for everyone");
  });
});

test("SD-2 a rule for a file is one for its compressed form, too", async (t) => {
  const ACCESS = [
    { path: "/plan.json", groups: ["a".repeat(32)] },
    { path: "/", allow: "everyone" },
  ];
  const files = {
    "plan.json": "{}",
    "plan.json.br": "the plan",
    "plan.json.gz": "the plan",
    "plan.json.br.gz": "the plan",
    "all.gz": "all",
  };
  const { site, browser } = await openFolder(t, files, { settings: { ACCESS } });
  for (const path of ["/plan.json", "/plan.json.br", "/plan.json.gz", "/plan.json.br.gz"]) {
    assert.equal((await browser.get(path, script)).status, 403, path);
    assert.equal((await site.browser().get(path, script)).status, 401, path);
  }
  const { body, headers } = await site.browser().get("/all.gz", script);
  assert.deepEqual([body, headers["cache-control"]], ["all", "public, no-cache"]);
});

test("a file that is gone, or cannot be read, when it is opened gives our error page with our headers", async (t) => {
  const { browser } = await openFolder(t, { "app.js": "1", "app.js.gz": gzipSync("1") });
  const { createReadStream } = fs;
  const { headers: usual } = await browser.get("/nothing");
  for (const [code, error] of [
    ["ENOENT", "not_found"],
    ["EACCES", "internal"],
  ] as const) {
    t.mock.method(fs, "createReadStream", (path: string) => {
      const stream = createReadStream(path);
      process.nextTick(() => stream.destroy(Object.assign(new Error("no"), { code })));
      return stream;
    });
    const response = await browser.get("/app.js", { ...html, "Accept-Encoding": "gzip" });
    t.mock.restoreAll();
    assertErrorPage(response, error);
    for (const name of ["content-type", "content-security-policy", "content-encoding", "etag"])
      assert.equal(response.headers[name], usual[name], name);
  }
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { type Browser, type TestResponse, typed } from "./support/browser.ts";
import { forged, identityIn, rules, streets } from "./support/forward-auth.ts";
import { deployed, freePort, frontIsMissing, startEcho, startFront } from "./support/front-proxy.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { openSite, type Site, signIn } from "./support/site.ts";
import { expireToken, signOut, until } from "./support/user.ts";

const trees = "c0ffee21d4f84a53a7b9d7f3e1a2b3c4";
const behindProxy = { TRUST_PROXY: "127.0.0.1", ACCESS: rules };
const program = { Accept: "application/json" };

/** Asks for a path as a reverse proxy does. */
function ask(browser: Browser, path: string, headers: Record<string, string> = {}): Promise<TestResponse> {
  return browser.send("/auth", { headers: { ...program, "X-Original-URI": path, ...headers } });
}

const codeOf = (response: TestResponse) => (response.json() as { error: { code: string } }).error.code;

describe("GET /auth", () => {
  test("AC-5 responds 204 with the identity and nothing else: no body, no cookie, nothing to store", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const browser = site.browser();
    await signIn(browser, "sandy_admin");
    const response = await ask(browser, "/streets/1?x=1");
    assert.deepEqual([response.status, response.body, response.setCookies], [204, "", []]);
    assert.equal(response.headers["cache-control"], "no-store");
    assert.deepEqual(identityIn(response), {
      user: "sandy_admin",
      name: "Sandy Boxwell",
      organization: "0123456789ABCDEF",
      role: "org_admin",
      groups: `${streets},${trees}`,
    });
    const names = Object.keys(response.headers).filter((name) => !name.startsWith("x-auth-request-"));
    assert.deepEqual(
      names.sort(),
      ["cache-control", "connection", "date", "keep-alive"].filter((name) => names.includes(name)),
    );
  });

  test("AC-5 responds 204 without an identity where everyone may see the path, with or without a session", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const user = site.browser();
    await signIn(user);
    for (const browser of [user, site.browser()]) {
      const response = await ask(browser, "/about/us");
      assert.deepEqual([response.status, identityIn(response)], [204, {}]);
      assert.equal(response.headers["x-auth-request-user"], "", "it replaces one of the client");
    }
  });

  test("a sign-out leads to a page of the sign-in if / is an app that needs one: Chromium follows no form to the portal", async (t) => {
    const open = { path: "/", allow: "everyone" };
    for (const [ACCESS, page] of [
      [[], "/account"],
      [rules, "/account"],
      [[{ path: "/streets", groups: [streets] }, open], "/"],
    ] as const) {
      const site = await openSite(t, { settings: { ...behindProxy, ACCESS } });
      const browser = site.browser();
      await signIn(browser);
      const { status, headers } = await signOut(browser);
      assert.deepEqual([status, headers.location], [303, page]);
      assert.match((await browser.get("/account")).body, /href="\/sign-in/);
    }
  });

  test("AC-5 responds 401 without a sign-in, and 403 where a right is missing, and says which", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const visitor = site.browser();
    const user = site.browser();
    await signIn(user, "vik_viewer");
    for (const [browser, path, status, code] of [
      [visitor, "/", 401, "signed_out"],
      [visitor, "/streets", 401, "signed_out"],
      [visitor, "/About", 401, "signed_out"],
      [user, "/streets", 403, "group_missing"],
      [user, "/STREETS/", 403, "group_missing"],
      [user, "/admin/x", 403, "role_missing"],
      [user, "/about/%2e%2e/admin", 403, "ambiguous_path"],
      [visitor, "/about//x", 403, "ambiguous_path"],
    ] as const) {
      const response = await ask(browser, path);
      assert.deepEqual([response.status, codeOf(response)], [status, code], path);
      assert.deepEqual([identityIn(response), response.setCookies], [{}, []], path);
    }
    assert.equal((await ask(user, "/")).status, 204);
  });

  test("LG-2 the log names the user and the path of a refusal, without its query", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const [visitor, user] = [site.browser(), site.browser()];
    await signIn(user, "vik_viewer");
    await ask(user, "/streets/1?token=canary");
    await ask(visitor, `/${"x".repeat(2_000)}?token=canary`);
    await site.browser().send("/auth", { headers: { ...program } });
    const linesOf = (wanted: (line: Record<string, unknown>) => boolean) =>
      site.log.lines.filter(wanted).map((line) => [line.path, line.for, line.user]);
    const beginning = `/${"x".repeat(999)}...`;
    const expected = [
      ["/streets/1", "vik_viewer"],
      [beginning, undefined],
      [undefined, undefined],
    ];
    assert.deepEqual(
      linesOf(({ event }) => event === "refused"),
      expected.map((each) => [undefined, ...each]),
    );
    await until(() => linesOf(({ path }) => path === "/auth").length === 3, "three request lines");
    assert.deepEqual(
      linesOf(({ path }) => path === "/auth"),
      expected.map((each) => ["/auth", ...each]),
    );
    assert.doesNotMatch(site.log.text(), /canary/);
    assert.deepEqual(
      linesOf(({ path }) => path === "/sign-in").map(([, about]) => about),
      [undefined],
      "other routes have none",
    );
  });

  test("AC-6 what a client says without a trusted proxy is not in the log", async (t) => {
    const site = await openSite(t, { settings: { ACCESS: rules } });
    assert.equal((await ask(site.browser(), "/forged")).status, 403);
    assert.doesNotMatch(site.log.text(), /forged/);
  });

  test("AC-5 a 401 for a page says where to sign in and come back; one for a script or a form does not", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const browser = site.browser();
    const location = "/sign-in?returnTo=%2Fstreets%2F%C3%BC".replace("%C3%BC", "%25C3%25BC%3Fa%3D1%26b%3D2");
    const asPage = await ask(browser, "/streets/%C3%BC?a=1&b=2", typed);
    assert.deepEqual([asPage.status, asPage.headers.location], [401, location]);
    assert.match(asPage.body, /href="\/sign-in\?returnTo=%2Fstreets/, "the page has the link, too");
    for (const headers of [
      program,
      { ...typed, "Sec-Fetch-Mode": "cors" },
      { Accept: "*/*" },
      { ...typed, "X-Forwarded-Method": "POST" },
    ]) {
      const { status, headers: received } = await ask(browser, "/streets", headers);
      assert.deepEqual([status, received.location], [401, undefined]);
    }
    const send = (headers: Record<string, string>) =>
      browser.send("/auth?redirect=true", { headers: { "X-Forwarded-Uri": "/streets", ...headers } });
    const redirect = await send(typed);
    assert.deepEqual([redirect.status, redirect.headers.location], [302, "/sign-in?returnTo=%2Fstreets"]);
    assert.equal((await send(program)).status, 401);
    const back = await signIn(browser, "sandy_admin", redirect.headers.location);
    assert.deepEqual([back.status, back.headers.location], [303, "/streets"]);
  });

  test("AC-5 the sign-in that a refusal names leads to no other site", async (t) => {
    const site = await openSite(t, { settings: { ...behindProxy, ACCESS: [] } });
    for (const path of ["//evil.example", "/\\evil.example", "http://evil.example/", "/%2f%2fevil.example"]) {
      const { status, headers } = await ask(site.browser(), path, typed);
      assert.deepEqual([status, headers.location], [403, undefined], path);
    }
  });

  test("AC-6 the path counts from a proxy that TRUST_PROXY names only; the refusal names the setting", async (t) => {
    for (const TRUST_PROXY of [false, "192.0.2.1", "10.0.0.0/8"]) {
      const site = await openSite(t, { settings: { TRUST_PROXY, ACCESS: rules } });
      const response = await ask(site.browser(), "/about");
      assert.deepEqual([response.status, codeOf(response)], [403, "proxy_not_trusted"]);
      assert.match(response.body, /TRUST_PROXY/);
      const page = await ask(site.browser(), "/about", typed);
      assert.match(page.body, /set TRUST_PROXY to the address of the reverse proxy/);
    }
    const site = await openSite(t, { settings: { ...behindProxy, TRUST_PROXY: 1 } });
    assert.equal((await ask(site.browser(), "/about")).status, 204);
    const { status, body } = await site
      .browser()
      .get("/auth", { ...program, "X-Forwarded-For": "127.0.0.1" });
    assert.equal(status, 403, "neither header");
    assert.match(body, /proxy_not_trusted/);
  });

  test("AC-6 a second header, which a client may have sent through the proxy, changes nothing", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    for (const [original, forwarded] of [
      ["/about", "/streets"],
      ["/streets", "/about"],
      ["/about", ""],
      ["", "/about"],
    ] as const) {
      const response = await ask(site.browser(), original, { "X-Forwarded-Uri": forwarded });
      assert.deepEqual(
        [response.status, codeOf(response)],
        [403, "ambiguous_path"],
        `${original} ${forwarded}`,
      );
    }
    assert.equal((await ask(site.browser(), "/about", { "X-Forwarded-Uri": "/about" })).status, 204);
    for (const name of ["X-Original-URI", "X-Forwarded-Uri"]) {
      const many = Array.from({ length: 1_100 }, (_, index) => `x${index}:`);
      for (const [path, ...between] of [["/about"], ["/about?x=1"], ["/about", ...many]]) {
        const twice = ["Host: localhost", `${name}: ${path}`, ...between, `${name}: /streets`];
        assert.equal((await sendRaw(site.url, rawGet("/auth", ...twice))).status, 403, path);
      }
    }
    for (const name of [
      "X-Original-URL",
      "X-Rewrite-URL",
      "X-Forwarded-Path",
      "Forwarded",
      "X-Forwarded-Prefix",
    ])
      assert.equal((await ask(site.browser(), "/streets", { [name]: "/about" })).status, 401, name);
  });

  test("AC-5 other methods are 405, and /AUTH/ is /auth", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const browser = site.browser();
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const headers = { ...program, "X-Original-URI": "/about" };
      assert.equal((await browser.send("/auth", { method, headers })).status, 405, method);
    }
    assert.equal((await browser.send("/AUTH/", { headers: { "X-Original-URI": "/about" } })).status, 204);
    const head = await browser.send("/auth", { method: "HEAD", headers: { "X-Original-URI": "/streets" } });
    assert.equal(head.status, 401);
  });

  test("AC-7 any name is safe in a header: visible ASCII stays, the rest is percent-encoded", async (t) => {
    const site = await openSite(t, { settings: { ...behindProxy, ACCESS: [] } });
    const zoe = site.browser();
    await signIn(zoe, "zoe_editor");
    const { name } = identityIn(await ask(zoe, "/"));
    assert.equal(name, "Zo%C3%AB %E6%97%A5%E6%9C%AC <b>");

    const user = site.sandbox.users.find(({ username }) => username === "vik_viewer");
    const groups = [{ id: "a,b\r\nX-Auth-Request-User: root", title: "", owner: "" }];
    const fullName = '  Ned, "N" \u0000\r\nX-Auth-Request-Role: org_admin\ud800 100% 🌳 ';
    Object.assign(user ?? {}, { fullName, groups });
    const vik = site.browser();
    await signIn(vik, "vik_viewer");
    const response = await ask(vik, "/");
    const identity = identityIn(response);
    assert.equal(response.status, 204);
    assert.deepEqual([identity.user, identity.role], ["vik_viewer", "org_user"]);
    assert.equal(String(identity.groups).split(",").length, 1);
    assert.equal(decodeURIComponent(String(identity.groups)), groups[0]?.id);
    assert.equal(
      decodeURIComponent(String(identity.name)).trim(),
      fullName.replace("\ud800", "\ufffd").trim(),
    );
    for (const value of Object.values(identity)) assert.match(String(value), /^[!-~]([ -~]*[!-~])?$/);
  });

  test("AC-7 of many groups a hundred are listed, those that rules name first", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const user = site.sandbox.users.find(({ username }) => username === "vik_viewer");
    const id = (index: number) => index.toString(16).padStart(32, "0");
    const groups = Array.from({ length: 500 }, (_, index) => ({ id: id(index), title: "", owner: "" }));
    groups.push({ id: streets, title: "", owner: "" });
    Object.assign(user ?? {}, { groups });
    const browser = site.browser();
    await signIn(browser, "vik_viewer");
    const response = await ask(browser, "/streets");
    assert.equal(response.status, 204);
    const listed = String(identityIn(response).groups).split(",");
    assert.deepEqual([listed.length, listed[0], listed[1]], [100, streets, id(0)]);
  });

  test("AC-8 asks nothing of the portal while the access token is valid, and refreshes once when it has expired", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const browser = site.browser();
    await signIn(browser);
    const calls = () => site.sandbox.log.length;
    const before = calls();
    for (const path of ["/", "/streets", "/admin"]) assert.equal((await ask(browser, path)).status, 204);
    assert.equal(calls(), before);
    await expireToken(site, browser);
    const responses = await Promise.all(Array.from({ length: 20 }, () => ask(browser, "/streets")));
    assert.deepEqual([...new Set(responses.map(({ status }) => status))], [204]);
    assert.equal(calls(), before + 1);
  });

  test("AC-8 a disabled user is out when the access token has expired; a portal that is down ends nothing", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const browser = site.browser();
    await signIn(browser);
    site.sandbox.faults.set("token", { kind: "status", status: 500 });
    await expireToken(site, browser);
    assert.equal((await ask(browser, "/streets")).status, 204);
    site.sandbox.faults.clear();
    site.sandbox.expireRefreshTokens();
    const later = performance.now() + 60_000;
    t.mock.method(performance, "now", () => later);
    const response = await ask(browser, "/streets");
    assert.deepEqual([response.status, codeOf(response)], [401, "session_ended"]);
    assert.equal((await ask(browser, "/streets")).status, 401);
    assert.deepEqual(site.files(), []);
  });

  test("AC-8 a right that was taken away is gone after ten minutes", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const browser = site.browser();
    await signIn(browser, "sandy_admin");
    const sandy = site.sandbox.users.find(({ username }) => username === "sandy_admin");
    if (sandy) sandy.role = "org_user";
    assert.equal((await ask(browser, "/admin")).status, 204);
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 10 * 60_000 + 1 });
    assert.equal((await ask(browser, "/admin")).status, 403);
  });

  test("AC-8 a user of an organization that ALLOWED_ORGS does not name gets 403, except where everyone may see the path", async (t) => {
    const site = await openSite(t, { settings: { ...behindProxy, ALLOWED_ORGS: "0123456789ABCDEF" } });
    const browser = site.browser();
    await signIn(browser, "sandy_admin");
    await site.store.update(site.store.admin ? sessionIn(browser) : "", (data) => {
      const record = (data as Record<string, { user: { orgId: string } }>).arcgisSignIn;
      if (record) record.user.orgId = "FEDCBA9876543210";
    });
    assert.equal(codeOf(await ask(browser, "/")), "organization_not_allowed");
    assert.equal((await ask(browser, "/about")).status, 204);
  });

  test("each of several portals has its own, with the users of that portal", async (t) => {
    const { startSandbox } = await import("#src/sandbox/index.ts");
    const county = await startSandbox({ clients: [{ clientId: "county-app", redirectUris: [] }] });
    t.after(() => county.close());
    const PORTALS = [{ id: "county", title: "County", url: county.url, clientId: "county-app" }];
    const site = await openSite(t, { settings: { ...behindProxy, PORTALS } });
    county.clients[0]?.redirectUris.push(`${site.url}/portals/county/authenticate`);
    const browser = site.browser();
    await signIn(browser, "vik_viewer", "/portals/county/sign-in?returnTo=/");
    const send = (path: string) => browser.send(path, { headers: { ...typed, "X-Original-URI": "/x" } });
    const ofCounty = await send("/portals/county/auth");
    assert.deepEqual([ofCounty.status, identityIn(ofCounty).user], [204, "vik_viewer"]);
    const ofMain = await send("/auth");
    assert.deepEqual([ofMain.status, ofMain.headers.location], [401, "/sign-in?returnTo=%2Fx"]);
    browser.cookies.clear();
    const out = await send("/portals/county/auth");
    assert.deepEqual([out.status, out.headers.location], [401, "/portals/county/sign-in?returnTo=%2Fx"]);
  });
});

function sessionIn(browser: Browser): string {
  const cookie = decodeURIComponent(browser.cookies.get("arcgis.sid") ?? "");
  return /^s:([^.]+)\./.exec(cookie)?.[1] ?? assert.fail("no session cookie");
}

test("AC-5 behind HAProxy nothing passes after an error in the script that asks", {
  skip: frontIsMissing("haproxy"),
}, async (t) => {
  const echo = await startEcho(t);
  const edit = (text: string) => text.replace("local sent =", 'error("broken") local sent =');
  const place = { port: await freePort(), signIn: echo.url, behind: { app: echo.url } };
  const url = await startFront(t, "haproxy", { ...place, edit });
  assert.equal((await sendRaw(url, rawGet("/about", "Host: localhost"))).status, 502);
  assert.deepEqual(echo.received, []);
});

/** What Traefik does with a request, by its documentation of ForwardAuth and its file in deploy/forward-auth. */
async function throughTraefik(site: Site, path: string, headers: Record<string, string>) {
  const file = deployed("traefik.yaml", []);
  const [, address = ""] = /address: "http:\/\/127\.0\.0\.1:3000(.*)"/.exec(file) ?? [];
  const [, pattern = ""] = /authResponseHeadersRegex: "\(\?i\)(.*)"/.exec(file) ?? [];
  assert.match(file, /trustForwardHeader: false/);
  const identity = new RegExp(pattern, "i");
  const forwarded = {
    "X-Forwarded-Method": "GET",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "app.example.com",
    "X-Forwarded-Uri": path,
    "X-Forwarded-For": "203.0.113.1",
  };
  const response = await site.browser().send(address, { headers: { ...headers, ...forwarded } });
  const kept = Object.entries(headers).filter(([name]) => !identity.test(name));
  const copied = Object.entries(response.headers).filter(([name]) => identity.test(name));
  return { response, app: response.status < 300 ? Object.fromEntries([...kept, ...copied]) : undefined };
}

describe("behind Traefik with its file of deploy/forward-auth, by its documentation", () => {
  test("AC-9 the identity replaces what a client has sent in any spelling, and a page leads to the sign-in", async (t) => {
    const site = await openSite(t, { settings: behindProxy });
    const browser = site.browser();
    await signIn(browser, "zoe_editor");
    const Cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = Object.fromEntries([...forged, "HTTP2-Settings"].map((name) => [name, "forged"]));
    const { app } = await throughTraefik(site, "/streets", { ...sent, Cookie });
    assert.equal(app?.["x-auth-request-user"], "zoe_editor");
    assert.doesNotMatch(JSON.stringify(app), /forged/);
    const everyone = await throughTraefik(site, "/about", sent);
    assert.deepEqual(new Set(Object.values(everyone.app ?? {})), new Set([""]));
    const out = await throughTraefik(site, "/streets", { ...typed, ...sent });
    assert.deepEqual([out.app, out.response.status], [undefined, 302]);
    const refused = await throughTraefik(site, "/admin", { Cookie, "X-Original-URI": "/about" });
    assert.deepEqual([refused.app, refused.response.status], [undefined, 403]);
  });
});

test("every file of deploy/forward-auth leads the same paths to the sign-in, under the app's own host name", () => {
  const files = ["nginx-site.conf", "Caddyfile", "traefik.yaml", "haproxy.cfg"];
  const patterns = files.map((file) => {
    const text = readFileSync(`deploy/forward-auth/${file}`, "utf8");
    return /\^\/\(\??:?(sign-ins\?.*?)\)\$/.exec(text)?.[1];
  });
  assert.ok(patterns[0]);
  assert.deepEqual(new Set(patterns), new Set([patterns[0]]));
});

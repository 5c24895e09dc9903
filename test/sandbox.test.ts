import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { type Sandbox, type SandboxOptions, startSandbox } from "#src/sandbox/index.ts";

const redirectUri = "http://localhost:3000/authenticate";
const clients = [
  { clientId: "app", redirectUris: [redirectUri], title: "Field Map" },
  { clientId: "other", redirectUris: [redirectUri] },
  { clientId: "confidential", clientSecret: "shhh", redirectUris: [redirectUri] },
];

const folder = mkdtempSync(join(tmpdir(), "sandbox-"));
const started: Sandbox[] = [];
let clock = Date.UTC(2025, 0, 1);
let sandbox: Sandbox;

async function start(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const portal = await startSandbox({ clients, clock: () => clock, ...options });
  started.push(portal);
  return portal;
}

beforeEach(async () => {
  sandbox = await start();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((portal) => portal.close()));
});
after(() => rmSync(folder, { recursive: true }));

const later = (seconds: number) => {
  clock += seconds * 1000;
};

function post(path: string, params: Record<string, string>, init: RequestInit = {}): Promise<Response> {
  const body = new URLSearchParams(params);
  return fetch(`${sandbox.url}${path}`, { method: "POST", body, redirect: "manual", ...init });
}

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${sandbox.url}${path}`, { redirect: "manual", ...init });
}

const request = { client_id: "app", response_type: "code", redirect_uri: redirectUri, state: "s t&a" };

/** The page of a sign-in, or the redirect that replaces it. */
const authorize = (more: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  get(`/oauth2/authorize?${new URLSearchParams({ ...request, ...more })}`, { headers });

/** Presses the button of a user; gives the query that goes back to the app. */
async function allow(more: Record<string, string> = {}): Promise<URLSearchParams> {
  const response = await post("/oauth2/authorize", { ...request, username: "sandy_admin", ...more });
  assert.equal(response.status, 302);
  return backAtTheApp(response);
}

function backAtTheApp(response: Response): URLSearchParams {
  const { origin, pathname, searchParams } = new URL(response.headers.get("location") ?? "");
  assert.equal(origin + pathname, redirectUri);
  return searchParams;
}

interface TokenResponse {
  access_token: string;
  refresh_token: string;
  [field: string]: unknown;
}

async function token(params: Record<string, string>): Promise<TokenResponse> {
  const response = await post("/oauth2/token", { f: "json", client_id: "app", ...params });
  assert.equal(response.status, 200);
  return response.json();
}

const exchangeCode = (code: string, more: Record<string, string> = {}) =>
  token({ grant_type: "authorization_code", code, redirect_uri: redirectUri, ...more });

async function signIn(more: Record<string, string> = {}): Promise<TokenResponse> {
  return exchangeCode((await allow(more)).get("code") ?? "");
}

async function self(accessToken: string): Promise<{ username?: string; error?: { code: number } }> {
  const response = await get("/community/self?f=json", {
    headers: { "X-Esri-Authorization": `Bearer ${accessToken}` },
  });
  assert.equal(response.status, 200);
  return response.json();
}

const isAlive = async (accessToken: string) => (await self(accessToken)).error === undefined;

const oauthError = (code: number, error: string, message: string) => ({
  error: { code, error, error_description: message, message, details: [] },
});
const codeExpired = oauthError(498, "invalid_request", "code expired");

describe("the start of the sandbox portal", () => {
  it("is refused under NODE_ENV=production", async (context) => {
    const before = process.env.NODE_ENV;
    context.after(() => {
      if (before === undefined) delete process.env.NODE_ENV;
      else process.env.NODE_ENV = before;
    });
    process.env.NODE_ENV = "production";
    await assert.rejects(start(), {
      message: "The sandbox portal has no passwords: it does not start with NODE_ENV=production.",
    });
  });

  it("is refused for an address that is not loopback", async () => {
    for (const host of ["0.0.0.0", "::", "192.0.2.1", "127.0.0.1.example"]) {
      await assert.rejects(start({ host: host as "127.0.0.1" }), {
        message: `The sandbox portal listens on loopback only (127.0.0.1, ::1, localhost), not on "${host}".`,
      });
    }
  });

  it("fails when the port is taken", async () => {
    await assert.rejects(start({ port: Number(new URL(sandbox.url).port) }), { code: "EADDRINUSE" });
  });

  it("gives the address that belongs into PORTAL_URL", () => {
    assert.match(sandbox.url, /^http:\/\/127\.0\.0\.1:\d+\/portal\/sharing\/rest$/);
  });
});

describe("oauth2/authorize", () => {
  it("shows a user chooser whose names are escaped, whose form may lead to the app, and no script", async () => {
    const response = await authorize();
    const page = await response.text();
    assert.equal(response.status, 200);
    assert.equal(
      response.headers.get("content-security-policy"),
      "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; " +
        "form-action 'self' http://localhost:3000; frame-ancestors 'none'",
    );
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("x-powered-by"), null);
    assert.match(page, /Zoë 日本 &lt;b&gt;/);
    assert.doesNotMatch(page, /<b>|<script|style="| on\w+=/);
    assert.equal(page.match(/name="username"/g)?.length, 5);
    assert.match(page, /no real ArcGIS account/);
    assert.match(page, /name="state" value="s t&amp;a"/);
    assert.equal((await fetch(`${sandbox.origin}/portal/sandbox.css`)).status, 200);
  });

  it("is found without /rest, too", async () => {
    const path = `/portal/sharing/oauth2/authorize?${new URLSearchParams(request)}`;
    assert.equal((await fetch(sandbox.origin + path)).status, 200);
  });

  it("is found in another spelling of /portal, signs in and signs out, without a session at the portal", async () => {
    const url = sandbox.url.replace("/portal/", "/Portal/");
    sandbox.settings.rememberUser = true;
    const params = new URLSearchParams({ ...request, username: "sandy_admin" });
    const page = await fetch(`${url}/oauth2/authorize?${new URLSearchParams(request)}`);
    assert.equal(page.status, 200);
    const back = await fetch(`${url}/oauth2/authorize`, { method: "POST", body: params, redirect: "manual" });
    assert.ok(backAtTheApp(back).has("code"));
    assert.equal((await fetch(`${url}/oauth2/signout?client_id=app`)).status, 200);
  });

  it("shows an error page, and never redirects, when app and redirect URI are not registered together", async () => {
    const cases: [Record<string, string>, string][] = [
      [{ client_id: "" }, "client_id not specified"],
      [{ client_id: "unknown" }, "Invalid client_id"],
      [{ redirect_uri: "" }, "redirect_uri not specified"],
      [{ redirect_uri: "https://evil.example/" }, "Invalid redirect_uri"],
      [{ redirect_uri: `${redirectUri}/` }, "Invalid redirect_uri"],
    ];
    for (const [wrong, message] of cases) {
      for (const response of [
        await authorize(wrong),
        await post("/oauth2/authorize", { ...request, ...wrong }),
      ]) {
        assert.equal(response.status, 400);
        assert.equal(response.headers.get("location"), null);
        assert.ok((await response.text()).includes(`<strong>${message}</strong>`), message);
      }
    }
  });

  it("knows an app from the moment that it is registered", async () => {
    assert.equal((await authorize({ client_id: "new" })).status, 400);
    sandbox.clients.push({ clientId: "new", redirectUris: [redirectUri] });
    assert.equal((await authorize({ client_id: "new" })).status, 200);
  });

  it("sends other mistakes back to the app with their name", async () => {
    sandbox.settings.requirePkce = true;
    const challenge = "a".repeat(43);
    const cases: [Record<string, string>, string, string][] = [
      [{ response_type: "token" }, "unsupported_response_type", "Invalid response_type"],
      [{}, "invalid_request", "code_challenge not specified"],
      [{ code_challenge: "short" }, "invalid_request", "Invalid code_challenge"],
      [
        { code_challenge: challenge, code_challenge_method: "S512" },
        "invalid_request",
        "Invalid code_challenge_method",
      ],
    ];
    for (const [wrong, error, description] of cases) {
      const response = await authorize(wrong);
      assert.equal(response.status, 302);
      assert.deepEqual(Object.fromEntries(backAtTheApp(response)), {
        error,
        error_description: description,
        state: "s t&a",
      });
    }
  });

  it("gives a code and the state when a user is chosen", async () => {
    const query = await allow();
    assert.deepEqual([...query.keys()], ["code", "state"]);
    assert.equal(query.get("state"), "s t&a");
  });

  it("gives access_denied in ArcGIS's spelling on Cancel", async () => {
    const response = await post("/oauth2/authorize", { ...request, state: "s", action: "cancel" });
    assert.equal(response.status, 302);
    assert.equal(
      response.headers.get("location"),
      `${redirectUri}?error=access_denied&error_description=The%20user%20denied%20your%20request&state=s`,
    );
  });

  it("shows the page again when no user, or an unknown one, was chosen", async () => {
    for (const username of ["", "unknown"]) {
      const response = await post("/oauth2/authorize", { ...request, username });
      assert.equal(response.status, 400);
      assert.equal((await response.text()).match(/name="username"/g)?.length, 5);
    }
  });

  it("honours style and prepopulatedusername", async () => {
    const page = await (await authorize({ style: "dark", prepopulatedusername: "zoe_editor" })).text();
    assert.match(page, /<html lang="en" data-style="dark">/);
    assert.match(page, /name="username" value="zoe_editor"/);
    assert.ok(page.indexOf("zoe_editor") < page.indexOf("sandy_admin"));
    assert.doesNotMatch(await (await authorize({ style: '"><b>' })).text(), /data-style/);
  });

  it("is silent the next time when the portal remembers the user, until force_login or signout", async () => {
    sandbox.settings.rememberUser = true;
    const chosen = await post("/oauth2/authorize", { ...request, username: "pia_publisher" });
    const setCookie = chosen.headers.get("set-cookie") ?? "";
    assert.match(setCookie, /^esri_auth=[^;]+; Path=\/portal; HttpOnly; SameSite=Lax$/);
    const Cookie = setCookie.split(";")[0] ?? "";

    const silent = await authorize({}, { Cookie });
    const response = await exchangeCode(backAtTheApp(silent).get("code") ?? "");
    assert.equal(response.username, "pia_publisher");
    assert.equal((await authorize({ force_login: "true" }, { Cookie })).status, 200);

    const signout = `/oauth2/signout?${new URLSearchParams({ client_id: "app", redirect_uri: "http://localhost:3000/bye" })}`;
    const out = await get(signout, { headers: { Cookie } });
    assert.equal(out.headers.get("location"), "http://localhost:3000/bye");
    assert.equal((await authorize({}, { Cookie })).status, 200);
  });

  it("remembers no user unless it is told to", async () => {
    const chosen = await post("/oauth2/authorize", { ...request, username: "pia_publisher" });
    assert.equal(chosen.headers.get("set-cookie"), null);
  });

  it("signs out to no address but the app's", async () => {
    const query = new URLSearchParams({ client_id: "app", redirect_uri: "https://evil.example/" });
    assert.equal((await get(`/oauth2/signout?${query}`)).status, 200);
  });
});

describe("oauth2/token", () => {
  it("responses a code with exactly ArcGIS's fields", async () => {
    const { access_token, refresh_token, ...rest } = await signIn({ username: "zoe_editor" });
    assert.ok(access_token.length >= 100 && refresh_token.length >= 100);
    assert.deepEqual(rest, {
      expires_in: 1800,
      username: "zoe_editor",
      ssl: false,
      refresh_token_expires_in: 20160 * 60,
    });
  });

  it("makes the refresh token live as long as expiration says, 90 days at most", async () => {
    for (const [expiration, minutes] of [
      ["60", 60],
      ["999999", 129600],
      ["0", 20160],
      ["soon", 20160],
    ] as const) {
      assert.equal((await signIn({ expiration })).refresh_token_expires_in, minutes * 60);
    }
  });

  it("can be told its lifetimes, and to be older than 10.9.1", async () => {
    Object.assign(sandbox.settings, { accessTokenSeconds: 60, refreshTokenSeconds: 90 });
    const response = await signIn();
    assert.deepEqual([response.expires_in, response.refresh_token_expires_in], [60, 90]);
    sandbox.settings.omitRefreshTokenExpiry = true;
    assert.equal("refresh_token_expires_in" in (await signIn()), false);
  });

  it("takes a code once; the second time it also revokes what the first gave", async () => {
    const code = (await allow()).get("code") ?? "";
    const first = await exchangeCode(code);
    assert.equal(await isAlive(first.access_token), true);
    assert.deepEqual(await exchangeCode(code), codeExpired);
    assert.equal(await isAlive(first.access_token), false);
    assert.deepEqual(sandbox.revoked, [first.refresh_token]);
  });

  it("takes a code for ten minutes", async () => {
    const [early, late] = [(await allow()).get("code") ?? "", (await allow()).get("code") ?? ""];
    later(599);
    assert.equal((await exchangeCode(early)).error, undefined);
    later(1);
    assert.deepEqual(await exchangeCode(late), codeExpired);
  });

  it("takes a code only from its app and with its redirect URI, and not again after that", async () => {
    const code = (await allow()).get("code") ?? "";
    assert.deepEqual(await exchangeCode(code, { client_id: "other" }), codeExpired);
    assert.deepEqual(await exchangeCode(code), codeExpired);

    const another = (await allow()).get("code") ?? "";
    assert.deepEqual(
      await exchangeCode(another, { redirect_uri: "http://localhost:3000/" }),
      oauthError(400, "invalid_request", "Invalid redirect_uri"),
    );
    assert.deepEqual(await exchangeCode("no such code"), codeExpired);
  });

  it("takes a code with a challenge only with the verifier it was made from, S256 and plain", async () => {
    const verifier = randomBytes(32).toString("base64url");
    const s256 = {
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    };
    const codeFor = async (challenge: Record<string, string>) => (await allow(challenge)).get("code") ?? "";
    const wrong = oauthError(400, "invalid_request", "Invalid code_verifier");

    assert.deepEqual(await exchangeCode(await codeFor(s256)), {
      error: {
        code: 400,
        error: "invalid_request",
        error_description: "code_verifier not specified",
        message: "code_verifier not specified",
      },
    });
    assert.deepEqual(await exchangeCode(await codeFor(s256), { code_verifier: s256.code_challenge }), wrong);
    assert.equal((await exchangeCode(await codeFor(s256), { code_verifier: verifier })).error, undefined);

    const plain = { code_challenge: verifier };
    assert.deepEqual(await exchangeCode(await codeFor(plain), { code_verifier: "x" }), wrong);
    assert.equal((await exchangeCode(await codeFor(plain), { code_verifier: verifier })).error, undefined);
  });

  it("asks an app for its secret only when it has one", async () => {
    const app = { client_id: "confidential" };
    const code = async () => (await allow(app)).get("code") ?? "";
    const refused = oauthError(400, "invalid_request", "Invalid client_secret");
    assert.deepEqual(await exchangeCode(await code(), app), refused);
    assert.deepEqual(await exchangeCode(await code(), { ...app, client_secret: "no" }), refused);
    assert.equal((await exchangeCode(await code(), { ...app, client_secret: "shhh" })).error, undefined);
    assert.equal((await signIn()).error, undefined);
  });

  it("responses a refresh_token with a new access token and nothing of the refresh token", async () => {
    const { access_token, refresh_token } = await signIn();
    const response = await token({ grant_type: "refresh_token", refresh_token });
    assert.deepEqual(Object.keys(response), ["access_token", "expires_in", "username", "ssl"]);
    assert.equal(await isAlive(response.access_token), true);
    assert.equal(await isAlive(access_token), true, "the one before lives on");
  });

  it("responses exchange_refresh_token with a new pair of the same life, and kills all of the old one", async () => {
    const old = await signIn({ expiration: "1000" });
    const refreshed = await token({ grant_type: "refresh_token", refresh_token: old.refresh_token });
    later(3600);
    const exchange = { grant_type: "exchange_refresh_token", refresh_token: old.refresh_token };
    sandbox.settings.accessTokenSeconds = 7200;

    assert.equal((await token(exchange)).error !== undefined, true, "it needs redirect_uri");
    const pair = await token({ ...exchange, redirect_uri: redirectUri });
    assert.deepEqual(Object.keys(pair), [
      "access_token",
      "expires_in",
      "username",
      "ssl",
      "refresh_token",
      "refresh_token_expires_in",
    ]);
    assert.equal(pair.refresh_token_expires_in, 60_000);
    assert.notEqual(pair.refresh_token, old.refresh_token);
    assert.equal(await isAlive(pair.access_token), true);

    assert.equal(await isAlive(old.access_token), false);
    assert.equal(await isAlive(refreshed.access_token), false);
    assert.deepEqual(
      await token({ grant_type: "refresh_token", refresh_token: old.refresh_token }),
      oauthError(498, "invalid_request", "Invalid refresh_token"),
    );
    assert.deepEqual(sandbox.revoked, [], "exchanged is not revoked");
  });

  it("refuses refresh tokens that are expired, or of another app", async () => {
    const { refresh_token } = await signIn();
    const refresh = { grant_type: "refresh_token", refresh_token };
    assert.deepEqual(
      await token({ ...refresh, client_id: "other" }),
      oauthError(498, "invalid_request", "Invalid refresh_token"),
    );
    later(20160 * 60);
    const expired = oauthError(498, "invalid_request", "refresh_token expired");
    assert.deepEqual(await token(refresh), expired);
    assert.deepEqual(
      await token({ ...refresh, grant_type: "exchange_refresh_token", redirect_uri: redirectUri }),
      expired,
    );
  });

  it("responses mistakes with HTTP 200 and ArcGIS's error shapes", async () => {
    const missing = (name: string) => ({
      error: {
        code: 400,
        error: "invalid_request",
        error_description: `${name} not specified`,
        message: `${name} not specified`,
      },
    });
    assert.deepEqual(await token({ client_id: "" }), missing("client_id"));
    assert.deepEqual(await token({}), missing("grant_type"));
    assert.deepEqual(await token({ grant_type: "authorization_code" }), missing("code"));
    assert.deepEqual(await token({ grant_type: "authorization_code", code: "x" }), missing("redirect_uri"));
    assert.deepEqual(await token({ grant_type: "refresh_token" }), missing("refresh_token"));
    assert.deepEqual(
      await token({ grant_type: "exchange_refresh_token", refresh_token: "x" }),
      missing("redirect_uri"),
    );
    assert.deepEqual(
      await token({ client_id: "unknown" }),
      oauthError(400, "invalid_client_id", "Invalid client_id"),
    );
    assert.deepEqual(
      await token({ grant_type: "password" }),
      oauthError(400, "unsupported_grant_type", "Invalid grant_type"),
    );
  });

  it("is reached by POST only", async () => {
    for (const path of ["/oauth2/token", "/oauth2/revokeToken"]) {
      const response = await get(`${path}?f=json`);
      assert.equal(response.status, 405);
      assert.deepEqual(await response.json(), {
        error: { code: 405, message: "Only HTTP POST is supported.", details: [] },
      });
    }
  });
});

describe("oauth2/revokeToken", () => {
  const revoke = async (auth_token: string, client_id = "app", path = "/oauth2/revokeToken") =>
    (await post(path, { f: "json", auth_token, client_id })).json();

  it("kills a refresh token and the access tokens that came with it", async () => {
    const mine = await signIn();
    const hers = await signIn({ username: "pia_publisher" });
    assert.deepEqual(await revoke(mine.refresh_token, "app", "/oauth2/revokeToken/"), { success: true });
    assert.deepEqual(sandbox.revoked, [mine.refresh_token]);
    assert.equal(await isAlive(mine.access_token), false);
    assert.equal(await isAlive(hers.access_token), true);
    assert.equal(
      (await token({ grant_type: "refresh_token", refresh_token: mine.refresh_token })).error !== undefined,
      true,
    );
  });

  it("kills one access token alone", async () => {
    const { access_token, refresh_token } = await signIn();
    assert.deepEqual(await revoke(access_token), { success: true });
    assert.equal(await isAlive(access_token), false);
    assert.equal((await token({ grant_type: "refresh_token", refresh_token })).error, undefined);
    assert.deepEqual(sandbox.revoked, []);
  });

  it("says success to tokens that are unknown or of another app, and leaves them alone", async () => {
    const { access_token, refresh_token } = await signIn();
    assert.deepEqual(await revoke("no such token"), { success: true });
    assert.deepEqual(await revoke(refresh_token, "other"), { success: true });
    assert.deepEqual(await revoke(access_token, "other"), { success: true });
    assert.equal(await isAlive(access_token), true);
    assert.deepEqual(sandbox.revoked, []);
  });

  it("refuses an unknown app", async () => {
    assert.deepEqual(await revoke("x", "unknown"), {
      error: { code: 400, message: "Invalid client_id", details: [] },
    });
  });
});

describe("community/self, portals/self and info", () => {
  const json = async (response: Promise<Response>) => (await response).json();
  const invalid = { error: { code: 498, message: "Invalid token.", details: [] } };

  it("tell who is signed in, with role, privileges and groups", async () => {
    const expected = [
      ["sandy_admin", "org_admin", undefined, "0123456789ABCDEF"],
      ["pia_publisher", "org_publisher", undefined, "0123456789ABCDEF"],
      ["vik_viewer", "org_user", "iAAAAAAAAAAAAAAA", "0123456789ABCDEF"],
      ["ned_county", "org_user", undefined, "FEDCBA9876543210"],
      ["zoe_editor", "org_user", "Fj3kQ9tWbZx7Lm2p", "0123456789ABCDEF"],
    ];
    const seen = [];
    for (const { username } of sandbox.users) {
      const { access_token } = await signIn({ username });
      const user = await json(post("/community/self", { f: "json", token: access_token }));
      assert.ok(user.privileges.includes("portal:user:joinGroup"));
      assert.ok(Array.isArray(user.groups));
      assert.equal("roleName" in user, false);
      seen.push([user.username, user.role, user.roleId, user.orgId]);
    }
    assert.deepEqual(seen, expected);
    const { access_token } = await signIn({ username: "zoe_editor" });
    const zoe = await json(get(`/community/self?f=json&token=${access_token}`));
    assert.equal(zoe.fullName, "Zoë 日本 <b>");
    assert.equal(zoe.groups[0].userMembership.memberType, "member");
  });

  it("take the token from either header, the query or the form", async () => {
    const { access_token } = await signIn();
    for (const response of [
      get("/community/self?f=json", { headers: { "X-Esri-Authorization": `Bearer ${access_token}` } }),
      get("/community/self?f=json", { headers: { Authorization: `Bearer ${access_token}` } }),
      get(`/community/self?f=json&token=${access_token}`),
      post("/community/self", { f: "json", token: access_token }),
    ]) {
      assert.equal((await json(response)).username, "sandy_admin");
    }
  });

  it("respond 499 without a token and 498 with a bad, expired or orphaned one, with HTTP 200", async () => {
    const response = await get("/community/self?f=json");
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      error: { code: 499, message: "Token Required", messageCode: "GWM_0003", details: ["Token Required"] },
    });
    assert.deepEqual(await json(get("/community/self?f=json&token=x")), invalid);
    assert.deepEqual(await json(get("/portals/self?f=json&token=x")), invalid);

    const { access_token } = await signIn();
    later(1799);
    assert.equal(await isAlive(access_token), true);
    later(1);
    assert.deepEqual(await self(access_token), invalid);

    const { access_token: second } = await signIn();
    sandbox.expireAccessTokens();
    assert.deepEqual(await self(second), invalid);

    const { access_token: third } = await signIn();
    sandbox.users.length = 0;
    assert.deepEqual(await self(third), invalid);
  });

  it("describe the portal to anyone, and the organization, user and app to a user with a token", async () => {
    const anonymous = await json(get("/portals/self?f=json"));
    assert.equal(anonymous.name, "Sandbox City GIS");
    assert.equal(anonymous.portalHostname, `${new URL(sandbox.url).host}/portal`);
    assert.equal(anonymous.supportsOAuth, true);
    assert.equal("user" in anonymous, false);

    const { access_token } = await signIn({ username: "ned_county" });
    const known = await json(get(`/portals/self?f=json&token=${access_token}`));
    assert.deepEqual([known.id, known.name], ["FEDCBA9876543210", "Neighbor County"]);
    assert.equal(known.user.username, "ned_county");
    assert.equal(known.appInfo.appTitle, "Field Map");

    assert.deepEqual(await json(get("/info?f=json")), {
      owningSystemUrl: `${sandbox.origin}/portal`,
      authInfo: { tokenServicesUrl: `${sandbox.url}/generateToken`, isTokenBasedSecurity: true },
    });
    assert.deepEqual(await json(get("?f=json")), { currentVersion: "2024.2" });
  });

  it("response a page without f=json, and an error to an unknown path", async () => {
    const page = await get("/portals/self");
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(await page.text(), /&#34;name&#34;: &#34;Sandbox City GIS&#34;/);

    const unknown = await get("/nothing/here?f=json");
    assert.equal(unknown.status, 404);
    assert.deepEqual(await unknown.json(), {
      error: { code: 404, message: "There is nothing at this address.", details: [] },
    });
  });
});

describe("the state file", () => {
  it("keeps tokens, not codes, over a restart, readable by its owner alone", async () => {
    const stateFile = join(folder, "new", "state.json");
    sandbox = await start({ stateFile });
    const { access_token, refresh_token } = await signIn();
    const code = (await allow()).get("code") ?? "";
    await sandbox.close();
    if (process.platform !== "win32") assert.equal(statSync(stateFile).mode & 0o777, 0o600);
    assert.equal(readFileSync(stateFile, "utf8").includes(code), false);

    sandbox = await start({ stateFile });
    assert.equal(await isAlive(access_token), true);
    assert.equal((await token({ grant_type: "refresh_token", refresh_token })).error, undefined);
    assert.deepEqual(await exchangeCode(code), codeExpired);
    await post("/oauth2/revokeToken", { client_id: "app", auth_token: refresh_token });
    await sandbox.close();

    sandbox = await start({ stateFile });
    assert.equal(await isAlive(access_token), false);
  });

  it("counts as empty when it cannot be read", async () => {
    const stateFile = join(folder, "broken.json");
    const damaged = [
      ...["{", "[]", "null", '{"refreshTokens":{"x":1},"accessTokens":{}}'],
      ...['{"refreshTokens":[["x",null]]}', '{"accessTokens":[["x",{}]]}', '{"accessTokens":[null]}'],
    ];
    for (const content of damaged) {
      writeFileSync(stateFile, content);
      sandbox = await start({ stateFile });
      assert.equal((await signIn()).error, undefined);
    }
  });
});

describe("Esri's own library", () => {
  it("signs in, refreshes, exchanges, asks who it is, and signs out", async () => {
    const app = { clientId: "app", redirectUri, portal: sandbox.url };
    const code = (await allow({ expiration: "60" })).get("code") ?? "";
    const manager = await ArcGISIdentityManager.exchangeAuthorizationCode(app, code);
    assert.equal(manager.username, "sandy_admin");
    assert.equal((await manager.getUser()).fullName, "Sandy Boxwell");
    assert.equal((await manager.getPortal()).name, "Sandbox City GIS");

    const { refreshToken } = manager;
    await manager.refreshCredentials(); // an hour is left, so the library exchanges
    assert.notEqual(manager.refreshToken, refreshToken);
    assert.equal(await manager.getUsername(), "sandy_admin");

    sandbox.expireRefreshTokens();
    await assert.rejects(manager.exchangeRefreshToken(), {
      message: "REFRESH_TOKEN_EXCHANGE_FAILED: 498: refresh_token expired",
    });
    await manager.signOut();
    assert.deepEqual(sandbox.revoked, [manager.refreshToken]);
  });
});

describe("the log", () => {
  it("holds every request with its endpoint, query, form and headers", async () => {
    await get("/oauth2/authorize?state=1&state=2", { headers: { "X-Test": "yes" } });
    await post("/oauth2/token/", { grant_type: "none" });
    await get("/nothing");
    const [first, second, third] = sandbox.log;
    assert.equal(first?.endpoint, "authorize");
    assert.deepEqual({ ...first?.query }, { state: ["1", "2"] });
    assert.equal(first?.headers["x-test"], "yes");
    assert.equal(first?.time, clock);
    assert.equal(second?.method, "POST");
    assert.equal(second?.endpoint, "token");
    assert.deepEqual({ ...second?.params }, { grant_type: "none" });
    assert.equal(third?.endpoint, undefined);
    assert.equal(third?.path, "/portal/sharing/rest/nothing");
  });
});

describe("faults", () => {
  const info = () => get("/info?f=json");

  it("status: ArcGIS's error under a real HTTP status, as often as told", async () => {
    sandbox.faults.set("info", { kind: "status", status: 503, times: 2 });
    assert.deepEqual([(await info()).status, (await info()).status, (await info()).status], [503, 503, 200]);
  });

  it("clear: everything is well again", async () => {
    sandbox.faults.set("info", { kind: "status", status: 500 });
    sandbox.faults.set("self", { kind: "status", status: 500 });
    sandbox.faults.clear("info");
    assert.equal((await info()).status, 200);
    assert.equal((await get("/community/self?f=json")).status, 500);
    sandbox.faults.clear();
    assert.equal((await get("/community/self?f=json")).status, 200);
  });

  it("html: a page where JSON was asked for", async () => {
    sandbox.faults.set("info", { kind: "html" });
    const response = await info();
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  });

  it("body: these bytes under this content type", async () => {
    sandbox.faults.set("info", { kind: "body", body: "null", contentType: "text/plain" });
    const response = await info();
    assert.equal(response.headers.get("content-type"), "text/plain");
    assert.equal(await response.text(), "null");
  });

  it("redirect: with the form sent again", async () => {
    sandbox.faults.set("token", { kind: "redirect", location: "http://127.0.0.1:9/" });
    const response = await post("/oauth2/token", {});
    assert.equal(response.status, 307);
    assert.equal(response.headers.get("location"), "http://127.0.0.1:9/");
  });

  it("delay: the true response, late", async () => {
    sandbox.faults.set("info", { kind: "delay", ms: 60 });
    const before = performance.now();
    assert.equal((await info()).status, 200);
    assert.ok(performance.now() - before >= 55);
  });

  it("reset: no response but a broken connection", async () => {
    sandbox.faults.set("info", { kind: "reset" });
    await assert.rejects(info(), { name: "TypeError", message: "fetch failed" });
  });

  it("hang: nothing, until the portal is closed", async () => {
    sandbox.faults.set("info", { kind: "hang" });
    const impatient = new AbortController();
    const given = assert.rejects(get("/info", { signal: impatient.signal }), { name: "AbortError" });
    while (sandbox.log.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 100));
    impatient.abort();
    await given;
    const hanging = assert.rejects(info(), { name: "TypeError", message: "fetch failed" });
    while (sandbox.log.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await sandbox.close();
    await hanging;
  });

  it("drip: headers at once and a body without an end", async () => {
    sandbox.faults.set("info", { kind: "drip" });
    const impatient = new AbortController();
    const response = await get("/info", { signal: impatient.signal });
    assert.equal(response.status, 200);
    setTimeout(() => impatient.abort(), 250);
    await assert.rejects(response.text(), { name: "AbortError" });
  });

  it("deny: Cancel at authorize, 403 elsewhere", async () => {
    sandbox.faults.set("authorize", { kind: "deny" });
    sandbox.faults.set("self", { kind: "deny" });
    assert.equal(backAtTheApp(await authorize()).get("error"), "access_denied");
    assert.equal((await allow()).get("error"), "access_denied");
    const response = await get("/community/self?f=json");
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      error: {
        code: 403,
        message: "You do not have permissions to access this resource or perform this operation.",
        details: [],
      },
    });
  });

  it("strike each of the six endpoints", async () => {
    const endpoints = {
      authorize: () => authorize(),
      token: () => post("/oauth2/token", {}),
      revokeToken: () => post("/oauth2/revokeToken/", {}),
      self: () => get("/community/self"),
      portalSelf: () => get("/portals/self"),
      info: () => get("/info"),
    } as const;
    for (const [endpoint, call] of Object.entries(endpoints)) {
      sandbox.faults.set(endpoint as keyof typeof endpoints, { kind: "status", status: 502, times: 1 });
      assert.equal((await call()).status, 502, endpoint);
      assert.notEqual((await call()).status, 502, endpoint);
    }
  });
});

describe("bad input", () => {
  it("gets an error without a trace, and the portal stays up", async () => {
    for (const response of [
      await get("/%E0%A4%A?f=json"),
      await post(
        "/oauth2/token?f=json",
        {},
        { body: "x".repeat(200_000), headers: { "Content-Type": "application/x-www-form-urlencoded" } },
      ),
      await get("/community/self?f=json&__proto__=1&token[]=x"),
      await get("/oauth2/authorize?client_id=a&client_id=b"),
    ]) {
      assert.ok(response.status < 500);
      assert.doesNotMatch(await response.text(), /node_modules|\.ts:\d/);
    }
    assert.equal((await get("/info?f=json")).status, 200);
  });
});

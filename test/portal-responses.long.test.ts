import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser, click, crossSite } from "./support/browser.ts";
import { selfSigned } from "./support/certificate.ts";
import { assertErrorPage } from "./support/expect.ts";
import { bluntPortal, http, signInWith, validResponse } from "./support/portal-responses.ts";
import { redirectUri, sharedSettings, startServer } from "./support/server-process.ts";
import { choose, folder, openSite } from "./support/site.ts";
import { tlsProxy } from "./support/tls-proxy.ts";

/** Token responses that must not become a session. */
const unsound: string[] = [
  "[]",
  "null",
  "0",
  "true",
  '"access_token"',
  "{}",
  "{",
  "",
  "\uFEFF{}",
  "<html>",
  `[${JSON.stringify(validResponse)}]`,
  '{"access_token":{"a":1},"expires_in":"x","username":["<b>"]}',
  ...[{ a: 1 }, ["x"], 1, "", "a b", "a\nb", "ä", "x".repeat(8193), null].map((access_token) =>
    JSON.stringify({ ...validResponse, access_token }),
  ),
  ...["1800", "x", -1, 0, 1e12, null, [1800], {}, true].map((expires_in) =>
    JSON.stringify({ ...validResponse, expires_in }),
  ),
  JSON.stringify({ ...validResponse, expires_in: 0 }).replace('"expires_in":0', '"expires_in":NaN'),
  JSON.stringify({ ...validResponse, expires_in: 0 }).replace('"expires_in":0', '"expires_in":1e999'),
  ...[
    ["<b>"],
    { a: 1 },
    7,
    "",
    "x".repeat(129),
    "a\r\nb",
    "a\u0000",
    "a\u001b[31m",
    "a\u009b",
    "\u202ea",
    "a\u2028b",
  ].map((username) => JSON.stringify({ ...validResponse, username })),
  ...[{ a: 1 }, ["x"], 1, "", "a b", null].map((refresh_token) =>
    JSON.stringify({ ...validResponse, refresh_token }),
  ),
  ...["x", -1, 0, 1e12, null].map((seconds) =>
    JSON.stringify({ ...validResponse, refresh_token_expires_in: seconds }),
  ),
  JSON.stringify({ ...validResponse, access_token: undefined }),
  JSON.stringify({ ...validResponse, username: undefined }),
  `{"__proto__":${JSON.stringify(validResponse)}}`,
  `{"padding":"${"x".repeat(10 * 1024 * 1024)}","access_token":"x","expires_in":1800,"username":"sandy_admin"}`,
  "[".repeat(100_000),
];

test("OA-11 a token response with anything unsound in it is a 502, and nothing of it is kept", async (t) => {
  const site = await openSite(t, {
    settings: {
      PORTAL_URL: await bluntPortal(
        t,
        unsound.map((body) => http(body)),
      ),
    },
  });
  await Promise.all(
    unsound.map(async (body, index) => {
      const { response, browser } = await signInWith(site, index);
      assertErrorPage(response, "portal_response_invalid");
      assert.equal(browser.cookies.size, 0, body.slice(0, 200));
    }),
  );
  assert.deepEqual(site.files(), []);
  assert.equal((Object.prototype as Record<string, unknown>).access_token, undefined);
});

test("CF-4 with NODE_EXTRA_CA_CERTS a portal of a private authority signs users in, and without it none", async (t) => {
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const certificate = selfSigned();
  const portal = await tlsProxy(t, certificate);
  portal.target = sandbox.origin;
  const file = join(folder(t), "authority.pem");
  writeFileSync(file, certificate.cert);

  const settings = sharedSettings(t, `${portal.url}/portal`);
  const signInAt = async (url: string) => {
    const browser = new Browser(url);
    const { headers } = await browser.get("/sign-in", click);
    // The user's own browser trusts that authority.
    const authorizeUrl = String(headers.location).replace(portal.url, sandbox.origin);
    const { pathname, search } = new URL(await choose(authorizeUrl, { username: "sandy_admin" }));
    return browser.get(pathname + search, crossSite);
  };
  const [trusting, wary] = await Promise.all([
    startServer(t, { ...settings, NODE_EXTRA_CA_CERTS: file }),
    startServer(t, settings),
  ]);
  assert.equal((await signInAt(trusting.url)).status, 303);
  const calls = sandbox.log.length;
  assertErrorPage(await signInAt(wary.url), "portal_unreachable");
  const paths = sandbox.log.slice(calls).map(({ endpoint }) => endpoint);
  assert.deepEqual(paths, ["authorize"], "the user has been there, the server has not");
});

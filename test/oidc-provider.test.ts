import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import Provider from "oidc-provider";
import { Browser, crossSite } from "./support/browser.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { openSite, type Site } from "./support/site.ts";

const path = "/portal/sharing/rest/oauth2";

/**
 * An authorization server that is not ours: oidc-provider, certified by the OpenID Foundation. PKCE is required,
 * and it alone judges it. It is made to resemble ArcGIS in two ways that have nothing to do with PKCE: a request
 * without a scope gets one, and the token response names the user.
 */
async function startProvider(t: TestContext) {
  // It warns of keys and storage that are fit for tests only.
  t.mock.method(console, "warn", () => {});
  t.mock.method(console, "info", () => {});
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close().closeAllConnections());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function serve(redirectUri: string): void {
    const provider = new Provider(origin, {
      clients: [{ client_id: "test-app", redirect_uris: [redirectUri], token_endpoint_auth_method: "none" }],
      pkce: { required: () => true },
      routes: { authorization: `${path}/authorize`, token: `${path}/token` },
      features: { devInteractions: { enabled: false } },
      interactions: { url: () => "/sign-in-page" },
      findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
      loadExistingGrant: async ({ oidc }) => {
        const grant = new provider.Grant({ clientId: "test-app", accountId: oidc.session?.accountId });
        grant.addOIDCScope("openid");
        await grant.save();
        return grant;
      },
    });
    provider.use(async (ctx, next) => {
      if (ctx.path === `${path}/authorize`) ctx.query = { ...ctx.query, scope: "openid" };
      await next();
      const { body } = ctx as { body?: { access_token?: string; username?: string } };
      if (body?.access_token) body.username = "alice";
    });
    const response = provider.callback();
    server.on("request", (req, res) => {
      // Every visitor of this page is Alice.
      if (req.url === "/sign-in-page")
        void provider.interactionFinished(req, res, { login: { accountId: "alice" } });
      else void response(req, res);
    });
  }
  return { portal: `${origin}/portal`, serve };
}

/** Follows the redirects of the provider until they lead back to the app. */
async function throughProvider(location: string, { url }: Site): Promise<URL> {
  const portal = new Browser(new URL(location).origin);
  let next = location;
  for (let hops = 0; hops < 8 && !next.startsWith(url); hops++) {
    const { status, headers, body } = await portal.get(next, crossSite);
    assert.equal(status, 303, body);
    next = new URL(String(headers.location), next).href;
  }
  return new URL(next);
}

test("OA-5 an authorization server that is not ours and requires PKCE, accepts both halves of our sign-in", async (t) => {
  const provider = await startProvider(t);
  const site = await openSite(t, { settings: { PORTAL_URL: provider.portal } });
  provider.serve(site.config.redirectUri);

  const browser = site.browser();
  const { headers } = await browser.get("/sign-in?returnTo=/map");
  const callback = await throughProvider(String(headers.location), site);
  assert.deepEqual([...callback.searchParams.keys()].sort(), ["code", "iss", "state"]);
  const response = await browser.get(callback.href, crossSite);
  assert.deepEqual([response.status, response.headers.location], [303, "/map"], response.body);
  assert.equal(await whoIs(browser), "alice");
});

test("OA-5 the same server refuses our sign-in when the verifier is not that of the challenge, or is left out", async (t) => {
  const provider = await startProvider(t);
  const site = await openSite(t, { settings: { PORTAL_URL: provider.portal } });
  provider.serve(site.config.redirectUri);

  const browser = site.browser();
  const start = await browser.get("/sign-in");
  const tampered = new URL(String(start.headers.location));
  const challenge = createHash("sha256").update("another verifier").digest("base64url");
  tampered.searchParams.set("code_challenge", challenge);
  const callback = await throughProvider(tampered.href, site);
  assertErrorPage(await browser.get(callback.href, crossSite), "code_refused");

  const without = new URL(String((await browser.get("/sign-in")).headers.location));
  without.searchParams.delete("code_challenge");
  without.searchParams.delete("code_challenge_method");
  const refused = await throughProvider(without.href, site);
  assert.equal(refused.searchParams.get("error"), "invalid_request");
  assertErrorPage(await browser.get(refused.href, crossSite), "sign_in_refused");
  assert.deepEqual(site.files(), []);
});

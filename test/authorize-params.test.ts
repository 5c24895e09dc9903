import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { click } from "./support/browser.ts";
import { openSite, signIn } from "./support/site.ts";

describe("the portal's sign-in page", () => {
  for (const [what, query, headers, path, added] of [
    [
      "speaks the browser's first language",
      "",
      { "Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5" },
      "",
      { locale: "fr-FR" },
    ],
    ["is not told a language that is none", "", { "Accept-Language": "*, <b>;q=0.9" }, "", {}],
    ["is dark for who prefers that", "", { "Sec-CH-Prefers-Color-Scheme": "dark" }, "", { style: "dark" }],
    ["is not told a scheme that is none", "", { "Sec-CH-Prefers-Color-Scheme": "pink" }, "", {}],
    ["asks for an account again", "?force_login=true", {}, "", { force_login: "true" }],
    ["has a user name filled in", "?username=sandy_admin", {}, "", { prepopulatedusername: "sandy_admin" }],
    ["gets no user name with odd characters", "?username=a%26client_id=b", {}, "", {}],
    ["gets no repeated parameters", "?force_login=true&force_login=true&username=a&username=b", {}, "", {}],
    [
      "is left out for a social login",
      "?provider=google",
      {},
      "/social",
      { socialLoginProviderName: "google", autoAccountCreateForSocial: "true" },
    ],
    ["knows no other providers", "?provider=evil", {}, "", {}],
  ] as const) {
    test(`${what}: ${query || JSON.stringify(headers)}`, async (t) => {
      const { config, browser } = await openSite(t);
      const response = await browser().get(`/sign-in${query}`, { ...click, ...headers });
      const url = new URL(String(response.headers.location));
      assert.equal(url.origin + url.pathname, `${config.portal}/oauth2${path}/authorize`);
      const { state, code_challenge, ...params } = Object.fromEntries(url.searchParams);
      assert.deepEqual(params, {
        client_id: config.clientId,
        code_challenge_method: "S256",
        expiration: "20160",
        redirect_uri: config.redirectUri,
        response_type: "code",
        ...added,
      });
    });
  }
});

test("with ALSO_SIGN_OUT_PORTAL a sign-out goes on to the portal's own, and the form may lead there", async (t) => {
  const {
    config,
    browser: open,
    sandbox,
  } = await openSite(t, { settings: { ALSO_SIGN_OUT_PORTAL: "true" } });
  const browser = open();
  await signIn(browser);
  const response = await browser.get("/sign-out", click);
  assert.equal(response.status, 303);
  const home = encodeURIComponent(`${config.origin}/`);
  assert.equal(
    response.headers.location,
    `${config.portal}/oauth2/signout?client_id=${config.clientId}&redirect_uri=${home}`,
  );
  assert.match(
    String(response.headers["content-security-policy"]),
    new RegExp(`form-action 'self' ${sandbox.origin}`),
  );
  assert.equal(sandbox.revoked.length, 1);
});

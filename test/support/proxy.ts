import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { TestContext } from "node:test";
import type { ErrorCode } from "#src/app/errors.ts";
import type { Browser, Sending, TestResponse } from "./browser.ts";
import { errorOf } from "./expect.ts";
import { openSite, type Site, type SiteOptions, signIn } from "./site.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

/** The headers a browser sends when a script of our own page asks for something. */
export const script = {
  "Sec-Fetch-Site": "same-origin",
  "Sec-Fetch-Mode": "cors",
  "Sec-Fetch-Dest": "empty",
  Accept: "*/*",
};

export interface ProxySite {
  site: Site;
  /** Signed in as sandy_admin. */
  browser: Browser;
  /** A server that is in PROXY_ALLOW with all it has, and is no ArcGIS Server. */
  upstream: Upstream;
  /** Asks for an address through the proxy, as a script of our page does. */
  ask: (target: string, sending?: Sending) => Promise<TestResponse>;
  /** The same, but the response is not read: take it with `responseOf`, and the body with both hands. */
  begin: (target: string, sending?: Pick<Sending, "method" | "headers">) => ClientRequest;
  /** The user's token, as the portal gave it out last. */
  token: () => Promise<string | undefined>;
}

/** Starts a site with a user signed in and a server behind the proxy. */
export async function openProxy(
  t: Pick<TestContext, "after">,
  { settings, ...options }: SiteOptions = {},
): Promise<ProxySite> {
  const upstream = await startUpstream(t);
  const site = await openSite(t, {
    settings: { PROXY_ALLOW: `${upstream.origin}/`, ...settings },
    ...options,
  });
  const browser = site.browser();
  const base = options.mount ?? "";
  await signIn(browser, "sandy_admin", `${base}/sign-in`);
  return {
    site,
    browser,
    upstream,
    ask: (target, { headers, ...sending } = {}) =>
      browser.send(`${base}/proxy?${target}`, { ...sending, headers: { ...script, ...headers } }),
    begin: (target, { method = "GET", headers } = {}) => {
      const cookie = [...browser.cookies].map((pair) => pair.join("=")).join("; ");
      return request(`${site.url}${base}/proxy?${target}`, {
        method,
        // As browsers do; Node would say "close" with a connection of its own.
        headers: { ...script, Cookie: cookie, Connection: "keep-alive", ...headers },
        agent: false,
      });
    },
    token: async () => {
      const id = decodeURIComponent(browser.cookies.get("arcgis.sid") ?? "")
        .slice(2)
        .split(".", 1)
        .join();
      return (await site.store.read(id))?.arcgis?.token;
    },
  };
}

/** Ends what was begun and gives its response, unread. */
export async function responseOf(begun: ClientRequest): Promise<IncomingMessage> {
  const responded = once(begun.end(), "response");
  const [response] = await responded;
  return response;
}

/** Asserts that this is our error `code`, as JSON, and that no cache may keep it. */
export function assertError({ status, headers, body }: TestResponse, code: ErrorCode): void {
  const expected = errorOf(code, { isOfProxy: true });
  assert.equal(status, expected.status);
  if (body) assert.equal(body, JSON.stringify(expected));
  assert.match(String(headers["content-type"]), /^application\/json/);
  assert.equal(headers["cache-control"], "no-store");
}

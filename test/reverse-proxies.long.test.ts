import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Browser, type TestResponse as Response, type Sending } from "./support/browser.ts";
import { caddy, caddyIsMissing } from "./support/caddy.ts";
import { nginx, nginxIsMissing } from "./support/nginx.ts";
import { needsPosix } from "./support/posix.ts";
import { callbackFor, openSite } from "./support/site.ts";

/**
 * What each reverse proxy sends to the server with its usual settings, for a client at an address and a port. Sources:
 * the pages of the makers about request headers; for HttpPlatformHandler v2 its own code (forwardinghandler.cpp).
 */
interface Row {
  /** The headers beside `X-Forwarded-For`. */
  headers: Record<string, string>;
  /** `X-Forwarded-For`, when it is more than the address. */
  forwardedFor?: (address: string, port: number) => string;
  /** Of the client with a number; an IPv4 address by default. */
  address?: (client: number) => string;
  settings?: Record<string, unknown>;
  /** Where a sign-in ends that cannot work. */
  refusal?: "insecure_connection";
}

const https = { "X-Forwarded-Proto": "https" };
const arr = {
  "X-Original-URL": "/",
  "X-ARR-SSL": "2048|256|C=US, O=Authority, CN=Authority|CN=gis.example.com",
  "X-ARR-LOG-ID": "3c4f2a2e-5c1c-4c3a-9d0f-2c7f4c3f2b11",
  "Max-Forwards": "10",
};
const withPort = (address: string, port: number) => `${address}:${port}`;
const token = { "MS-ASPNETCORE-TOKEN": "3c4f2a2e-5c1c-4c3a-9d0f-2c7f4c3f2b11" };
const addressOf = ({ address = (client: number) => `203.0.113.${client}` }: Row, client: number) =>
  address(client);

const rows: Record<string, Row> = {
  "IIS ARR with its defaults": { headers: arr, forwardedFor: withPort, refusal: "insecure_connection" },
  "IIS ARR with deploy/iis/web.config.arr": { headers: { ...arr, ...https } },
  "IIS ARR that writes the client's port": { headers: { ...arr, ...https }, forwardedFor: withPort },
  "IIS ARR and a client with IPv6": {
    headers: { ...arr, ...https },
    address: (client) => `2001:db8:7:${client}::1`,
    forwardedFor: (address, port) => `[${address}]:${port}`,
  },
  "HttpPlatformHandler v2": { headers: { ...https, ...token }, forwardedFor: withPort },
  "HttpPlatformHandler v2 and a client of the same network, with its zone": {
    headers: { ...https, ...token },
    address: (client) => `fe80:0:0:${client}00::1`,
    forwardedFor: (address, port) => `[${address}%12]:${port}`,
  },
  "HttpPlatformHandler v2 behind Cloudflare: it appends to both headers": {
    headers: { ...token, "X-Forwarded-Proto": "https, https", "CF-Connecting-IP": "203.0.113.1" },
    forwardedFor: (address, port) => `${address}, 198.51.100.99:${port}`,
    settings: { TRUST_PROXY: 2 },
  },
  "Azure App Service": {
    headers: {
      ...https,
      ...arr,
      "X-AppService-Proto": "https",
      "X-Forwarded-TlsVersion": "1.3",
      "WAS-DEFAULT-HOSTNAME": "gis.azurewebsites.net",
      "X-SITE-DEPLOYMENT-ID": "gis",
      "DISGUISED-HOST": "gis.example.com",
      "X-WAWS-Unencoded-URL": "/",
      "CLIENT-IP": "203.0.113.1:50000",
      "X-Client-IP": "203.0.113.1",
      "X-Client-Port": "50000",
    },
    forwardedFor: withPort,
  },
  "AWS ALB": {
    headers: {
      ...https,
      "X-Forwarded-Port": "443",
      "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
    },
  },
  "AWS ALB that preserves the client's port": {
    headers: { ...https, "X-Forwarded-Port": "443" },
    forwardedFor: withPort,
  },
  Cloudflare: {
    headers: {
      ...https,
      "CF-Connecting-IP": "203.0.113.1",
      "CF-Visitor": '{"scheme":"https"}',
      "CF-Ray": "230b030023ae2822-SJC",
      "CDN-Loop": "cloudflare; loops=1",
    },
  },
  "Cloudflare, and nginx behind it": {
    headers: { ...https, "CF-Connecting-IP": "203.0.113.1", "X-Real-IP": "198.51.100.99" },
    forwardedFor: (address) => `${address}, 198.51.100.99`,
    settings: { TRUST_PROXY: 2 },
  },
  Traefik: {
    headers: {
      ...https,
      "X-Forwarded-Host": "gis.example.com",
      "X-Forwarded-Port": "443",
      "X-Forwarded-Server": "traefik",
      "X-Real-Ip": "203.0.113.1",
    },
  },
  Caddy: { headers: { ...https, "X-Forwarded-Host": "gis.example.com", Via: "1.1 Caddy" } },
  "a proxy that appends to what the client has sent": {
    headers: https,
    forwardedFor: (address, port) => `6.6.6.6, 127.0.0.1:1, ${address}:${port}`,
  },
  "a proxy, and TRUST_PROXY is missing": {
    headers: https,
    settings: { TRUST_PROXY: false },
    refusal: "insecure_connection",
  },
};

/** A browser behind the proxy. Each of its requests comes by another connection, so from another port. */
class ProxiedBrowser extends Browser {
  readonly #row: Row;
  readonly #address: string;
  #port = 50_000;

  constructor(url: string, row: Row, address: string) {
    super(url);
    this.#row = row;
    this.#address = address;
  }

  override send(url: string, sending: Sending = {}): Promise<Response> {
    const { pathname, search, origin } = new URL(url, "https://gis.example.com");
    const isOurs = origin === "https://gis.example.com";
    const { headers, forwardedFor = (address: string) => address } = this.#row;
    const added = { ...headers, "X-Forwarded-For": forwardedFor(this.#address, this.#port++) };
    if (!isOurs) return super.send(url, sending);
    return super.send(pathname + search, { ...sending, headers: { ...sending.headers, ...added } });
  }
}

async function openRow(t: TestContext, row: Row) {
  const site = await openSite(t, {
    settings: {
      REDIRECT_URI: "https://gis.example.com/authenticate",
      TRUST_PROXY: 1,
      RATE_LIMIT: 4,
      ...row.settings,
    },
  });
  const browser = (client: number) => new ProxiedBrowser(site.url, row, addressOf(row, client));
  return { site, browser };
}

for (const [name, row] of Object.entries(rows)) {
  describe(`behind ${name}`, () => {
    if (row.refusal) {
      test("CK-3 the sign-in ends on the page that names the missing setting", async (t) => {
        const { browser } = await openRow(t, row);
        const { status, body } = await browser(1).get("/sign-in");
        assert.equal(status, 500);
        assert.match(body, new RegExp(`data-code="${row.refusal}"`));
        assert.match(body, /X-Forwarded-Proto.*TRUST_PROXY.*HTTP_X_FORWARDED_PROTO/s);
      });
      return;
    }

    test("CK-1 a sign-in works, and its cookie is Secure", async (t) => {
      const { site, browser } = await openRow(t, row);
      const user = browser(1);
      const { status, headers, setCookies, body } = await user.get(await callbackFor(user, "sandy_admin"));
      const code = /data-code="\w+"/.exec(body)?.[0];
      assert.deepEqual([status, headers.location], [303, "/"], `${code}\n${site.log.text()}`);
      const cookie = setCookies.find((one) => one.startsWith("__Host-arcgis.sid="));
      assert.match(String(cookie), /; Secure/);
      const { username } = (await user.get("/api/session")).json() as { username: string };
      assert.equal(username, "sandy_admin");
    });

    test("AV-1 each client has one rate limit, from whatever port, and its address is in the log", async (t) => {
      const { site, browser } = await openRow(t, row);
      const [first, second] = [browser(1), browser(2)];
      const statuses: number[] = [];
      for (let request = 0; request < 6; request++) statuses.push((await first.get("/sign-in")).status);
      assert.deepEqual(statuses, [302, 302, 302, 302, 429, 429]);
      assert.equal((await second.get("/sign-in")).status, 302, "another client is not limited");
      const addresses = new Set(site.log.lines.flatMap(({ address }) => address ?? []));
      assert.deepEqual(
        [...addresses],
        [1, 2].map((client) => addressOf(row, client)),
      );
    });
  });
}

const programs = {
  "Caddy itself": [caddy, caddyIsMissing()],
  "nginx itself": [nginx, nginxIsMissing()],
} as const;

for (const [name, [proxy, isMissing]] of Object.entries(programs)) {
  const skip = isMissing || needsPosix("several addresses of this machine");
  test(`CK-1 AV-1 behind ${name}: a Secure cookie, one rate limit for each client, its address in the log, whatever it claims`, {
    skip,
  }, async (t) => {
    const front = await proxy(t);
    const site = await openSite(t, {
      settings: { REDIRECT_URI: `${front.url}/authenticate`, TRUST_PROXY: 1, RATE_LIMIT: 4 },
    });
    await front.start(site.url);
    const [first, second] = [2, 3].map((client) =>
      Object.assign(front.browser(), { localAddress: `127.0.0.${client}` }),
    ) as [Browser, Browser];
    const { status, setCookies } = await first.get(await callbackFor(first, "sandy_admin"));
    assert.equal(status, 303);
    assert.match(setCookies.join("\n"), /^__Host-arcgis\.sid=.*; Secure/m);
    const statuses: number[] = [];
    for (let request = 0; request < 4; request++)
      statuses.push((await first.get("/sign-in", { "X-Forwarded-For": `6.6.6.${request}` })).status);
    // The sign-in above was two of the four.
    assert.deepEqual(statuses, [302, 302, 429, 429]);
    assert.equal((await second.get("/sign-in")).status, 302);
    const addresses = new Set(site.log.lines.flatMap(({ address }) => address ?? []));
    assert.deepEqual([...addresses], ["127.0.0.2", "127.0.0.3"]);
  });
}

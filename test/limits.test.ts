import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import pino from "pino";
import { createApp } from "#src/app/create-app.ts";
import { click } from "./support/browser.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { needsPosix } from "./support/posix.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { callbackFor, folder, openSite, type Site, signIn } from "./support/site.ts";
import { signOut } from "./support/user.ts";

const perMinute = 10;

/** A site behind a trusted proxy, where each request can come from an address of its own. */
const openBehindProxy = (t: Parameters<typeof openSite>[0]) =>
  openSite(t, { settings: { RATE_LIMIT: perMinute, TRUST_PROXY: 1 } });

/** The X-Forwarded-For that the proxy writes; what a visitor sent comes before it. */
const from = (address: string, sent?: string) => ({
  ...click,
  "X-Forwarded-For": sent === undefined ? address : `${sent}, ${address}`,
});

/** How many of these requests, one after the other, were let through. */
async function letThrough(site: Site, requests: { url?: string; headers?: Record<string, string> }[]) {
  let count = 0;
  for (const { url = "/sign-in", headers = click } of requests) {
    const { status } = await site.browser().get(url, headers);
    if (status !== 429) count++;
  }
  return count;
}

const many = <T>(make: (index: number) => T): T[] => Array.from({ length: 3 * perMinute }, (_, i) => make(i));

describe("AV-1 the rate limit of the sign-in", () => {
  test("AV-1 after so many requests a minute there is a page that says when to come back, and a line in the log", async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: perMinute } });
    assert.equal(
      await letThrough(
        site,
        many(() => ({})),
      ),
      perMinute,
    );

    const response = await site.browser().get("/sign-in", click);
    assertErrorPage(response, "rate_limited");
    const seconds = Number(response.headers["retry-after"]);
    assert.ok(seconds >= 1 && seconds <= 60, `Retry-After: ${response.headers["retry-after"]}`);
    assert.deepEqual(response.setCookies, []);
    const asProgram = await site.browser().get("/sign-in", { Accept: "application/json" });
    assert.deepEqual(
      [asProgram.status, (asProgram.json() as { error: { code: string } }).error.code],
      [429, "rate_limited"],
    );
    assert.equal(site.log.lines.filter(({ code }) => code === "rate_limited").length, 2 * perMinute + 2);
  });

  test("AV-1 the default is 60 a minute", async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: undefined } });
    assert.equal(await letThrough(site, [...many(() => ({})), ...many(() => ({})), ...many(() => ({}))]), 60);
  });

  test("AV-1 no spelling and no query of either address is counted apart: case, slashes, callback or sign-in", async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: perMinute } });
    const urls = [
      "/sign-in",
      "/sign-in/",
      "/SIGN-IN",
      "/Sign-In/",
      "/sign-in?returnTo=/map",
      "/sign-in/?a=b",
      "/authenticate",
      "/authenticate/",
      "/AUTHENTICATE?code=x&state=y",
      "/Authenticate/?error=access_denied&state=y",
    ];
    assert.equal(
      await letThrough(
        site,
        many((i) => ({ url: urls[i % urls.length] })),
      ),
      perMinute,
    );
  });

  test("AV-1 who is over the limit does not reach the portal with a code", async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: perMinute } });
    const browser = site.browser();
    const callback = await callbackFor(browser, "sandy_admin");
    await letThrough(
      site,
      many(() => ({})),
    );
    assertErrorPage(await browser.get(callback), "rate_limited");
    assert.equal(site.sandbox.log.filter(({ endpoint }) => endpoint === "token").length, 0);
    assert.deepEqual(site.files(), []);
  });

  test("AV-1 the rest stays open: who is signed in sees their page and signs out", async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: perMinute } });
    const browser = site.browser();
    await signIn(browser);
    await letThrough(
      site,
      many(() => ({})),
    );
    assert.equal(await whoIs(browser), "sandy_admin");
    assert.equal((await signOut(browser)).status, 303);
  });

  test("AV-1 what changes nothing counts nothing: HEAD and prefetch", async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: perMinute } });
    for (let index = 0; index < 2 * perMinute; index++) {
      await site.browser().send("/sign-in", { method: "HEAD" });
      await site.browser().get("/sign-in", { ...click, "Sec-Purpose": "prefetch" });
    }
    assert.equal(
      await letThrough(
        site,
        many(() => ({})),
      ),
      perMinute,
    );
  });

  test("AV-1 a minute later the door is open again", async (t) => {
    t.mock.timers.enable({ apis: ["Date", "setInterval"], now: Date.now() });
    const site = await openSite(t, { settings: { RATE_LIMIT: perMinute } });
    assert.equal(
      await letThrough(
        site,
        many(() => ({})),
      ),
      perMinute,
    );
    t.mock.timers.tick(60_000);
    assert.equal(
      await letThrough(
        site,
        many(() => ({})),
      ),
      perMinute,
    );
  });

  test("AV-1 RATE_LIMIT off lets everything through", async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: "off" } });
    assert.equal(await letThrough(site, [...many(() => ({})), ...many(() => ({})), ...many(() => ({}))]), 90);
  });
});

describe("AV-1 whose requests are counted together", () => {
  test("AV-1 over a Unix socket, where clients have no address, all are counted together", {
    skip: needsPosix("Unix sockets"),
  }, async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: 3 } });
    const path = join(folder(t), "socket");
    const log = pino({ level: "silent" });
    const app = await createApp({ config: site.config, log });
    t.after(() => app.close());
    const server = createServer(app);
    t.after(() => void server.close().closeAllConnections());
    await once(server.listen(path), "listening");
    const statuses: (number | undefined)[] = [];
    for (let index = 0; index < 5; index++) {
      const headers = { Host: "localhost", "X-Forwarded-For": `203.0.113.${index}` };
      const asked = request({ socketPath: path, path: "/sign-in", agent: false, headers }).end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      statuses.push(response.resume().statusCode);
    }
    assert.deepEqual(statuses, [302, 302, 302, 429, 429]);
  });

  test("AV-1 without a trusted proxy X-Forwarded-For is no way to a new address", async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: perMinute, TRUST_PROXY: false } });
    const lies = many((i) => ({
      headers: { ...from(`203.0.113.${i}`), Forwarded: `for=203.0.113.${i}`, "X-Real-IP": `203.0.113.${i}` },
    }));
    assert.equal(await letThrough(site, lies), perMinute);
  });

  test("AV-1 trusting another network than ours, it is none either", async (t) => {
    const site = await openSite(t, { settings: { RATE_LIMIT: perMinute, TRUST_PROXY: "10.0.0.0/8" } });
    assert.equal(
      await letThrough(
        site,
        many((i) => ({ headers: from(`203.0.113.${i}`) })),
      ),
      perMinute,
    );
  });

  test("AV-1 behind a trusted proxy, what the visitor put into X-Forwarded-For is no way to a new address", async (t) => {
    const site = await openBehindProxy(t);
    const lies = ["198.51.100.7", "127.0.0.1", "::1", "unknown", "", "<script>", "203.0.113.9"];
    const requests = many((i) => ({
      headers: from("203.0.113.9", `${lies[i % lies.length]}${i}, 198.51.100.${i}`),
    }));
    assert.equal(await letThrough(site, requests), perMinute);
    for (const { address } of site.log.lines.filter((line) => "address" in line)) {
      assert.equal(address, "203.0.113.9");
    }
  });

  test("AV-1 nor are so many other headers that Node would drop the proxy's X-Forwarded-For", async (t) => {
    const site = await openBehindProxy(t);
    const others = Array.from({ length: 1_100 }, (_, index) => `x${index}:`);
    let count = 0;
    for (const index of many((index) => index)) {
      const sent = `X-Forwarded-For: ${index}.9.9.9`;
      const headers = ["Host: localhost", sent, ...others, "X-Forwarded-For: 192.0.2.1"];
      if ((await sendRaw(site.url, rawGet("/sign-in", ...headers))).status !== 429) count++;
    }
    assert.equal(count, perMinute);
  });

  test("AV-1 behind a trusted proxy that writes ports, a visitor has one address, in the limit and in the log", async (t) => {
    const settings = { RATE_LIMIT: perMinute, TRUST_PROXY: "loopback, 10.0.0.0/8" };
    for (const [address, written] of [
      ["203.0.113.9", (port: number) => `203.0.113.9:${port}`],
      ["203.0.113.9", (port: number) => `203.0.113.9:${port}, 10.0.0.4:${port}`],
      ["2001:db8::1", (port: number) => `[2001:db8::1]:${port}`],
      ["2001:db8::1", () => "[2001:db8::1]"],
      ["2001:db8::1", () => "2001:db8::1"],
    ] as const) {
      const site = await openSite(t, { settings });
      const requests = many((i) => ({ headers: { ...click, "X-Forwarded-For": written(50_000 + i) } }));
      assert.equal(await letThrough(site, requests), perMinute, written(1));
      const logged = site.log.lines.flatMap((line) => ("address" in line ? [line.address] : []));
      assert.deepEqual([...new Set(logged)], [address], written(1));
    }
  });

  test("AV-1 behind a trusted proxy everybody has a count of their own", async (t) => {
    const site = await openBehindProxy(t);
    assert.equal(
      await letThrough(
        site,
        many(() => ({ headers: from("203.0.113.9") })),
      ),
      perMinute,
    );
    assert.equal(await letThrough(site, [{ headers: from("203.0.113.10") }]), 1);
    assert.equal(
      await letThrough(
        site,
        many((i) => ({ headers: from(`198.51.100.${i}`) })),
      ),
      3 * perMinute,
    );
  });

  test("AV-1 an IPv6 network of 64 bits counts as one address, however it is written", async (t) => {
    const site = await openBehindProxy(t);
    const inside = [
      "2001:db8:1:2::1",
      "2001:db8:1:2:ffff:ffff:ffff:ffff",
      "2001:DB8:1:2::2",
      "2001:0db8:0001:0002:0000:0000:0000:0003",
      "2001:db8:1:2:0:0:192.0.2.1",
    ];
    const requests = many((i) => ({ headers: from(inside[i] ?? `2001:db8:1:2::${i.toString(16)}`) }));
    assert.equal(await letThrough(site, requests), perMinute);
    assert.equal(await letThrough(site, [{ headers: from("2001:db8:1:3::1") }]), 1, "the next network");
  });

  test("AV-1 an IPv4 address is the same one in its IPv6 form, and no neighbor shares its count", async (t) => {
    const site = await openBehindProxy(t);
    const forms = ["203.0.113.9", "::ffff:203.0.113.9", "::FFFF:cb00:7109"];
    assert.equal(
      await letThrough(
        site,
        many((i) => ({ headers: from(String(forms[i % 3])) })),
      ),
      perMinute,
    );
    assert.equal(await letThrough(site, [{ headers: from("::ffff:203.0.113.10") }]), 1);
  });
});

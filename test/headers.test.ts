import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { click, type TestResponse, typed } from "./support/browser.ts";
import { casesOf } from "./support/rounds.ts";
import { callbackFor, openSite, type SiteOptions } from "./support/site.ts";
import { signOut } from "./support/user.ts";

const html = { Accept: "text/html" };
const json = { Accept: "application/json" };
const foreign = { ...html, Origin: "https://evil.example" };
const preflight = {
  ...foreign,
  "Access-Control-Request-Method": "POST",
  "Access-Control-Request-Headers": "content-type",
  "Access-Control-Request-Private-Network": "true",
};

/** Every kind of response that this server gives, by what it is; `base` is where it is mounted. */
async function everyResponse(t: TestContext, options: SiteOptions = {}): Promise<Map<string, TestResponse>> {
  const base = options.mount ?? "";
  const responses = new Map<string, TestResponse>();
  const site = await openSite(t, { ...options, settings: { RATE_LIMIT: 60, ...options.settings } });
  const visitor = site.browser();
  for (const [url, headers] of [
    ["/", html],
    ["/", json],
    ["/", foreign],
    ["/sign-out", html],
    ["/nothing", html],
    ["/nothing", json],
    ["/api/nothing", json],
    ["/api/session", json],
    ["/proxy", html],
    ["/proxy?https://evil.example/", { ...json, "Sec-Fetch-Site": "same-origin" }],
    ["/%", html],
    ["/%E0%A4%A", html],
    ["/authenticate", html],
    ["/authenticate?code=x&state=y", html],
    ["/authenticate?code=x&state=y", json],
    ["/assets/app.css", html],
    ["/assets/app.css", { ...html, Range: "bytes=0-9" }],
    ["/assets/app.css", { ...html, Range: "bytes=999999-" }],
    ["/assets/app.css", { ...html, "If-Match": '"another"' }],
    ["/assets/nothing.css", html],
    ["/assets/%E0%A4%A", html],
    ["/assets/../app.css", html],
    ["/sign-in", { ...html, "Sec-Purpose": "prefetch" }],
  ] as const) {
    responses.set(`GET ${url} ${JSON.stringify(headers)}`, await visitor.get(base + url, headers));
  }
  for (const url of ["/", "/sign-in", "/authenticate", "/sign-out", "/nothing", "/assets/app.css"]) {
    for (const [method, headers] of [
      ["HEAD", html],
      ["OPTIONS", preflight],
      ["PUT", foreign],
      ["DELETE", json],
    ] as const) {
      responses.set(`${method} ${url}`, await visitor.send(base + url, { method, headers }));
    }
  }
  responses.set("GET /sign-in", await visitor.get(`${base}/sign-in`, foreign));
  responses.set(
    "GET /assets, not modified",
    await visitor.get(`${base}/assets/app.css`, { "If-None-Match": "*" }),
  );

  const callback = await callbackFor(visitor, "sandy_admin", `${base}/sign-in`);
  responses.set("signed in", await visitor.get(callback));
  responses.set("signed in, again", await visitor.get(callback));
  responses.set("start page of a user", await visitor.get(`${base}/`));
  responses.set("session of a user", await visitor.get(`${base}/api/session`, json));
  responses.set("proxy to elsewhere", await visitor.get(`${base}/proxy?https://evil.example/`, click));
  responses.set("confirm page", await visitor.get(`${base}/sign-out`, foreign));
  responses.set("form refused", await visitor.post(`${base}/sign-out`, {}));
  responses.set("form too large", await visitor.post(`${base}/sign-out`, { a: "x".repeat(9_000) }));
  responses.set("signed out", await signOut(visitor, base));

  site.sandbox.faults.set("token", { kind: "status", status: 500 });
  responses.set(
    "portal down",
    await visitor.get(await callbackFor(visitor, "sandy_admin", `${base}/sign-in`)),
  );
  site.sandbox.faults.clear();
  await visitor.get(await callbackFor(visitor, "sandy_admin", `${base}/sign-in`));
  rmSync(site.config.sessionDir, { recursive: true });
  writeFileSync(site.config.sessionDir, "");
  responses.set("store down", await visitor.get(`${base}/`));
  for (let i = 0; i < 60; i++) responses.set("too many", await visitor.get(`${base}/sign-in`, html));

  const misled = { REDIRECT_URI: "https://app.example/authenticate" };
  const fault = await openSite(t, { ...options, settings: misled });
  responses.set("fault of ours", await fault.browser().get(`${base}/sign-in`));
  return responses;
}

const policy = {
  "default-src": "'none'",
  "script-src": "'self'",
  "style-src": "'self'",
  "img-src": "'self' data:",
  "connect-src": "'self'",
  "object-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'self'",
  "frame-ancestors": "'none'",
};

function policyOf({ headers }: TestResponse): Record<string, string> {
  const directives = String(headers["content-security-policy"] ?? "").split(";");
  return Object.fromEntries(
    directives.map((each) => {
      const [name = "", ...values] = each.trim().split(" ");
      return [name, values.join(" ")];
    }),
  );
}

test("a sign-out behind a reverse proxy that removes a path leaves the storage of the other apps there alone", async (t) => {
  const redirectUri = "http://localhost:3000/gis/authenticate";
  const site = await openSite(t, { settings: { REDIRECT_URI: redirectUri } });
  const browser = site.browser();
  const callback = new URL(await callbackFor(browser, "sandy_admin"));
  assert.equal((await browser.get(callback.pathname.replace("/gis", "") + callback.search)).status, 303);
  const { status, headers } = await signOut(browser);
  assert.deepEqual([status, headers["clear-site-data"]], [303, undefined]);
});

for (const mount of casesOf(["", "/gis"], 1)) {
  test(`the headers of every kind of response, ${mount ? `mounted at ${mount}` : "as the whole server"}`, async (t) => {
    const responses = await everyResponse(t, { mount });
    const each = (check: (response: TestResponse, what: string) => void) => {
      for (const [what, response] of responses) check(response, `${response.status} ${what}`);
    };

    // Or the tests below look at less than they say.
    const seen = new Set([...responses.values()].map(({ status }) => status));
    for (const status of [200, 204, 206, 302, 303, 304, 400, 401, 403, 404, 405, 413, 429, 500, 502, 503])
      assert.ok(seen.has(status), `there is a ${status} among the responses`);

    await t.test(
      "HT-1 the same strict Content-Security-Policy is on every response, and nothing inline is allowed",
      () => {
        each((response, what) => assert.deepEqual(policyOf(response), policy, what));
        each(({ body }, what) =>
          assert.doesNotMatch(body, /<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/i, what),
        );
      },
    );

    await t.test("HT-3 HT-4 no response may be framed, sniffed or read by another site", () => {
      each((response, what) => assert.equal(policyOf(response)["frame-ancestors"], "'none'", what));
      each(({ headers }, what) => {
        assert.equal(headers["x-frame-options"], "DENY", what);
        assert.equal(headers["x-content-type-options"], "nosniff", what);
        assert.equal(headers["cross-origin-opener-policy"], "same-origin", what);
        assert.equal(headers["cross-origin-resource-policy"], "same-origin", what);
      });
    });

    await t.test("no response is for search engines, or may use a camera or a microphone", () => {
      each(({ headers }, what) => {
        assert.equal(headers["x-robots-tag"], "noindex", what);
        assert.match(String(headers["permissions-policy"]), /camera=\(\).*microphone=\(\)/, what);
      });
    });

    await t.test(
      "a sign-out clears what pages have kept, unless another app is around; a foreign callback clears the cache alone",
      () => {
        each(({ headers }, what) => {
          const isSignOut = what === "303 signed out" && !mount;
          const isForeignCallback = /^400 GET .*\/authenticate/.test(what);
          const cleared = isSignOut ? '"storage"' : isForeignCallback ? '"cache"' : undefined;
          assert.equal(headers["clear-site-data"], cleared, what);
        });
      },
    );

    await t.test("HT-4 every text says that it is UTF-8", () => {
      each(({ headers, body }, what) => {
        const type = headers["content-type"] ?? "";
        if (body) assert.match(type, /^(text\/(html|css)|application\/json); charset=utf-8$/, what);
      });
    });

    await t.test(
      "HT-5 only pages with a form tell their own site where one comes from; no response tells another site",
      () => {
        each(({ headers, body }, what) => {
          const expected = /<form/.test(body) ? "same-origin" : "no-referrer";
          assert.equal(headers["referrer-policy"], expected, what);
        });
        assert.match(String(responses.get("start page of a user")?.body), /<form/);
        assert.match(String(responses.get("confirm page")?.body), /<form/);
      },
    );

    await t.test(
      "HT-6 SE-10 the callback that worked is a redirect without a body, to an address without code and state",
      () => {
        const { status, headers, body } = responses.get("signed in") ?? assert.fail("no user is signed in");
        assert.deepEqual([status, headers.location, body], [303, `${mount}/`, ""]);
        const again = responses.get("signed in, again");
        assert.deepEqual([again?.status, again?.headers.location, again?.body], [303, `${mount}/`, ""]);
      },
    );

    await t.test("HT-6 no page names a resource of another host", () => {
      each(({ body }, what) => {
        for (const [, url] of body.matchAll(/\s(?:src|href|action|srcset|poster)="([^"]*)"/g))
          assert.match(String(url), /^\/(?!\/)|^#/, what);
      });
    });

    await t.test("HT-7 nothing but the assets may be stored, and nothing else has an ETag", () => {
      each(({ headers }, what) => {
        if (/^(200|206|304) \S+ \/assets/.test(what)) return;
        assert.equal(headers["cache-control"], "no-store", what);
        assert.equal(headers.etag, undefined, what);
        assert.equal(headers["last-modified"], undefined, what);
      });
    });

    await t.test("HT-9 no response has a CORS header, also not the one to a preflight", () => {
      each(({ headers }, what) => {
        const cors = Object.keys(headers).filter((name) => /^access-control|^timing-allow/.test(name));
        assert.deepEqual(cors, [], what);
      });
    });

    await t.test("HT-10 no response tells what it was made with", () => {
      each(({ headers, body }, what) => {
        for (const name of ["server", "via"]) assert.equal(headers[name], undefined, what);
        // The host app around us may say this of itself.
        if (!mount) assert.equal(headers["x-powered-by"], undefined, what);
        const { "x-powered-by": _, ...ours } = headers;
        // In a long random text, such as a sealed cookie, "-ejs-" stands by chance.
        const text = `${JSON.stringify(ours)}${body}`.replace(/[\w%+-]{32,}/g, "");
        assert.doesNotMatch(text, /express|node\.?js|helmet|\bejs\b/i, what);
      });
    });

    await t.test("HT-8 on http there is no Strict-Transport-Security", () => {
      each(({ headers }, what) => {
        if (!what.includes("fault of ours"))
          assert.equal(headers["strict-transport-security"], undefined, what);
      });
    });
  });
}

test("HT-8 where browsers come by https, every response has Strict-Transport-Security, for this host alone", async (t) => {
  const settings = { REDIRECT_URI: "https://app.example/authenticate", TRUST_PROXY: "loopback" };
  const browser = (await openSite(t, { settings })).browser();
  for (const url of ["/", "/sign-in", "/authenticate", "/sign-out", "/nothing", "/assets/app.css", "/%"]) {
    const { headers } = await browser.get(url, { ...typed, "X-Forwarded-Proto": "https" });
    assert.equal(headers["strict-transport-security"], "max-age=31536000", url);
  }
});

test("the error of a file that could not be sent has the type of the error, not that of the file", async (t) => {
  const browser = (await openSite(t)).browser();
  for (const [name, value] of [
    ["Range", "bytes=999999-"],
    ["If-Match", '"another"'],
  ] as const)
    for (const [accept, type] of [
      [html, "text/html; charset=utf-8"],
      [json, "application/json; charset=utf-8"],
    ] as const) {
      const { status, headers } = await browser.get("/assets/app.css", { ...accept, [name]: value });
      assert.deepEqual([status, headers["content-type"]], [400, type]);
    }
});

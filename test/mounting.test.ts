import assert from "node:assert/strict";
import { test } from "node:test";
import express, { type ErrorRequestHandler, type Express, type Request } from "express";
import session, { MemoryStore } from "express-session";
import { type Browser, click, crossSite, typed } from "./support/browser.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { callbackFor, openSite, signIn } from "./support/site.ts";
import { identityFor } from "./support/store.ts";
import { csrfTokenOf, signOut } from "./support/user.ts";

const sessionOf = (req: Request) => req.session as unknown as { cart?: number };

/** Gives the app around us sessions of its own, and a cart in them. */
function withCart(host: Express, store: MemoryStore, options: Partial<session.SessionOptions> = {}): void {
  host.use(session({ secret: "the host's own", store, resave: false, saveUninitialized: false, ...options }));
  host.get("/cart/add", (req, res) => {
    const mine = sessionOf(req);
    mine.cart = (mine.cart ?? 0) + 1;
    res.end();
  });
  host.get("/cart", (req, res) => void res.send(String(sessionOf(req).cart ?? 0)));
}

async function cart(browser: Browser): Promise<number> {
  return Number((await browser.get("/cart")).body);
}

for (const [kind, options] of Object.entries({
  "that keep quiet": {},
  "that are saved at every request": { resave: true, saveUninitialized: true },
  "whose cookie is renewed at every request": { rolling: true, cookie: { maxAge: 60_000 } },
  "that are destroyed when they are unset": { unset: "destroy" },
} satisfies Record<string, Partial<session.SessionOptions>>)) {
  test(`below an app with sessions of its own ${kind}, each keeps its own`, async (t) => {
    const store = new MemoryStore();
    const site = await openSite(t, { mount: "/gis", host: (host) => withCart(host, store, options) });
    const browser = site.browser();
    await browser.get("/cart/add");
    const hostCookie = browser.cookies.get("connect.sid");

    const response = await signIn(browser, "sandy_admin", "/gis/sign-in");
    assert.deepEqual([response.status, response.headers.location], [303, "/gis/"]);
    assert.equal(await whoIs(browser, "/gis/"), "sandy_admin");
    assert.deepEqual([...browser.cookies.keys()].sort(), ["arcgis.sid.gis", "connect.sid"]);
    assert.equal(browser.cookies.get("connect.sid"), hostCookie);
    assert.equal(site.files().length, 1);
    const { sessions } = store as unknown as { sessions: Record<string, string> };
    const kept = Object.values(sessions).map((text) => Object.keys(JSON.parse(text)));
    assert.deepEqual(kept, [["cookie", "cart"]], "nothing of the user is in the other app's sessions");

    await browser.get("/cart/add");
    assert.equal(await cart(browser), 2);
    assert.equal((await signOut(browser, "/gis")).status, 303);
    assert.equal(await whoIs(browser, "/gis/"), undefined);
    assert.deepEqual(site.files(), []);
    assert.equal(await cart(browser), 2, "a sign-out here is no sign-out there");

    // The other app's first cookie comes along with our responses, too, and is its own.
    const newcomer = site.browser();
    await signIn(newcomer, "vik_viewer", "/gis/sign-in");
    assert.equal(await whoIs(newcomer, "/gis/"), "vik_viewer");
    assert.equal(await cart(newcomer), 0);
  });
}

test("below an app whose session is an accessor, as that of cookie-session, nothing is ever assigned to it", async (t) => {
  const assigned: unknown[] = [];
  const site = await openSite(t, {
    mount: "/gis",
    host: (host) => {
      host.use((req, res, next) => {
        const get = () => ({ theirs: true });
        const set = (value: unknown) => void assigned.push(value);
        Object.defineProperty(req, "session", { configurable: true, enumerable: true, get, set });
        res.on("finish", () => assert.deepEqual(get(), { theirs: true }));
        const end = res.end.bind(res) as () => typeof res;
        res.end = ((...args: []) => {
          if (!res.headersSent) res.setHeader("X-Theirs", JSON.stringify(req.session));
          return end(...args);
        }) as typeof res.end;
        next();
      });
    },
  });
  const browser = site.browser();
  await signIn(browser, "sandy_admin", "/gis/sign-in");
  assert.equal(await whoIs(browser, "/gis/"), "sandy_admin");
  const response = await browser.get("/gis/sign-out", click);
  assert.deepEqual([response.status, response.headers["x-theirs"]], [303, '{"theirs":true}']);
  assert.equal(await whoIs(browser, "/gis/"), undefined);
  assert.deepEqual(assigned, []);
});

test("an identity in the other app's session signs no user in here", async (t) => {
  const site = await openSite(t, {
    mount: "/gis",
    host: (host) => {
      host.use((req, _res, next) => {
        const { portal, clientId } = site.config;
        const arcgis = Object.assign(identityFor("mallory", { portal }), { clientId });
        Object.assign(req, { session: { arcgis, arcgisSignIn: { user: arcgis } }, sessionID: "x" });
        next();
      });
    },
  });
  assert.equal(await whoIs(site.browser(), "/gis/"), undefined);
  assert.equal((await site.browser().get("/gis/sign-out", click)).status, 303);
});

/** An app with habits of its own, all of them other than ours. */
function withHabits(host: Express): void {
  host.set("trust proxy", true);
  host.set("query parser", "extended");
  host.set("views", "/nowhere");
  host.set("view engine", "pug");
  host.set("json spaces", 8);
  host.engine("ejs", () => assert.fail("the other app's engine draws our pages"));
  Object.assign(host.locals, { notice: "host", base: "/host", header: { name: "Mallory" }, title: "host" });
  host.use(express.json(), express.urlencoded({ extended: true }));
  host.use((_req, res, next) => {
    Object.assign(res.locals, {
      notice: "host",
      base: "/host",
      header: { name: "Mallory" },
      requestId: "host",
    });
    res.set("Cache-Control", "public, max-age=600");
    res.set("Content-Security-Policy", "default-src *");
    next();
  });
  host.get("/own", (_req, res) => void res.send("the host's page"));
}

for (const mount of ["", "/gis", "/deep/down/gis"]) {
  test(`the whole journey ${mount ? `below ${mount} of an app with habits of its own` : "beside an app's own routes"}`, async (t) => {
    const errors: unknown[] = [];
    const host = (outer: Express) => {
      if (mount) withHabits(outer);
      else outer.get("/own", (_req, res) => void res.send("the host's page"));
    };
    const site = await openSite(t, { mount, host, after: (outer) => outer.use(noteErrors(errors)) });
    const browser = site.browser();

    const home = await browser.get(`${mount}/`);
    assert.match(home.body, new RegExp(`href="${mount}/sign-in\\?returnTo=${encodeURIComponent(mount)}%2F"`));
    assert.doesNotMatch(home.body, /Mallory|"\/host|>host</);
    const [, css = ""] = /href="([^"]*app\.css[^"]*)"/.exec(home.body) ?? [];
    assert.equal((await browser.get(css)).status, 200);

    const response = await signIn(browser, "sandy_admin", `${mount}/sign-in?returnTo=/own`);
    assert.deepEqual([response.status, response.headers.location], [303, "/own"]);
    assert.equal((await browser.get("/own")).body, "the host's page");
    assert.equal(await whoIs(browser, `${mount}/`), "sandy_admin");
    assert.equal((await browser.get(`${mount}/`)).headers["cache-control"], "no-store");

    assert.equal((await browser.get(`${mount}/sign-out`, crossSite)).status, 200);
    assertErrorPage(await browser.post(`${mount}/sign-out`, { "csrf_token[]": "x" }), "csrf");
    assertErrorPage(await browser.get(`${mount}/nothing`), "not_found");
    assertErrorPage(await browser.get(`${mount}/authenticate?state[a]=b&code=x`), "callback_malformed");
    assert.equal(await whoIs(browser, `${mount}/`), "sandy_admin");

    const gone = await signOut(browser, mount);
    assert.deepEqual([gone.status, gone.headers.location], [303, `${mount}/`]);
    assert.deepEqual(site.files(), []);
    for (const url of ["/sign-in", "/sign-out", "/SIGN-OUT/", "/authenticate"]) {
      const returnTo = encodeURIComponent(mount + url);
      const landed = await signIn(browser, "vik_viewer", `${mount}/sign-in?returnTo=${returnTo}`);
      assert.equal(landed.headers.location, `${mount}/`, `${url} is no place to land`);
    }
    assert.deepEqual(errors, [], "no error of ours is left to the app around us");
  });
}

function noteErrors(errors: unknown[]): ErrorRequestHandler {
  return (error, _req, res, _next) => {
    errors.push(error);
    res.status(500).end();
  };
}

test("below an app that trusts every proxy, TRUST_PROXY is still ours to say", async (t) => {
  const site = await openSite(t, {
    mount: "/gis",
    host: (host) => void host.set("trust proxy", true),
    settings: { RATE_LIMIT: 5 },
  });
  const statuses: number[] = [];
  for (let index = 0; index < 10; index++) {
    const headers = { ...typed, "X-Forwarded-For": `203.0.113.${index}` };
    statuses.push((await site.browser().get("/gis/sign-in", headers)).status);
  }
  assert.deepEqual(statuses, [302, 302, 302, 302, 302, 429, 429, 429, 429, 429]);
  for (const { address } of site.log.lines.filter((line) => "address" in line)) {
    assert.equal(address, "127.0.0.1");
  }
});

for (const [kind, parser] of Object.entries({
  "as text": express.text({ type: "*/*" }),
  "as bytes": express.raw({ type: "*/*" }),
})) {
  test(`below an app that has read the form already, ${kind}, a sign-out is refused instead of waiting for ever`, async (t) => {
    const site = await openSite(t, { mount: "/gis", host: (host) => void host.use(parser) });
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/gis/sign-in");
    assertErrorPage(await signOut(browser, "/gis"), "csrf");
    assert.equal(await whoIs(browser, "/gis/"), "sandy_admin");
    assert.equal((await browser.get("/gis/sign-out", click)).status, 303);
  });
}

test("a path of the mounted app is found in any case, and leads on in the spelling of the redirect URI", async (t) => {
  const site = await openSite(t, { mount: "/gis" });
  const browser = site.browser();
  const callback = await callbackFor(browser, "sandy_admin", "/GIS/Sign-In/");
  assert.equal((await browser.get(callback)).headers.location, "/gis/");
  for (const base of ["/gis", "/GIS", "/Gis"]) {
    for (const path of [base, `${base}/`, `${base}/?x`])
      assert.equal(await whoIs(browser, path), "sandy_admin");
    const map = await site.browser().get(`${base}/Map`, typed);
    assert.equal(map.headers.location, `/gis/sign-in?returnTo=${encodeURIComponent(`${base}/Map`)}`);
    const page = await browser.get(`${base}/`);
    assert.ok(page.body.includes(`action="${base}/sign-out"`), base);
  }
  const page = await browser.get("/GIS");
  const signedOut = await browser.post("/GIS/Sign-Out/", { csrf_token: csrfTokenOf(page) });
  assert.deepEqual([signedOut.status, signedOut.headers.location], [303, "/gis/"]);
  assert.equal(await whoIs(browser, "/gis/"), undefined);
});

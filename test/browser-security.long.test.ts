import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { myContent } from "#src/cli/demo-content.ts";
import { assertHeading, choose, signInAs, startChromium } from "./support/chromium.ts";
import { callbackFor, openSite } from "./support/site.ts";
import { makeFiles } from "./support/site-folder.ts";

// What only a real browser can prove. The app is on localhost; evil pages come from another site (127.0.0.1),
// from a neighbor (another port of localhost, which is sent the app's cookies), and from the app's own origin.

const { skip, open } = await startChromium();

const signedOut = "Sign in with your ArcGIS account";

/** For Back and Forward: a page that the browser kept is not loaded again. */
const kept = { waitUntil: "commit" } as const;

test("CS-2 CS-4 HT-3 pages sign no user out by what they load, frame, prefetch or send; a click on our own link does", {
  skip,
}, async (t) => {
  const { url, evil, neighbor, serve, seen, files, sandbox } = await openSites(t);
  const { page, context, problems } = await open(t);
  await signInAs(page, url, "Sandy Boxwell");

  for (const [from, origin] of Object.entries({ evil, neighbor, own: url })) {
    const to = (how: string) => `${url}/sign-out?${from}-${how}`;
    const ways = ["img", "iframe", "object", "script", "style", "fetch", "head", "beacon"];
    let html = `<img src="${to("img")}"> <iframe src="${to("iframe")}"></iframe> <object data="${to("object")}"></object>
      <script src="${to("script")}"></script> <link rel="stylesheet" href="${to("style")}">
      <script>
        const ride = { mode: "no-cors", credentials: "include" };
        fetch("${to("fetch")}", ride).catch(() => {});
        fetch("${to("head")}", { ...ride, method: "HEAD" }).catch(() => {});
        navigator.sendBeacon("${to("beacon")}");
      </script>`;
    if (from === "own") {
      ways.push("prefetch", "speculation");
      // Not every Chromium prerenders, so that one is not waited for.
      html += `<link rel="prefetch" href="${to("prefetch")}"> <script type="speculationrules">{
        "prefetch": [{ "urls": ["${to("speculation")}", "/sign-out"], "eagerness": "immediate" }],
        "prerender": [{ "urls": ["${to("prerender")}"], "eagerness": "immediate" }]
      }</script> <a href="/sign-out">Sign out</a>`;
    }
    serve(`/${from}`, html);
    await page.goto(`${origin}/${from}`);
    // Each of them has to arrive here, or nothing is proved.
    const arrived = () => new Set(seen("/sign-out").map(({ query }) => query));
    await until(() => ways.every((way) => arrived().has(`${from}-${way}`)));
    assert.deepEqual({ files: files().length, revoked: sandbox.revoked }, { files: 1, revoked: [] }, from);

    const framed = await page.frameLocator("iframe").locator("body").textContent();
    assert.doesNotMatch(String(framed), /sandy|ArcGIS/i);
    const blocked = problems.splice(0).filter((problem) => problem.includes("frame-ancestors 'none'"));
    assert.equal(blocked.length, 2, from);
  }

  // The link of the tutorial, which the browser has prefetched here.
  await until(() => seen("/sign-out").some(({ query }) => query === ""));
  await page.click("a");
  await page.waitForURL(`${url}/`);
  await assertHeading(page, signedOut);
  assert.deepEqual(files(), []);
  assert.equal(sandbox.revoked.length, 1);
  assert.deepEqual(await context.cookies(), []);
  const responses = seen("/sign-out").filter(({ query }) => query === "");
  assert.deepEqual(
    responses.map(({ status }) => status),
    [503, 303],
  );
});

test("CS-1 CS-2 a typed address, a link or form elsewhere, and a redirect through elsewhere sign no user out", {
  skip,
}, async (t) => {
  const { url, evil, neighbor, serve, seen, files, sandbox } = await openSites(t);
  const { page } = await open(t);
  await signInAs(page, url, "Sandy Boxwell");
  const signOut = `${url}/sign-out`;

  await page.goto(signOut);
  await assertHeading(page, "Sign out of this app?");
  const csrfToken = String(await page.getAttribute("[name=csrf_token]", "value"));

  const link = (to: string) => `<a href="${to}">go</a>`;
  const form = (token: string) =>
    `<form method="post" action="${signOut}"><input name="csrf_token" value="${token}"><a>go</a></form>
    <script>document.querySelector("a").onclick = () => document.forms[0].submit()</script>`;
  const through = (origin: string) => link(`${origin}/bounce?to=${encodeURIComponent(signOut)}`);
  const asked = { status: 200, title: "Sign out of this app?" };
  const refused = { status: 403, title: "Nothing was changed" };
  const ways = [
    { at: evil, html: link(signOut), ...asked },
    { at: neighbor, html: link(signOut), ...asked },
    { at: url, html: through(evil), ...asked },
    { at: url, html: through(neighbor), ...asked },
    { at: neighbor, html: form(csrfToken), ...refused },
    // This one comes without the cookie.
    { at: evil, html: form(csrfToken), status: 303, title: "Sandy Boxwell" },
  ];
  for (const { at, html, status, title } of ways) {
    serve("/way", html);
    await page.goto(`${at}/way`);
    await page.click("a");
    await assertHeading(page, title);
    assert.equal(seen("/sign-out").at(-1)?.status, status, `${at} ${html}`);
    assert.deepEqual({ files: files().length, revoked: sandbox.revoked }, { files: 1, revoked: [] });
  }
});

test("OA-9 CK-4 OA-1 each visit asks again, the form at another site comes back signed in, a lure does not", {
  skip,
}, async (t) => {
  const site = await openSites(t);
  const { url, sandbox, seen, evil, serve } = site;
  const { page, context } = await open(t);

  serve("/lure", `<a href="${await callbackFor(site.browser(), "pia_publisher")}">go</a>`);
  await page.goto(`${evil}/lure`);
  await page.click("a");
  await assertHeading(page, "This sign-in was not started here");
  await page.goto(url);
  await assertHeading(page, signedOut);

  const before = seen("/sign-in").length;
  await page.goto(`${url}/sign-in`);
  await page.goto(`${url}/sign-in`);
  assert.equal(seen("/sign-in").length, before + 2);
  const asked = sandbox.log.filter(({ method, query }) => method === "GET" && query.code_challenge).slice(-2);
  assert.equal(new Set(asked.map(({ query }) => query.state)).size, 2);
  assert.equal(new Set(asked.map(({ query }) => query.code_challenge)).size, 2);

  const posted = page.waitForRequest((request) => request.method() === "POST");
  await choose(page, "Sandy Boxwell");
  assert.equal(new URL((await posted).url()).origin, sandbox.origin);
  await page.waitForURL(`${url}/`);
  await assertHeading(page, "Sandy Boxwell");

  const callback = seen("/authenticate").at(-1);
  assert.equal(callback?.headers["sec-fetch-site"], "cross-site");
  assert.equal(callback?.status, 303);
  // The first sign-in was never finished, so its cookie is still there.
  const cookies = await context.cookies();
  const [session, transaction, ...others] = cookies.map(({ name }) => name).sort();
  assert.deepEqual([session, others], ["arcgis.sid", []]);
  assert.match(String(transaction), /^arcgis\.sid\.tx\./);
  for (const { sameSite, httpOnly } of cookies)
    assert.deepEqual({ sameSite, httpOnly }, { sameSite: "Lax", httpOnly: true });
});

test("HT-5 HT-6 SE-13 address and Referer are clean, the code works once, and the sign-out tells where it comes from", {
  skip,
}, async (t) => {
  const { url, seen, requests, sandbox } = await openSites(t);
  const { page } = await open(t);

  await signInAs(page, url, "Sandy Boxwell");
  assert.equal(page.url(), `${url}/`);
  const callback = seen("/authenticate")[0];
  assert.match(String(callback?.query), /code=.*state=/);
  await page.goto(`${url}/authenticate?${callback?.query}`);
  await assertHeading(page, "Sandy Boxwell");
  assert.equal(page.url(), `${url}/`);
  assert.equal(
    sandbox.log.filter(({ endpoint }) => endpoint === "token").length,
    1,
    "the code was redeemed once",
  );
  // Back leads to the portal's page or to ours, but the callback never was a page of the history.
  await page.goBack(kept);
  await assertHeading(page, "Sandy Boxwell");
  await page.goBack(kept);
  await page.waitForURL(({ pathname }) => pathname.endsWith("/oauth2/authorize"), kept);
  // Only a page that is in place again can be left again.
  await assertHeading(page, "Sign in to test-app");
  await page.goForward(kept);
  await assertHeading(page, "Sandy Boxwell");

  await page.goto(`${url}/content`);
  assert.ok(await page.getByRole("link", { name: "Sign out" }).isVisible());
  for (const path of ["/sign-out", "/"]) {
    await page.goto(url + path);
    assert.ok(await page.getByRole("button", { name: "Sign out" }).isVisible(), path);
    assert.match(
      String(await page.textContent("main")),
      /This browser stays signed in to ArcGIS until you sign out there, too\./,
    );
  }
  await page.getByRole("button", { name: "Sign out" }).click();
  await assertHeading(page, signedOut);
  const { origin, referer, ...sent } = seen("/sign-out").at(-1)?.headers ?? {};
  assert.deepEqual(
    { origin, referer, site: sent["sec-fetch-site"] },
    { origin: url, referer: `${url}/`, site: "same-origin" },
  );
  const referers = [...requests, ...sandbox.log].map(({ headers }) => headers.referer ?? "");
  assert.deepEqual(
    referers.filter((each) => /code=|state=/.test(each) && !each.startsWith(sandbox.origin)),
    [],
  );
});

test("SD-3 SD-4 the pages of a folder run with its policy and frame each other, and Back after a sign-out shows none", {
  skip,
}, async (t) => {
  const SITE_DIR = makeFiles(t, {
    "index.html": '<h1>The plan</h1> <a href="/account">Account</a> <script src="app.js"></script>',
    "app.js": 'document.title = "It runs"',
    "frame.html": '<iframe src="/"></iframe>',
  });
  const { url } = await openSite(t, { settings: { SITE_DIR } });
  const { page } = await open(t);
  await page.goto(url);
  await choose(page, "Pia Marlow");
  await assertHeading(page, "The plan");
  await page.waitForFunction(() => document.title === "It runs");
  await page.goto(`${url}/frame.html`);
  await page.frameLocator("iframe").getByRole("heading", { name: "The plan" }).waitFor();
  await page.goto(url);
  await page.getByRole("link", { name: "Account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await assertHeading(page, signedOut);
  await page.goBack(kept);
  await assertHeading(page, signedOut);
  // Not the page, but the way to the sign-in.
  await page.goBack(kept);
  await page.waitForURL(({ pathname }) => pathname.endsWith("/oauth2/authorize"), kept);
});

test("HT-1 OU-2 hostile names and error texts run nothing and break no policy, and an inline script would not run", {
  skip,
}, async (t) => {
  const { url, sandbox } = await openSites(t);
  const { page, problems } = await open(t);
  const evil = `"'></title></script><script>hacked = 1</script><img src=x onerror="hacked = 1"><svg onload=hacked=1>`;
  const [sandy] = sandbox.users;
  assert.ok(sandy);
  Object.assign(sandy, { fullName: evil, username: "<svg/onload=hacked=1>", roleId: undefined });
  const isClean = async () =>
    assert.equal(await page.evaluate(() => "hacked" in globalThis), false, page.url());

  await page.goto(`${url}/sign-in?returnTo=${encodeURIComponent(`/?${encodeURIComponent(evil)}`)}`);
  await isClean();
  await choose(page, "hacked");
  await page.waitForURL(({ pathname }) => pathname === "/");
  await page.locator("#refresh time", { hasText: " s" }).waitFor();
  assert.match(String(await page.textContent("h1")), /^"'><\/title><\/script><script>hacked = 1/);
  for (const path of [
    "/",
    "/sign-out",
    `/${encodeURIComponent(evil)}`,
    `/authenticate?state=x&error=access_denied&error_description=${encodeURIComponent(evil)}`,
    "/authenticate?code=x&code=y",
    `/authenticate?state=x&code=${encodeURIComponent(evil)}`,
  ]) {
    await page.goto(url + path);
    await isClean();
    assert.equal(await page.locator("main img, main script, main svg, title *").count(), 0, path);
    // The page has its own style: the policy does not shut out what it should let in.
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).display), "grid", path);
  }
  assert.deepEqual(problems, []);

  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "hacked = 1";
    document.body.append(script);
  });
  await isClean();
  const [problem = ""] = problems.splice(0);
  assert.match(problem, /inline script violates .*"?script-src 'self'/);
});

test("HT-7 after a sign-out neither Back nor Forward shows anything of the user, kept page or not", {
  skip,
}, async (t) => {
  const { url, sandbox } = await openSites(t);
  const { page, context } = await open(t);
  // Notes what Back brings: the page as the browser kept it, and whether it shows anything at that moment.
  await context.addInitScript(() => {
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted) sessionStorage.kept = document.body.checkVisibility() ? "shown" : "blank";
    });
  });
  await signInAs(page, url, "Sandy Boxwell");
  const other = await context.newPage();

  // Still signed in: the page is blank for a moment, then it is asked for again.
  await page.goto(`${url}/nothing`);
  await page.goBack(kept);
  await assertHeading(page, "Sandy Boxwell");
  // Chromium's headless shell keeps no pages at all.
  assert.notEqual(await page.evaluate(() => sessionStorage.kept), "shown");
  assert.ok(await page.locator("h1").isVisible());

  // Signed out in another tab meanwhile.
  await page.goto(`${sandbox.origin}/portal`);
  await other.goto(url);
  await other.getByRole("button", { name: "Sign out" }).click();
  await assertHeading(other, signedOut);
  for (const move of ["goBack", "goForward", "goBack"] as const) {
    await page[move](kept);
    await page.locator("h1").waitFor();
    assert.doesNotMatch(await page.content(), /sandy/i);
  }
  await assertHeading(page, signedOut);

  await other.goBack(kept);
  await assertHeading(other, signedOut);
  assert.doesNotMatch(await other.content(), /sandy/i);
});

interface Seen {
  method: string;
  path: string;
  query: string;
  headers: IncomingHttpHeaders;
  status: number;
}

/** The app, and pages of other people: what `serve` is given, other origins serve and the app's origin too. */
async function openSites(t: TestContext) {
  const pages = new Map<string, string>();
  const requests: Seen[] = [];

  const site = await openSite(t, {
    routes: myContent,
    host(app) {
      app.use((req, res, next) => {
        res.once("close", () => {
          const [path = "", query = ""] = req.originalUrl.split("?");
          requests.push({ method: req.method, path, query, headers: req.headers, status: res.statusCode });
        });
        const page = pages.get(req.path);
        if (page === undefined) next();
        else res.send(page);
      });
    },
  });
  const others = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? "/", "http://localhost");
    if (pathname === "/bounce") res.writeHead(302, { Location: searchParams.get("to") ?? "/" }).end();
    else res.setHeader("Content-Type", "text/html").end(pages.get(pathname) ?? "");
  }).listen(0, "127.0.0.1");
  await once(others, "listening");
  t.after(() => void others.close().closeAllConnections());
  const { port } = others.address() as AddressInfo;

  return {
    ...site,
    evil: `http://127.0.0.1:${port}`,
    neighbor: `http://localhost:${port}`,
    serve: (path: string, html: string) =>
      void pages.set(path, `<!doctype html><title>${path}</title>${html}`),
    /** The requests to the app that got a response, oldest first. */
    requests,
    seen: (path: string) => requests.filter((request) => request.path === path),
  };
}

/** Waits until something is so; the test fails when that takes too long. */
async function until(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !isSo(); ) {
    if (Date.now() > end) assert.fail(`it did not come to this: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

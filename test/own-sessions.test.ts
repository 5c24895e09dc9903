import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { browserName } from "#src/app/browser-name.ts";
import { ownSessions } from "#src/app/own-sessions.ts";
import type { SignInRecord } from "#src/index.ts";
import { fileBackend } from "#src/session-store.ts";
import { type Browser, crossSite, typed } from "./support/browser.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { edge, end, firefox, listIn, listOf, nameOf, safari, signedIn } from "./support/own-sessions.ts";
import { needsPosix } from "./support/posix.ts";
import { callbackFor, folder, openSite, signIn } from "./support/site.ts";
import { identityFor, openTestStore, recordOf, type TestStore } from "./support/store.ts";
import { csrfTokenOf, identityOf, sessionIdOf, signOut } from "./support/user.ts";

describe("the page of a user's sign-ins", () => {
  test("lists their own, this browser first and marked, in plain words, and no other user's", async (t) => {
    const site = await openSite(t);
    const [first, second] = [await signedIn(site, firefox), await signedIn(site, safari)];
    await signedIn(site, edge, "vik_viewer");

    assert.deepEqual(await listOf(first), [
      { browser: "Firefox on Linux", isHere: true, name: undefined },
      { browser: "Safari on iPhone", isHere: false, name: nameOf(second) },
    ]);
    assert.deepEqual(
      (await listOf(second)).map(({ browser }) => browser),
      ["Safari on iPhone", "Firefox on Linux"],
    );
    const { body } = await first.get("/");
    assert.match(body, /href="\/sign-ins"/, "the start page leads there");
  });

  test("a visitor who is signed out is sent to the sign-in and comes back; a program gets 401", async (t) => {
    const { browser } = await openSite(t);
    const { status, headers } = await browser().get("/sign-ins");
    assert.deepEqual([status, headers.location], [302, "/sign-in?returnTo=%2Fsign-ins"]);
    const program = await browser().get("/sign-ins", { Accept: "application/json" });
    assert.equal(program.status, 401);
    const other = await browser().send("/sign-ins", { method: "PUT" });
    assert.deepEqual([other.status, other.headers.allow], [405, "GET, HEAD, POST"]);
  });

  test("nothing of what a browser says about itself is kept but the two names", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(
      site,
      `<script>alert(1)</script> Firefox/140.0 Linux ${"x".repeat(9_000)}`,
    );
    await site.store.update(sessionIdOf(browser), (data) => {
      const { arcgisSignIn } = data as unknown as { arcgisSignIn: SignInRecord };
      assert.equal(arcgisSignIn.browser, "Firefox on Linux");
      assert.doesNotMatch(JSON.stringify(data), /alert\(|x{20}/);
    });
    const visitor = await signedIn(site, "curl/8.14.1");
    assert.deepEqual(
      (await listOf(visitor)).map(({ browser }) => browser),
      ["Unknown browser", "Firefox on Linux"],
    );
  });

  test("a session that signs in again, ends, or has ended is not listed any more", async (t) => {
    const site = await openSite(t);
    const here = await signedIn(site, firefox);
    const again = await signedIn(site, safari);
    await again.get(await callbackFor(again, "sandy_admin"), { ...typed, "User-Agent": edge });
    assert.deepEqual(
      (await listOf(here)).map(({ browser }) => browser),
      ["Firefox on Linux", "Edge on Windows"],
    );
    await signOut(again);
    assert.equal((await listOf(here)).length, 1);
    const late = openTestStore(t, { idleSeconds: -1 });
    const over = await late.keep();
    const { sessions } = await ownSessions(late.store.admin).of(identityFor("sandy_admin"), recordOf(over));
    assert.deepEqual(sessions, []);
  });

  test("while the store is away, the page says so", async (t) => {
    const site = await openSite(t);
    const browser = await signedIn(site, firefox);
    t.mock.method(site.store.admin, "names", () => Promise.reject(new Error("the disk is gone")));
    assertErrorPage(await browser.get("/sign-ins"), "store_unavailable");
  });
});

describe("signing out another browser", () => {
  test("SE-12 one: it is anonymous at once, its tokens are revoked, and the others stay", async (t) => {
    const site = await openSite(t);
    const here = await signedIn(site, firefox);
    const lost = await signedIn(site, safari);
    const third = await signedIn(site, edge);
    const { refreshToken } = await identityOf(site, lost);

    await end(here, nameOf(lost));
    assert.equal(await whoIs(lost), undefined);
    assert.deepEqual(site.sandbox.revoked, [refreshToken]);
    assert.equal(await whoIs(here), "sandy_admin");
    assert.equal(await whoIs(third), "sandy_admin");
    assert.deepEqual(
      (await listOf(here)).map(({ browser }) => browser),
      ["Firefox on Linux", "Edge on Windows"],
    );
    const line = site.log.lines.find(({ msg, record }) => msg === "signed out" && record);
    assert.deepEqual(
      [line?.event, line?.user, line?.record],
      ["sign-out", "sandy_admin", nameOf(lost).slice(0, 8)],
    );
  });

  test("SE-12 all others: each is anonymous and revoked, another user's and this one stay", async (t) => {
    const site = await openSite(t);
    const here = await signedIn(site, firefox);
    const others = [await signedIn(site, safari), await signedIn(site, edge), await signedIn(site, firefox)];
    const neighbor = await signedIn(site, firefox, "vik_viewer");
    const tokens = await Promise.all(others.map(async (each) => (await identityOf(site, each)).refreshToken));

    await end(here, "others");
    for (const each of others) assert.equal(await whoIs(each), undefined);
    assert.deepEqual([...site.sandbox.revoked].sort(), tokens.sort());
    assert.equal(await whoIs(here), "sandy_admin");
    assert.equal(await whoIs(neighbor), "vik_viewer");
    assert.equal(site.files().length, 2);
  });

  test("TK-5 SE-12 a portal that is down keeps no user signed in, and the token waits to be revoked", async (t) => {
    const site = await openSite(t);
    const here = await signedIn(site, firefox);
    const lost = await signedIn(site, safari);
    site.sandbox.faults.set("revokeToken", { kind: "status", status: 503 });
    await end(here, nameOf(lost));
    assert.equal(await whoIs(lost), undefined);
    assert.ok(site.files().includes("pending-revocations"), "it waits");
  });

  for (const [what, make] of Object.entries({
    "a pipe": (path: string) => execFileSync("mkfifo", [path]),
    "a folder": (path: string) => mkdirSync(join(path, "deep"), { recursive: true }),
    "a link to a device": (path: string) => symlinkSync("/dev/zero", path),
    "a huge file": (path: string) => {
      writeFileSync(path, "");
      truncateSync(path, 2 ** 40);
    },
  })) {
    const skip = /pipe|link/.test(what) && needsPosix(what);
    test(`ST-15 ${what} in the place of each lock and of the pending revocations delays no sign-out and no end`, {
      skip,
    }, async (t) => {
      const site = await openSite(t);
      const browser = site.browser();
      await signIn(browser, "sandy_admin");
      const record = String(site.files()[0]);
      for (const name of [`${record}.lock`, record.replace("session", "refresh")])
        make(join(site.config.sessionDir, name));
      for (const name of ["pending-revocations", "pending-revocations.lock"])
        make(join(site.config.sessionDir, name));
      site.sandbox.faults.set("revokeToken", { kind: "status", status: 503 });
      const start = performance.now();
      assert.equal((await signOut(browser)).status, 303);
      assert.equal(await whoIs(browser), undefined);
      // Files may be abandoned locks of another version: for these it waits twice.
      assert.ok(performance.now() - start < 10_000);
      assert.ok(lstatSync(join(site.config.sessionDir, "pending-revocations")).isFile(), "the token waits");
      assert.ok(statSync(join(site.config.sessionDir, "pending-revocations")).size < 10_000);
    });
  }

  test("SE-12 ST-13 TK-5 where nothing can be written any more, it ends and its tokens are revoked all the same", async (t) => {
    const backend = fileBackend(folder(t));
    const site = await openSite(t, { backend });
    const here = await signedIn(site, firefox);
    const there = await signedIn(site, safari);
    const { refreshToken } = await identityOf(site, there);
    // As a disk does that is full to its last block: not even a turn can be taken.
    backend.update = () => Promise.reject(new Error("ENOSPC"));

    await end(here, "others");

    assert.equal(await whoIs(there), undefined);
    assert.equal(await whoIs(here), "sandy_admin");
    assert.deepEqual(site.sandbox.revoked, [refreshToken]);
  });

  test("SE-12 ST-13 one that cannot be ended is said, and the others have ended, tokens and all", async (t) => {
    const backend = fileBackend(folder(t));
    const site = await openSite(t, { backend });
    const here = await signedIn(site, firefox);
    const stuck = await signedIn(site, safari);
    const unremovable = await signedIn(site, edge);
    const free = await signedIn(site, edge);
    const tokenOf = async (browser: Browser) => (await identityOf(site, browser)).refreshToken;
    const ended = [await tokenOf(unremovable), await tokenOf(free)].sort();
    const { update, take } = backend;
    const broken = () => Promise.reject(new Error("EIO"));
    backend.update = (name, change) => (name === nameOf(stuck) ? broken() : update(name, change));
    backend.take = (name) => ([stuck, unremovable].map(nameOf).includes(name) ? broken() : take(name));

    const page = await here.get("/sign-ins");
    const response = await here.post("/sign-ins", { csrf_token: csrfTokenOf(page), session: "others" });

    assertErrorPage(response, "store_unavailable");
    assert.deepEqual([...site.sandbox.revoked].sort(), ended);
    assert.deepEqual(await Promise.all([stuck, unremovable, free].map((browser) => whoIs(browser))), [
      "sandy_admin",
      undefined,
      undefined,
    ]);
  });

  test("forged names: another user's session, this one, and what is no name at all end nothing", async (t) => {
    const site = await openSite(t);
    const here = await signedIn(site, firefox);
    const other = await signedIn(site, edge);
    const neighbor = await signedIn(site, safari, "vik_viewer");
    const csrf_token = csrfTokenOf(await here.get("/sign-ins"));
    const forged: [string, string][][] = [
      [["session", nameOf(neighbor)]],
      [["session", nameOf(here)]],
      [["session", sessionIdOf(neighbor)]],
      [["session", sessionIdOf(other)]],
      [["session", nameOf(other).toUpperCase()]],
      [["session", `${nameOf(other)}.session`]],
      [["session", nameOf(other).slice(0, 8)]],
      [["session", ""]],
      [["session", "Others"]],
      [["session", "../pending-revocations"]],
      [],
      [
        ["session", "others"],
        ["session", "others"],
      ],
      [["session[]", "others"]],
      [["__proto__[session]", "others"]],
      [["name", nameOf(other)]],
    ];
    for (const fields of forged) {
      const response = await here.send("/sign-ins", {
        method: "POST",
        form: [["csrf_token", csrf_token], ...fields],
        headers: { Origin: site.url, "Sec-Fetch-Site": "same-origin", Accept: "text/html" },
      });
      const why = JSON.stringify(fields);
      assert.equal(response.status, 303, why);
      assert.equal(site.files().length, 3, why);
    }
    assert.deepEqual(site.sandbox.revoked, []);
    for (const each of [here, other]) assert.equal(await whoIs(each), "sandy_admin");
    assert.equal(await whoIs(neighbor), "vik_viewer");
  });

  test("CS-1 a form from elsewhere, with the token of another session, or without one, is refused", async (t) => {
    const site = await openSite(t);
    const here = await signedIn(site, firefox);
    const other = await signedIn(site, edge);
    const csrf_token = csrfTokenOf(await here.get("/sign-ins"));
    const session = "others";
    const refused = [
      await here.post("/sign-ins", { csrf_token, session }, crossSite),
      await here.post("/sign-ins", { csrf_token, session }, { "Sec-Fetch-Site": "same-site" }),
      await here.post("/sign-ins", { session }),
      await here.post("/sign-ins", { csrf_token: csrfTokenOf(await other.get("/")), session }),
      await here.send("/sign-ins", {
        method: "POST",
        form: { csrf_token, session },
        headers: { Accept: "text/html" },
      }),
    ];
    for (const response of refused) assertErrorPage(response, "csrf");
    const visitor = await site.browser().post("/sign-ins", { csrf_token, session });
    assertErrorPage(visitor, "signed_out");
    await here.get(`/sign-ins?session=others&csrf_token=${csrf_token}`);
    assert.equal(site.files().length, 2);
    assert.equal(await whoIs(other), "sandy_admin");
  });

  test("the page works where the app is mounted", async (t) => {
    const site = await openSite(t, { mount: "/gis" });
    const [here, other] = [site.browser(), site.browser()];
    for (const each of [here, other]) await signIn(each, "sandy_admin", "/gis/sign-in");
    const page = await here.get("/gis/sign-ins");
    assert.match(page.body, /action="\/gis\/sign-ins"/);
    const [, { name = "" } = {}] = listIn(page.body);
    const response = await here.post("/gis/sign-ins", { csrf_token: csrfTokenOf(page), session: name });
    assert.deepEqual([response.status, response.headers.location], [303, "/gis/sign-ins"]);
    assert.equal(await whoIs(other, "/gis/"), undefined);
  });
});

describe("finding the sessions of one user", () => {
  /** Looks from outside, and counts how many records it opens. */
  function counted({ store }: TestStore) {
    const looks: string[] = [];
    const { admin: all } = store;
    const inspect: typeof all.inspect = (name) => {
      looks.push(name);
      return all.inspect(name);
    };
    return { looks, all: { ...all, inspect } };
  }

  test("OA-14 the same user name at another portal is another user", async (t) => {
    const site = openTestStore(t);
    const [here, there] = ["https://one.example/sharing/rest", "https://two.example/sharing/rest"].map(
      (portal) => {
        const { clientId, username, token, refreshToken } = identityFor("sandy");
        return new ArcGISIdentityManager({ clientId, username, token, refreshToken, portal });
      },
    ) as [ArcGISIdentityManager, ArcGISIdentityManager];
    const mine = await site.keep({ arcgis: here });
    await site.keep({ arcgis: there });
    const { sessions, isComplete } = await ownSessions(site.store.admin).of(here, recordOf(mine));
    assert.deepEqual([sessions.map(({ name }) => name), isComplete], [[recordOf(mine)], true]);
  });

  test("each record is opened once, and at each later look only what is new and what is the user's own", async (t) => {
    const site = openTestStore(t);
    for (let number = 0; number < 20; number++) await site.keep({ arcgis: identityFor(`user${number}`) });
    const mine = await site.keep();
    const { looks, all } = counted(site);
    const { of } = ownSessions(all);
    const user = identityFor("sandy_admin");
    await of(user, recordOf(mine));
    assert.equal(looks.length, 22);
    const more = await site.keep();
    looks.length = 0;
    const { sessions } = await of(user, recordOf(mine));
    assert.deepEqual(looks.sort(), [more, more, mine].map(recordOf).sort());
    assert.equal(sessions.length, 2);
    await site.destroy(more);
    assert.equal((await of(user, recordOf(mine))).sessions.length, 1);
  });

  test("what was kept before a request is in its response, also while others are in progress", async (t) => {
    const site = openTestStore(t);
    const { all } = counted(site);
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const names = async () => {
      const found = await all.names();
      begin();
      await held;
      return found;
    };
    const { of } = ownSessions({ ...all, names });
    const user = identityFor("sandy_admin");
    const mine = await site.keep();
    const early = of(user, recordOf(mine));
    await begun;
    await site.keep();
    const later = [of(user, recordOf(mine)), of(user, recordOf(mine))];
    goOn();
    assert.equal((await early).isComplete, true);
    for (const { sessions } of await Promise.all(later)) assert.equal(sessions.length, 2);
  });

  test("with more than can be looked through in time, this one is there, and it is said that others may not be", async (t) => {
    const site = openTestStore(t);
    const [mine, other] = [await site.keep(), await site.keep()];
    let isSlow = true;
    const { all } = counted(site);
    const slow = {
      ...all,
      names: async () => {
        while (isSlow) await sleep(5);
        return all.names();
      },
    };
    const { of } = ownSessions(slow, { timeoutMs: 20 });
    const user = identityFor("sandy_admin");
    const early = await of(user, recordOf(mine));
    assert.deepEqual([early.sessions.map(({ name }) => name), early.isComplete], [[recordOf(mine)], false]);
    isSlow = false;
    let later = early;
    while (!later.isComplete) later = await of(user, recordOf(mine));
    assert.deepEqual(later.sessions.map(({ name }) => name).sort(), [mine, other].map(recordOf).sort());
  });

  test("a store that fails fails the look, and not the next one", async (t) => {
    const site = openTestStore(t);
    const mine = await site.keep();
    const { all } = counted(site);
    let isAway = true;
    const { of } = ownSessions({
      ...all,
      names: () => (isAway ? Promise.reject(new Error("away")) : all.names()),
    });
    const user = identityFor("sandy_admin");
    await assert.rejects(of(user, recordOf(mine)), { message: "away" });
    isAway = false;
    assert.equal((await of(user, recordOf(mine))).isComplete, true);
  });

  test("ST-2 a record that does not open belongs to no user, and is not opened again and again", async (t) => {
    const site = openTestStore(t);
    const mine = await site.keep();
    const visitor = openTestStore(t, { dir: site.dir });
    const hidden = await visitor.keep();
    const { looks, all } = counted(site);
    const { of } = ownSessions(all);
    for (let round = 0; round < 3; round++) {
      const { sessions } = await of(identityFor("sandy_admin"), recordOf(mine));
      assert.deepEqual(
        sessions.map(({ name }) => name),
        [recordOf(mine)],
      );
    }
    assert.equal(looks.filter((name) => name === recordOf(hidden)).length, 1);
  });
});

test("a browser and a system are told by their names, and by nothing else", () => {
  const told: [string | undefined, string | undefined][] = [
    [firefox, "Firefox on Linux"],
    [safari, "Safari on iPhone"],
    [edge, "Edge on Windows"],
    [edge.replace(/ Edg.*/, ""), "Chrome on Windows"],
    [edge.replace(/Edg/, "OPR"), "Opera on Windows"],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15",
      "Safari on macOS",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) CriOS/137.0 Mobile/15E148 Safari/604.1",
      "Chrome on iPhone",
    ],
    [
      "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) FxiOS/140.0 Mobile/15E148 Safari/605.1.15",
      "Firefox on iPad",
    ],
    ["Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android"],
    ["Mozilla/5.0 (Linux; Android 10; K) Chrome/137.0.0.0 Mobile Safari/537.36", "Chrome on Android"],
    [
      "Mozilla/5.0 (Linux; Android 15; SM-S931B) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
      "Samsung Internet on Android",
    ],
    ["Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/137.0.0.0 Safari/537.36", "Chrome on ChromeOS"],
    ["Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko", "A browser on Windows"],
    ["Firefox/1", "Firefox"],
    ["curl/8.14.1", undefined],
    ["", undefined],
    [undefined, undefined],
    [`${" ".repeat(100_000)}Firefox/1`, undefined],
  ];
  for (const [userAgent, name] of told) assert.equal(browserName(userAgent), name, userAgent?.slice(0, 200));
});

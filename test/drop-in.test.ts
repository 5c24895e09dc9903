import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { fileBackend, SealedStore } from "arcgis-sign-in/session-store";
import express, { type Express, type Request } from "express";
import session, { type SessionOptions } from "express-session";
import sessionFileStore from "session-file-store";
import { type Sandbox, startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { clock } from "./support/clock.ts";
import {
  encryptionKey,
  manager,
  oldId,
  oldSession,
  openStore,
  type Stored,
  type StoreOptions,
  takingOver,
  tutorialStore,
  type Warning,
} from "./support/drop-in.ts";
import { needsPosix } from "./support/posix.ts";
import { onRemoval } from "./support/removal.ts";
import { casesOf } from "./support/rounds.ts";
import { callbackFor, folder, secret } from "./support/site.ts";
import { day, recordOf } from "./support/store.ts";
import { until } from "./support/user.ts";

const sessionOf = (req: Request) => req.session as unknown as Stored;

interface PlainApp {
  url: string;
  dir: string;
  keys: string;
  warnings: Warning[];
  store: SealedStore;
  browser: () => Browser;
  files: () => string[];
}

interface PlainOptions {
  store?: StoreOptions;
  session?: Partial<SessionOptions>;
  routes?: (app: Express) => void;
  cookieSecret?: string;
}

/** GET /slow - changes the session, and responds with what `text` gives once it may go on. */
function slowRoute(text: (req: Request) => string | undefined) {
  let goOn: (() => void) | undefined;
  return {
    route(app: Express): void {
      app.get("/slow", async (req, res) => {
        sessionOf(req).count = 7;
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        res.send(text(req));
      });
    },
    hasBegun: () => goOn !== undefined,
    goOn: () => goOn?.(),
  };
}

/** An app as a reader of the tutorial has it: express-session, our store, and nothing else of ours. */
async function openApp(t: TestContext, options: PlainOptions = {}): Promise<PlainApp> {
  const { store, path, keys, warnings } = openStore(t, options.store);
  const app = express();
  app.use(
    session({
      secret: options.cookieSecret ?? secret(),
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 30 * day },
      ...options.session,
      store,
    }),
  );
  app.get("/count", (req, res) => {
    const mine = sessionOf(req);
    mine.count = (mine.count ?? 0) + 1;
    res.send(String(mine.count));
  });
  app.get("/look", (req, res) => void res.send(String(sessionOf(req).count ?? "nothing")));
  app.get("/who", (req, res) => {
    const { arcgis } = sessionOf(req);
    res.send(arcgis instanceof ArcGISIdentityManager ? arcgis.username : "signed out");
  });
  app.get("/end", (req, res) => req.session.destroy(() => res.end()));
  options.routes?.(app);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close().closeAllConnections());
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url,
    dir: path,
    keys: String(keys),
    warnings,
    store,
    browser: () => new Browser(url),
    files: () => readdirSync(path).sort(),
  };
}

/** The routes of Esri's tutorial, with the library's own way to sign in. */
function tutorialRoutes(oauth: { clientId: string; portal: string; redirectUri: string }) {
  return (app: Express) => {
    app.get("/sign-in", (_req, res) => ArcGISIdentityManager.authorize(oauth, res));
    app.get("/authenticate", async (req, res) => {
      const code = String(req.query.code);
      sessionOf(req).arcgis = await ArcGISIdentityManager.exchangeAuthorizationCode(oauth, code);
      res.send("welcome");
    });
    app.get("/full-name", async (req, res) => {
      res.send((await sessionOf(req).arcgis?.getUser())?.fullName);
    });
    app.get("/refresh", async (req, res) => {
      await sessionOf(req).arcgis?.refreshCredentials();
      res.send(sessionOf(req).arcgis?.token);
    });
    app.get("/token", (req, res) => void res.send(sessionOf(req).arcgis?.token));
  };
}

async function openTutorial(
  t: TestContext,
  options: PlainOptions = {},
): Promise<PlainApp & { sandbox: Sandbox }> {
  const clientId = "test-app";
  const sandbox = await startSandbox({ clients: [{ clientId, redirectUris: [] }] });
  t.after(() => sandbox.close());
  const oauth = { clientId, portal: sandbox.url, redirectUri: "" };
  const routes = (app: Express) => {
    tutorialRoutes(oauth)(app);
    options.routes?.(app);
  };
  const app = await openApp(t, { ...options, routes });
  oauth.redirectUri = `${app.url}/authenticate`;
  sandbox.clients[0]?.redirectUris.push(oauth.redirectUri);
  return { ...app, sandbox };
}

async function say(browser: Browser, path: string): Promise<string> {
  const { status, body } = await browser.get(path);
  assert.equal(status, 200, body);
  return body;
}

const idIn = (browser: Browser): string =>
  /^s:([^.]+)\./.exec(decodeURIComponent(browser.cookies.get("connect.sid") ?? ""))?.[1] ?? "";

describe("SealedStore in an app of the tutorial", () => {
  test("an ArcGISIdentityManager goes in and comes out as one that works, without encoder and decoder", async (t) => {
    const { browser, files, dir, sandbox, warnings } = await openTutorial(t);
    const sandy = browser();
    assert.equal(await say(sandy, "/who"), "signed out");
    assert.equal(await say(sandy, await callbackFor(sandy, "sandy_admin")), "welcome");

    assert.equal(await say(sandy, "/who"), "sandy_admin");
    assert.equal(await say(sandy, "/full-name"), "Sandy Boxwell");
    const before = await say(sandy, "/token");
    const refreshed = await say(sandy, "/refresh");
    assert.notEqual(refreshed, before);
    assert.equal(await say(sandy, "/token"), refreshed, "what the library refreshed by itself is kept");

    assert.deepEqual(files(), [`${recordOf(idIn(sandy))}.session`]);
    if (!needsPosix("modes of files")) {
      assert.equal(statSync(dir).mode & 0o777, 0o700);
      assert.equal(statSync(join(dir, files()[0] ?? "")).mode & 0o777, 0o600);
    }
    const text = readFileSync(join(dir, files()[0] ?? ""), "latin1");
    for (const word of [refreshed, "sandy_admin", idIn(sandy), new URL(sandbox.url).host, "connect"]) {
      for (const encoding of ["utf8", "base64", "hex"] as const) {
        const spelt = Buffer.from(word).toString(encoding).replace(/=+$/, "").slice(0, -1);
        assert.equal(text.includes(spelt), false, `ST-2 ${word} in ${encoding}`);
      }
    }

    assert.equal(await say(sandy, "/end"), "");
    assert.equal(await say(sandy, "/who"), "signed out");
    assert.deepEqual(files(), []);
    assert.deepEqual(warnings, []);
  });

  test("a request that only looked at its identity does not undo what another one has refreshed", async (t) => {
    const slowly = slowRoute((req) => sessionOf(req).arcgis?.username);
    const { browser } = await openTutorial(t, { routes: slowly.route });
    const sandy = browser();
    await say(sandy, await callbackFor(sandy, "sandy_admin"));
    const slow = say(sandy, "/slow");
    await until(slowly.hasBegun, "it has begun");
    const refreshed = await say(sandy, "/refresh");
    slowly.goOn();
    assert.equal(await slow, "sandy_admin");
    assert.equal(await say(sandy, "/token"), refreshed);
    assert.equal(await say(sandy, "/look"), "7");
  });

  test("SE-9 ST-3 a user who signs out stays out whatever is in progress, and a copied file opens for no other session", async (t) => {
    const slowly = slowRoute(() => "done");
    const { browser, files, dir, warnings } = await openApp(t, { routes: slowly.route });
    const [one, two] = [browser(), browser()];
    await say(one, "/count");
    await say(two, "/count");
    await say(two, "/count");
    const slow = say(one, "/slow");
    await until(slowly.hasBegun, "it has begun");
    await say(one, "/end");
    slowly.goOn();
    assert.equal(await slow, "done");
    assert.equal(await say(one, "/look"), "nothing");
    assert.equal(files().length, 1);

    const three = browser();
    await say(three, "/count");
    const fileOf = (whose: Browser) => join(dir, `${recordOf(idIn(whose))}.session`);
    copyFileSync(fileOf(two), fileOf(three));
    assert.equal(await say(three, "/look"), "nothing");
    assert.equal(await say(two, "/look"), "2");
    const record = recordOf(idIn(three)).slice(0, 8);
    assert.deepEqual(warnings, [{ record, problem: "damaged or forged" }]);
  });
});

describe("SealedStore and the app's own settings of express-session", () => {
  const settings: Record<string, Partial<SessionOptions>> = {
    "the usual ones": {},
    saveUninitialized: { saveUninitialized: true },
    resave: { resave: true, saveUninitialized: true },
    rolling: { rolling: true },
    "a cookie of the window": { cookie: {} },
    "unset: destroy": { unset: "destroy" },
  };
  for (const [name, options] of casesOf(Object.entries(settings), 2)) {
    test(`${name}: visits are counted, each visitor's own, and an end is an end`, async (t) => {
      const { browser, files } = await openApp(t, {
        session: options,
        routes: (app) => {
          app.get("/renew", (req, res) => req.session.regenerate(() => res.send("new")));
          app.get("/again", (req, res) => req.session.reload(() => res.send(String(sessionOf(req).count))));
          app.get("/unset", (req, res) => {
            delete (req as Partial<Request>).session;
            res.send("gone");
          });
        },
      });
      const [one, two] = [browser(), browser()];
      assert.equal(await say(one, "/look"), "nothing");
      assert.equal(files().length, options.saveUninitialized ? 1 : 0);
      for (const expected of ["1", "2", "3"]) assert.equal(await say(one, "/count"), expected);
      assert.equal(await say(two, "/count"), "1");
      assert.equal(await say(one, "/look"), "3");
      assert.equal(await say(one, "/again"), "3");
      assert.equal(files().length, 2);

      const kept = one.cookies.get("connect.sid") ?? "";
      await say(one, "/renew");
      const old = new Browser(one.base, [["connect.sid", kept]]);
      assert.equal(await say(old, "/look"), "nothing", "regenerate ends the session that was");
      await say(two, "/unset");
      assert.equal(await say(two, "/look"), options.unset === "destroy" ? "nothing" : "1");
      await say(two, "/end");
      assert.equal(await say(two, "/look"), "nothing");
    });
  }

  test("the cookie is the app's: a window's stays a window's, a long one is as long as the app said, rolling extends it", async (t) => {
    const expires = (response: { setCookies: string[] }) =>
      response.setCookies.map((cookie) => /; Expires=([^;]+)/.exec(cookie)?.[1] ?? "window");
    const pass = clock(t);

    const brief = await openApp(t, { session: { cookie: {} } });
    const one = brief.browser();
    assert.deepEqual(expires(await one.get("/count")), ["window"]);
    assert.deepEqual(expires(await one.get("/count")), []);

    const rolling = await openApp(t, { session: { rolling: true, cookie: { maxAge: 3_600_000 } } });
    const two = rolling.browser();
    const [first = ""] = expires(await two.get("/count"));
    assert.ok(Math.abs(Date.parse(first) - Date.now() - 3_600_000) < 60_000, first);
    pass(600_000);
    const [second = ""] = expires(await two.get("/look"));
    assert.ok(Math.abs(Date.parse(second) - Date.now() - 3_600_000) < 60_000, second);
  });

  test("SE-6 SE-7 a session lives for its cookie's maxAge after its last use, however short, and no longer than the store says", async (t) => {
    const pass = clock(t);
    const brief = await openApp(t, { session: { cookie: { maxAge: 10_000 } } });
    const one = brief.browser();
    await say(one, "/count");
    const accessed = () => statSync(join(brief.dir, brief.files()[0] ?? "")).mtimeMs;
    for (let turn = 0; turn < 5; turn++) {
      pass(8_000);
      const before = accessed();
      // A browser would have dropped a cookie that is not renewed; the session is what is asked about here.
      assert.equal(await say(one, "/look"), "1", `turn ${turn}`);
      await until(() => accessed() !== before, "its use is noted");
    }
    pass(11_000);
    assert.equal(await say(one, "/look"), "nothing");

    const long = await openApp(t, { store: { idleSeconds: 86_400, maxSeconds: 2 * 86_400 } });
    const [two, three] = [long.browser(), long.browser()];
    await say(two, "/count");
    await say(three, "/count");
    pass(0.9 * day);
    assert.equal(await say(two, "/count"), "2");
    pass(0.9 * day);
    assert.equal(await say(two, "/count"), "3");
    assert.equal(await say(three, "/look"), "nothing", "idle");
    pass(0.3 * day);
    assert.equal(await say(two, "/look"), "nothing", "in its third day");
  });

  test("ST-5 keys rotate; all sessions are listed, and end when they are told to", async (t) => {
    const [older, newer] = [secret(), secret()];
    const cookieSecret = secret();
    const first = await openApp(t, { store: { keys: older }, cookieSecret });
    const one = first.browser();
    await say(one, "/count");
    const second = await openApp(t, { store: { keys: [newer, older], path: first.dir }, cookieSecret });
    const there = new Browser(second.url, one.cookies);
    assert.equal(await say(there, "/count"), "2");
    const third = await openApp(t, { store: { keys: newer, path: first.dir }, cookieSecret });
    assert.equal(await say(new Browser(third.url, one.cookies), "/count"), "3");

    const { admin } = third.store;
    const names = await admin.names();
    assert.equal(names.length, 1);
    for (const name of names) await admin.end(name);
    assert.deepEqual(await admin.names(), []);
    assert.equal(await say(new Browser(third.url, one.cookies), "/look"), "nothing");
  });

  test("a key that is short, and none at all, is a TypeError without the key", (t) => {
    const backend = fileBackend(folder(t));
    for (const [encryptionKey, message] of [
      ["short", "each key needs 32 or more random characters"],
      [[secret(), "too short"], "each key needs 32 or more random characters"],
      [[], "a key ring needs at least one secret"],
      [undefined, "each key needs 32 or more random characters"],
    ] as [string, string][])
      assert.throws(() => new SealedStore({ backend, encryptionKey }), new TypeError(message));
  });
});

describe("SealedStore and the sessions of the tutorial's own server", () => {
  test("who was signed in there is signed in here, with the same cookie: read once, sealed, the old file removed", async (t) => {
    const cookieSecret = secret();
    const path = folder(t);
    const FileStore = sessionFileStore(session);
    const before = express();
    before.use(
      session({
        secret: cookieSecret,
        resave: false,
        saveUninitialized: false,
        cookie: { maxAge: 30 * day },
        store: new FileStore({
          path,
          retries: 1,
          ttl: 30 * 86_400,
          secret: encryptionKey,
          reapInterval: -1,
          logFn: () => {},
          encoder: (data: Stored) => JSON.stringify({ ...data, arcgis: data.arcgis?.serialize() }),
        } as object),
      }),
    );
    before.get("/sign-in", (req, res) => {
      Object.assign(req.session, { arcgis: manager("sandy_admin"), count: 5 });
      res.send("welcome");
    });
    const server = createServer(before);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => void server.close().closeAllConnections());
    const sandy = new Browser(`http://localhost:${(server.address() as AddressInfo).port}`);
    assert.equal(await say(sandy, "/sign-in"), "welcome");
    assert.deepEqual(readdirSync(path), [`${idIn(sandy)}.json`]);

    const legacy = { secret: encryptionKey };
    const keys = secret();
    const app = await openApp(t, { store: { path, keys, legacy }, cookieSecret });
    const here = new Browser(app.url, sandy.cookies);
    const responses = await Promise.all([say(here, "/who"), say(here, "/who"), say(here, "/look")]);
    assert.deepEqual(responses, ["sandy_admin", "sandy_admin", "5"]);
    assert.deepEqual(app.files(), [`${recordOf(idIn(sandy))}.session`]);
    assert.equal(await say(here, "/count"), "6");

    const later = await openApp(t, { store: { path, keys }, cookieSecret });
    assert.equal(await say(new Browser(later.url, sandy.cookies), "/who"), "sandy_admin");
    assert.deepEqual([...app.warnings, ...later.warnings], []);
  });

  test("ST-3 where a secret is given, a file that anyone can have written is no session", async (t) => {
    const path = folder(t);
    const id = oldId();
    writeFileSync(join(path, `${id}.json`), JSON.stringify(oldSession({ isAdmin: true })));
    const { get, warnings } = takingOver(t, path, { secret: encryptionKey });
    assert.equal(await get(id), null);
    assert.deepEqual(
      warnings.map(({ problem }) => problem),
      ["it is damaged, or not encrypted with this secret"],
    );
    assert.deepEqual(readdirSync(path), [`${id}.json`]);
  });

  test("SE-5 a session whose old file cannot be removed is not taken over: no sign-out would end it", async (t) => {
    const [path, other] = [folder(t), folder(t)];
    const id = oldId();
    await tutorialStore(path)(id, oldSession({ arcgis: manager("sandy_admin") }));
    onRemoval(t, (file) => {
      if (file.endsWith(".json")) throw Object.assign(new Error(`EPERM: ${file}`), { code: "EPERM" });
    });
    const { get, destroy, warnings } = takingOver(t, other, { path, secret: encryptionKey });
    for (let turn = 0; turn < 2; turn++) assert.equal(await get(id), null, `turn ${turn}`);
    await destroy(id);
    assert.equal(await get(id), null, "after its end");
    assert.deepEqual(new Set(warnings.map(({ problem }) => problem)), new Set(["EPERM"]));
    assert.deepEqual(readdirSync(other), []);
  });

  test("SE-6 SE-9 what has expired has expired, and what was destroyed before it was read does not come back", async (t) => {
    const path = folder(t);
    const [one, two] = [oldId(), oldId()];
    const pass = clock(t);
    for (const id of [one, two])
      await tutorialStore(path)(id, oldSession({ arcgis: manager("sandy_admin") }));
    const { get, destroy } = takingOver(t, path, { secret: encryptionKey });
    await destroy(one);
    assert.equal(await get(one), null);
    pass(15 * day);
    assert.equal(await get(two), null, "not used for 15 days");
  });

  test("ST-4 an old file that is no use is one warning, not one a request, and the process lives", async (t) => {
    const path = folder(t);
    const id = oldId();
    await tutorialStore(path)(id, oldSession({ arcgis: manager("sandy_admin") }));
    const text = readFileSync(join(path, `${id}.json`), "utf8");
    const encrypted = JSON.parse(text);
    const flipped = { ...encrypted, ct: `${encrypted.ct.slice(0, 40)}x${encrypted.ct.slice(41)}` };
    const damaged = "it is damaged, or not encrypted with this secret";
    const write = (content: string) => (file: string) => writeFileSync(file, content);
    const cases: [string, (file: string) => unknown, string][] = [
      ["empty", write(""), damaged],
      ["half of it", write(text.slice(0, text.length / 2)), damaged],
      ["a flipped character", write(JSON.stringify(flipped)), damaged],
      [
        "of another session's key",
        write(text.replace(/"salt".*?\]\}/, '"salt":{"type":"Buffer","data":[1]}')),
        damaged,
      ],
      ["without a salt", write(JSON.stringify({ ...encrypted, salt: 5 })), damaged],
      ["an impossible nonce", write(JSON.stringify({ ...encrypted, iv: "" })), damaged],
      ["not encrypted", write("[1]"), damaged],
      ["far too large", write(`"${"x".repeat(300_000)}"`), "it is far too large"],
      ["a folder", (file) => mkdirSync(file), "it is not a regular file"],
      ["a pipe", (file) => execFileSync("mkfifo", [file]), "it is not a regular file"],
      ["a link", (file) => symlinkSync("/etc/hostname", file), "it cannot be opened (ELOOP)"],
    ];
    const plain: typeof cases = [
      ["no object", write("[1]"), "it is damaged"],
      ["no cookie", write('{"user":"x"}'), "it is damaged"],
      ["a prototype", write('{"cookie":{},"__proto__":{"isAdmin":1}}'), "it is damaged"],
    ];
    const other = folder(t);
    const encryptedOnes = takingOver(t, other, { secret: encryptionKey });
    const plainOnes = takingOver(t, other);
    for (const [kind, make, reason] of [...cases, ...plain]) {
      if (/pipe|link/.test(kind) && needsPosix(kind)) continue;
      const { get, warnings } = cases.some(([each]) => each === kind) ? encryptedOnes : plainOnes;
      const bad = oldId();
      make(join(other, `${bad}.json`));
      const before = readdirSync(other);
      for (let turn = 0; turn < 3; turn++) assert.equal(await get(bad), null, kind);
      assert.deepEqual(warnings.splice(0), [{ problem: reason }], kind);
      assert.deepEqual(readdirSync(other), before, `${kind}: it is left as it is`);
    }
    assert.equal(({} as { isAdmin?: number }).isAdmin, undefined);

    const without = takingOver(t, path);
    assert.equal(await without.get(id), null);
    assert.deepEqual(
      without.warnings.map(({ problem }) => problem),
      ["it is damaged"],
    );
    assert.equal(
      (await takingOver(t, path, { secret: encryptionKey }).get(id))?.arcgis?.username,
      "sandy_admin",
    );
  });

  test("ST-6 a session id never becomes a path of another folder", async (t) => {
    const path = folder(t);
    writeFileSync(join(path, "secret.json"), JSON.stringify(oldSession({ count: 1 })));
    mkdirSync(join(path, "sessions"));
    const { get, destroy } = takingOver(t, join(path, "sessions"), {});
    for (const id of ["../secret", `..${"/"}${basename(path)}/secret`, "secret\0", "", "x".repeat(5_000)]) {
      assert.equal(await get(id), null, id.slice(0, 20));
      await destroy(id);
    }
    assert.deepEqual(readdirSync(path).sort(), ["secret.json", "sessions"]);
  });
});

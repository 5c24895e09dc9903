import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs, {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import type { SessionData } from "express-session";
import { keyRing } from "#src/auth/session/seal.ts";
import { AuthError } from "#src/index.ts";
import type { SessionBackend } from "#src/session-store.ts";
import { smallDisk } from "./support/disks.ts";
import { whoIs } from "./support/expect.ts";
import { asPlainUser } from "./support/plain-user.ts";
import { needsPosix } from "./support/posix.ts";
import { casesOf } from "./support/rounds.ts";
import { callbackFor, folder, openSite, type Site, secret, signIn } from "./support/site.ts";
import { day, identityFor, openTestStore, recordOf } from "./support/store.ts";
import { signed, signOut, transactionCookie } from "./support/user.ts";

const minute = 60_000;

/** The one session file of a site, or the newest of several. */
function fileOf(site: Site): string {
  const [name = ""] = site.files();
  return join(site.config.sessionDir, name);
}

const warningsOf = ({ log }: Site) => log.lines.filter(({ level }) => level === 40);

describe("what is on the disk", () => {
  test("ST-2 no token, no name, no portal and no session id is in any file or file name, in any spelling", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser, "zoe_editor");
    const cookie = decodeURIComponent(browser.cookies.get("arcgis.sid") ?? "");
    const id = cookie.slice(2, cookie.indexOf("."));
    const canaries = [id, cookie.slice(2), "zoe_editor", "Zoë 日本", site.sandbox.url, "test-app", "refresh"];
    await site.store.update(id, ({ arcgis }) => {
      canaries.push(String(arcgis?.token), String(arcgis?.refreshToken));
    });
    canaries.push(String(site.config.encryptionKeys), String(site.config.sessionSecrets));

    const held = site
      .files()
      .map((name) => `${name}\n${readFileSync(join(site.config.sessionDir, name), "latin1")}`)
      .join("\n");
    const decoded = held.split(/[.\n]/).map((part) => Buffer.from(part, "base64url").toString("latin1"));
    const haystack = [held, ...decoded].join("\n");
    assert.equal(site.files().length, 1);
    for (const canary of canaries) {
      assert.ok(Buffer.byteLength(canary) > 5);
      for (const encoding of ["latin1", "hex", "base64", "base64url"] as const) {
        const needle = Buffer.from(canary).toString(encoding).replace(/=+$/, "");
        assert.equal(haystack.includes(needle), false, `${canary} as ${encoding}`);
      }
    }
  });

  test("ST-2 ST-7 a temp file is as unreadable as the file it becomes", async (t) => {
    const stored: string[] = [];
    const site = openTestStore(t, {
      backend: (files) => ({
        ...files,
        create: (name, text) => files.create(name, text).then(() => void stored.push(text)),
      }),
    });
    await site.keep({ arcgis: identityFor("sandy_admin", { refreshToken: "token-canary" }) });
    const [text = ""] = stored;
    assert.match(text, /^[\w-]{40,}$/);
    assert.equal(Buffer.from(text, "base64url").includes("canary"), false);
  });

  test("ST-3 Alice's file copied over Bob's signs Bob out and never makes him Alice", async (t) => {
    const site = await openSite(t);
    const [alice, bob] = [site.browser(), site.browser()];
    await signIn(alice, "sandy_admin");
    const hers = fileOf(site);
    await signIn(bob, "vik_viewer");
    const his = join(site.config.sessionDir, site.files().find((name) => !hers.endsWith(name)) ?? "");
    const own = readFileSync(his);
    assert.equal(await whoIs(bob), "vik_viewer");

    copyFileSync(hers, his);
    assert.equal(await whoIs(bob), undefined);
    assert.equal(await whoIs(alice), "sandy_admin");
    const [warning, ...more] = warningsOf(site);
    assert.equal(warning?.msg, "a session could not be opened");
    assert.equal(warning?.reason, "damaged or forged");
    assert.deepEqual(more, []);

    writeFileSync(his, own);
    assert.equal(await whoIs(bob), "vik_viewer", "what was his comes back with his file");
  });

  test("ST-3 a sign-in's cookie is no session, and a session is no sign-in's cookie", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser);
    const sealed = readFileSync(fileOf(site), "latin1");

    const other = site.browser();
    const callback = await callbackFor(other, "sandy_admin");
    writeFileSync(fileOf(site), String(other.cookies.get(transactionCookie(other))));
    assert.equal(await whoIs(browser), undefined);
    other.cookies.set(transactionCookie(other), sealed);
    const response = await other.get(callback);
    assert.equal(response.status, 400);
    assert.match(response.body, /data-code="transaction_missing"/);
  });

  test("ST-6 a session id never becomes a path, not even one that is signed with our own secret", async (t) => {
    const place = folder(t);
    const site = await openSite(t, { sessionDir: join(place, "sessions") });
    const browser = site.browser();
    await signIn(browser);
    mkdirSync(join(place, "evil"));
    copyFileSync(fileOf(site), join(place, "evil", "x"));
    copyFileSync(fileOf(site), join(place, "evil", "x.session"));
    const treeBefore = treeOf(place);

    const name = site.files()[0]?.replace(".session", "");
    for (const id of [
      "../evil/x",
      "..\\evil\\x",
      `${place}/evil/x`,
      String(name),
      "x\0",
      ".",
      "..",
      "%2e%2e/evil/x",
    ]) {
      const intruder = site.browser();
      intruder.cookies.set("arcgis.sid", signed(id, String(site.config.sessionSecrets[0])));
      assert.equal(await whoIs(intruder), undefined, id);
      assert.equal((await intruder.get("/sign-out")).headers.location, "/", id);
    }
    assert.deepEqual(treeOf(place), treeBefore);
    assert.equal(await whoIs(browser), "sandy_admin");
  });

  test("ST-11 what is inside a seal is looked at: no key of a prototype, no field of a wrong kind", async (t) => {
    const site = openTestStore(t);
    const id = await site.keep({ arcgis: identityFor("sandy_admin"), theme: "dark" });
    const ring = keyRing(site.keys);
    const sound = JSON.parse(
      String(ring.open(readFileSync(site.file(id), "latin1"), "session", recordOf(id))),
    );
    const plant = (text: string) => writeFileSync(site.file(id), ring.seal(text, "session", recordOf(id)));

    plant(JSON.stringify(sound));
    assert.equal((await site.load(id))?.arcgis?.username, "sandy_admin", "the test's own seal is a good one");

    const { createdAt, parts } = sound;
    const odd: [string, string][] = [
      ["a prototype for everything", '{"__proto__":{"isAdmin":1}}'],
      [
        "a prototype among the parts",
        JSON.stringify(sound).replace('"theme"', '"__proto__":"{\\"isAdmin\\":1}","theme"'),
      ],
      ["a prototype for an identity", JSON.stringify(sound).replace('"arcgis"', '"__proto__"')],
      ["a constructor", JSON.stringify({ createdAt, parts: { ...parts, constructor: "1" } })],
      ["no parts", JSON.stringify({ createdAt })],
      ["parts of a wrong kind", JSON.stringify({ createdAt, parts: [parts] })],
      ["a part that is no text", JSON.stringify({ createdAt, parts: { ...parts, arcgis: {} } })],
      ["an age that is no number", JSON.stringify({ ...sound, createdAt: String(createdAt) })],
      ["no age", JSON.stringify({ parts })],
      ["an identity that is no identity", JSON.stringify({ createdAt, parts: { arcgis: "identity:1" } })],
      ["an identity that is no JSON", JSON.stringify({ createdAt, parts: { arcgis: "identity:{" } })],
      ["null", "null"],
      ["a number", "1"],
      ["a list", "[]"],
      ["no JSON", JSON.stringify(sound).slice(1)],
      ["nothing", ""],
    ];
    for (const [what, text] of odd) {
      site.warnings.length = 0;
      plant(text);
      assert.equal(await site.load(id), undefined, what);
      assert.equal(site.warnings.length, 1, what);
      assert.equal(({} as { isAdmin?: number }).isAdmin, undefined, what);
    }
  });
});

describe("a file that is not what it should be", () => {
  test("ST-4 a file that the server may not read means signed out, and it counts again when it may", {
    skip: needsPosix("modes of files"),
  }, async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser);
    const path = fileOf(site);
    chmodSync(join(site.config.sessionDir, ".."), 0o755);
    await asPlainUser([site.config.sessionDir, path], async () => {
      chmodSync(path, 0);
      assert.equal(await whoIs(browser), undefined);
      assert.equal(warningsOf(site).length, 1);
      chmodSync(path, 0o600);
      assert.equal(await whoIs(browser), "sandy_admin");
    });
  });
});

describe("keys", () => {
  test("ST-5 a new key in front signs no user out; what is written from then on is sealed with it", async (t) => {
    const [older, newer] = [secret(), secret()];
    const before = openTestStore(t, { keys: [older] });
    const [idle, updated, changed] = [await before.keep(), await before.keep(), await before.keep()];

    const after = openTestStore(t, { dir: before.dir, keys: [newer, older] });
    for (const id of [idle, updated, changed]) assert.ok(await after.load(id));
    await after.store.update(updated, (data) => void Object.assign(data, { theme: "dark" }));
    const session = await after.load(changed);
    assert.ok(session);
    await after.set(changed, Object.assign(session, { theme: "dark" }) as unknown as SessionData);

    const keyOf = (id: string) => keyRing([newer]).keyOf(readFileSync(after.file(id), "latin1"));
    for (const id of [updated, changed]) assert.equal(keyOf(id), "newest");
    // One that was only read follows in the background.
    while (keyOf(idle) !== "newest") await new Promise(setImmediate);
  });

  test("ST-5 who is on a key that is gone is signed out, their file stays, and with the key they are back", async (t) => {
    const [older, newer] = [secret(), secret()];
    const before = openTestStore(t, { keys: [older] });
    const id = await before.keep();
    const file = readFileSync(before.file(id));

    const without = openTestStore(t, { dir: before.dir, keys: [newer] });
    assert.equal(await without.load(id), undefined);
    const record = recordOf(id).slice(0, 8);
    assert.deepEqual(without.warnings, [{ record, problem: "damaged, or sealed with an unknown key" }]);
    assert.equal(await without.store.update(id, () => assert.fail("nothing to change")), false);
    assert.deepEqual(readFileSync(before.file(id)), file, "the file is as it was, to the byte");

    const back = openTestStore(t, { dir: before.dir, keys: [newer, older] });
    assert.equal((await back.load(id))?.arcgis?.username, "sandy_admin");
    assert.deepEqual(back.warnings, []);
  });

  test("ST-5 going back to the old key with the new one behind it signs no user out either", async (t) => {
    const [older, newer] = [secret(), secret()];
    const site = openTestStore(t, { keys: [newer, older] });
    const id = await site.keep();
    const back = openTestStore(t, { dir: site.dir, keys: [older, newer] });
    assert.ok(await back.load(id));
  });
});

describe("what a request costs", () => {
  test("ST-9 a signed-in page derives no key by a password hash and writes nothing to the disk", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser);
    await browser.get("/");
    const slow = ["scrypt", "scryptSync", "pbkdf2", "pbkdf2Sync"] as const;
    const calls = slow.map((name) => t.mock.method(crypto, name).mock);
    syncBuiltinESMExports();
    t.after(() => syncBuiltinESMExports());
    const stateOfDisk = () =>
      [site.config.sessionDir, fileOf(site)].map((path) => {
        const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
        return { path, ino, size, mtimeNs, ctimeNs };
      });

    const before = stateOfDisk();
    for (let round = 0; round < 20; round++) assert.equal(await whoIs(browser), "sandy_admin");
    assert.deepEqual(stateOfDisk(), before);
    for (const { calls: made } of calls) assert.equal(made.length, 0);
  });

  test("ST-9 however many sessions lie in the folder: start, sign-in, page and sign-out look at none but their own", async (t) => {
    const sessionDir = join(folder(t), "sessions");
    mkdirSync(sessionDir, { mode: 0o700 });
    const others = Array.from(
      { length: 500 },
      (_, index) => `${index.toString(16).padStart(64, "0")}.session`,
    );
    for (const name of others) writeFileSync(join(sessionDir, name), "a\nb", { mode: 0o600 });
    const looked: string[] = [];
    const watch = <Module extends object>(module: Module, names: readonly (keyof Module & string)[]) => {
      for (const name of names) {
        const real = module[name] as (...args: unknown[]) => unknown;
        t.mock.method(
          module,
          name as never,
          ((...args: unknown[]) => {
            looked.push(`${name} ${args[0]}`);
            return real(...args);
          }) as never,
        );
      }
    };
    watch(fs.promises, ["readdir", "opendir", "open", "lstat", "stat"]);
    watch(fs, ["readdir", "readdirSync", "opendir", "opendirSync", "lstatSync"]);
    syncBuiltinESMExports();
    t.after(syncBuiltinESMExports);

    const site = await openSite(t, { sessionDir });
    const browser = site.browser();
    await signIn(browser);
    assert.equal(await whoIs(browser), "sandy_admin");
    assert.equal((await signOut(browser)).status, 303);

    assert.ok(
      looked.some((path) => /\.session$/.test(path)),
      "it is watched",
    );
    assert.deepEqual(
      looked.filter((call) => /^(?:read|open)dir/.test(call) && call.endsWith(sessionDir)),
      [],
    );
    assert.deepEqual(
      looked.filter((call) => others.some((name) => call.endsWith(name))),
      [],
    );
  });

  test("ST-9 a visit is noted on the disk once a minute, not once a request", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    // Reads at the same moment may each note it.
    const touches = new Set<number>();
    const site = openTestStore(t, {
      backend: (files) => ({
        ...files,
        touch: (name, lastAccess) => {
          touches.add(lastAccess);
          return files.touch(name, lastAccess);
        },
      }),
    });
    const touch = promisify(site.store.touch.bind(site.store)) as (id: string, data: object) => Promise<void>;
    const id = await site.keep();
    for (let second = 0; second < 180; second++) {
      t.mock.timers.tick(1_000);
      await site.store.readParts(id);
      await touch(id, (await site.load(id)) ?? {});
    }
    assert.equal(touches.size, 3);
  });
});

describe("who may make a session", () => {
  test("SE-9 a session that was destroyed is not made again by a late save of the request that made it", async (t) => {
    const site = openTestStore(t);
    const { sessionID, session } = site.generate({ arcgis: identityFor("sandy_admin") });
    await site.set(sessionID, session as SessionData);
    assert.equal(site.files().length, 1);
    await site.destroy(sessionID);
    await site.set(sessionID, Object.assign(session, { changed: true }) as unknown as SessionData);
    assert.deepEqual(site.files(), []);
    assert.equal(await site.load(sessionID), undefined);
  });

  test("SE-9 the same session saved twice at once is made once; one that could not be made may be made later", async (t) => {
    let creations = 0;
    let isFull = false;
    const site = openTestStore(t, {
      backend: (files) => ({
        ...files,
        create: (name, text) => {
          creations++;
          return isFull ? Promise.reject(new Error("ENOSPC")) : files.create(name, text);
        },
      }),
    });
    const { sessionID, session } = site.generate({ theme: "dark" });
    const saved = session as SessionData;
    await Promise.all([site.set(sessionID, saved), site.set(sessionID, saved)]);
    assert.equal(creations, 1);
    const later = site.generate({ theme: "dark" });
    isFull = true;
    await assert.rejects(site.set(later.sessionID, later.session as SessionData), {
      code: "store_unavailable",
    });
    isFull = false;
    await site.set(later.sessionID, later.session as SessionData);
    assert.ok(await site.load(later.sessionID));
  });

  test("SE-9 a token that was refreshed meanwhile survives the save of a request that saw the old one", async (t) => {
    const site = openTestStore(t);
    const id = await site.keep();
    const slow = await site.load(id);
    assert.ok(slow?.arcgis);
    await site.store.update(id, ({ arcgis }) => void arcgis?.updateToken("refreshed", new Date()));
    await site.set(id, Object.assign(slow, { theme: "dark" }) as unknown as SessionData);
    const now = (await site.load(id)) as { arcgis?: { token: string }; theme?: string } | undefined;
    assert.deepEqual([now?.arcgis?.token, now?.theme], ["refreshed", "dark"]);
  });

  test("SE-9 what a request removes from its session is gone from the store, its identity too", async (t) => {
    const site = openTestStore(t);
    const id = await site.keep({ arcgis: identityFor("sandy_admin"), theme: "dark" });
    const session = (await site.load(id)) as never as Record<string, unknown>;
    delete session.arcgis;
    delete session.theme;
    await site.set(id, session as unknown as SessionData);
    const now = (await site.load(id)) as never as Record<string, unknown>;
    assert.deepEqual([now.arcgis, now.theme], [undefined, undefined]);
  });
});

describe("when the store fails", () => {
  test("ST-13 each way to fail is 503 store_unavailable, with the cause for the log alone", async (t) => {
    const cause = Object.assign(new Error("EIO: the disk is on fire"), { code: "EIO" });
    const fail = () => Promise.reject(cause);
    const backend: SessionBackend = {
      read: fail,
      create: fail,
      update: fail,
      replace: fail,
      touch: fail,
      take: fail,
      lock: fail,
      names: fail,
    };
    const site = openTestStore(t, { backend: () => backend });
    const unavailable = new AuthError("store_unavailable", { cause });
    await assert.rejects(site.load("any"), unavailable);
    await assert.rejects(site.keep(), unavailable);
    await assert.rejects(site.destroy("any"), unavailable);
    await assert.rejects(site.store.take("any"), unavailable);
    await assert.rejects(site.store.read("any"), unavailable);
    await assert.rejects(
      site.store.update("any", () => {}),
      unavailable,
    );
    await assert.rejects(site.store.lock("any", 1_000), unavailable);
  });

  const breaks = {
    "a folder that may not be written": (path: string) => chmodSync(path, 0o500),
    "a folder that is gone and cannot be made again": (path: string) => {
      rmSync(path, { recursive: true });
      chmodSync(join(path, ".."), 0o555);
    },
    "a file where the folder was": (path: string) => {
      rmSync(path, { recursive: true });
      writeFileSync(path, "");
    },
  };
  for (const [what, broken] of casesOf(Object.entries(breaks), 1)) {
    test(`ST-13 a sign-in with ${what}: 503, no session cookie, the new tokens revoked`, {
      skip: what.startsWith("a folder") && needsPosix("modes of files"),
    }, async (t) => {
      const site = await openSite(t);
      const { sessionDir } = site.config;
      chmodSync(join(sessionDir, ".."), 0o755);
      await asPlainUser([join(sessionDir, ".."), sessionDir], async () => {
        broken(sessionDir);
        const browser = site.browser();
        const response = await signIn(browser);
        assert.equal(response.status, 503, response.body);
        assert.match(response.body, /data-code="store_unavailable"/);
        assert.doesNotMatch(response.body, /arcgis-sign-in-|EACCES|ENOENT|ENOTDIR/);
        assert.deepEqual(
          response.setCookies.filter((cookie) => cookie.startsWith("arcgis.sid=")),
          [],
        );
        assert.equal(site.sandbox.revoked.length, 1);
        assert.equal(await whoIs(browser), undefined);

        chmodSync(join(sessionDir, ".."), 0o755);
        rmSync(sessionDir, { recursive: true, force: true });
        mkdirSync(sessionDir, { mode: 0o700 });
        await signIn(browser);
        assert.equal(await whoIs(browser), "sandy_admin", "it recovers by itself");
      });
    });
  }

  test("ST-13 a full disk: a sign-in is 503 and its tokens revoked, who is signed in stays so, and a sign-out is one", async (t) => {
    const disk = smallDisk(t, 256);
    if (!disk) return;
    const sessionDir = join(disk, "sessions");
    const site = await openSite(t, { sessionDir });
    const [stays, leaves, comes] = [site.browser(), site.browser(), site.browser()];
    await signIn(stays, "vik_viewer");
    await signIn(leaves, "sandy_admin");
    const before = site.files();
    const ballast = join(disk, "ballast");
    assert.throws(() => writeFileSync(ballast, Buffer.alloc(1024 * 1024)), { code: "ENOSPC" });

    for (let turn = 1; turn <= 3; turn++) {
      const response = await signIn(comes, "zoe_editor");
      assert.equal(response.status, 503, response.body);
      assert.equal(comes.cookies.has("arcgis.sid"), false);
      assert.equal(site.sandbox.revoked.length, turn, "these tokens are never used");
      assert.deepEqual(site.files(), before, "nothing is left half-written");
    }
    assert.equal(await whoIs(stays), "vik_viewer");
    const stolen = leaves.copy();
    assert.equal((await signOut(leaves)).status, 303);
    assert.equal(await whoIs(stolen), undefined);
    assert.equal(site.sandbox.revoked.length, 4);

    rmSync(ballast);
    await signIn(comes, "zoe_editor");
    assert.deepEqual(await Promise.all([stays, leaves, stolen, comes].map((browser) => whoIs(browser))), [
      "vik_viewer",
      undefined,
      undefined,
      "zoe_editor",
    ]);
  });

  test("ST-13 who is signed in stays so while nothing can be written, and a failing sign-in does not change that", {
    skip: needsPosix("modes of files"),
  }, async (t) => {
    const site = await openSite(t);
    const { sessionDir } = site.config;
    const browser = site.browser();
    await signIn(browser, "vik_viewer");
    chmodSync(join(sessionDir, ".."), 0o755);
    await asPlainUser([sessionDir, fileOf(site)], async () => {
      chmodSync(sessionDir, 0o500);
      assert.equal((await signIn(browser, "sandy_admin")).status, 503);
      assert.equal(await whoIs(browser), "vik_viewer");
      const form = /name="csrf_token" value="([^"]+)"/.exec((await browser.get("/")).body)?.[1] ?? "";
      assert.equal((await browser.post("/sign-out", { csrf_token: form })).status, 503);
      assert.equal(
        await whoIs(browser),
        "vik_viewer",
        "a sign-out that could not be done is not reported as done",
      );
      chmodSync(sessionDir, 0o700);
      assert.equal((await browser.post("/sign-out", { csrf_token: form })).status, 303);
      assert.equal(await whoIs(browser), undefined);
    });
  });
});

describe("how long a session lives", () => {
  const openTimed = (t: TestContext, options = {}) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const site = openTestStore(t, { idleSeconds: 3_600, maxSeconds: 7 * 86_400, ...options });
    const touch = promisify(site.store.touch.bind(site.store)) as (id: string, data: object) => Promise<void>;
    /** Accesses the session as a request does. */
    const use = async (id: string) => {
      const session = await site.load(id);
      if (session) await touch(id, session);
      return session;
    };
    return { ...site, use, tick: (ms: number) => t.mock.timers.tick(ms) };
  };

  test("SE-6 a session that is used within the idle time lives, one that is not expires", async (t) => {
    const { keep, use, load, tick } = openTimed(t);
    const [active, idle] = [await keep(), await keep()];
    for (let hour = 0; hour < 5; hour++) {
      tick(59 * minute);
      assert.ok(await use(active), `hour ${hour}`);
    }
    assert.equal(await load(idle), undefined);
    tick(61 * minute);
    assert.equal(await load(active), undefined);
  });

  test("SE-7 no use, no change and no refreshed token takes a session beyond its absolute end", async (t) => {
    const { keep, use, load, set, store, tick } = openTimed(t, { idleSeconds: 2 * 86_400 });
    const id = await keep();
    for (let today = 1; today < 7; today++) {
      tick(day);
      const session = await use(id);
      assert.ok(session, `day ${today}`);
      const refreshed = { refreshTokenExpires: new Date(Date.now() + 14 * day) };
      await store.update(
        id,
        (data) => void Object.assign(data, { arcgis: identityFor("sandy_admin", refreshed) }),
      );
      await set(id, Object.assign(session, { today }) as unknown as SessionData);
    }
    tick(day - 2);
    assert.ok(await load(id));
    tick(2);
    assert.equal(await load(id), undefined);
  });

  test("SE-8 a sign-in ends with its refresh token, and lives on with a new one", async (t) => {
    const { keep, use, load, store, tick } = openTimed(t, {
      idleSeconds: 10 * 86_400,
      maxSeconds: 30 * 86_400,
    });
    const until = (days: number) => ({ refreshTokenExpires: new Date(Date.now() + days * day) });
    const [refreshed, left] = [
      await keep({ arcgis: identityFor("sandy_admin", until(3)) }),
      await keep({ arcgis: identityFor("vik_viewer", until(3)) }),
    ];
    tick(2 * day);
    assert.ok((await use(refreshed)) && (await use(left)));
    const arcgis = identityFor("sandy_admin", until(3));
    await store.update(refreshed, (data) => void Object.assign(data, { arcgis }));
    tick(day);
    assert.equal((await load(left))?.arcgis, undefined);
    assert.ok((await load(refreshed))?.arcgis);
    tick(2 * day);
    assert.equal((await load(refreshed))?.arcgis, undefined);
  });

  test("SE-11 a clock that is set back signs out, loses nothing, and makes no session immortal", async (t) => {
    const { keep, load, file } = openTimed(t, { idleSeconds: 30 * 86_400 });
    const start = Date.now();
    const id = await keep();
    const set = (ms: number) => t.mock.timers.setTime(start + ms);
    set(-4 * minute);
    assert.ok(await load(id), "clocks of two servers differ by minutes");
    set(-6 * minute);
    assert.equal(await load(id), undefined);
    set(-day);
    assert.equal(await load(id), undefined);
    assert.ok(existsSync(file(id)));
    set(minute);
    assert.ok(await load(id), "the clock is right again");
    set(7 * day);
    assert.equal(await load(id), undefined);
  });

  test("SE-11 a session of a wrong clock ends with the rest: its time is not counted from the future", async (t) => {
    const { keep, load } = openTimed(t, { idleSeconds: 30 * 86_400 });
    const start = Date.now();
    const set = (ms: number) => t.mock.timers.setTime(start + ms);
    set(13 * day);
    const id = await keep();
    for (let hours = 0; hours < 13 * 24; hours += 6) {
      set(hours * 60 * minute);
      assert.equal(await load(id), undefined, `${hours} hours`);
    }
    set(20 * day);
    assert.equal(await load(id), undefined);
  });
});

function treeOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .map((each) => {
      const file = join(each.parentPath, each.name);
      const { mtimeMs, size } = statSync(file);
      return `${file} ${mtimeMs} ${size}`;
    })
    .sort();
}

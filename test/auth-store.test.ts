import assert from "node:assert/strict";
import { once } from "node:events";
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import express from "express";
import session from "express-session";
import sessionFileStore from "session-file-store";
import { lock } from "#src/auth/session/file-lock.ts";
import { fileBackend, legacyFileStore, redisBackend, SealedStore } from "#src/session-store.ts";
import { connect, type Data, day, identity, openStore, plainCookie, portal } from "./support/auth-store.ts";
import { clock, stopClock } from "./support/clock.ts";
import { slowness } from "./support/pace.ts";
import { needsPosix } from "./support/posix.ts";
import { redisIsMissing } from "./support/redis.ts";
import { casesOf, isAll, rounds } from "./support/rounds.ts";
import { folder, secret } from "./support/temporary.ts";

const shared = {} as { redis: Awaited<ReturnType<typeof connect>> };
const ends: (() => unknown)[] = [];

before(async () => {
  if (isAll && !redisIsMissing())
    shared.redis = await connect({ after: (end) => void ends.unshift(end as () => unknown) });
});

after(async () => {
  for (const end of ends) await end();
});

/** The Redis that the tests here share, empty. */
async function emptyRedis() {
  await shared.redis.server.send("FLUSHALL");
  return shared.redis;
}

const places = {
  files: async (t: TestContext) => fileBackend(folder(t)),
  redis: async (_: TestContext) => redisBackend((await emptyRedis()).client),
};

for (const [kind, open] of casesOf(Object.entries(places), 1))
  describe(`SealedStore on ${kind}`, { skip: kind === "redis" && redisIsMissing() }, () => {
    test("ST-2 ST-11 keeps data and identity managers, and gives them back as they were", async (t) => {
      const { set, get, store } = openStore(t, await open(t));
      await set("one", {
        cookie: plainCookie,
        arcgis: identity(),
        list: [1, { a: null }],
        text: "identity:x",
      });
      const data = await get("one");
      assert.ok(data?.arcgis instanceof ArcGISIdentityManager);
      assert.equal(data.arcgis.refreshToken, "refresh");
      assert.deepEqual([data.list, data.text], [[1, { a: null }], "identity:x"]);
      assert.equal(await get("two"), null);
      assert.equal((await store.admin.names()).length, 1);
    });

    test("SE-9 a session that was destroyed does not come back by a save, a touch or an update", async (t) => {
      const { set, get, load, touch, store } = openStore(t, await open(t));
      await set("one", { cookie: plainCookie, a: 1 });
      const late = await load("one");
      assert.ok(late);
      await store.take("one");
      await set("one", Object.assign(late, { a: 2 }));
      await touch("one", late);
      assert.equal(await store.update("one", (data) => void Object.assign(data, { a: 3 })), false);
      assert.equal(await get("one"), null);
      assert.equal(await store.take("one"), undefined);
    });

    test("what a request changed wins, everything else stays as it is stored; no change, no write", async (t) => {
      const backend = await open(t);
      const { set, get, load } = openStore(t, backend);
      await set("one", { cookie: plainCookie, a: 1, b: 1, c: 1, arcgis: identity() });
      const [mine, other] = [await load("one"), await load("one")];
      assert.ok(mine && other);
      other.b = 2;
      other.arcgis = identity({ token: "newer", tokenExpires: new Date(Date.now() + 3_600_000) });
      await set("one", other);
      mine.a = 2;
      mine.arcgis = identity({
        token: "older",
        refreshToken: "ended",
        tokenExpires: new Date(Date.now() + 1_000_000),
      });
      delete mine.c;
      await set("one", mine);
      const stored = await get("one");
      assert.deepEqual([stored?.a, stored?.b, stored?.c, stored?.arcgis?.token], [2, 2, undefined, "newer"]);
      const update = t.mock.method(backend, "update");
      await set("one", mine);
      await set("one", (await load("one")) ?? {});
      assert.equal(update.mock.callCount(), 0);
      // Another user's sign-in in its place is a change.
      mine.arcgis = identity({ username: "vik_viewer", tokenExpires: new Date() });
      await set("one", mine);
      assert.equal((await get("one"))?.arcgis?.username, "vik_viewer");
    });

    test("SE-6 SE-7 SE-8 SE-11 ends after its idle time, its absolute time, its cookie's maxAge, and never lives in the future", async (t) => {
      const { set, get, load, touch } = openStore(t, await open(t), {
        idleSeconds: 86_400,
        maxSeconds: 3 * 86_400,
      });
      const pass = clock(t);
      await set("idle", { cookie: plainCookie });
      await set("used", {
        cookie: plainCookie,
        arcgis: identity({ refreshTokenExpires: new Date(Date.now() + 2 * day) }),
      });
      await set("short", { cookie: { ...plainCookie, originalMaxAge: 60_000 } });
      for (let i = 0; i < 3; i++) {
        pass(23 * 3_600_000);
        const used = await load("used");
        assert.ok(used, `after ${i + 1} days`);
        assert.equal(used.arcgis === undefined, i === 2, "the identity ends with its refresh token");
        await touch("used", used);
        assert.equal(await get("short"), null);
      }
      assert.equal(await get("idle"), null);
      pass(4 * 3_600_000);
      assert.equal(await get("used"), null, "the absolute end");
      await set("future", { cookie: plainCookie });
      pass(-6 * 60_000);
      assert.equal(await get("future"), null);
    });

    test("SE-9 take returns what was stored last, and waits for an update in progress", async (t) => {
      const { set, store, get } = openStore(t, await open(t));
      await set("one", { cookie: plainCookie, arcgis: identity() });
      const updating = store.update(
        "one",
        ({ arcgis }) => void arcgis?.updateToken("newest", new Date(Date.now() + day)),
      );
      const taken = await store.take("one");
      const wasFirst = await updating;
      assert.equal(taken?.arcgis?.token, wasFirst ? "newest" : "access");
      assert.equal(await get("one"), null);
    });

    test("TK-1 a lock is one caller's at a time, and one that was abandoned is broken", async (t) => {
      const { store } = openStore(t, await open(t));
      let holders = 0;
      const hold = async () => {
        const unlock = await store.lock("one", 5_000);
        assert.equal(++holders, 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        holders -= 1;
        await unlock();
      };
      await Promise.all(Array.from({ length: 10 }, hold));
      const unlock = await store.lock("two", 100);
      const other = kind === "redis" ? await store.lock("two", 100) : unlock;
      await other();
      await (await store.lock("two", 100))();
    });

    const updates = rounds(50, 200);
    test(`${updates} updates at the same moment lose nothing, and an error in one is its own`, async (t) => {
      const { set, get, store } = openStore(t, await open(t));
      await set("one", { cookie: plainCookie, count: 0 });
      const add = () => store.update("one", (data) => void (data as { count: number }).count++);
      stopClock(t);
      await Promise.all(Array.from({ length: updates }, add));
      assert.equal((await get("one"))?.count, updates);
      await assert.rejects(
        store.update("one", () => {
          throw new RangeError("mine");
        }),
        RangeError,
      );
      assert.equal((await get("one"))?.count, updates);
    });

    test("SE-12 ST-6 operators see, end and reseal sessions; a key that is absent costs nothing but access", async (t) => {
      const backend = await open(t);
      const [older, newer] = [secret(), secret()];
      const before = openStore(t, backend, { encryptionKey: older });
      await before.set("one", { cookie: plainCookie, arcgis: identity() });
      const name = before.store.admin.nameOf("one");
      const foreign = openStore(t, backend, { encryptionKey: secret() });
      assert.equal(await foreign.get("one"), null);
      assert.match(JSON.stringify(await foreign.store.admin.inspect(name)), /problem/);
      assert.equal(await foreign.store.admin.reseal(name), "unreadable");
      const { store, get } = openStore(t, backend, { encryptionKey: [newer, older] });
      const info = await store.admin.inspect(name);
      assert.ok(info && "data" in info);
      assert.deepEqual(
        [info.data.arcgis?.username, info.isExpired, info.isOnNewestKey],
        ["sandy_admin", false, false],
      );
      assert.equal(await store.admin.reseal(name), "resealed");
      assert.equal(await store.admin.reseal(name), "on newest key");
      const after = openStore(t, backend, { encryptionKey: newer });
      assert.ok(await after.get("one"));
      assert.equal((await store.admin.end(name))?.arcgis?.refreshToken, "refresh");
      assert.equal(await get("one"), null);
      assert.equal(await store.admin.reseal(name), "gone");
      assert.equal(await store.admin.inspect(name), undefined);
    });

    test("the list of pending revocations is sealed, shared, and gone when it is empty", async (t) => {
      const backend = await open(t);
      const encryptionKey = secret();
      const { store } = openStore(t, backend, { encryptionKey });
      const second = openStore(t, backend, { encryptionKey }).store;
      const add = (store: SealedStore, item: number) =>
        store.admin.changePending<number>((items) => [...items, item]);
      await Promise.all([add(store, 1), add(second, 2), add(store, 3)]);
      let seen: number[] = [];
      const look = (store: SealedStore) =>
        store.admin.changePending<number>((items) => {
          seen = items;
          return items;
        });
      await look(second);
      assert.deepEqual(seen.toSorted(), [1, 2, 3]);
      // One that cannot open it leaves it alone.
      const foreign = openStore(t, backend, { encryptionKey: secret() }).store;
      await look(foreign);
      assert.deepEqual(seen, []);
      await look(store);
      assert.equal(seen.length, 3);
      await store.admin.changePending(() => []);
      await look(store);
      assert.deepEqual(seen, []);
      assert.deepEqual(await store.admin.names(), []);
    });

    test("ST-3 a sealed list opens in its own place only", async (t) => {
      const backend = await open(t);
      const { store } = openStore(t, backend);
      await store.admin.changePending<number>(() => [1], "pending-actions");
      let text: string | undefined;
      await backend.replace("pending-actions", (found) => {
        text = found;
        return found;
      });
      assert.ok(text);
      await backend.replace("pending-revocations", () => text);
      await store.admin.changePending<number>((items) => {
        assert.deepEqual(items, []);
        return items;
      });
    });

    test("probe leaves nothing behind, and rejects with what fails", async (t) => {
      const backend = await open(t);
      const { store } = openStore(t, backend);
      await store.admin.probe();
      assert.deepEqual(await store.admin.names(), []);
      const reason = new Error("no permission");
      const fail = () => Promise.reject(reason);
      Object.assign(backend, kind === "files" ? { update: fail } : { probe: fail });
      await assert.rejects(store.admin.probe(), reason);
    });
  });

describe("sessions in files", () => {
  test("ST-1 ST-7 have mode 0600, in a folder of mode 0700 that is put right", {
    skip: needsPosix("modes of files"),
  }, async (t) => {
    const dir = folder(t);
    chmodSync(dir, 0o755);
    const repaired: string[] = [];
    const { set } = openStore(t, fileBackend(dir, { onRepaired: (message) => void repaired.push(message) }));
    await set("one", { cookie: plainCookie });
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    assert.equal(repaired.length, 1);
    const [file = ""] = readdirSync(dir);
    assert.match(file, /^[0-9a-f]{64}\.session$/);
    assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600);
    const link = join(folder(t), "link");
    symlinkSync(dir, link);
    assert.throws(() => fileBackend(link), /symbolic link/);
  });

  test("ST-4 ST-5 whatever is in the place of a record is no session, and no crash", {
    skip: needsPosix("symbolic links"),
  }, async (t) => {
    const dir = folder(t);
    const unreadable: string[] = [];
    const { set, get, store } = openStore(t, fileBackend(dir), {
      onUnreadable: (record) => void unreadable.push(record),
    });
    await set("good", { cookie: plainCookie, a: 1 });
    const fileOf = (id: string) => join(dir, `${store.admin.nameOf(id)}.session`);
    const text = readFileSync(fileOf("good"), "latin1");
    const spoiled: Record<string, string> = {
      empty: "",
      truncated: text.slice(0, -10),
      flipped: text.slice(0, 60) + (text[60] === "A" ? "B" : "A") + text.slice(61),
      copied: text,
      longer: `${text}A`,
      json: '{"createdAt":1,"parts":{}}',
      binary: "\u0000\u00ff".repeat(500),
      huge: "A".repeat(300_000),
    };
    for (const [id, content] of Object.entries(spoiled)) writeFileSync(fileOf(id), content, "latin1");
    mkdirSync(fileOf("folder"));
    symlinkSync(fileOf("good"), fileOf("link"));
    for (const id of [...Object.keys(spoiled), "folder", "link"]) assert.equal(await get(id), null, id);
    assert.equal(unreadable.length, 10);
    assert.equal((await get("good"))?.a, 1);
    await store.admin.reap();
    assert.equal(existsSync(fileOf("good")), true);
    for (const id of [...Object.keys(spoiled), "folder", "link"]) await store.take(id);
    assert.equal((await get("good"))?.a, 1);
  });

  test("ST-9 a record is read and opened once, until it changes", async (t) => {
    const backend = fileBackend(folder(t));
    const { set, store, get } = openStore(t, backend);
    await set("one", { cookie: plainCookie, a: 1 });
    await new Promise((resolve) => setTimeout(resolve, 150));
    const read = t.mock.method(backend, "read");
    for (let i = 0; i < 5; i++) assert.equal((await get("one"))?.a, 1);
    assert.equal(read.mock.callCount(), 1);
    await store.update("one", (data) => void Object.assign(data, { a: 2 }));
    assert.equal((await get("one"))?.a, 2, "a change within one tick of the clock is seen, too");
    // No two readers share an object.
    Object.assign((await get("one")) ?? {}, { a: 3 });
    assert.equal((await get("one"))?.a, 2);
  });

  test("ST-8 a record is on the disk before anyone is told so, and appears as a whole", async (t) => {
    const dir = folder(t);
    const steps: string[] = [];
    const { open, rename } = fs.promises;
    const promises = fs.promises as unknown as Record<string, unknown>;
    let syncs = 0;
    promises.open = async (...args: Parameters<typeof open>) => {
      const handle = await open(...args);
      const { sync } = handle;
      handle.sync = async () => {
        const what = `${args[0]}` === dir ? `folder ${++syncs}` : "file";
        steps.push(what);
        await sync.call(handle);
        steps.push(`${what} done`);
      };
      return handle;
    };
    promises.rename = async (...args: Parameters<typeof rename>) => {
      await rename(...args);
      steps.push(`rename ${args[1]}`);
    };
    syncBuiltinESMExports();
    t.after(() => {
      Object.assign(promises, { open, rename });
      syncBuiltinESMExports();
    });
    const { set, store } = openStore(t, fileBackend(dir));
    const renameOf = (id: string) => `rename ${join(dir, store.admin.nameOf(id))}.session`;
    await set("one", { cookie: plainCookie });
    // Windows cannot sync a folder, and need not.
    const isWindows = process.platform === "win32";
    const folders = isWindows ? [] : ["folder 1", "folder 1 done"];
    assert.deepEqual(steps, ["file", "file done", renameOf("one"), ...folders]);
    if (isWindows) return;

    // Several at once may share the sync of the folder, but not one that has begun before.
    const setAndCheck = async (id: string) => {
      await set(id, { cookie: plainCookie });
      const since = steps.slice(steps.indexOf(renameOf(id)));
      assert.ok(since.some((step) => /^folder \d+$/.test(step) && since.includes(`${step} done`)));
    };
    await Promise.all(Array.from({ length: 100 }, (_, index) => setAndCheck(`of many ${index}`)));
    assert.ok(syncs < 80, `${syncs} for 100`);
  });

  test("a writer that has lost its lock does not write what is old, and tries again", async (t) => {
    const dir = folder(t);
    const { set, get, store } = openStore(t, fileBackend(dir));
    await set("one", { cookie: plainCookie, count: 0 });
    const lockFile = join(dir, `${store.admin.nameOf("one")}.session.lock`);
    let isFirst = true;
    await store.update("one", (data) => {
      const counted = data as { count: number };
      if (isFirst && existsSync(lockFile)) {
        isFirst = false;
        // Another process breaks this lock, and writes.
        for (const file of readdirSync(dir)) if (file.endsWith(".temp")) fs.rmSync(join(dir, file));
        writeFileSync(lockFile, "another process");
        setTimeout(() => fs.rmSync(lockFile), 50);
      }
      counted.count += 1;
    });
    assert.equal(isFirst, false);
    assert.equal((await get("one"))?.count, 1, "once, and after it had the lock again");
  });

  test("no request waits for a lock longer than is allowed, neither behind another process nor in the queue of this one", async (t) => {
    const path = join(folder(t), "x.lock");
    const held = await lock(path, 60_000);
    const begin = performance.now();
    const waiting = [1, 2, 3].map(() => lock(path, 60_000, 200));
    for (const { status } of await Promise.allSettled(waiting)) assert.equal(status, "rejected");
    assert.ok(performance.now() - begin < 1_500 * slowness());
    await held.unlock();
    await (await lock(path, 60_000, 200)).unlock();
    // Whatever is in its place is no holder.
    mkdirSync(path);
    await (await lock(path, 60_000, 2_000)).unlock();
    assert.equal(existsSync(path), false);
  });

  test("ST-8 the reaper removes what was not used, hands over its identities, and leaves the rest", async (t) => {
    const dir = folder(t);
    const { set, store, get } = openStore(t, fileBackend(dir), { idleSeconds: 3_600 });
    await set("old", {
      cookie: plainCookie,
      arcgis: identity(),
      "arcgis:county": identity({ refreshToken: "county" }),
    });
    await set("ended", {
      cookie: plainCookie,
      arcgis: identity({ refreshTokenExpires: new Date(Date.now() - 1_000) }),
    });
    await set("new", { cookie: plainCookie });
    writeFileSync(join(dir, `${"0".repeat(64)}.session`), "spoiled");
    writeFileSync(join(dir, "x.lock"), "");
    writeFileSync(join(dir, "mine.txt"), "");
    mkdirSync(join(dir, "x.temp"));
    const past = new Date(Date.now() - 2 * day);
    for (const file of readdirSync(dir))
      if (!file.includes(store.admin.nameOf("new"))) utimesSync(join(dir, file), past, past);
    const tokens: string[] = [];
    store.on("expired", (identities: ArcGISIdentityManager[]) =>
      tokens.push(...identities.map(({ refreshToken }) => refreshToken)),
    );
    await store.admin.reap();
    assert.deepEqual(tokens, ["refresh", "county"], "those of an ended refresh token are worthless");
    assert.deepEqual(readdirSync(dir).sort(), [`${store.admin.nameOf("new")}.session`, "mine.txt"].sort());
    assert.ok(await get("new"));
  });

  test("a folder that is gone is made again; with a file in its place, the store is unavailable", async (t) => {
    const dir = join(folder(t), "sessions");
    const { set, load } = openStore(t, fileBackend(dir));
    fs.rmSync(dir, { recursive: true });
    await set("one", { cookie: plainCookie });
    assert.ok(await load("one"));
    fs.rmSync(dir, { recursive: true });
    fs.writeFileSync(dir, "");
    await assert.rejects(set("two", { cookie: plainCookie }), { code: "store_unavailable", status: 503 });
  });
});

describe("sessions that Esri's tutorial has left", () => {
  const serialized = (value: unknown) => (value as { serialize?: () => string } | undefined)?.serialize?.();

  /** What session-file-store writes with the tutorial's settings. */
  async function write(dir: string, id: string, data: object, secret?: string): Promise<void> {
    const Store = sessionFileStore(session);
    const encoder = (found: Data) => JSON.stringify({ ...found, arcgis: serialized(found.arcgis) });
    const old = new Store({
      path: dir,
      retries: 0,
      reapInterval: -1,
      ...(secret ? { secret } : {}),
      encoder,
    } as never);
    await promisify(old.set.bind(old) as (id: string, data: unknown, done: () => void) => void)(id, data);
  }

  test("are taken over when their browser comes back, encrypted or not, once", async (t) => {
    for (const oldSecret of [undefined, "the tutorial's encryption key"]) {
      const [path, dir] = [folder(t), folder(t)];
      await write(path, "an-old-id", { cookie: plainCookie, arcgis: identity(), theme: "{dark}" }, oldSecret);
      const legacy = legacyFileStore({ path, secret: oldSecret && ["not this one", oldSecret] });
      const { get, store, load, set } = openStore(t, fileBackend(dir), { legacy });
      const [first, second] = await Promise.all([get("an-old-id"), get("an-old-id")]);
      for (const data of [first, second]) {
        assert.ok(data?.arcgis instanceof ArcGISIdentityManager);
        assert.deepEqual([data.arcgis.username, data.theme], ["sandy_admin", "{dark}"]);
      }
      assert.deepEqual(readdirSync(path), []);
      assert.equal((await store.admin.names()).length, 1);
      await set("an-old-id", Object.assign((await load("an-old-id")) ?? {}, { count: 1 }));
      assert.equal((await get("an-old-id"))?.count, 1);
      await store.take("an-old-id");
      assert.equal(await get("an-old-id"), null);
    }
  });

  test("ST-3 ST-4 that are spoiled, unencrypted where a secret is given, or outside of the folder are none", async (t) => {
    const path = folder(t);
    const reasons: string[] = [];
    await write(path, "plain", { cookie: plainCookie, isAdmin: true });
    writeFileSync(join(path, "spoiled.json"), "{");
    mkdirSync(join(path, "folder.json"));
    const legacy = legacyFileStore({
      path,
      secret: "a secret",
      onUnreadable: (reason) => void reasons.push(reason),
    });
    const { get, store } = openStore(t, fileBackend(folder(t)), { legacy });
    for (const id of ["plain", "spoiled", "folder", "../plain", "none", "plain"])
      assert.equal(await get(id), null, id);
    assert.deepEqual(reasons, [
      "it is damaged, or not encrypted with this secret",
      "it is damaged, or not encrypted with this secret",
      "it is not a regular file",
    ]);
    await store.take("plain");
    assert.equal(existsSync(join(path, "plain.json")), false, "destroyed before it was read");
  });

  test("are signed in with the library, and refresh", async (t) => {
    const { openAuthApp } = await import("./support/auth-app.ts");
    const [path, dir, encryptionKey, sessionSecret] = [folder(t), folder(t), secret(), secret()];
    const store = new SealedStore({
      backend: fileBackend(dir),
      encryptionKey,
      legacy: legacyFileStore({ path }),
    });
    t.after(() => store.close());
    const app = await openAuthApp(t, { mode: "shared", auth: { store, encryptionKey, sessionSecret } });
    const { signIn } = await import("./support/sign-in.ts");
    const { signed } = await import("./support/user.ts");
    const fresh = app.browser();
    await signIn(fresh);
    const { idOf } = await import("./support/auth-app.ts");
    const { arcgis } = (await store.read(idOf(fresh))) ?? {};
    await write(path, "an-old-id", { cookie: plainCookie, arcgis });
    const browser = app.browser();
    browser.cookies.set("arcgis.sid", signed("an-old-id", sessionSecret));
    const { user } = (await browser.get("/")).json() as { user: { username: string; fetchedAt: number } };
    assert.deepEqual([user.username, user.fetchedAt], ["sandy_admin", 0]);
    assert.equal((await browser.get("/reports")).body, "reports for sandy_admin");
  });
});

test("a store works under plain express-session, without arcgisAuth", async (t) => {
  const store = new SealedStore({ backend: fileBackend(folder(t)), encryptionKey: secret() });
  t.after(() => store.close());
  const app = express();
  app.use(
    session({
      secret: secret(),
      store,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 30 * day },
    }),
  );
  app.get("/", (req, res) => {
    const mine = req.session as unknown as { count?: number };
    mine.count = (mine.count ?? 0) + 1;
    res.send(String(mine.count));
  });
  const server = app.listen(0, "127.0.0.1");
  t.after(() => void server.close().closeAllConnections());
  await once(server, "listening");
  const { Browser } = await import("./support/browser.ts");
  const browser = new Browser(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  for (const count of ["1", "2", "3"]) assert.equal((await browser.get("/")).body, count);
});

test("ST-17 identities in a session are no enumerable properties, and every change of one is stored", async (t) => {
  const backend = fileBackend(folder(t));
  const { set, load, touch, store } = openStore(t, backend);
  const [main, county] = [identity(), identity({ username: "ned_county", portal: `${portal}/county` })];
  await set("id", { cookie: plainCookie, theme: "dark", arcgis: main, "arcgis:county": county });
  const updates = t.mock.method(backend, "update");
  const stored = async () => (await store.read("id")) as Data;

  const unchanged = (await load("id")) as Data;
  assert.deepEqual(Object.keys(unchanged), ["cookie", "theme"]);
  assert.doesNotMatch(JSON.stringify(unchanged), /access|refresh/);
  assert.ok(unchanged.arcgis instanceof ArcGISIdentityManager);
  await touch("id", unchanged);
  assert.equal(updates.mock.callCount(), 0, "express-session touches a session at each request");

  const refreshed = (await load("id")) as Data & { arcgis: ArcGISIdentityManager };
  refreshed.arcgis.updateToken("newer", new Date(Date.now() + day));
  await touch("id", refreshed);
  assert.equal(((await stored()).arcgis as ArcGISIdentityManager).token, "newer");

  const replaced = (await load("id")) as Data;
  Object.assign(replaced, { "arcgis:county": identity({ username: "nora_county" }) });
  await touch("id", replaced);
  assert.equal(((await stored())["arcgis:county"] as ArcGISIdentityManager).username, "nora_county");

  const removed = (await load("id")) as Data;
  delete removed["arcgis:county"];
  await touch("id", removed);
  assert.deepEqual(Object.keys(await stored()).sort(), ["arcgis", "cookie", "theme"]);
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pMap from "p-map";
import { parseRedisUrl } from "#src/app/config/redis-url.ts";
import { Browser, click } from "./support/browser.ts";
import { selfSigned } from "./support/certificate.ts";
import { assertErrorPage, whoIs } from "./support/expect.ts";
import { slowness } from "./support/pace.ts";
import { freePort } from "./support/program.ts";
import { durable, type RedisServer, redisIsMissing, startRedis } from "./support/redis.ts";
import { away, eventually, keyOf, lockOf, newName, openRedis, sharedRedis } from "./support/redis-store.ts";
import { rounds } from "./support/rounds.ts";
import { folder, openSite, secret, signIn } from "./support/site.ts";
import { expireToken, identityOf, sessionIdOf, signOut } from "./support/user.ts";

/** The headers of a page's own script. */
const fromPage = {
  ...click,
  "Sec-Fetch-Mode": "cors",
  "Sec-Fetch-Dest": "empty",
  Accept: "application/json",
};

const text = "content";

const fine = () => assert.fail("it should not have gone well");

const skip = redisIsMissing();

test("SE-11 a clock that jumps neither ends a record nor keeps it", { skip }, async (t) => {
  const redis = await startRedis(t);
  const store = await openRedis(t, redis.url);
  const name = newName();
  await store.create(name, text);
  const createdAt = (await store.read(name))?.lastAccess;
  const now = Date.now();
  t.mock.timers.enable({ apis: ["Date"], now });
  for (const days of [13, 40, -2]) {
    t.mock.timers.setTime(now + days * 86_400_000);
    assert.equal(await store.update(name, () => String(days)), true);
    assert.deepEqual(
      [await store.textOf(name), (await store.read(name))?.lastAccess],
      [String(days), createdAt],
    );
    const ttl = Number(await redis.send("TTL", keyOf(name)));
    assert.ok(ttl > 590 && ttl <= 606, `${ttl} s`);
  }
});

// Alone, where nothing else slows a loop down.
test("a Redis that closes every connection is tried again in growing steps, not in a loop", async (t) => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const store = await openRedis(t, `redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const start = performance.now();
  await eventually(async () => connections >= 6);
  // 50, 100, 200, 400 and 800 ms, or half of that.
  assert.ok(performance.now() - start > 700);
  await assert.rejects(store.probe(), away(/no response|ECONNRESET/));
  assert.ok(store.log().split("\n").length <= 3, store.log());
});

describe("sessions in Redis", { skip, concurrency: true }, () => {
  describe("records in Redis", { concurrency: 1 }, () => {
    const shared = sharedRedis();

    test("ST-12 a record is created once: a second one of its name is refused and changes nothing", async () => {
      const { one, two } = shared;
      const name = newName();
      const attempts = Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? one : two).create(name, `content${index}`),
      );
      const done = (await Promise.allSettled(attempts)).map(({ status }) => status === "fulfilled");
      assert.deepEqual(done.filter(Boolean), [true]);
      assert.equal(await one.textOf(name), `content${done.indexOf(true)}`);
      await assert.rejects(one.create(name, text), { message: "there is a record of that name already" });
    });

    test("a record is read, listed, changed and taken; what is not there is no failure", async () => {
      const { one: store } = shared;
      const names = Array.from({ length: 1_200 }, newName).sort();
      assert.equal(await store.read(newName()), undefined);
      assert.equal(await store.update(newName(), () => assert.fail("there is nothing to change")), false);
      assert.equal(await store.take(newName()), undefined);
      await store.touch(newName(), 1);
      assert.deepEqual(await store.names(), []);

      // Not all at once: on a busy machine the last ones would wait longer than Redis may be silent.
      await pMap(names, (name) => store.create(name, name), { concurrency: 50 });
      assert.deepEqual((await store.names()).sort(), names);
      const [name = ""] = names;
      assert.equal(await store.textOf(name), name);
      assert.equal(await store.update(name, () => undefined), false);
      assert.equal(await store.update(name, (old) => `${old.text} and more`), true);
      await store.touch(name, 1_700_000_000_000);
      const { text: changed, lastAccess } = (await store.read(name)) ?? {};
      assert.deepEqual([changed, lastAccess], [`${name} and more`, 1_700_000_000_000]);
      assert.equal((await store.take(name))?.text, `${name} and more`);
      assert.equal(await store.take(name), undefined);
      assert.equal(store.log(), "");
    });

    test("ST-12 a record expires by Redis's clock when it was not used for the idle time, and no change puts that off", async () => {
      const { redis, one: store } = shared;
      const name = newName();
      await store.create(name, text);
      const left = async () => Number(await redis.send("PTTL", keyOf(name)));
      assert.ok((await left()) > 500_000 && (await left()) <= 606_000);
      await redis.send("PEXPIRE", keyOf(name), "30000");
      assert.equal(await store.update(name, () => "changed"), true);
      assert.ok((await left()) > 0 && (await left()) <= 30_000);
      await store.touch(name, Date.now());
      assert.ok((await left()) > 30_000);
      await redis.send("PEXPIRE", keyOf(name), "30");
      await store.update(name, () => "last");
      await sleep(60);
      assert.equal(await store.read(name), undefined);
      assert.equal(await store.update(name, () => "new"), false);
      assert.deepEqual(await redis.send("KEYS", "*"), []);
    });

    test("SE-9 a change that is under way when the record is removed does not bring it back, nor does a touch", async () => {
      const { redis, one: store } = shared;
      const name = newName();
      await store.create(name, text);
      const changed = await store.update(name, () => {
        assert.equal(redis.sendNow("DEL", keyOf(name)), "1\n");
        return "changed";
      });
      assert.equal(changed, false);
      await store.touch(name, Date.now());
      assert.equal(await store.read(name), undefined);
      assert.deepEqual(await redis.send("KEYS", "*"), []);
    });

    test("a change that another server has overtaken is made again, of what that one wrote", async () => {
      const { redis, one: store } = shared;
      const name = newName();
      await store.create(name, text);
      const met: string[] = [];
      const changed = await store.update(name, ({ text: found }) => {
        met.push(found);
        if (met.length < 3)
          redis.sendNow("SET", keyOf(name), `1700000000000\nrenewed${met.length}`, "KEEPTTL");
        return `${found}+changed`;
      });
      assert.equal(changed, true);
      assert.deepEqual(met, ["content", "renewed1", "renewed2"]);
      assert.equal(await store.textOf(name), "renewed2+changed");
    });

    test("a value of another type is a problem that can be reported, is not changed, and can be removed", async () => {
      const { redis, one: store } = shared;
      for (const [command, ...content] of [
        ["LPUSH", "content"],
        ["SADD", "content"],
        ["HSET", "field", "content"],
      ] as const) {
        const name = newName();
        await redis.send(command, keyOf(name), ...content);
        const before = await redis.send("DUMP", keyOf(name));
        const found = await store.read(name);
        assert.deepEqual([found?.text, found?.problem], ["", "it is not a text, or far too large"]);
        assert.equal(await store.update(name, () => undefined), false);
        await store.touch(name, Date.now());
        await assert.rejects(store.create(name, text));
        assert.equal(await redis.send("DUMP", keyOf(name)), before);
        assert.ok(await store.take(name));
        assert.equal(await redis.send("EXISTS", keyOf(name)), 0);
      }
      await redis.send("SET", "arcgis-sign-in:session:another", "content");
      assert.deepEqual(await store.names(), []);
    });

    test("ST-6 a name that is no record's reaches no key", async (t) => {
      const redis = await startRedis(t);
      const store = await openRedis(t, redis.url);
      const seen = await redis.monitor();
      for (const name of ["", "*", "../x", "x:y", `${newName()}\n`]) {
        const error = new TypeError("not the name of a record");
        await assert.rejects(async () => store.read(name), error);
        await assert.rejects(async () => store.create(name, text), error);
        await assert.rejects(async () => store.update(name, () => text), error);
        await assert.rejects(async () => store.take(name), error);
        await assert.rejects(async () => store.lock(name, 1_000), error);
      }
      await store.probe();
      await eventually(async () => seen.some((line) => line.includes("probe")));
      assert.deepEqual(
        seen.filter((line) => /session:[^*]|lock:/.test(line)),
        [],
      );
    });
  });

  describe("what servers share", { concurrency: 1 }, () => {
    const shared = sharedRedis();

    test("TK-1 a lock has one holder at a time among all servers", async () => {
      const { redis, one, two } = shared;
      const name = newName();
      const each = rounds(4, 10);
      const holders = { now: 0, ofOne: 0, ofTwo: 0 };
      const take = (index: number): ReturnType<typeof one.lock> =>
        (index % 2 ? one : two).lock(name, 60_000).catch((error) => {
          // On a slow machine, the last one waits for longer than 20 s.
          assert.match(error.message, /not free in time/);
          return take(index);
        });
      const hold = async (_: unknown, index: number) => {
        const { unlock } = await take(index);
        holders[index % 2 ? "ofOne" : "ofTwo"]++;
        assert.equal(++holders.now, 1);
        await sleep(1);
        assert.equal(--holders.now, 0, "it was the only one");
        await unlock();
      };
      const held = await one.lock(name, 60_000);
      const ttl = Number(await redis.send("PTTL", lockOf(name)));
      assert.ok(ttl > 0 && ttl <= 60_000);
      const others = Array.from({ length: 2 * each }, hold);
      await (await two.lock(newName(), 60_000)).unlock();
      await sleep(100);
      assert.deepEqual(holders, { now: 0, ofOne: 0, ofTwo: 0 }, "another name is free, this one is not");
      await held.unlock();
      await Promise.all(others);
      assert.deepEqual(holders, { now: 0, ofOne: each, ofTwo: each });
      assert.equal(await redis.send("EXISTS", lockOf(name)), 0);
    });

    test("TK-2 the lock of a server that was killed ends by itself, and a late release is not that of the next", async () => {
      const { redis, one, two } = shared;
      const name = newName();
      const late = await one.lock(name, 30_000);
      // Its time has almost come.
      await redis.send("PEXPIRE", lockOf(name), "1");
      await two.lock(name, 60_000);
      const next = await redis.send("GET", lockOf(name));
      await late.unlock();
      assert.equal(await redis.send("GET", lockOf(name)), next);
    });

    test("a lock can be released while Redis is away, without an error", async (t) => {
      const redis = await startRedis(t);
      const store = await openRedis(t, redis.url);
      const name = newName();
      const { unlock } = await store.lock(name, 60_000);
      await redis.kill();
      await unlock();
      await assert.rejects(store.lock(name, 60_000), /^Error: Redis is away: /);
    });

    test("ST-16 what is in the place of a lock and does not expire, or is none, is broken after the lock's time", async () => {
      const { redis, one: store } = shared;
      for (const spoil of [
        (key: string) => redis.send("PERSIST", key),
        (key: string) => redis.send("PEXPIRE", key, "9000000"),
        (key: string) => redis.send("SET", key, "x"),
        (key: string) => redis.send("SET", key, "x".repeat(1_000_000), "PX", "10000"),
        async (key: string) => {
          await redis.send("DEL", key);
          await redis.send("LPUSH", key, "x");
        },
      ]) {
        const name = newName();
        await store.lock(name, 1_500);
        await spoil(lockOf(name));
        const start = performance.now();
        const { unlock } = await store.lock(name, 1_500);
        // A lock is waited for for 20 s.
        assert.ok(performance.now() - start < 15_000);
        assert.ok(Number(await redis.send("PTTL", lockOf(name))) > 0);
        await unlock();
        assert.equal(await redis.send("EXISTS", lockOf(name)), 0);
      }
    });

    test("ST-16 a list of revocations that is none is replaced", async () => {
      const { redis, one: store } = shared;
      const key = "arcgis-sign-in:pending-revocations";
      await redis.send("LPUSH", key, "x");
      await store.changeList((text) => void assert.equal(text, undefined));
      await store.changeList(() => "text");
      await store.changeList((text) => void assert.equal(text, "text"));
      assert.equal(await redis.send("EXISTS", key), 0);
    });

    test("ST-16 a text of 60 MB in the place of a session is no session, and stays in Redis", async () => {
      const { redis, one: store } = shared;
      const name = newName();
      await redis.send("SETRANGE", keyOf(name), String(60 * 1024 * 1024), "x");
      const before = Number(
        /total_net_output_bytes:(\d+)/.exec(String(await redis.send("INFO", "stats")))?.[1],
      );
      assert.equal((await store.read(name))?.problem, "it is not a text, or far too large");
      assert.equal(await store.update(name, () => undefined), false);
      const after = Number(
        /total_net_output_bytes:(\d+)/.exec(String(await redis.send("INFO", "stats")))?.[1],
      );
      assert.ok(after - before < 1_000_000, `${after - before} bytes`);
      assert.ok(await store.take(name));
      assert.equal(await redis.send("EXISTS", keyOf(name)), 0);
    });

    test("of what waits nothing is lost when servers add to it and take from it at once", async () => {
      const { redis, one, two } = shared;
      const stores = [one, two];
      const key = "arcgis-sign-in:pending-revocations";
      const add = (what: string) => (text: string | undefined) =>
        [...(text?.split(" ") ?? []), what].join(" ");
      const all = Array.from({ length: rounds(40, 100) }, (_, index) => String(index));
      await Promise.all(all.map((what, index) => stores[index % 2]?.changeList(add(what))));
      assert.deepEqual(
        String(await redis.send("GET", key))
          .split(" ")
          .sort(),
        all.sort(),
      );
      const ttl = Number(await redis.send("TTL", key));
      assert.ok(ttl > 89 * 86_400 && ttl <= 90 * 86_400);

      const take = (what: string) => (text: string | undefined) =>
        text
          ?.split(" ")
          .filter((each) => each !== what)
          .join(" ") || undefined;
      await Promise.all(all.map((what, index) => stores[index % 2]?.changeList(take(what))));
      assert.deepEqual(await redis.send("KEYS", "*"), []);
      const met: unknown[] = [];
      await stores[0]?.changeList((text) => void met.push(text));
      assert.deepEqual(met, [undefined]);

      await redis.send("SET", key, Buffer.from("damaged \xff", "latin1"));
      const error = { message: "what is stored in Redis cannot be replaced" };
      await assert.rejects(stores[0]?.changeList(add("one")) ?? fine(), error);
    });
  });

  describe("a Redis that fails", { concurrency: 6 }, () => {
    const impatient = { timeoutMs: 1_500 };

    test("that is away at the start does not hold it up, and is used as soon as it is there", async (t) => {
      const redis = await startRedis(t);
      await redis.kill();
      const store = await openRedis(t, redis.url);
      await assert.rejects(store.probe(), away(/ECONNREFUSED/));
      await assert.rejects(store.create(newName(), text), away(/ECONNREFUSED/));
      await assert.rejects(store.names(), away(/ECONNREFUSED/));
      await assert.rejects(
        store.changeList(() => "text"),
        away(/ECONNREFUSED/),
      );
      await redis.start();
      await eventually(() => store.probe().then(() => true));
      const name = newName();
      await store.create(name, text);
      assert.equal(await store.textOf(name), text);
      const told = store
        .log()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        told.map(({ level, msg, reason }) => ({ level, msg, reason })),
        [
          { level: 40, msg: "Redis is away", reason: "ECONNREFUSED" },
          { level: 30, msg: "Redis is back", reason: undefined },
        ],
      );
    });

    test("CLIENT KILL costs at most what is under way", async (t) => {
      const redis = await startRedis(t);
      const store = await openRedis(t, redis.url);
      const name = newName();
      await store.create(name, text);
      for (let turn = 0; turn < 5; turn++) {
        const reads = Array.from({ length: 50 }, () => store.read(name));
        redis.sendNow("CLIENT", "KILL", "TYPE", "normal");
        for (const result of await Promise.allSettled(reads)) {
          if (result.status === "fulfilled") assert.equal(result.value?.text, text);
          else assert.match(result.reason.message, /^Redis is away: /);
        }
        assert.equal(await eventually(() => store.textOf(name)), text);
      }
    });

    test("after a restart everything goes on by itself, and nothing was lost", async (t) => {
      const redis = await startRedis(t, ...durable);
      const store = await openRedis(t, redis.url);
      const name = newName();
      await store.create(name, text);
      await redis.kill();
      await eventually(() => store.read(name).then(() => false, away(/ECONNREFUSED/)));
      await redis.start();
      assert.equal(await eventually(() => store.textOf(name)), text);
      assert.equal(await store.update(name, () => "later"), true);
    });

    const silences: Record<
      string,
      [begin: (redis: RedisServer) => unknown, end?: (redis: RedisServer) => unknown]
    > = {
      "is stopped (SIGSTOP)": [(redis) => redis.freeze(), (redis) => redis.thaw()],
      "lets writes wait": [
        (redis) => redis.send("CLIENT", "PAUSE", "60000", "WRITE"),
        (redis) => redis.send("CLIENT", "UNPAUSE"),
      ],
      // Nothing gets through to these before they are over.
      "is paused": [(redis) => redis.send("CLIENT", "PAUSE", "6000", "ALL")],
      "is busy": [(redis) => redis.begin("DEBUG", "SLEEP", "6")],
    };
    for (const [what, [begin, end]] of Object.entries(silences)) {
      test(`that ${what} makes commands fail in bounded time, and is used again afterwards`, async (t) => {
        const redis = await startRedis(t);
        const store = await openRedis(t, redis.url, impatient);
        await eventually(() => store.probe().then(() => true));
        const name = newName();
        await store.create(name, text);
        await begin(redis);
        await sleep(100);
        // However much else is sent to it.
        const traffic = setInterval(() => store.read(newName()).catch(() => {}), 50);
        t.after(() => clearInterval(traffic));
        const results = await Promise.allSettled([
          store.update(name, () => "changed"),
          store.create(newName(), text),
          store.take(newName()),
        ]);
        for (const result of results) {
          assert.equal(result.status, "rejected");
          assert.match(String(result.reason), /^Error: Redis is away: no response$/);
        }
        await end?.(redis);
        assert.match(await eventually(() => store.textOf(name)), /^(?:content|changed)$/);
        await eventually(() => store.probe().then(() => true));
      });
    }

    test("that is known to be silent makes commands fail at once", async (t) => {
      const redis = await startRedis(t);
      const store = await openRedis(t, redis.url, impatient);
      redis.freeze();
      t.after(redis.thaw);
      await assert.rejects(store.read(newName()));
      const start = performance.now();
      for (let turn = 0; turn < 100; turn++) await assert.rejects(store.read(newName()), away(/no response/));
      assert.ok(performance.now() - start < 20 * impatient.timeoutMs * slowness());
    });

    test("that never greets does not hold up the start for long, nor the end", async (t) => {
      const redis = await startRedis(t);
      redis.freeze();
      t.after(redis.thaw);
      const store = await openRedis(t, redis.url, { timeoutMs: 2_000 });
      assert.equal(store.log(), "", "it did not wait for the end of the attempt");
      await assert.rejects(store.probe(), away(/no response/));
      await store.close();
    });

    test("whose machine loses its power is given up, though the connection is not closed", async (t) => {
      const redis = await startRedis(t);
      let isDark = true;
      const sockets = new Set<Socket>();
      const cable = createServer((socket) => {
        const far = connect(redis.port, "127.0.0.1");
        for (const each of [socket, far]) sockets.add(each.on("error", () => {}));
        if (!isDark) socket.pipe(far).pipe(socket);
      }).listen(0, "127.0.0.1");
      await once(cable, "listening");
      t.after(() => {
        cable.close();
        for (const socket of sockets) socket.destroy();
      });
      // Its greeting is swallowed, and once it is let in, everything.
      const store = await openRedis(
        t,
        `redis://127.0.0.1:${(cable.address() as AddressInfo).port}`,
        impatient,
      );
      isDark = false;
      await eventually(() => store.probe().then(() => true));
      for (const socket of sockets) socket.unpipe().pause();
      await assert.rejects(store.probe(), away(/no response/));
      await eventually(() => store.probe().then(() => true));
    });

    test("is left alone after the end", async (t) => {
      const redis = await startRedis(t);
      const store = await openRedis(t, redis.url);
      await store.probe();
      await store.close();
      await store.close();
      // One is this question.
      await eventually(
        async () =>
          String(await redis.send("CLIENT", "LIST"))
            .trim()
            .split("\n").length === 1,
      );
      await assert.rejects(store.probe(), /^Error: Redis is away: /);
      assert.equal(store.log(), "");
    });

    test("whose memory is full refuses new records and is not ready, but still reads and removes", async (t) => {
      const redis = await startRedis(t, "--maxmemory-policy", "noeviction");
      const store = await openRedis(t, redis.url);
      const name = newName();
      await store.create(name, text);
      await redis.send("CONFIG", "SET", "maxmemory", "1");
      const full = { message: "Redis refused EVAL: OOM", code: "OOM" };
      await assert.rejects(store.create(newName(), text), full);
      await assert.rejects(store.probe(), { message: "Redis refused SET: OOM" });
      await assert.rejects(
        store.update(name, () => "later"),
        full,
      );
      assert.equal(await store.textOf(name), text);
      assert.ok(await store.take(name));
      await redis.send("CONFIG", "SET", "maxmemory", "0");
      await store.probe();
    });

    test("that has become a replica refuses writes and is connected to again, until a master responds", async (t) => {
      const redis = await startRedis(t);
      const store = await openRedis(t, redis.url);
      await redis.send("REPLICAOF", "127.0.0.1", String(await freePort()));
      const connection = async () => {
        const lines = String(await redis.send("CLIENT", "LIST"))
          .trim()
          .split("\n");
        const [line, ...others] = lines.filter((each) => !each.includes("cmd=client"));
        return others.length === 0 && line?.match(/id=\d+/)?.[0];
      };
      const before = await eventually(connection);
      await assert.rejects(store.create(newName(), text), { code: "READONLY" });
      await eventually(async () => ![before, false, undefined].includes(await connection()));
      assert.deepEqual(await store.names(), []);
      await redis.send("REPLICAOF", "NO", "ONE");
      await eventually(() => store.probe().then(() => true));
    });
  });

  describe("the way into Redis", { concurrency: 3 }, () => {
    test("ST-12 a user who may do nothing else is enough; a wrong password is told without it", async (t) => {
      const redis = await startRedis(t);
      const password = "p@ss:w/rd,%é canary";
      const may = "-@all +get +set +del +eval +scan +ping ~arcgis-sign-in:*".split(" ");
      await redis.send("ACL", "SETUSER", "app", "on", "resetpass", ">another", ...may);
      const url = `redis://app:${encodeURIComponent(password)}@127.0.0.1:${redis.port}`;
      const store = await openRedis(t, url);
      const refused = await store.probe().then(fine, (error: Error) => error);
      assert.equal(refused.message, "Redis is away: WRONGPASS");

      await redis.send("ACL", "SETUSER", "app", `>${password}`);
      await eventually(() => store.probe().then(() => true));
      const name = newName();
      await store.create(name, text);
      assert.equal(await store.update(name, () => "later"), true);
      assert.deepEqual(await store.names(), [name]);
      assert.ok(await store.take(name));
      await (await store.lock(name, 1_000)).unlock();
      await store.changeList(() => "text");
      await store.changeList(() => undefined);

      await redis.send("ACL", "SETUSER", "app", "-set");
      const denied = await store.create(newName(), text).then(fine, (error: Error) => error);
      assert.match(denied.message, /^Redis refused EVAL: [A-Z]+$/);
      const told = [store.log(), refused.stack, denied.stack, JSON.stringify([refused, denied])].join();
      for (const canary of [
        "canary",
        encodeURIComponent(password),
        "redis://",
        "127.0.0.1",
        String(redis.port),
      ])
        assert.ok(!told.includes(canary), `${canary} is in ${told}`);
    });

    test("ST-16 every right that the server needs is tried, and the missing one is named", async (t) => {
      const redis = await startRedis(t);
      const may = "+get +set +del +eval +scan +ping".split(" ");
      const url = `redis://app:password@127.0.0.1:${redis.port}`;
      await redis.send("ACL", "SETUSER", "app", "on", ">password", "-@all", ...may, "~arcgis-sign-in:*");
      const store = await openRedis(t, url);
      for (const right of may.filter((each) => each !== "+ping")) {
        await redis.send("ACL", "SETUSER", "app", right.replace("+", "-"));
        const expected = new RegExp(`^Error: Redis refused ${right.slice(1).toUpperCase()}: [A-Z]+$`);
        await assert.rejects(store.probe(), expected);
        await redis.send("ACL", "SETUSER", "app", right);
        await store.probe();
      }
    });

    test("a password alone is the default user's, a number after the slash is the database's", async (t) => {
      const redis = await startRedis(t);
      await redis.send("CONFIG", "SET", "requirepass", "word");
      const store = await openRedis(t, `redis://:word@127.0.0.1:${redis.port}/3`);
      await store.create(newName(), text);
      assert.match(
        redis.sendNow("-a", "word", "--no-auth-warning", "INFO", "keyspace"),
        /db3:keys=1,expires=1/,
      );
    });

    test("a Unix socket", async (t) => {
      const redis = await startRedis(t, "--unixsocket", "redis.sock");
      const store = await openRedis(t, `unix://${redis.dir}/redis.sock?db=2`);
      const name = newName();
      await store.create(name, text);
      assert.equal(await store.textOf(name), text);
      assert.equal(redis.sendNow("-n", "2", "DBSIZE"), "1\n");
      await redis.kill();
      await eventually(() => store.probe().then(() => false, away(/ENOENT|ECONNREFUSED/)));
      await redis.start();
      await eventually(() => store.probe().then(() => true));
    });

    test("ST-12 TLS with a trusted certificate and no other; the drivers are loaded only then", async (t) => {
      const { key, cert } = selfSigned();
      const port = String(await freePort());
      const dir = folder(t);
      writeFileSync(join(dir, "key"), key);
      writeFileSync(join(dir, "cert"), cert);
      const files = ["key", "cert", "ca-cert"].flatMap((name) => [
        `--tls-${name}-file`,
        join(dir, name.slice(-4)),
      ]);
      await startRedis(
        t,
        "--tls-port",
        port,
        "--tls-auth-clients",
        "no",
        ...files.map((each) => each.replace("/-key", "/key")),
      );
      const url = `rediss://localhost:${port}`;
      const store = await openRedis(t, url);
      await assert.rejects(store.probe(), away(/DEPTH_ZERO_SELF_SIGNED_CERT/));

      const script = `
        import { createRequire } from "node:module";
        const loaded = () => Object.keys(createRequire(import.meta.url).cache);
        const drivers = () => loaded().filter((path) => /node_modules.@redis/.test(path)).length;
        await import(${JSON.stringify(import.meta.resolve("#src/app/serve.ts"))});
        console.log(drivers(), loaded().length > 100);
        const { openStore } = await import(${JSON.stringify(import.meta.resolve("#src/app/store.ts"))});
        const config = { redisUrl: ${JSON.stringify(parseRedisUrl(url))}, encryptionKeys: ["k".repeat(32)], sessionIdleSeconds: 600 };
        const { store, close } = await openStore(config, { info() {}, warn() {} });
        await store.admin.probe();
        await close();
        console.log(drivers() > 10);
      `;
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(dir, "cert") };
      const options = ["--input-type=module", "--eval", script];
      const { stdout } = await promisify(execFile)(process.execPath, options, { env });
      assert.equal(stdout, "0 true\ntrue\n");
    });
  });

  describe("servers at work on one Redis", { concurrency: 1 }, () => {
    const shared = sharedRedis();

    test("ST-2 ST-12 Redis gets to see nothing readable of a sign-in, and no key without an end", async (t) => {
      const { redis, one } = shared;
      const seen = await redis.monitor();
      const site = await openSite(t, { backend: one });
      const browser = site.browser();
      assert.equal((await signIn(browser, "sandy_admin")).status, 303);
      assert.equal(await whoIs(browser), "sandy_admin");

      const keys = (await redis.send("KEYS", "*")) as string[];
      assert.equal(keys.length, 1);
      assert.match(keys[0] ?? "", /^arcgis-sign-in:session:[0-9a-f]{64}$/);
      const ttl = Number(await redis.send("TTL", keys[0] ?? ""));
      assert.ok(ttl > 500 && ttl <= 606);

      const id = sessionIdOf(browser);
      const { token, refreshToken, username, portal } = await identityOf(site, browser);
      const canaries = [id, token, refreshToken, username, portal, "refreshToken", "originalMaxAge"].map(
        String,
      );
      const texts = [
        await redis.send("GET", keys[0] ?? ""),
        await redis.send("DUMP", keys[0] ?? ""),
        keys,
        seen,
      ].join();
      for (const canary of canaries) {
        for (const spelling of [
          canary,
          Buffer.from(canary).toString("base64url").slice(0, -2),
          Buffer.from(canary).toString("hex"),
        ])
          assert.ok(!texts.includes(spelling), `${canary} is in Redis as ${spelling}`);
      }
      assert.ok(seen.length >= 4, "the monitor has seen it all");
    });

    test("SE-5 two servers share a sign-in; a sign-out at one is a sign-out at both", async (t) => {
      const { redis } = shared;
      const settings = { SESSION_SECRET: secret(), ENCRYPTION_KEY: secret() };
      const one = await openSite(t, { settings, backend: shared.one });
      const two = await openSite(t, { settings, backend: shared.two, sandbox: one.sandbox });
      const browser = one.browser();
      await signIn(browser, "sandy_admin");
      const there = new Browser(two.url, browser.cookies);
      assert.equal(await whoIs(there), "sandy_admin");
      assert.equal((await signOut(there)).status, 303);
      assert.equal(await whoIs(browser), undefined);
      assert.deepEqual(await redis.send("KEYS", "*"), []);
    });

    test("TK-1 TK-2 two servers refresh a token once, and both use it", async (t) => {
      const settings = { SESSION_SECRET: secret(), ENCRYPTION_KEY: secret(), TOKEN_HANDOVER: "true" };
      const one = await openSite(t, { settings, backend: shared.one });
      const two = await openSite(t, { settings, backend: shared.two, sandbox: one.sandbox });
      const browser = one.browser();
      await signIn(browser);
      await expireToken(one, browser);
      await one.store.update(sessionIdOf(browser), ({ arcgis }) => {
        Object.assign(arcgis ?? {}, { refreshTokenExchangeFrom: new Date(0) });
      });
      one.sandbox.faults.set("token", { kind: "delay", ms: 300 });
      const browsers = [browser, new Browser(two.url, browser.cookies)] as const;
      const responses = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          browsers[index % 2 === 0 ? 0 : 1].get("/api/credential", fromPage),
        ),
      );
      const tokens = responses.map((response) => (response.json() as { token?: string }).token);
      assert.equal(new Set(tokens).size, 1);
      assert.ok(tokens[0]);
      const grants = one.sandbox.log
        .map(({ params }) => params.grant_type)
        .filter((each) => each?.includes("refresh"));
      assert.deepEqual(grants, ["exchange_refresh_token"]);
    });

    test("TK-6 a sign-out at the very moment a refreshed token is written leaves no token alive", async (t) => {
      const { redis, one: records } = shared;
      let isLate = false;
      const site = await openSite(t, {
        settings: { TOKEN_HANDOVER: "true" },
        backend: {
          ...records,
          update: (name, next) =>
            records.update(name, (old) => {
              const changed = next(old);
              if (isLate) redis.sendNow("DEL", keyOf(name));
              return changed;
            }),
        },
      });
      const browser = site.browser();
      await signIn(browser);
      await expireToken(site, browser);
      isLate = true;
      const response = await browser.get("/api/credential", fromPage);
      assert.equal(response.status, 401, response.body);
      await eventually(async () => site.sandbox.revoked.length > 0);
    });

    test("ST-13 while Redis is away: pages of a session respond 503, visitors notice nothing, and then it goes on", async (t) => {
      const redis = await startRedis(t, ...durable);
      const records = await openRedis(t, redis.url);
      const site = await openSite(t, { backend: records });
      const [alice, bob] = [site.browser(), site.browser()];
      await signIn(alice, "sandy_admin");
      await redis.kill();
      await eventually(() => records.probe().then(() => false, away(/ECONNREFUSED/)));

      assertErrorPage(await alice.get("/"), "store_unavailable");
      assert.equal(await whoIs(bob), undefined);
      assert.equal((await bob.get("/sign-in")).status, 302);
      assertErrorPage(await signIn(bob, "sandy_admin"), "store_unavailable");
      assert.ok(!bob.cookies.has("arcgis.sid"));
      assert.match(site.log.text(), /Redis is away: ECONNREFUSED/);

      await redis.start();
      await eventually(() => records.probe().then(() => true));
      assert.equal(await whoIs(alice), "sandy_admin");
      assert.equal((await signIn(bob, "sandy_admin")).status, 303);
    });
  });
});

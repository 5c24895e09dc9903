import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fileBackend, redisBackend } from "#src/session-store.ts";
import { connect, day, identity, openStore, plainCookie } from "./support/auth-store.ts";
import { redisIsMissing } from "./support/redis.ts";
import { folder, secret } from "./support/temporary.ts";

const authProcess = fileURLToPath(new URL("support/auth-process.js", import.meta.url));
const shared = {} as { redis: Awaited<ReturnType<typeof connect>> };
const ends: (() => unknown)[] = [];

before(async () => {
  if (!redisIsMissing())
    shared.redis = await connect({ after: (end) => void ends.unshift(end as () => unknown) });
});

after(async () => {
  for (const end of ends) await end();
});

describe("sessions in files", () => {
  test("TK-1 the lock of a process that was killed blocks no other process", async (t) => {
    const dir = folder(t);
    const encryptionKey = secret();
    const { set, store } = openStore(t, fileBackend(dir), { encryptionKey });
    await set("one", { cookie: plainCookie });
    const holder = fork(authProcess, [dir, encryptionKey, "hold", "one"]);
    t.after(() => void holder.kill("SIGKILL"));
    await once(holder, "message");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    // It rejects when a lock stays for 20 s.
    await (await store.lock("one", 60_000))();
  });
});

describe("sessions in Redis", { skip: redisIsMissing() }, () => {
  test("a Redis that is away is a store that is unavailable, and probe names the right that is missing", async (t) => {
    const { server, client } = await connect(t);
    const { get, store } = openStore(t, redisBackend(client));
    await server.send("ACL", "SETUSER", "default", "-eval");
    await assert.rejects(store.admin.probe(), /NOPERM .*'eval'/);
    await server.send("ACL", "SETUSER", "default", "+eval", "-set");
    await assert.rejects(store.admin.probe(), /^Error: Redis refused SET: [A-Z]+$/);
    await server.send("ACL", "SETUSER", "default", "+@all");
    await store.admin.probe();
    await server.kill();
    await assert.rejects(
      Promise.race([
        get("one"),
        new Promise((_, reject) => setTimeout(() => reject(new Error("late")), 10_000)),
      ]),
    );
  });

  test("ST-12 always expire, are named by a hash, and hold nothing readable", async (t) => {
    const { server, client } = await emptyRedis();
    const { set, store } = openStore(t, redisBackend(client, { prefix: "my:", idleSeconds: 60 }));
    await set("session-one", { cookie: plainCookie, arcgis: identity() });
    const name = store.admin.nameOf("session-one");
    const [key, lockKey] = [`my:session:${name}`, `my:lock:${name}`];
    assert.deepEqual(await server.send("KEYS", "*"), [key]);
    assert.ok(Number(await server.send("PTTL", key)) > 50_000);
    assert.doesNotMatch(String(await server.send("GET", key)), /sandy_admin|refresh|session-one/);
    await store.admin.changePending(() => [1]);
    assert.ok(Number(await server.send("PTTL", "my:pending-revocations")) > day);
    const unlock = await store.lock("session-one", 5_000);
    assert.ok(Number(await server.send("PTTL", lockKey)) > 1_000);
    await unlock();
    assert.equal(await server.send("EXISTS", lockKey), 0);
  });

  test("what others have put there is no session, however large, and a lock without an end is broken", async (t) => {
    const { server, client } = await emptyRedis();
    const backend = redisBackend(client);
    const { get, store } = openStore(t, backend);
    const keyOf = (id: string) => `arcgis-sign-in:session:${store.admin.nameOf(id)}`;
    await server.send("SET", keyOf("text"), "x");
    await server.send("RPUSH", keyOf("list"), "x");
    await server.send("HSET", keyOf("hash"), "other", "x");
    await server.send("SETRANGE", keyOf("huge"), String(60 * 1024 * 1024), "x");
    const sent = async () =>
      Number(/total_net_output_bytes:(\d+)/.exec(String(await server.send("INFO", "stats")))?.[1]);
    const before = await sent();
    for (const id of ["text", "list", "hash", "huge"]) {
      assert.equal(await get(id), null, id);
      assert.match(JSON.stringify(await store.admin.inspect(store.admin.nameOf(id))), /"problem":/);
      assert.equal(await store.update(id, () => assert.fail("nothing to change")), false);
    }
    assert.ok((await sent()) - before < 100_000);
    assert.equal(((await server.send("KEYS", "*")) as string[]).length, 4, "they stay");
    for (const id of ["text", "list", "hash", "huge"]) await store.take(id);
    assert.deepEqual(await server.send("KEYS", "*"), []);
    for (const spoil of [
      () => server.send("LPUSH", "arcgis-sign-in:pending-revocations", "x"),
      () => server.send("SET", "arcgis-sign-in:pending-revocations", "x"),
    ]) {
      await spoil();
      await store.admin.changePending(() => [1]);
      await store.admin.changePending((items) => {
        assert.deepEqual(items, [1]);
        return [];
      });
      assert.equal(await server.send("EXISTS", "arcgis-sign-in:pending-revocations"), 0);
    }
  });
});

/** The Redis that the tests here share, empty. */
async function emptyRedis() {
  await shared.redis.server.send("FLUSHALL");
  return shared.redis;
}

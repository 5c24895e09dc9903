import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { durable, redisIsMissing, startRedis, startRedisCluster } from "./support/redis.ts";
import { judge, race } from "./support/redis-race.ts";
import { eventually, newName, openRedis } from "./support/redis-store.ts";

const skip = redisIsMissing();

test("ST-12 two processes race through 10,000 operations while Redis fails: no session is lost, none comes back", {
  skip,
}, async (t) => {
  const redis = await startRedis(t, ...durable);
  const names = Array.from({ length: 300 }, newName);
  const operations = await race(
    t,
    { url: redis.url, names, operations: 5_000 },
    {
      1: () => redis.send("CLIENT", "KILL", "TYPE", "normal"),
      3: async () => {
        redis.freeze();
        await sleep(900);
        redis.thaw();
      },
      6: () => redis.send("CLIENT", "KILL", "TYPE", "normal"),
      8: () => redis.kill().then(redis.start),
    },
  );
  assert.equal(operations.length, 10_000);
  const store = await openRedis(t, redis.url);
  for (const name of names) {
    const found = await store.read(name);
    judge(
      operations.filter((each) => each.name === name),
      found?.text,
    );
  }
  const failed = operations.filter(({ outcome }) => outcome === "failed").length;
  assert.ok(failed > 10 && failed < 5_000, `${failed} operations failed`);
});

test("a cluster: every node has its share and serves it while another is away, until that one is back", {
  skip,
}, async (t) => {
  const [one, two, three] = await startRedisCluster(t);
  const store = await openRedis(t, `redis://127.0.0.1:${one.port}?cluster=true`);
  const names = Array.from({ length: 80 }, newName).sort();
  await Promise.all(names.map((name) => store.create(name, "content")));
  assert.deepEqual((await store.names()).sort(), names);
  const sizes = await Promise.all([one, two, three].map(async (node) => Number(await node.send("DBSIZE"))));
  assert.ok(!sizes.includes(0));
  assert.equal(
    sizes.reduce((sum, size) => sum + size),
    names.length,
  );
  const share = names.length - (sizes[1] ?? 0);
  for (const name of names) {
    assert.equal(await store.update(name, () => "later"), true);
    assert.equal(await store.textOf(name), "later");
    assert.ok(await store.lock(name, 1_000));
  }
  await store.changeList(() => "text");

  await two.kill();
  await eventually(async () => {
    const results = await Promise.allSettled(names.map(store.read));
    return results.filter(({ status }) => status === "fulfilled").length === share;
  });
  const late = await openRedis(t, `redis://127.0.0.1:${one.port}?cluster=true`);
  const results = await Promise.allSettled(names.map(late.read));
  const rest = names.filter((_, index) => results[index]?.status === "fulfilled");
  assert.equal(rest.length, share);
  // What is under way to a node does not fail when another one is tried again.
  for (const end = performance.now() + 3_000; performance.now() < end; )
    await Promise.all(rest.map(store.read));
  await two.start();
  await eventually(() => store.probe().then(() => true));
  await eventually(async () => (await Promise.all(names.map(store.read))).every((found) => found));
  assert.ok(await store.take(names[0] ?? ""));
});

test("ST-16 a list of revocations that is far too large is replaced", { skip }, async (t) => {
  const redis = await startRedis(t);
  // Redis copies it whole into each script.
  const store = await openRedis(t, redis.url, { timeoutMs: 60_000 });
  const key = "arcgis-sign-in:pending-revocations";
  await redis.send("SETRANGE", key, String(129 * 1024 * 1024), "x");
  await store.changeList((text) => void assert.equal(text, undefined));
  await store.changeList(() => "text");
  await store.changeList((text) => void assert.equal(text, "text"));
  assert.equal(await redis.send("EXISTS", key), 0);
});

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, before, beforeEach, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import { parseRedisUrl } from "#src/app/config/redis-url.ts";
import { connectToRedis } from "#src/app/redis-connection.ts";
import { redisBackend, type SessionBackend } from "#src/session-store.ts";
import { type RedisServer, startRedis } from "./redis.ts";
import { patienceMs } from "./rounds.ts";

const nameOf = (text: string) => createHash("sha256").update(text).digest("hex");
export const newName = () => nameOf(randomUUID());
export const keyOf = (name: string) => `arcgis-sign-in:session:${name}`;
export const lockOf = (name: string) => `arcgis-sign-in:lock:${name}`;

/** Opens the backend as the server does; `log` is what it logged. */
export async function openRedis(
  t: Pick<TestContext, "after">,
  url: string,
  { timeoutMs = 10_000, idleSeconds = 600 } = {},
) {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  // However busy this machine is, Redis is not away.
  const address = parseRedisUrl(url) ?? assert.fail(url);
  const { client, close } = await connectToRedis(address, { timeoutMs, log });
  t.after(close);
  const backend = redisBackend(client, { idleSeconds }) as Required<Omit<SessionBackend, "version">>;
  const textOf = async (name: string) => (await backend.read(name))?.text;
  const changeList = (next: (text: string | undefined) => string | undefined) =>
    backend.replace("pending-revocations", next);
  return { ...backend, textOf, changeList, close, log: () => lines.join("") };
}

/** A Redis that the tests of a suite share, with the connections of two servers. Each test finds it empty. */
export function sharedRedis() {
  const ends: (() => unknown)[] = [];
  const context = { after: (end: () => unknown) => void ends.unshift(end) };
  const shared = {} as { redis: RedisServer; one: Store; two: Store };
  before(async () => {
    shared.redis = await startRedis(context);
    shared.one = await openRedis(context, shared.redis.url);
    shared.two = await openRedis(context, shared.redis.url);
  });
  beforeEach(() => shared.redis.send("FLUSHALL"));
  after(async () => {
    for (const end of ends) await end();
  });
  return shared;
}

type Store = Awaited<ReturnType<typeof openRedis>>;

/** Waits until `check` gives something true without an error. */
export async function eventually<T>(check: () => Promise<T>): Promise<NonNullable<T>> {
  for (const end = performance.now() + patienceMs; ; await sleep(10)) {
    try {
      const result = await check();
      if (result) return result;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    assert.ok(performance.now() < end, "it does not happen in time");
  }
}

/** The error while there is no Redis, for this reason. */
export const away = (reason: RegExp) => (error: Error) => {
  assert.match(error.message, new RegExp(`^Redis is away: (?:${reason.source})$`));
  return true;
};

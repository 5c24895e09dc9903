import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { SessionBackend, StoredRecord } from "./file-backend.ts";

/** What this needs of a client or cluster of `redis`, which stays yours: open it, watch its errors, close it. */
export interface RedisClient {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Of a client. */
  scanIterator?(options: { MATCH: string; COUNT: number }): AsyncIterable<string[]>;
  /** Of a cluster, whose nodes are scanned one by one. */
  masters?: readonly object[];
  nodeClient?(node: never): unknown;
}

export interface RedisBackendOptions {
  /** Of every key ("arcgis-sign-in:"). */
  prefix?: string;
  /** Redis forgets a session that was not used for so long (seconds; 14 days). */
  idleSeconds?: number;
}

/** A foreign value may be of any type and size: neither is read. */
const find = `
  local kind = redis.call("type", KEYS[1])["ok"]
  local isOurs = kind == "hash" and redis.call("hstrlen", KEYS[1], "text") <= 16777216
  local record = isOurs and redis.call("hmget", KEYS[1], "text", "lastAccess")`;
const read = `${find} return record`;
const take = `${find} redis.call("del", KEYS[1]) return record`;
const create = `
  redis.call("hset", KEYS[1], "text", ARGV[1], "lastAccess", ARGV[2])
  return redis.call("pexpire", KEYS[1], ARGV[3])`;
/** Writes only what nobody else has changed since it was read. */
const compareAndSet = `${find}
  if (record and record[1] or "") ~= ARGV[1] then return 0 end
  if kind ~= "hash" or ARGV[2] == "" then redis.call("del", KEYS[1]) end
  if ARGV[2] ~= "" then redis.call("hset", KEYS[1], "text", ARGV[2]) end
  if ARGV[3] then redis.call("pexpire", KEYS[1], ARGV[3]) end
  return 1`;
const touch = `
  if redis.call("exists", KEYS[1]) == 0 then return 0 end
  redis.call("hset", KEYS[1], "lastAccess", ARGV[1])
  return redis.call("pexpire", KEYS[1], ARGV[2])`;
const holder = `redis.call("type", KEYS[1])["ok"] == "string" and redis.call("getrange", KEYS[1], 0, 99) or "foreign"`;
/** Creates the lock, or returns its holder. */
const lock = `
  if redis.call("set", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then return false end
  return ${holder}`;
const unlock = `if (${holder}) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`;

const waitMs = 20_000;
/** No refresh token lives longer: nothing is left to revoke then. */
const listMs = String(90 * 24 * 60 * 60_000);

/** Sessions in Redis or Valkey, one hash each. Redis forgets idle sessions by itself. */
export function redisBackend(client: RedisClient, options: RedisBackendOptions = {}): SessionBackend {
  const { prefix = "arcgis-sign-in:", idleSeconds = 1_209_600 } = options;
  const idleMs = String(idleSeconds * 1000);
  const run = (script: string, name: string, ...args: string[]) =>
    client.eval(script, { keys: [prefix + name], arguments: args });

  async function record(script: string, name: string): Promise<StoredRecord | undefined> {
    const [text, lastAccess] = ((await run(script, name)) ?? []) as (string | null)[];
    return text ? { text, lastAccess: Number(lastAccess ?? 0) } : undefined;
  }

  /** Until nobody else was faster, which does not last; a text whose bytes Redis has damaged never compares equal. */
  async function change(name: string, next: (found?: StoredRecord) => string | undefined, ...ttl: string[]) {
    for (let tries = 0; tries < 1_000; tries++) {
      const found = await record(read, name);
      const [before = "", after = ""] = [found?.text, next(found)];
      if (after === before) return false;
      if ((await run(compareAndSet, name, before, after, ...ttl)) === 1) return true;
    }
    throw new Error("what is stored in Redis cannot be replaced");
  }

  return {
    forgets: true,
    read: (name) => record(read, name),
    create: async (name, text) => void (await run(create, name, text, String(Date.now()), idleMs)),
    update: (name, next) => change(name, (found) => found && (next(found) ?? found.text)),
    replace: async (name, next) => void (await change(name, (found) => next(found?.text), listMs)),
    touch: async (name, lastAccess) => void (await run(touch, name, String(lastAccess), idleMs)),
    take: (name) => record(take, name),

    async lock(name, staleMs) {
      const [key, token, begin] = [`${name}:lock`, randomUUID(), performance.now()];
      let [seen, since] = ["", begin];
      for (;;) {
        const found = await run(lock, key, token, String(staleMs));
        if (typeof found !== "string") break;
        const now = performance.now();
        if (now - begin > waitMs) throw new Error("the lock was not free in time");
        if (found !== seen) [seen, since] = [found, now];
        // One that does not expire, whoever made it: by our own clock, like a lock in a folder.
        if (now - since > staleMs) await run(unlock, key, found);
        else await sleep(20 + Math.random() * 30);
      }
      // If Redis is away, the lock expires by itself.
      return { unlock: async () => void (await run(unlock, key, token).catch(() => {})) };
    },

    async names() {
      const names = new Set<string>();
      const nodes = client.scanIterator ? [client] : (client.masters ?? []);
      for (const node of nodes) {
        const server = (node === client ? client : await client.nodeClient?.(node as never)) as RedisClient;
        for await (const keys of server.scanIterator?.({ MATCH: `${prefix}*`, COUNT: 1_000 }) ?? [])
          for (const key of keys) names.add(key.slice(prefix.length));
      }
      return [...names].filter((name) => /^[0-9a-f]{64}$/.test(name));
    },
  };
}

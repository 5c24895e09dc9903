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
const isOurs = `
  local kind = redis.call("type", KEYS[1])["ok"]
  local function ours() return kind == "hash" and redis.call("hstrlen", KEYS[1], "text") <= 16777216 end`;
const read = `${isOurs}
  if not ours() then return false end
  return redis.call("hmget", KEYS[1], "text", "lastAccess")`;
const create = `
  redis.call("hset", KEYS[1], "text", ARGV[1], "lastAccess", ARGV[2])
  return redis.call("pexpire", KEYS[1], ARGV[3])`;
/** Writes only what nobody else has changed since it was read. */
const compareAndSet = `${isOurs}
  local before = ours() and redis.call("hget", KEYS[1], "text") or ""
  if before ~= ARGV[1] then return 0 end
  if ARGV[2] == "" then return 1 + redis.call("del", KEYS[1]) end
  if kind ~= "hash" then redis.call("del", KEYS[1]) end
  redis.call("hset", KEYS[1], "text", ARGV[2])
  if ARGV[3] then redis.call("pexpire", KEYS[1], ARGV[3]) end
  return 1`;
const touch = `
  if redis.call("exists", KEYS[1]) == 0 then return 0 end
  redis.call("hset", KEYS[1], "lastAccess", ARGV[1])
  return redis.call("pexpire", KEYS[1], ARGV[2])`;
const take = `${isOurs}
  local record = ours() and redis.call("hmget", KEYS[1], "text", "lastAccess")
  redis.call("del", KEYS[1])
  return record`;
/** Creates the lock, or returns its holder. */
const lock = `
  if redis.call("set", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then return false end
  return redis.call("type", KEYS[1])["ok"] == "string" and redis.call("getrange", KEYS[1], 0, 99) or "foreign"`;
const unlock = `
  local kind = redis.call("type", KEYS[1])["ok"]
  local holder = kind == "string" and redis.call("getrange", KEYS[1], 0, 99) or "foreign"
  if holder == ARGV[1] then return redis.call("del", KEYS[1]) end
  return 0`;

const waitMs = 20_000;
/** No refresh token lives longer: nothing is left to revoke then. */
const listMs = 90 * 24 * 60 * 60_000;

/** Sessions in Redis or Valkey, one hash each. Redis forgets idle sessions by itself. */
export function redisBackend(client: RedisClient, options: RedisBackendOptions = {}): SessionBackend {
  const { prefix = "arcgis-sign-in:", idleSeconds = 1_209_600 } = options;
  const idleMs = String(idleSeconds * 1000);
  const run = (script: string, name: string, ...args: string[]) =>
    client.eval(script, { keys: [prefix + name], arguments: args });
  const recordOf = (found: unknown): StoredRecord | undefined => {
    const [text, lastAccess] = (found ?? []) as (string | null)[];
    return text ? { text, lastAccess: Number(lastAccess ?? 0) } : undefined;
  };
  const readRecord = async (name: string) => recordOf(await run(read, name));

  /** Until nobody else was faster, which does not last; a text whose bytes Redis has damaged never compares equal. */
  async function untilDone<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < 1_000; tries++) {
      const result = await attempt();
      if (result !== undefined) return result;
    }
    throw new Error("what is stored in Redis cannot be replaced");
  }

  return {
    forgets: true,
    read: readRecord,
    create: async (name, text) => void (await run(create, name, text, String(Date.now()), idleMs)),
    update: (name, change) =>
      untilDone(async () => {
        const record = await readRecord(name);
        const text = record && change(record);
        if (record === undefined || text === undefined) return false;
        return Number(await run(compareAndSet, name, record.text, text)) > 0 || undefined;
      }),
    replace: (name, change) =>
      untilDone(async () => {
        const before = (await readRecord(name))?.text;
        const after = change(before);
        if (after === before) return true;
        return (
          Number(await run(compareAndSet, name, before ?? "", after ?? "", String(listMs))) > 0 || undefined
        );
      }).then(() => {}),
    touch: async (name, lastAccess) => void (await run(touch, name, String(lastAccess), idleMs)),
    take: async (name) => recordOf(await run(take, name)),

    async lock(name, staleMs) {
      const [key, token] = [`${name}:lock`, randomUUID()];
      const begin = performance.now();
      let [seen, since] = ["", begin];
      for (;;) {
        const holder = await run(lock, key, token, String(staleMs));
        if (typeof holder !== "string") break;
        const now = performance.now();
        if (now - begin > waitMs) throw new Error("the lock was not free in time");
        if (holder !== seen) [seen, since] = [holder, now];
        // One that does not expire, whoever made it: by our own clock, like a lock in a folder.
        if (now - since > staleMs) await run(unlock, key, holder);
        else await sleep(20 + Math.random() * 30);
      }
      // If Redis is away, the lock expires by itself.
      return { unlock: async () => void (await run(unlock, key, token).catch(() => {})) };
    },

    async names(idleSince) {
      if (idleSince !== undefined) return [];
      const names = new Set<string>();
      const nodes = client.scanIterator
        ? [client]
        : (client.masters ?? []).map((node) => client.nodeClient?.(node as never));
      for (const node of nodes)
        for await (const keys of ((await node) as Required<RedisClient>).scanIterator({
          MATCH: `${prefix}*`,
          COUNT: 1_000,
        }))
          for (const key of keys) {
            const name = key.slice(prefix.length);
            if (/^[0-9a-f]{64}$/.test(name)) names.add(name);
          }
      return [...names];
    },
  };
}

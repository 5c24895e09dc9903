import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultLifetimes, unnotedMs } from "./expiry.ts";
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

/** Stands for a value that is not ours. */
const foreign = "foreign";
/**
 * Every script uses GET, SET and DEL only, so the server needs no other rights than these, EVAL, SCAN and PING.
 * A foreign value may be of any type and size: it is not sent to us. A command's error is returned, not thrown,
 * because Redis 6 would put its code at the end of a long message.
 */
const get = `
  local found = redis.pcall("GET", KEYS[1])
  local isForeign = type(found) == "table" and string.find(found.err, "WRONGTYPE") or #(found or "") > tonumber(ARGV[1])
  if isForeign then found = "${foreign}" end
  if type(found) == "table" then return found end`;
const read = `${get} return found`;
const take = `${get}
  local removed = redis.pcall("DEL", KEYS[1])
  return type(removed) == "table" and removed or found`;
/** Creates a key, or returns false. */
const create = `return redis.pcall("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2])`;
/** Writes ARGV[3] in place of ARGV[2], unless another process was faster. "" is no value; a foreign one is overwritten. */
const compareAndSet = `${get}
  if isForeign then found = false end
  if (found or "") ~= ARGV[2] then return 0 end
  if ARGV[3] == "" then return redis.pcall("DEL", KEYS[1]) end
  return redis.pcall("SET", KEYS[1], ARGV[3], unpack(ARGV, 4))`;
/** Returns the first command that is refused, and why. */
const probe = `
  for _, command in ipairs({ { "SET", KEYS[1], "", "PX", "10000" }, { "GET", KEYS[1] }, { "DEL", KEYS[1] } }) do
    local reply = redis.pcall(unpack(command))
    if type(reply) == "table" and reply.err then return command[1] .. ": " .. string.match(reply.err, "%u+") end
  end
  return false`;

/** Options of SET. */
type Ttl = ["KEEPTTL"] | ["PX", number];

const waitMs = 20_000;
/** No refresh token lives longer: nothing is left to revoke then. */
const listMs = 90 * 24 * 60 * 60_000;
/** Far above any session. Hundreds of thousands of revocations may wait for a portal. */
const [maxBytes, maxListBytes, maxLockBytes] = [256 * 1024, 128 * 1024 * 1024, 100];

/** Sessions in Redis or Valkey: text behind its `lastAccess`. Redis forgets idle sessions by itself. */
export function redisBackend(client: RedisClient, options: RedisBackendOptions = {}): SessionBackend {
  const { prefix = "arcgis-sign-in:", idleSeconds = defaultLifetimes.idleSeconds } = options;
  const idleMs = Math.ceil(idleSeconds * 1000 + unnotedMs(idleSeconds * 1000));
  const scan = () => scanAll(client, { MATCH: `${prefix}session:*`, COUNT: 1_000 });
  const run = (script: string, key: string, ...args: (string | number)[]) =>
    client.eval(script, { keys: [prefix + key], arguments: args.map(String) });

  function keyOf(kind: "session" | "lock", name: string): string {
    if (!/^[\w-]{1,100}$/.test(name)) throw new TypeError("not the name of a record");
    return `${kind}:${name}`;
  }

  /**
   * Replaces a value with what `next` returns, again until no other process was faster, which does not last: only a
   * value whose bytes Redis has damaged never compares equal. "" is no value, or a foreign one. False when there is
   * nothing to change.
   */
  async function change(key: string, max: number, next: (value: string) => string, ...ttl: Ttl) {
    for (let tries = 0; tries < 1_000; tries++) {
      const found = (await run(read, key, max)) ?? foreign;
      const before = found === foreign ? "" : String(found);
      const after = next(before);
      if (after === before) return false;
      if ((await run(compareAndSet, key, max, before, after, ...ttl)) !== 0) return true;
    }
    throw new Error("what is stored in Redis cannot be replaced");
  }

  function changeRecord(name: string, next: (record: StoredRecord) => string | undefined, ...ttl: Ttl) {
    const step = (value: string) => {
      const record = recordIn(value);
      return (record && next(record)) ?? value;
    };
    return change(keyOf("session", name), maxBytes, step, ...ttl);
  }

  return {
    read: async (name) => recordIn(await run(read, keyOf("session", name), maxBytes)),
    async create(name, text) {
      const isNew = await run(create, keyOf("session", name), `${Date.now()}\n${text}`, idleMs);
      if (!isNew) throw new Error("there is a record of that name already");
    },
    async update(name, next) {
      const step = (record: StoredRecord) => {
        const text = next(record);
        return text === undefined ? undefined : `${record.lastAccess}\n${text}`;
      };
      return changeRecord(name, step, "KEEPTTL");
    },
    async replace(name, next) {
      const step = (value: string) => next(value || undefined) ?? "";
      await change(name, maxListBytes, step, "PX", listMs);
    },
    async touch(name, lastAccess) {
      await changeRecord(name, ({ text }) => `${lastAccess}\n${text}`, "PX", idleMs);
    },
    take: async (name) => recordIn(await run(take, keyOf("session", name), maxBytes)),

    async lock(name, staleMs) {
      const [key, token] = [keyOf("lock", name), `lock ${randomUUID()}`];
      const replace = (before: string, after: string) =>
        run(compareAndSet, key, maxLockBytes, before, after, "PX", staleMs);
      const deadline = performance.now() + waitMs;
      let [holder, since] = ["", 0];
      while ((await replace("", token)) === 0) {
        const found = String(await run(read, key, maxLockBytes));
        const now = performance.now();
        if (now > deadline) throw new Error("the lock was not free in time");
        if (found !== holder) [holder, since] = [found, now];
        // One that does not expire, after PERSIST or a restore: by our own clock, like a lock in a folder.
        if (now - since > staleMs) await replace(holder, "");
        else await sleep(20 + Math.random() * 30);
      }
      // If Redis is away, the lock expires by itself.
      return { unlock: async () => void (await replace(token, "").catch(() => {})) };
    },

    async names(idleSince) {
      if (idleSince !== undefined) return [];
      const names = new Set<string>();
      for await (const keys of scan())
        for (const key of keys) names.add(key.slice(prefix.length + "session:".length));
      return [...names].filter((name) => /^[0-9a-f]{64}$/.test(name));
    },

    async probe() {
      const refused = await run(probe, "probe");
      if (refused) throw new Error(`Redis refused ${refused}`);
      for await (const _ of scan()) break;
    },
  };
}

function recordIn(value: unknown): StoredRecord | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  if (value === foreign)
    return { text: "", lastAccess: Date.now(), problem: "it is not a text, or far too large" };
  const [time = ""] = value.split("\n", 1);
  return { text: value.slice(time.length + 1), lastAccess: Number(time) };
}

async function* scanAll(client: RedisClient, options: { MATCH: string; COUNT: number }) {
  for (const node of client.scanIterator ? [client] : (client.masters ?? [])) {
    const server = (node === client ? client : await client.nodeClient?.(node as never)) as RedisClient;
    yield* server.scanIterator?.(options) ?? [];
  }
}

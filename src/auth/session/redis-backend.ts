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

/**
 * Every script uses GET, SET and DEL only, so the server needs no other rights than these, EVAL, SCAN and PING.
 * A foreign value may be of any type and size: it is not sent to us. A command's error is returned, not thrown,
 * because Redis 6 would put its code at the end of a long message.
 */
const find = `
  local found = redis.pcall("GET", KEYS[1])
  local isForeign = type(found) == "table" and string.find(found.err, "WRONGTYPE") or #(found or "") > tonumber(ARGV[1])
  if isForeign then found = "foreign" end
  if type(found) == "table" then return found end`;
const read = `${find} return found`;
const take = `${find}
  local removed = redis.pcall("DEL", KEYS[1])
  return type(removed) == "table" and removed or found`;
/** Creates a key, or returns false. */
const create = `return redis.pcall("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2])`;
/** Writes ARGV[3] in place of ARGV[2], unless another process was faster. "" is no value; a foreign one is overwritten. */
const compareAndSet = `${find}
  if isForeign then found = false end
  if (found or "") ~= ARGV[2] then return 0 end
  if ARGV[3] == "" then return redis.pcall("DEL", KEYS[1]) end
  return redis.pcall("SET", KEYS[1], ARGV[3], unpack(ARGV, 4))`;
/** Replaces the time in front of a record. */
const touch = `${find}
  if not found or isForeign then return 0 end
  local text = string.match(found, "^%d+\\n(.*)") or found
  return redis.pcall("SET", KEYS[1], ARGV[2] .. "\\n" .. text, "PX", ARGV[3])`;
/**
 * Creates the lock, or returns its holder. What is no lock of ours is overwritten, and one that does not expire in time
 * (after PERSIST, or a restore), too. The server can do without the right to PTTL.
 */
const lock = `
  local isFree = redis.pcall("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2])
  if isFree then return isFree end
  local holder = redis.pcall("GET", KEYS[1])
  local left = redis.pcall("PTTL", KEYS[1])
  local isOurs = type(holder) == "string" and #holder < 100 and string.sub(holder, 1, 5) == "lock "
  local expires = type(left) ~= "number" or (left >= 0 and left <= tonumber(ARGV[2]))
  if isOurs and expires then return holder end
  return redis.pcall("SET", KEYS[1], ARGV[1], "PX", ARGV[2])`;
/** Returns the first command that is refused, and why. */
const probe = `
  for _, command in ipairs({ { "SET", KEYS[1], "", "PX", "10000" }, { "GET", KEYS[1] }, { "DEL", KEYS[1] } }) do
    local reply = redis.pcall(unpack(command))
    if type(reply) == "table" and reply.err then return command[1] .. ": " .. string.match(reply.err, "%u+") end
  end
  return false`;

const waitMs = 20_000;
/** No refresh token lives longer: nothing is left to revoke then. */
const listMs = String(90 * 24 * 60 * 60_000);
/** Far above any session. Hundreds of thousands of revocations may wait for a portal. */
const [maxBytes, maxListBytes] = [256 * 1024, 256 * 1024 * 1024];

/** Sessions in Redis or Valkey: text behind its `lastAccess`. Redis forgets idle sessions by itself. */
export function redisBackend(client: RedisClient, options: RedisBackendOptions = {}): SessionBackend {
  const { prefix = "arcgis-sign-in:", idleSeconds = 1_209_600 } = options;
  const idleMs = String(idleSeconds * 1000);
  const scan = (count: number) => ({ MATCH: `${prefix}session:*`, COUNT: count });
  const run = (script: string, key: string, ...args: (string | number)[]) =>
    client.eval(script, { keys: [prefix + key], arguments: args.map(String) });

  function keyOf(kind: "session" | "lock", name: string): string {
    if (!/^[\w-]{1,100}$/.test(name)) throw new TypeError("not the name of a record");
    return `${kind}:${name}`;
  }

  async function record(
    script: string,
    name: string,
  ): Promise<(StoredRecord & { value: string }) | undefined> {
    const value = await run(script, keyOf("session", name), maxBytes);
    if (typeof value !== "string") return undefined;
    const problem = { problem: "it is not a text, or far too large" };
    if (value === "foreign") return { value, text: "", lastAccess: Date.now(), ...problem };
    // What the server wrote before this library has no time in front: its next use is noted.
    const [time = ""] = /^\d+\n/.exec(value) ?? [];
    return { value, text: value.slice(time.length), lastAccess: Number(time || Date.now() - 60_000) };
  }

  /**
   * Until no other process was faster, which does not last; a value whose bytes Redis has damaged never compares equal.
   * False when `step` has nothing to write.
   */
  async function change(
    key: string,
    max: number,
    step: () => Promise<{ before: string; after: string } | undefined>,
    ...ttl: string[]
  ): Promise<boolean> {
    for (let tries = 0; tries < 1_000; tries++) {
      const edit = await step();
      if (!edit || edit.before === edit.after) return false;
      if ((await run(compareAndSet, key, max, edit.before, edit.after, ...ttl)) !== 0) return true;
    }
    throw new Error("what is stored in Redis cannot be replaced");
  }

  return {
    forgets: true,
    read: (name) => record(read, name),
    async create(name, text) {
      const isNew = await run(create, keyOf("session", name), `${Date.now()}\n${text}`, idleMs);
      if (!isNew) throw new Error("there is a record of that name already");
    },
    update: (name, next) =>
      change(
        keyOf("session", name),
        maxBytes,
        async () => {
          const found = await record(read, name);
          const text = found && next(found);
          return found && text !== undefined
            ? { before: found.value, after: `${found.lastAccess}\n${text}` }
            : undefined;
        },
        "KEEPTTL",
      ),
    async replace(name, next) {
      // The name that its list has always had.
      const key = name.replace("-revocations", "");
      const step = async () => {
        const found = await run(read, key, maxListBytes);
        const before = typeof found === "string" && found !== "foreign" ? found : "";
        return { before, after: next(before || undefined) ?? "" };
      };
      await change(key, maxListBytes, step, "PX", listMs);
    },
    touch: async (name, lastAccess) =>
      void (await run(touch, keyOf("session", name), maxBytes, lastAccess, idleMs)),
    take: (name) => record(take, name),

    async lock(name, staleMs) {
      const [key, token, begin] = [keyOf("lock", name), `lock ${randomUUID()}`, performance.now()];
      let [seen, since] = ["", begin];
      for (;;) {
        const holder = await run(lock, key, token, staleMs);
        if (holder === "OK") break;
        const now = performance.now();
        if (now - begin > waitMs) throw new Error("the lock was not free in time");
        if (holder !== seen) [seen, since] = [String(holder), now];
        // One that does not expire, where PTTL is not permitted: by our own clock, like a lock in a folder.
        if (now - since > staleMs) await run(compareAndSet, key, maxBytes, seen, "");
        else await sleep(20 + Math.random() * 30);
      }
      // If Redis is away, the lock expires by itself.
      return {
        unlock: async () => void (await run(compareAndSet, key, maxBytes, token, "").catch(() => {})),
      };
    },

    async names() {
      const names = new Set<string>();
      for await (const keys of scanAll(client, scan(1_000)))
        for (const key of keys) names.add(key.slice(prefix.length + "session:".length));
      return [...names].filter((name) => /^[0-9a-f]{64}$/.test(name));
    },

    async probe() {
      const refused = await run(probe, "probe");
      if (refused) throw new Error(`Redis refused ${refused}`);
      for await (const _ of scanAll(client, scan(1))) break;
    },
  };
}

async function* scanAll(client: RedisClient, options: { MATCH: string; COUNT: number }) {
  for (const node of client.scanIterator ? [client] : (client.masters ?? [])) {
    const server = (node === client ? client : await client.nodeClient?.(node as never)) as RedisClient;
    yield* server.scanIterator?.(options) ?? [];
  }
}

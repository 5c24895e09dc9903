import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RedisStore } from "connect-redis";
import { parseRedisUrl } from "../app/config/redis-url.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { RecordStore, SealedRecord } from "./record-store.ts";
import { connectToRedis, type RedisConnectionOptions } from "./redis-connection.ts";

export interface RedisStoreOptions extends Partial<RedisConnectionOptions> {
  /** Where Redis or Valkey is, as `parseRedisUrl` reads it. */
  url: string;
  /**
   * A record is gone so long after it was created (seconds), whatever has become of it. Redis counts this, by its
   * own clock. What ends sooner, such as an idle session, is for the sealed store to know and to remove.
   */
  maxSeconds: number;
}

const prefix = "arcgis-sign-in:";
const pendingKey = `${prefix}pending`;
/** No refresh token of ArcGIS lives longer than 90 days: nothing is left to revoke then. */
const pendingSeconds = 90 * 24 * 60 * 60;
/** Far above any session: a longer text is not ours. */
const longestText = 256 * 1024;
/** More than ten thousand pending revocations. */
const longestPendingText = 16 * 1024 * 1024;
/** No request waits longer for a lock. */
const waitMs = 20_000;

/**
 * Keeps records in Redis or Valkey, where several servers share them.
 *
 * Resolves after the first attempt to connect, even when Redis is away: until it is back, every method rejects at
 * once. A method that rejects may have done its work: perhaps only the answer was lost. What `change` and
 * `changePending` are given is called again, with what lies there now, when another server was faster.
 *
 * connect-redis names and lists the records. Its way of reading them takes in whatever is there, however long; its way
 * of writing them brings back a session that was destroyed meanwhile and undoes what another server has renewed;
 * `touch` puts the end off with every request; `destroy` does not tell whether there was anything.
 *
 * @throws TypeError when the URL is none.
 */
export async function redisStore(options: RedisStoreOptions): Promise<RecordStore> {
  const { url, maxSeconds, patienceMs = 2_000, log } = options;
  const address = parseRedisUrl(url);
  if (!address) throw new TypeError("REDIS_URL is not the address of a Redis server");
  const { ask, close } = await connectToRedis(address, { patienceMs, log });
  const sessions = new RedisStore({ client: undefined, prefix: `${prefix}session:`, scanCount: 1_000 });
  /** After a loss the client is another one. */
  const sessionsOf = (client: object) => Object.assign(sessions, { client });
  const inTurn = oneAtATime();

  /** One step of the way that `names` goes. */
  async function scan(client: object): Promise<void> {
    // biome-ignore lint/complexity/useLiteralKeys: it is private, and knows a cluster.
    for await (const _ of sessionsOf(client)["scanIterator"](`${prefix}probe`, 1)) return;
  }

  /** The text of a key; `undefined` when there is none. What cannot be ours is told, and stays in Redis. */
  async function readText(key: string, most: number): Promise<string | undefined | { unusable: string }> {
    try {
      const values = { keys: [key], arguments: [String(most)] };
      const found = await ask((client) => client.eval(readScript, values));
      if (typeof found === "number") return { unusable: "it is far too large" };
      return typeof found === "string" ? found : undefined;
    } catch (error) {
      if ((error as { code?: string }).code === "WRONGTYPE") return { unusable: "it is not a text" };
      throw error;
    }
  }

  async function read(name: string): Promise<SealedRecord | undefined> {
    checkName(name);
    const unusable = (reason: string) =>
      void log?.warn({ record: name.slice(0, 8), reason }, "a session in Redis cannot be used");
    const text = await readText(sessions.prefix + name, longestText);
    if (text === undefined) return undefined;
    if (typeof text === "object") return unusable(text.unusable);
    return recordOf(text) ?? unusable("it is damaged");
  }

  /** Writes `after` where `before` is, and only there; "" is nothing. Without an `end` (of SET) the old one stays. */
  async function swap(key: string, before: string, after: string, end = ["KEEPTTL"]): Promise<boolean> {
    const values = { keys: [key], arguments: [before, after, ...end] };
    return (await ask((client) => client.eval(swapScript, values))) === 1;
  }

  return {
    read,
    async create(name, record) {
      checkName(name);
      const key = sessions.prefix + name;
      const expiration = { type: "EX", value: maxSeconds } as const;
      const kept = await ask((client) => client.set(key, textOf(record), { condition: "NX", expiration }));
      if (kept === null) throw new Error("there is a record of that name already");
    },
    // In turn, so that changes by this process are not overtaken by each other.
    change: (name, next) =>
      inTurn(name, () =>
        untilDone(async () => {
          const record = await read(name);
          const changed = record && next(record);
          if (!changed) return false;
          return (await swap(sessions.prefix + name, textOf(record), textOf(changed))) || undefined;
        }),
      ),
    async remove(name) {
      checkName(name);
      return (await ask((client) => client.del(sessions.prefix + name))) === 1;
    },
    async names() {
      const names: string[] = await ask((client) => sessionsOf(client).ids());
      return names.filter(isName);
    },

    async lock(name, staleMs) {
      checkName(name);
      const key = `${prefix}lock:${name}`;
      const token = `${lockMark}${randomUUID()}`;
      const values = { keys: [key], arguments: [token, String(staleMs), lockMark] };
      const deadline = performance.now() + waitMs;
      let seen: unknown;
      let since = 0;
      for (;;) {
        const holder = await ask((client) => client.eval(lockScript, values));
        if (holder === token) break;
        const now = performance.now();
        if (holder !== seen) [seen, since] = [holder, now];
        if (now > deadline) throw new Error("the lock was not free in time");
        // Without the right to ask Redis when it ends: a lock that should have ended, by our own clock.
        if (now - since > staleMs) await swap(key, String(holder), "");
        await sleep(20 + Math.random() * 60);
      }
      // Compared, for it may have ended and be another's by now. When Redis is away, it ends by itself.
      return async () => {
        await swap(key, token, "").catch(() => {});
      };
    },

    async changePending(next) {
      const end = ["EX", String(pendingSeconds)];
      await inTurn(pendingKey, () =>
        untilDone(async () => {
          const found = await readText(pendingKey, longestPendingText);
          const text = typeof found === "string" ? found : "";
          const changed = next(text || undefined) ?? "";
          if (changed === text) return true;
          if (typeof found === "object") await ask((client) => client.del(pendingKey));
          return (await swap(pendingKey, text, changed, end)) || undefined;
        }),
      );
    },

    // All that the server does in Redis: a right may be missing, and a full Redis or a replica can still be read.
    async ping() {
      const key = `${prefix}probe`;
      const expiration = { type: "PX", value: 10_000 } as const;
      const tries: [command: string, attempt: () => Promise<unknown>][] = [
        ["SET", () => ask((client) => client.set(key, "", { expiration }))],
        ["EVAL", () => ask((client) => client.eval("return 1", { keys: [key], arguments: [] }))],
        ["GET", () => readText(key, 1)],
        ["SCAN", () => ask((client) => scan(client))],
        ["DEL", () => ask((client) => client.del(key))],
      ];
      for (const [command, attempt] of tries) await attempt().catch(naming(command));
    },
    close,
  };
}

/**
 * Gives the first result that is one. There is none while others are faster, and that does not last; a text of
 * which Redis has damaged bytes, however, never compares equal to what was read of it.
 */
async function untilDone<Result>(attempt: () => Promise<Result | undefined>): Promise<Result> {
  for (let turn = 0; turn < 1_000; turn++) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw new Error("what lies in Redis cannot be replaced");
}

/** Adds the command that Redis refused; a Redis that is away speaks for itself. */
function naming(command: string): (error: Error & { code?: string }) => never {
  return (error) => {
    if (error.code === undefined) throw error;
    throw Object.assign(new Error(`Redis refused ${command}: ${error.code}`), { code: error.code });
  };
}

/** Measures before it answers: a text of another program may be larger than our memory. */
const readScript = `
  local text = redis.call("GET", KEYS[1])
  if text and #text > tonumber(ARGV[1]) then return #text end
  return text
`;

const lockMark = "lock ";
/**
 * Takes a lock for ARGV[2] ms and returns its holder. What is no lock of ours is overwritten, and one that does not end
 * in time (after PERSIST, or a restore), too. PTTL is a right that the server can do without.
 */
const lockScript = `
  if redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then return ARGV[1] end
  local holder = redis.pcall("GET", KEYS[1])
  local left = redis.pcall("PTTL", KEYS[1])
  local isOurs = type(holder) == "string" and #holder < 100 and string.sub(holder, 1, #ARGV[3]) == ARGV[3]
  local ends = type(left) ~= "number" or (left >= 0 and left <= tonumber(ARGV[2]))
  if isOurs and ends then return holder end
  redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
  return ARGV[1]
`;

/** Compares and writes in one step, in which Redis does nothing else. */
const swapScript = `
  if (redis.call("GET", KEYS[1]) or "") ~= ARGV[1] then return 0 end
  if ARGV[2] == "" then redis.call("DEL", KEYS[1])
  else redis.call("SET", KEYS[1], ARGV[2], unpack(ARGV, 3)) end
  return 1
`;

const isName = (text: string) => /^[0-9a-f]{64}$/.test(text);

function checkName(name: string): void {
  if (!isName(name)) throw new TypeError("a record's name has 64 hexadecimal digits");
}

function textOf({ content, seen }: SealedRecord): string {
  return `${content}\n${seen}`;
}

/** Sealed texts have no space and nothing but ASCII. */
function recordOf(text: string): SealedRecord | undefined {
  const [, content, seen] = /^([!-~]+)\n([!-~]+)$/.exec(text) ?? [];
  return content && seen ? { content, seen } : undefined;
}

import { randomUUID } from "node:crypto";
import { RedisStore } from "connect-redis";
import { parseRedisUrl } from "../config/redis-url.ts";
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

/** What connect-redis gives: null when there is nothing, and what was made of it otherwise. */
type Found = SealedRecord | undefined | null;

const prefix = "arcgis-sign-in:";
const pendingKey = `${prefix}pending`;
/** No refresh token of ArcGIS lives longer than 90 days: nothing is left to revoke then. */
const pendingSeconds = 90 * 24 * 60 * 60;

/**
 * Keeps records in Redis or Valkey, where several servers share them.
 *
 * Resolves after the first attempt to connect, even when Redis is away: until it is back, every method rejects at
 * once. A method that rejects may have done its work: perhaps only the answer was lost. What `change` and
 * `changePending` are given is called again, with what lies there now, when another server was faster.
 *
 * connect-redis names, reads and lists the records. Its way of writing them is not used: `set` writes whatever is
 * there, so it brings back a session that was destroyed meanwhile and undoes what another server has renewed;
 * `touch` puts the end off with every request; `destroy` does not tell whether there was anything.
 *
 * @throws TypeError when the URL is none.
 */
export async function redisStore(options: RedisStoreOptions): Promise<RecordStore> {
  const { url, maxSeconds, patienceMs = 2_000, log } = options;
  const address = parseRedisUrl(url);
  if (!address) throw new TypeError("REDIS_URL is not the address of a Redis server");
  const { ask, close } = await connectToRedis(address, { patienceMs, log });
  const sessions = new RedisStore({
    client: undefined,
    prefix: `${prefix}session:`,
    // To connect-redis all that it reads is a session.
    serializer: { parse: recordOf as never, stringify: String },
    scanCount: 1_000,
  });
  /** After a loss the client is another one. */
  const sessionsOf = (client: object) => Object.assign(sessions, { client });
  const inTurn = oneAtATime();

  async function read(name: string): Promise<SealedRecord | undefined> {
    checkName(name);
    const unusable = (reason: string) =>
      void log?.warn({ record: name.slice(0, 8), reason }, "a session in Redis cannot be used");
    try {
      const record = await ask<Found>((client) => sessionsOf(client).get(name));
      return record === undefined ? unusable("it is damaged") : (record ?? undefined);
    } catch (error) {
      if ((error as { code?: string }).code === "WRONGTYPE") return unusable("it is not a text");
      throw error;
    }
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

    async lease(name, ms) {
      checkName(name);
      const key = `${prefix}lease:${name}`;
      const holder = randomUUID();
      const expiration = { type: "PX", value: ms } as const;
      const taken = await ask((client) => client.set(key, holder, { condition: "NX", expiration }));
      if (taken === null) return undefined;
      // Compared, for it may have ended and be another's by now. When Redis is away, it ends by itself.
      return async () => {
        await swap(key, holder, "").catch(() => {});
      };
    },

    async changePending(next) {
      const end = ["EX", String(pendingSeconds)];
      await inTurn(pendingKey, () =>
        untilDone(async () => {
          const text = (await ask((client) => client.get(pendingKey))) ?? "";
          const changed = next(text || undefined) ?? "";
          return changed === text || (await swap(pendingKey, text, changed, end)) || undefined;
        }),
      );
    },

    // A write, for a replica, or a Redis whose memory or disk is full, can still be read.
    async ping() {
      const expiration = { type: "PX", value: 1_000 } as const;
      await ask((client) => client.set(`${prefix}probe`, "", { expiration }));
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

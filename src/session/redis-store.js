import { randomUUID } from "node:crypto";
import { RedisStore } from "connect-redis";
import { parseRedisUrl } from "../config/redis-url.js";
import { oneAtATime } from "./one-at-a-time.js";
import { connectToRedis } from "./redis-connection.js";
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
export async function redisStore(options) {
    const { url, maxSeconds, patienceMs = 2_000, log } = options;
    const address = parseRedisUrl(url);
    if (!address)
        throw new TypeError("REDIS_URL is not the address of a Redis server");
    const { ask, close } = await connectToRedis(address, { patienceMs, log });
    const sessions = new RedisStore({
        client: undefined,
        prefix: `${prefix}session:`,
        // To connect-redis all that it reads is a session.
        serializer: { parse: recordOf, stringify: String },
        scanCount: 1_000,
    });
    /** After a loss the client is another one. */
    const sessionsOf = (client) => Object.assign(sessions, { client });
    const inTurn = oneAtATime();
    async function read(name) {
        checkName(name);
        const unusable = (reason) => void log?.warn({ record: name.slice(0, 8), reason }, "a session in Redis cannot be used");
        try {
            const record = await ask((client) => sessionsOf(client).get(name));
            return record === undefined ? unusable("it is damaged") : (record ?? undefined);
        }
        catch (error) {
            if (error.code === "WRONGTYPE")
                return unusable("it is not a text");
            throw error;
        }
    }
    /** Writes `after` where `before` is, and only there; "" is nothing. Without an `end` (of SET) the old one stays. */
    async function swap(key, before, after, end = ["KEEPTTL"]) {
        const values = { keys: [key], arguments: [before, after, ...end] };
        return (await ask((client) => client.eval(swapScript, values))) === 1;
    }
    return {
        read,
        async create(name, record) {
            checkName(name);
            const key = sessions.prefix + name;
            const expiration = { type: "EX", value: maxSeconds };
            const kept = await ask((client) => client.set(key, textOf(record), { condition: "NX", expiration }));
            if (kept === null)
                throw new Error("there is a record of that name already");
        },
        // In turn, so that changes by this process are not overtaken by each other.
        change: (name, next) => inTurn(name, () => untilDone(async () => {
            const record = await read(name);
            const changed = record && next(record);
            if (!changed)
                return false;
            return (await swap(sessions.prefix + name, textOf(record), textOf(changed))) || undefined;
        })),
        async remove(name) {
            checkName(name);
            return (await ask((client) => client.del(sessions.prefix + name))) === 1;
        },
        async names() {
            const names = await ask((client) => sessionsOf(client).ids());
            return names.filter(isName);
        },
        async lease(name, ms) {
            checkName(name);
            const key = `${prefix}lease:${name}`;
            const holder = randomUUID();
            const expiration = { type: "PX", value: ms };
            const taken = await ask((client) => client.set(key, holder, { condition: "NX", expiration }));
            if (taken === null)
                return undefined;
            // Compared, for it may have ended and be another's by now. When Redis is away, it ends by itself.
            return async () => {
                await swap(key, holder, "").catch(() => { });
            };
        },
        async changePending(next) {
            const end = ["EX", String(pendingSeconds)];
            await inTurn(pendingKey, () => untilDone(async () => {
                const text = (await ask((client) => client.get(pendingKey))) ?? "";
                const changed = next(text || undefined) ?? "";
                return changed === text || (await swap(pendingKey, text, changed, end)) || undefined;
            }));
        },
        // A write, for a replica, or a Redis whose memory or disk is full, can still be read.
        async ping() {
            const expiration = { type: "PX", value: 1_000 };
            await ask((client) => client.set(`${prefix}probe`, "", { expiration }));
        },
        close,
    };
}
/**
 * Gives the first result that is one. There is none while others are faster, and that does not last; a text of
 * which Redis has damaged bytes, however, never compares equal to what was read of it.
 */
async function untilDone(attempt) {
    for (let turn = 0; turn < 1_000; turn++) {
        const result = await attempt();
        if (result !== undefined)
            return result;
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
const isName = (text) => /^[0-9a-f]{64}$/.test(text);
function checkName(name) {
    if (!isName(name))
        throw new TypeError("a record's name has 64 hexadecimal digits");
}
function textOf({ content, seen }) {
    return `${content}\n${seen}`;
}
/** Sealed texts have no space and nothing but ASCII. */
function recordOf(text) {
    const [, content, seen] = /^([!-~]+)\n([!-~]+)$/.exec(text) ?? [];
    return content && seen ? { content, seen } : undefined;
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVkaXMtc3RvcmUuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJyZWRpcy1zdG9yZS50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSxPQUFPLEVBQUUsVUFBVSxFQUFFLE1BQU0sYUFBYSxDQUFDO0FBQ3pDLE9BQU8sRUFBRSxVQUFVLEVBQUUsTUFBTSxlQUFlLENBQUM7QUFDM0MsT0FBTyxFQUFFLGFBQWEsRUFBRSxNQUFNLHdCQUF3QixDQUFDO0FBQ3ZELE9BQU8sRUFBRSxVQUFVLEVBQUUsTUFBTSxvQkFBb0IsQ0FBQztBQUVoRCxPQUFPLEVBQUUsY0FBYyxFQUErQixNQUFNLHVCQUF1QixDQUFDO0FBZXBGLE1BQU0sTUFBTSxHQUFHLGlCQUFpQixDQUFDO0FBQ2pDLE1BQU0sVUFBVSxHQUFHLEdBQUcsTUFBTSxTQUFTLENBQUM7QUFDdEMsNEZBQTRGO0FBQzVGLE1BQU0sY0FBYyxHQUFHLEVBQUUsR0FBRyxFQUFFLEdBQUcsRUFBRSxHQUFHLEVBQUUsQ0FBQztBQUV6Qzs7Ozs7Ozs7Ozs7O0dBWUc7QUFDSCxNQUFNLENBQUMsS0FBSyxVQUFVLFVBQVUsQ0FBQyxPQUEwQjtJQUN6RCxNQUFNLEVBQUUsR0FBRyxFQUFFLFVBQVUsRUFBRSxVQUFVLEdBQUcsS0FBSyxFQUFFLEdBQUcsRUFBRSxHQUFHLE9BQU8sQ0FBQztJQUM3RCxNQUFNLE9BQU8sR0FBRyxhQUFhLENBQUMsR0FBRyxDQUFDLENBQUM7SUFDbkMsSUFBSSxDQUFDLE9BQU87UUFBRSxNQUFNLElBQUksU0FBUyxDQUFDLGdEQUFnRCxDQUFDLENBQUM7SUFDcEYsTUFBTSxFQUFFLEdBQUcsRUFBRSxLQUFLLEVBQUUsR0FBRyxNQUFNLGNBQWMsQ0FBQyxPQUFPLEVBQUUsRUFBRSxVQUFVLEVBQUUsR0FBRyxFQUFFLENBQUMsQ0FBQztJQUMxRSxNQUFNLFFBQVEsR0FBRyxJQUFJLFVBQVUsQ0FBQztRQUM5QixNQUFNLEVBQUUsU0FBUztRQUNqQixNQUFNLEVBQUUsR0FBRyxNQUFNLFVBQVU7UUFDM0IsbURBQW1EO1FBQ25ELFVBQVUsRUFBRSxFQUFFLEtBQUssRUFBRSxRQUFpQixFQUFFLFNBQVMsRUFBRSxNQUFNLEVBQUU7UUFDM0QsU0FBUyxFQUFFLEtBQUs7S0FDakIsQ0FBQyxDQUFDO0lBQ0gsOENBQThDO0lBQzlDLE1BQU0sVUFBVSxHQUFHLENBQUMsTUFBYyxFQUFFLEVBQUUsQ0FBQyxNQUFNLENBQUMsTUFBTSxDQUFDLFFBQVEsRUFBRSxFQUFFLE1BQU0sRUFBRSxDQUFDLENBQUM7SUFDM0UsTUFBTSxNQUFNLEdBQUcsVUFBVSxFQUFFLENBQUM7SUFFNUIsS0FBSyxVQUFVLElBQUksQ0FBQyxJQUFZO1FBQzlCLFNBQVMsQ0FBQyxJQUFJLENBQUMsQ0FBQztRQUNoQixNQUFNLFFBQVEsR0FBRyxDQUFDLE1BQWMsRUFBRSxFQUFFLENBQ2xDLEtBQUssR0FBRyxFQUFFLElBQUksQ0FBQyxFQUFFLE1BQU0sRUFBRSxJQUFJLENBQUMsS0FBSyxDQUFDLENBQUMsRUFBRSxDQUFDLENBQUMsRUFBRSxNQUFNLEVBQUUsRUFBRSxtQ0FBbUMsQ0FBQyxDQUFDO1FBQzVGLElBQUksQ0FBQztZQUNILE1BQU0sTUFBTSxHQUFHLE1BQU0sR0FBRyxDQUFRLENBQUMsTUFBTSxFQUFFLEVBQUUsQ0FBQyxVQUFVLENBQUMsTUFBTSxDQUFDLENBQUMsR0FBRyxDQUFDLElBQUksQ0FBQyxDQUFDLENBQUM7WUFDMUUsT0FBTyxNQUFNLEtBQUssU0FBUyxDQUFDLENBQUMsQ0FBQyxRQUFRLENBQUMsZUFBZSxDQUFDLENBQUMsQ0FBQyxDQUFDLENBQUMsTUFBTSxJQUFJLFNBQVMsQ0FBQyxDQUFDO1FBQ2xGLENBQUM7UUFBQyxPQUFPLEtBQUssRUFBRSxDQUFDO1lBQ2YsSUFBSyxLQUEyQixDQUFDLElBQUksS0FBSyxXQUFXO2dCQUFFLE9BQU8sUUFBUSxDQUFDLGtCQUFrQixDQUFDLENBQUM7WUFDM0YsTUFBTSxLQUFLLENBQUM7UUFDZCxDQUFDO0lBQ0gsQ0FBQztJQUVELG9IQUFvSDtJQUNwSCxLQUFLLFVBQVUsSUFBSSxDQUFDLEdBQVcsRUFBRSxNQUFjLEVBQUUsS0FBYSxFQUFFLEdBQUcsR0FBRyxDQUFDLFNBQVMsQ0FBQztRQUMvRSxNQUFNLE1BQU0sR0FBRyxFQUFFLElBQUksRUFBRSxDQUFDLEdBQUcsQ0FBQyxFQUFFLFNBQVMsRUFBRSxDQUFDLE1BQU0sRUFBRSxLQUFLLEVBQUUsR0FBRyxHQUFHLENBQUMsRUFBRSxDQUFDO1FBQ25FLE9BQU8sQ0FBQyxNQUFNLEdBQUcsQ0FBQyxDQUFDLE1BQU0sRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLElBQUksQ0FBQyxVQUFVLEVBQUUsTUFBTSxDQUFDLENBQUMsQ0FBQyxLQUFLLENBQUMsQ0FBQztJQUN4RSxDQUFDO0lBRUQsT0FBTztRQUNMLElBQUk7UUFDSixLQUFLLENBQUMsTUFBTSxDQUFDLElBQUksRUFBRSxNQUFNO1lBQ3ZCLFNBQVMsQ0FBQyxJQUFJLENBQUMsQ0FBQztZQUNoQixNQUFNLEdBQUcsR0FBRyxRQUFRLENBQUMsTUFBTSxHQUFHLElBQUksQ0FBQztZQUNuQyxNQUFNLFVBQVUsR0FBRyxFQUFFLElBQUksRUFBRSxJQUFJLEVBQUUsS0FBSyxFQUFFLFVBQVUsRUFBVyxDQUFDO1lBQzlELE1BQU0sSUFBSSxHQUFHLE1BQU0sR0FBRyxDQUFDLENBQUMsTUFBTSxFQUFFLEVBQUUsQ0FBQyxNQUFNLENBQUMsR0FBRyxDQUFDLEdBQUcsRUFBRSxNQUFNLENBQUMsTUFBTSxDQUFDLEVBQUUsRUFBRSxTQUFTLEVBQUUsSUFBSSxFQUFFLFVBQVUsRUFBRSxDQUFDLENBQUMsQ0FBQztZQUNyRyxJQUFJLElBQUksS0FBSyxJQUFJO2dCQUFFLE1BQU0sSUFBSSxLQUFLLENBQUMsd0NBQXdDLENBQUMsQ0FBQztRQUMvRSxDQUFDO1FBQ0QsNEVBQTRFO1FBQzVFLE1BQU0sRUFBRSxDQUFDLElBQUksRUFBRSxJQUFJLEVBQUUsRUFBRSxDQUNyQixNQUFNLENBQUMsSUFBSSxFQUFFLEdBQUcsRUFBRSxDQUNoQixTQUFTLENBQUMsS0FBSyxJQUFJLEVBQUU7WUFDbkIsTUFBTSxNQUFNLEdBQUcsTUFBTSxJQUFJLENBQUMsSUFBSSxDQUFDLENBQUM7WUFDaEMsTUFBTSxPQUFPLEdBQUcsTUFBTSxJQUFJLElBQUksQ0FBQyxNQUFNLENBQUMsQ0FBQztZQUN2QyxJQUFJLENBQUMsT0FBTztnQkFBRSxPQUFPLEtBQUssQ0FBQztZQUMzQixPQUFPLENBQUMsTUFBTSxJQUFJLENBQUMsUUFBUSxDQUFDLE1BQU0sR0FBRyxJQUFJLEVBQUUsTUFBTSxDQUFDLE1BQU0sQ0FBQyxFQUFFLE1BQU0sQ0FBQyxPQUFPLENBQUMsQ0FBQyxDQUFDLElBQUksU0FBUyxDQUFDO1FBQzVGLENBQUMsQ0FBQyxDQUNIO1FBQ0gsS0FBSyxDQUFDLE1BQU0sQ0FBQyxJQUFJO1lBQ2YsU0FBUyxDQUFDLElBQUksQ0FBQyxDQUFDO1lBQ2hCLE9BQU8sQ0FBQyxNQUFNLEdBQUcsQ0FBQyxDQUFDLE1BQU0sRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLEdBQUcsQ0FBQyxRQUFRLENBQUMsTUFBTSxHQUFHLElBQUksQ0FBQyxDQUFDLENBQUMsS0FBSyxDQUFDLENBQUM7UUFDM0UsQ0FBQztRQUNELEtBQUssQ0FBQyxLQUFLO1lBQ1QsTUFBTSxLQUFLLEdBQWEsTUFBTSxHQUFHLENBQUMsQ0FBQyxNQUFNLEVBQUUsRUFBRSxDQUFDLFVBQVUsQ0FBQyxNQUFNLENBQUMsQ0FBQyxHQUFHLEVBQUUsQ0FBQyxDQUFDO1lBQ3hFLE9BQU8sS0FBSyxDQUFDLE1BQU0sQ0FBQyxNQUFNLENBQUMsQ0FBQztRQUM5QixDQUFDO1FBRUQsS0FBSyxDQUFDLEtBQUssQ0FBQyxJQUFJLEVBQUUsRUFBRTtZQUNsQixTQUFTLENBQUMsSUFBSSxDQUFDLENBQUM7WUFDaEIsTUFBTSxHQUFHLEdBQUcsR0FBRyxNQUFNLFNBQVMsSUFBSSxFQUFFLENBQUM7WUFDckMsTUFBTSxNQUFNLEdBQUcsVUFBVSxFQUFFLENBQUM7WUFDNUIsTUFBTSxVQUFVLEdBQUcsRUFBRSxJQUFJLEVBQUUsSUFBSSxFQUFFLEtBQUssRUFBRSxFQUFFLEVBQVcsQ0FBQztZQUN0RCxNQUFNLEtBQUssR0FBRyxNQUFNLEdBQUcsQ0FBQyxDQUFDLE1BQU0sRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLEdBQUcsQ0FBQyxHQUFHLEVBQUUsTUFBTSxFQUFFLEVBQUUsU0FBUyxFQUFFLElBQUksRUFBRSxVQUFVLEVBQUUsQ0FBQyxDQUFDLENBQUM7WUFDOUYsSUFBSSxLQUFLLEtBQUssSUFBSTtnQkFBRSxPQUFPLFNBQVMsQ0FBQztZQUNyQyxrR0FBa0c7WUFDbEcsT0FBTyxLQUFLLElBQUksRUFBRTtnQkFDaEIsTUFBTSxJQUFJLENBQUMsR0FBRyxFQUFFLE1BQU0sRUFBRSxFQUFFLENBQUMsQ0FBQyxLQUFLLENBQUMsR0FBRyxFQUFFLEdBQUUsQ0FBQyxDQUFDLENBQUM7WUFDOUMsQ0FBQyxDQUFDO1FBQ0osQ0FBQztRQUVELEtBQUssQ0FBQyxhQUFhLENBQUMsSUFBSTtZQUN0QixNQUFNLEdBQUcsR0FBRyxDQUFDLElBQUksRUFBRSxNQUFNLENBQUMsY0FBYyxDQUFDLENBQUMsQ0FBQztZQUMzQyxNQUFNLE1BQU0sQ0FBQyxVQUFVLEVBQUUsR0FBRyxFQUFFLENBQzVCLFNBQVMsQ0FBQyxLQUFLLElBQUksRUFBRTtnQkFDbkIsTUFBTSxJQUFJLEdBQUcsQ0FBQyxNQUFNLEdBQUcsQ0FBQyxDQUFDLE1BQU0sRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLEdBQUcsQ0FBQyxVQUFVLENBQUMsQ0FBQyxDQUFDLElBQUksRUFBRSxDQUFDO2dCQUNuRSxNQUFNLE9BQU8sR0FBRyxJQUFJLENBQUMsSUFBSSxJQUFJLFNBQVMsQ0FBQyxJQUFJLEVBQUUsQ0FBQztnQkFDOUMsT0FBTyxPQUFPLEtBQUssSUFBSSxJQUFJLENBQUMsTUFBTSxJQUFJLENBQUMsVUFBVSxFQUFFLElBQUksRUFBRSxPQUFPLEVBQUUsR0FBRyxDQUFDLENBQUMsSUFBSSxTQUFTLENBQUM7WUFDdkYsQ0FBQyxDQUFDLENBQ0gsQ0FBQztRQUNKLENBQUM7UUFFRCxzRkFBc0Y7UUFDdEYsS0FBSyxDQUFDLElBQUk7WUFDUixNQUFNLFVBQVUsR0FBRyxFQUFFLElBQUksRUFBRSxJQUFJLEVBQUUsS0FBSyxFQUFFLEtBQUssRUFBVyxDQUFDO1lBQ3pELE1BQU0sR0FBRyxDQUFDLENBQUMsTUFBTSxFQUFFLEVBQUUsQ0FBQyxNQUFNLENBQUMsR0FBRyxDQUFDLEdBQUcsTUFBTSxPQUFPLEVBQUUsRUFBRSxFQUFFLEVBQUUsVUFBVSxFQUFFLENBQUMsQ0FBQyxDQUFDO1FBQzFFLENBQUM7UUFDRCxLQUFLO0tBQ04sQ0FBQztBQUNKLENBQUM7QUFFRDs7O0dBR0c7QUFDSCxLQUFLLFVBQVUsU0FBUyxDQUFTLE9BQTBDO0lBQ3pFLEtBQUssSUFBSSxJQUFJLEdBQUcsQ0FBQyxFQUFFLElBQUksR0FBRyxLQUFLLEVBQUUsSUFBSSxFQUFFLEVBQUUsQ0FBQztRQUN4QyxNQUFNLE1BQU0sR0FBRyxNQUFNLE9BQU8sRUFBRSxDQUFDO1FBQy9CLElBQUksTUFBTSxLQUFLLFNBQVM7WUFBRSxPQUFPLE1BQU0sQ0FBQztJQUMxQyxDQUFDO0lBQ0QsTUFBTSxJQUFJLEtBQUssQ0FBQyx1Q0FBdUMsQ0FBQyxDQUFDO0FBQzNELENBQUM7QUFFRCx5RUFBeUU7QUFDekUsTUFBTSxVQUFVLEdBQUc7Ozs7O0NBS2xCLENBQUM7QUFFRixNQUFNLE1BQU0sR0FBRyxDQUFDLElBQVksRUFBRSxFQUFFLENBQUMsZ0JBQWdCLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxDQUFDO0FBRTdELFNBQVMsU0FBUyxDQUFDLElBQVk7SUFDN0IsSUFBSSxDQUFDLE1BQU0sQ0FBQyxJQUFJLENBQUM7UUFBRSxNQUFNLElBQUksU0FBUyxDQUFDLDJDQUEyQyxDQUFDLENBQUM7QUFDdEYsQ0FBQztBQUVELFNBQVMsTUFBTSxDQUFDLEVBQUUsT0FBTyxFQUFFLElBQUksRUFBZ0I7SUFDN0MsT0FBTyxHQUFHLE9BQU8sS0FBSyxJQUFJLEVBQUUsQ0FBQztBQUMvQixDQUFDO0FBRUQsd0RBQXdEO0FBQ3hELFNBQVMsUUFBUSxDQUFDLElBQVk7SUFDNUIsTUFBTSxDQUFDLEVBQUUsT0FBTyxFQUFFLElBQUksQ0FBQyxHQUFHLHNCQUFzQixDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsSUFBSSxFQUFFLENBQUM7SUFDbEUsT0FBTyxPQUFPLElBQUksSUFBSSxDQUFDLENBQUMsQ0FBQyxFQUFFLE9BQU8sRUFBRSxJQUFJLEVBQUUsQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO0FBQ3pELENBQUMifQ==
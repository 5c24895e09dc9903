import * as z from "zod";
import { text } from "./setting-types.ts";
import { isLoopback } from "./urls.ts";

/** Where a Redis is, and how to authenticate. @useDeclaredType */
export type RedisAddress = NonNullable<ReturnType<typeof parseOne>>;

/**
 * Parses REDIS_URL; `undefined` when it is not valid. It is one of
 * - `redis://user:password@host:6379/0`, or `rediss:` for TLS,
 * - `unix://user:password@/path/to/redis.sock?db=0`,
 * - a cluster: one of its nodes with `?cluster=true`, or several with commas between them, all with the same password.
 *
 * User, password, port and database are optional. Special characters are written as %XX.
 */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  // A password may contain a comma, too.
  const parts = text.split(/,(?=\w+:\/\/)/).map(parseOne);
  const [first] = parts;
  if (!first || !parts.every((part) => part !== undefined)) return undefined;

  const nodes = parts.flatMap((part) => part.nodes);
  const cluster = first.cluster || parts.length > 1;
  const credentials = ({ tls, username, password }: RedisAddress) =>
    JSON.stringify([tls, username, password]);
  const areAlike = parts.every((part) => credentials(part) === credentials(first));
  const canBeCluster = parts.every(({ socketPath, database }) => !socketPath && database === 0);
  return areAlike && (canBeCluster || !cluster) ? { ...first, nodes, cluster } : undefined;
}

const serverUrl =
  /^rediss?:\/\/(?:[^/?#]*@)?(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?(?:\/\d{0,4})?(?:\?cluster=(?:true|false))?$/i;
const socketUrl = /^unix:\/\/([^/?#]*@)?(?:localhost)?(?=\/[^?#]+(?:\?db=\d{1,4})?$)/;

function parseOne(text: string) {
  const isSocket = socketUrl.test(text);
  if (!isSocket && !serverUrl.test(text)) return undefined;
  try {
    // A socket is usually written with a password and no host, which is not a valid URL.
    const url = new URL(text.replace(socketUrl, "unix://$1localhost"));
    const { hostname, port, searchParams } = url;
    const texts = [url.username, url.password, url.pathname].map(decodeURIComponent);
    const [username = "", password = "", path = ""] = texts;
    return {
      /** The server, or some nodes of a cluster, which know the others; none for a socket. */
      nodes: isSocket ? [] : [{ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 6379) }],
      /** The path of a Unix socket. */
      socketPath: isSocket ? path : undefined,
      cluster: /\?cluster=true$/i.test(text),
      tls: url.protocol === "rediss:",
      username: username || undefined,
      password: password || undefined,
      /** The number of the database; a cluster has only 0. */
      database: Number(isSocket ? searchParams.get("db") : path.slice(1)),
    };
  } catch {
    return undefined;
  }
}

/**
 * REDIS_URL. Over a network it needs TLS and a password: anyone who can write there can end sessions and fill the memory,
 * and an eavesdropper sees the password (ST-12).
 */
export const redisUrl = text(
  "Use redis://, rediss:// or unix:///path/to/redis.sock. In a password, write / as %2F, # as %23, ? as %3F, @ as %40 and % as %25.",
  [(url) => parseRedisUrl(url) !== undefined, "is not the URL of a Redis server."],
)
  .transform((url) => parseRedisUrl(url) ?? z.NEVER)
  .refine((address) => isOnThisMachine(address) || address.tls, {
    error:
      "names another machine without TLS. Use rediss://, or a Unix socket or a TLS tunnel on this machine.",
  })
  .refine((address) => isOnThisMachine(address) || address.password !== undefined, {
    error: "names another machine without a password. Use rediss://user:password@host, or :password@host.",
  });

const isOnThisMachine = ({ nodes }: RedisAddress) => nodes.every(({ host }) => isLoopback(host));

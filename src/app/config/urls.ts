import { isIP } from "node:net";
import * as z from "zod";
import { parseRedisUrl } from "./redis-url.ts";
import { missingOr, stop } from "./rule.ts";

/** Whether the host name of a parsed URL is this machine itself, the one place where http is safe (RFC 8252, 8.3). */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** An absolute URL that can be trusted with a token: https or loopback, and nothing in it beside host and path. */
export const address = (cure: string, missing?: string) =>
  z
    .string(missingOr(missing, `must be text. ${cure}`))
    .refine(
      (text) => !/[<>{}*]/.test(text),
      stop(`still has a placeholder in it. Put a real name in place of the brackets. ${cure}`),
    )
    .refine(
      (text) => /^https?:\/\/[^/\s\\][^\s\\]*$/i.test(text) && URL.canParse(text),
      stop(`is not a full address. ${cure}`),
    )
    .refine(
      (text) => new URL(text).protocol === "https:" || isLoopback(new URL(text).hostname),
      stop("must be https; http is accepted on localhost and other loopback addresses only. Use https://."),
    )
    .refine(
      (text) => !/^\w+:\/\/[^/?#]*@/.test(text),
      stop("must not hold a user name or a password. Remove the part before the @."),
    )
    .refine((text) => !/[?#]/.test(text), stop("must not go on with ? or #. Remove that part."));

const portalCure =
  "Give the address of your portal, such as https://gis.example.com/portal, or https://www.arcgis.com for ArcGIS Online.";

// What people copy from the browser or from the documentation after the address of the portal itself.
const portalTail = /(?:\/sharing(?:\/rest)?|\/home(?:\/[\w-]+\.html)?|\/index\.html)$/i;

/** PORTAL_URL in any of the spellings that people copy; gives `https://{host}/{webadaptor}/sharing/rest` (CF-2). */
export const portalUrl = address(portalCure)
  .transform((text) => {
    const url = new URL(text);
    // The library's defaults have it both ways; sessions must not depend on who wrote the www.
    if (url.hostname === "arcgis.com") url.hostname = "www.arcgis.com";
    return `${url.origin}${url.pathname.replace(/(?<!\/)\/+$/, "").replace(portalTail, "")}`;
  })
  .refine((portal) => !/\/(?:rest|sharing|oauth2|home)(?:\/|$)/i.test(portal), {
    error: `is not the address of a portal but of something inside it, or of an ArcGIS Server. ${portalCure}`,
  })
  .transform((portal) => `${portal}/sharing/rest`);

const callbackCure =
  "Give the redirect URL exactly as it is registered at the OAuth credentials item, such as http://localhost:3000/authenticate.";

// The server's other routes. The app may be mounted under a path, so it answers at every tail of the callback's
// path, and a callback at /gis/sign-in would stand in the way of /sign-in.
const ownRoute =
  /\/(?:sign-ins?|signed-in|sign-out|map|embed|proxy|healthz|readyz|metrics|api|assets)\/?$|\/(?:api|assets)\//i;

/** REDIRECT_URI, unchanged, as it has to equal the one that is registered at the portal (CF-3). */
export const redirectUri = address(callbackCure, `is missing. ${callbackCure}`)
  .refine(
    (text) => /^(?:\/[\w.~-]+)+\/?$/.test(new URL(text).pathname),
    stop(`must have a path of letters, digits, "-", "_", "." and "~". ${callbackCure}`),
  )
  .refine(
    (text) => !ownRoute.test(new URL(text).pathname),
    stop("ends in a path that this server uses for something else. Register another, such as /authenticate."),
  );

/** One entry of PROXY_ALLOW, as a parsed URL spells it: a bare host ends in a slash, so it cannot grow into another. */
export const proxyTarget = address(
  "Give a whole prefix without wildcards, such as https://services.example.com/arcgis/rest/.",
).transform((text) => new URL(text).href);

const originCure = "Give scheme and host alone, such as https://experience.arcgis.com.";

/** One entry of EMBED_ORIGINS, as a browser spells an origin: compared letter by letter, so no path and no wildcard. */
export const embedOrigin = address(originCure)
  .refine((text) => new URL(text).pathname === "/", stop(`is an address and not an origin. ${originCure}`))
  .transform((text) => new URL(text).origin);

// An address or a subnet as Express's "trust proxy" takes it. One wider than /7 is no network of proxies.
function isSubnet(text: unknown): boolean {
  if (typeof text !== "string") return false;
  if (/^(?:loopback|linklocal|uniquelocal)$/.test(text)) return true;
  const [host = "", bits, ...rest] = text.split("/");
  const longest = { 0: 0, 4: 32, 6: 128 }[isIP(host)] ?? 0;
  const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : 0;
  return rest.length === 0 && length >= 7 && length <= longest;
}

const isHopCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 10;

/** TRUST_PROXY: false, a number of hops, or subnets. Never `true`, which lets visitors choose their address (CF-5). */
export const trustedProxy = z.preprocess(
  (value) => {
    if (typeof value !== "string") return value;
    if (value === "false") return false;
    return /^\d+$/.test(value) ? Number(value) : value.split(",").map((entry) => entry.trim());
  },
  z.custom<false | number | string[]>(
    (value) =>
      value === false ||
      isHopCount(value) ||
      (Array.isArray(value) && value.length > 0 && value.every(isSubnet)),
    {
      error:
        "must be false, the number of reverse proxies in front (1 to 10), or their addresses. Use 1 for one proxy, or a list such as loopback,10.0.0.0/8; with true, visitors could choose their own address.",
    },
  ),
);

const redisUses = "Use redis://, rediss:// or unix:///path/to/redis.sock.";

/**
 * REDIS_URL: redis://, rediss:// (TLS), unix:///path/to/socket, or several with commas between them: a cluster. Over
 * a network only with TLS and a password: whoever can write there can end sessions and fill the memory, and whoever
 * can listen sees the password (ST-12).
 */
export const redisUrl = z
  .string({ error: `must be text. ${redisUses}` })
  .refine(
    (text) => parseRedisUrl(text) !== undefined,
    stop(`is not the address of a Redis server. ${redisUses}`),
  )
  .refine((text) => isOnThisMachine(text) || parseRedisUrl(text)?.tls, {
    error:
      "names another machine without TLS. Use rediss://, or a Unix socket or a TLS tunnel on this machine.",
  })
  .refine((text) => isOnThisMachine(text) || parseRedisUrl(text)?.password !== undefined, {
    error: "names another machine without a password. Use rediss://user:password@host, or :password@host.",
  });

function isOnThisMachine(redisUrl: string): boolean {
  const { nodes = [] } = parseRedisUrl(redisUrl) ?? {};
  return nodes.every(({ host }) => isLoopback(host.includes(":") ? `[${host}]` : host));
}

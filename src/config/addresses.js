import { isIP } from "node:net";
import * as z from "zod";
import { parseRedisUrl } from "./redis-url.js";
import { missingOr, stop } from "./rule.js";
/** Whether the host name of a parsed URL is this machine itself, the one place where http is safe (RFC 8252, 8.3). */
function isLoopback(hostname) {
    return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
/** An absolute URL that can be trusted with a token: https or loopback, and nothing in it beside host and path. */
export const address = (cure, missing) => z
    .string(missingOr(missing, `must be text. ${cure}`))
    .refine((text) => !/[<>{}*]/.test(text), stop(`still has a placeholder in it. Put a real name in place of the brackets. ${cure}`))
    .refine((text) => /^https?:\/\/[^/\s\\][^\s\\]*$/i.test(text) && URL.canParse(text), stop(`is not a full address. ${cure}`))
    .refine((text) => new URL(text).protocol === "https:" || isLoopback(new URL(text).hostname), stop("must be https; http is accepted on localhost and other loopback addresses only. Use https://."))
    .refine((text) => !/^\w+:\/\/[^/?#]*@/.test(text), stop("must not hold a user name or a password. Remove the part before the @."))
    .refine((text) => !/[?#]/.test(text), stop("must not go on with ? or #. Remove that part."));
const portalCure = "Give the address of your portal, such as https://gis.example.com/portal, or https://www.arcgis.com for ArcGIS Online.";
// What people copy from the browser or from the documentation after the address of the portal itself.
const portalTail = /(?:\/sharing(?:\/rest)?|\/home(?:\/[\w-]+\.html)?|\/index\.html)?\/*$/i;
/** PORTAL_URL in any of the spellings that people copy; gives `https://{host}/{webadaptor}/sharing/rest` (CF-2). */
export const portalUrl = address(portalCure)
    .transform((text) => {
    const url = new URL(text);
    // The library's defaults have it both ways; sessions must not depend on who wrote the www.
    if (url.hostname === "arcgis.com")
        url.hostname = "www.arcgis.com";
    return `${url.origin}${url.pathname.replace(portalTail, "")}`;
})
    .refine((portal) => !/\/(?:rest|sharing|oauth2|home)(?:\/|$)/i.test(portal), {
    error: `is not the address of a portal but of something inside it, or of an ArcGIS Server. ${portalCure}`,
})
    .transform((portal) => `${portal}/sharing/rest`);
const callbackCure = "Give the redirect URL exactly as it is registered at the OAuth credentials item, such as http://localhost:3000/authenticate.";
// The server's other routes. The app may be mounted under a path, so it answers at every tail of the callback's
// path, and a callback at /gis/sign-in would stand in the way of /sign-in.
const ownRoute = /\/(?:sign-in|signed-in|sign-out|map|proxy|healthz|readyz|metrics|(?:api|assets)(?:\/.*)?)\/?$/i;
/** REDIRECT_URI, unchanged, as it has to equal the one that is registered at the portal (CF-3). */
export const redirectUri = address(callbackCure, `is missing. ${callbackCure}`)
    .refine((text) => /^(?:\/[\w.~-]+)+\/?$/.test(new URL(text).pathname), stop(`must have a path of letters, digits, "-", "_", "." and "~". ${callbackCure}`))
    .refine((text) => !ownRoute.test(new URL(text).pathname), stop("ends in a path that this server uses for something else. Register another, such as /authenticate."));
/** One entry of PROXY_ALLOW, as a parsed URL spells it: a bare host ends in a slash, so it cannot grow into another. */
export const proxyTarget = address("Give a whole prefix without wildcards, such as https://services.example.com/arcgis/rest/.").transform((text) => new URL(text).href);
// An address or a subnet as Express's "trust proxy" takes it. One wider than /7 is no network of proxies.
function isSubnet(text) {
    if (typeof text !== "string")
        return false;
    if (/^(?:loopback|linklocal|uniquelocal)$/.test(text))
        return true;
    const [host = "", bits, ...rest] = text.split("/");
    const longest = { 0: 0, 4: 32, 6: 128 }[isIP(host)] ?? 0;
    const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : 0;
    return rest.length === 0 && length >= 7 && length <= longest;
}
const isHopCount = (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 10;
/** TRUST_PROXY: false, a number of hops, or subnets. Never `true`, which lets visitors choose their address (CF-5). */
export const trustedProxy = z.preprocess((value) => {
    if (typeof value !== "string")
        return value;
    if (value === "false")
        return false;
    return /^\d+$/.test(value) ? Number(value) : value.split(",").map((entry) => entry.trim());
}, z.custom((value) => value === false ||
    isHopCount(value) ||
    (Array.isArray(value) && value.length > 0 && value.every(isSubnet)), {
    error: "must be false, the number of reverse proxies in front (1 to 10), or their addresses. Use 1 for one proxy, or a list such as loopback,10.0.0.0/8; with true, visitors could choose their own address.",
}));
/** REDIS_URL: redis://, rediss:// (TLS), unix:///path/to/socket, or several with commas between them: a cluster. */
export const redisUrl = z
    .string({ error: "must be text. Use redis://, rediss:// or unix:///path/to/redis.sock." })
    .refine((text) => parseRedisUrl(text) !== undefined, {
    error: "is not the address of a Redis server. Use redis://, rediss:// or unix:///path/to/redis.sock.",
});
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiYWRkcmVzc2VzLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsiYWRkcmVzc2VzLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxJQUFJLEVBQUUsTUFBTSxVQUFVLENBQUM7QUFDaEMsT0FBTyxLQUFLLENBQUMsTUFBTSxLQUFLLENBQUM7QUFDekIsT0FBTyxFQUFFLGFBQWEsRUFBRSxNQUFNLGdCQUFnQixDQUFDO0FBQy9DLE9BQU8sRUFBRSxTQUFTLEVBQUUsSUFBSSxFQUFFLE1BQU0sV0FBVyxDQUFDO0FBRTVDLHNIQUFzSDtBQUN0SCxTQUFTLFVBQVUsQ0FBQyxRQUFnQjtJQUNsQyxPQUFPLFFBQVEsS0FBSyxXQUFXLElBQUksUUFBUSxLQUFLLE9BQU8sSUFBSSxzQkFBc0IsQ0FBQyxJQUFJLENBQUMsUUFBUSxDQUFDLENBQUM7QUFDbkcsQ0FBQztBQUVELG1IQUFtSDtBQUNuSCxNQUFNLENBQUMsTUFBTSxPQUFPLEdBQUcsQ0FBQyxJQUFZLEVBQUUsT0FBZ0IsRUFBRSxFQUFFLENBQ3hELENBQUM7S0FDRSxNQUFNLENBQUMsU0FBUyxDQUFDLE9BQU8sRUFBRSxpQkFBaUIsSUFBSSxFQUFFLENBQUMsQ0FBQztLQUNuRCxNQUFNLENBQ0wsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLENBQUMsU0FBUyxDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsRUFDL0IsSUFBSSxDQUFDLDRFQUE0RSxJQUFJLEVBQUUsQ0FBQyxDQUN6RjtLQUNBLE1BQU0sQ0FDTCxDQUFDLElBQUksRUFBRSxFQUFFLENBQUMsZ0NBQWdDLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxJQUFJLEdBQUcsQ0FBQyxRQUFRLENBQUMsSUFBSSxDQUFDLEVBQzNFLElBQUksQ0FBQywwQkFBMEIsSUFBSSxFQUFFLENBQUMsQ0FDdkM7S0FDQSxNQUFNLENBQ0wsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLElBQUksR0FBRyxDQUFDLElBQUksQ0FBQyxDQUFDLFFBQVEsS0FBSyxRQUFRLElBQUksVUFBVSxDQUFDLElBQUksR0FBRyxDQUFDLElBQUksQ0FBQyxDQUFDLFFBQVEsQ0FBQyxFQUNuRixJQUFJLENBQUMsK0ZBQStGLENBQUMsQ0FDdEc7S0FDQSxNQUFNLENBQ0wsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLENBQUMsbUJBQW1CLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxFQUN6QyxJQUFJLENBQUMsd0VBQXdFLENBQUMsQ0FDL0U7S0FDQSxNQUFNLENBQUMsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLENBQUMsTUFBTSxDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsRUFBRSxJQUFJLENBQUMsK0NBQStDLENBQUMsQ0FBQyxDQUFDO0FBRWpHLE1BQU0sVUFBVSxHQUNkLHVIQUF1SCxDQUFDO0FBRTFILHNHQUFzRztBQUN0RyxNQUFNLFVBQVUsR0FBRyx3RUFBd0UsQ0FBQztBQUU1RixvSEFBb0g7QUFDcEgsTUFBTSxDQUFDLE1BQU0sU0FBUyxHQUFHLE9BQU8sQ0FBQyxVQUFVLENBQUM7S0FDekMsU0FBUyxDQUFDLENBQUMsSUFBSSxFQUFFLEVBQUU7SUFDbEIsTUFBTSxHQUFHLEdBQUcsSUFBSSxHQUFHLENBQUMsSUFBSSxDQUFDLENBQUM7SUFDMUIsMkZBQTJGO0lBQzNGLElBQUksR0FBRyxDQUFDLFFBQVEsS0FBSyxZQUFZO1FBQUUsR0FBRyxDQUFDLFFBQVEsR0FBRyxnQkFBZ0IsQ0FBQztJQUNuRSxPQUFPLEdBQUcsR0FBRyxDQUFDLE1BQU0sR0FBRyxHQUFHLENBQUMsUUFBUSxDQUFDLE9BQU8sQ0FBQyxVQUFVLEVBQUUsRUFBRSxDQUFDLEVBQUUsQ0FBQztBQUNoRSxDQUFDLENBQUM7S0FDRCxNQUFNLENBQUMsQ0FBQyxNQUFNLEVBQUUsRUFBRSxDQUFDLENBQUMseUNBQXlDLENBQUMsSUFBSSxDQUFDLE1BQU0sQ0FBQyxFQUFFO0lBQzNFLEtBQUssRUFBRSxzRkFBc0YsVUFBVSxFQUFFO0NBQzFHLENBQUM7S0FDRCxTQUFTLENBQUMsQ0FBQyxNQUFNLEVBQUUsRUFBRSxDQUFDLEdBQUcsTUFBTSxlQUFlLENBQUMsQ0FBQztBQUVuRCxNQUFNLFlBQVksR0FDaEIsOEhBQThILENBQUM7QUFFakksZ0hBQWdIO0FBQ2hILDJFQUEyRTtBQUMzRSxNQUFNLFFBQVEsR0FDWixnR0FBZ0csQ0FBQztBQUVuRyxtR0FBbUc7QUFDbkcsTUFBTSxDQUFDLE1BQU0sV0FBVyxHQUFHLE9BQU8sQ0FBQyxZQUFZLEVBQUUsZUFBZSxZQUFZLEVBQUUsQ0FBQztLQUM1RSxNQUFNLENBQ0wsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLHNCQUFzQixDQUFDLElBQUksQ0FBQyxJQUFJLEdBQUcsQ0FBQyxJQUFJLENBQUMsQ0FBQyxRQUFRLENBQUMsRUFDN0QsSUFBSSxDQUFDLCtEQUErRCxZQUFZLEVBQUUsQ0FBQyxDQUNwRjtLQUNBLE1BQU0sQ0FDTCxDQUFDLElBQUksRUFBRSxFQUFFLENBQUMsQ0FBQyxRQUFRLENBQUMsSUFBSSxDQUFDLElBQUksR0FBRyxDQUFDLElBQUksQ0FBQyxDQUFDLFFBQVEsQ0FBQyxFQUNoRCxJQUFJLENBQUMsbUdBQW1HLENBQUMsQ0FDMUcsQ0FBQztBQUVKLHdIQUF3SDtBQUN4SCxNQUFNLENBQUMsTUFBTSxXQUFXLEdBQUcsT0FBTyxDQUNoQywyRkFBMkYsQ0FDNUYsQ0FBQyxTQUFTLENBQUMsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLElBQUksR0FBRyxDQUFDLElBQUksQ0FBQyxDQUFDLElBQUksQ0FBQyxDQUFDO0FBRTFDLDBHQUEwRztBQUMxRyxTQUFTLFFBQVEsQ0FBQyxJQUFhO0lBQzdCLElBQUksT0FBTyxJQUFJLEtBQUssUUFBUTtRQUFFLE9BQU8sS0FBSyxDQUFDO0lBQzNDLElBQUksc0NBQXNDLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQztRQUFFLE9BQU8sSUFBSSxDQUFDO0lBQ25FLE1BQU0sQ0FBQyxJQUFJLEdBQUcsRUFBRSxFQUFFLElBQUksRUFBRSxHQUFHLElBQUksQ0FBQyxHQUFHLElBQUksQ0FBQyxLQUFLLENBQUMsR0FBRyxDQUFDLENBQUM7SUFDbkQsTUFBTSxPQUFPLEdBQUcsRUFBRSxDQUFDLEVBQUUsQ0FBQyxFQUFFLENBQUMsRUFBRSxFQUFFLEVBQUUsQ0FBQyxFQUFFLEdBQUcsRUFBRSxDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsQ0FBQyxJQUFJLENBQUMsQ0FBQztJQUN6RCxNQUFNLE1BQU0sR0FBRyxJQUFJLEtBQUssU0FBUyxDQUFDLENBQUMsQ0FBQyxPQUFPLENBQUMsQ0FBQyxDQUFDLFdBQVcsQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLENBQUMsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxJQUFJLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQyxDQUFDO0lBQ3hGLE9BQU8sSUFBSSxDQUFDLE1BQU0sS0FBSyxDQUFDLElBQUksTUFBTSxJQUFJLENBQUMsSUFBSSxNQUFNLElBQUksT0FBTyxDQUFDO0FBQy9ELENBQUM7QUFFRCxNQUFNLFVBQVUsR0FBRyxDQUFDLEtBQWMsRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLFNBQVMsQ0FBQyxLQUFLLENBQUMsSUFBSSxNQUFNLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxJQUFJLE1BQU0sQ0FBQyxLQUFLLENBQUMsSUFBSSxFQUFFLENBQUM7QUFFNUcsdUhBQXVIO0FBQ3ZILE1BQU0sQ0FBQyxNQUFNLFlBQVksR0FBRyxDQUFDLENBQUMsVUFBVSxDQUN0QyxDQUFDLEtBQUssRUFBRSxFQUFFO0lBQ1IsSUFBSSxPQUFPLEtBQUssS0FBSyxRQUFRO1FBQUUsT0FBTyxLQUFLLENBQUM7SUFDNUMsSUFBSSxLQUFLLEtBQUssT0FBTztRQUFFLE9BQU8sS0FBSyxDQUFDO0lBQ3BDLE9BQU8sT0FBTyxDQUFDLElBQUksQ0FBQyxLQUFLLENBQUMsQ0FBQyxDQUFDLENBQUMsTUFBTSxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUMsQ0FBQyxLQUFLLENBQUMsS0FBSyxDQUFDLEdBQUcsQ0FBQyxDQUFDLEdBQUcsQ0FBQyxDQUFDLEtBQUssRUFBRSxFQUFFLENBQUMsS0FBSyxDQUFDLElBQUksRUFBRSxDQUFDLENBQUM7QUFDN0YsQ0FBQyxFQUNELENBQUMsQ0FBQyxNQUFNLENBQ04sQ0FBQyxLQUFLLEVBQUUsRUFBRSxDQUNSLEtBQUssS0FBSyxLQUFLO0lBQ2YsVUFBVSxDQUFDLEtBQUssQ0FBQztJQUNqQixDQUFDLEtBQUssQ0FBQyxPQUFPLENBQUMsS0FBSyxDQUFDLElBQUksS0FBSyxDQUFDLE1BQU0sR0FBRyxDQUFDLElBQUksS0FBSyxDQUFDLEtBQUssQ0FBQyxRQUFRLENBQUMsQ0FBQyxFQUNyRTtJQUNFLEtBQUssRUFDSCxzTUFBc007Q0FDek0sQ0FDRixDQUNGLENBQUM7QUFFRixvSEFBb0g7QUFDcEgsTUFBTSxDQUFDLE1BQU0sUUFBUSxHQUFHLENBQUM7S0FDdEIsTUFBTSxDQUFDLEVBQUUsS0FBSyxFQUFFLHNFQUFzRSxFQUFFLENBQUM7S0FDekYsTUFBTSxDQUFDLENBQUMsSUFBSSxFQUFFLEVBQUUsQ0FBQyxhQUFhLENBQUMsSUFBSSxDQUFDLEtBQUssU0FBUyxFQUFFO0lBQ25ELEtBQUssRUFBRSw4RkFBOEY7Q0FDdEcsQ0FBQyxDQUFDIn0=
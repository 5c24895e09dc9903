import * as z from "zod";
import { portalUrl, proxyTarget, redirectUri, redisUrl, trustedProxy } from "./addresses.js";
import { mapLayer, mapTiles } from "./map.js";
import { reachOf } from "./reach.js";
import { missingOr } from "./rule.js";
import { credential, makeSecret, secret } from "./secrets.js";
// Every rule ends in a sentence: first what is wrong, as it follows the key, then the cure. Never the value.
const digits = (value) => typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
const whole = (least, most) => {
    const error = `must be a whole number from ${least} to ${most}. Write it in digits.`;
    return z.preprocess(digits, z.int({ error }).min(least, { error }).max(most, { error }));
};
const yesOrNo = () => z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean({ error: "must be true or false. Write one of the two." }));
const text = (pattern, error) => z.string({ error }).refine((value) => pattern.test(value), { error });
const list = (entry, missing) => {
    const error = "must be text with commas between the values. Only config.json can hold an array instead.";
    return z.preprocess((value) => typeof value === "string" && !value.startsWith("[")
        ? value.split(",").flatMap((part) => part.trim() || [])
        : value, z
        .array(entry, missingOr(missing, error))
        .min(1, { error: "is an empty list. Give it a value, or leave the key out." })
        .refine((entries) => new Set(entries.map((entry) => JSON.stringify(entry))).size === entries.length, {
        error: "holds the same value twice. Remove one of the two.",
    }));
};
// Browsers keep no cookie longer than 400 days (RFC 6265bis, 5.5).
const seconds = () => whole(1, 34_560_000);
const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
const rateLimit = z
    .preprocess(digits, z.custom((value) => value === "off" || (Number.isSafeInteger(value) && Number(value) > 0), {
    error: "must be off or a whole number above 0. Use 60 unless many people come from one address.",
}))
    .transform((value) => (value === "off" ? false : value));
/** Every key with its rule, its default and its meaning. */
export const schema = z
    .strictObject({
    CLIENT_ID: credential(/^[\w.-]{1,128}$/, "client id").describe("OAuth client id"),
    SESSION_SECRET: list(secret, `is missing. ${makeSecret}`).describe("signs the cookie; of a list the first signs, all verify"),
    ENCRYPTION_KEY: list(secret, `is missing. ${makeSecret}`).describe("encrypts sessions at rest; of a list the first encrypts, all decrypt"),
    REDIRECT_URI: redirectUri.describe("absolute callback URL; its path is the callback route"),
    PORTAL_URL: portalUrl
        .default("https://www.arcgis.com/sharing/rest")
        .describe("portal that signs people in"),
    PORT: whole(0, 65535).default(3000).describe("port to listen on; 0 takes any free one"),
    HOST: text(/^[\w.:-]+$/, "is not a host name or an address. Use 127.0.0.1, or 0.0.0.0 in a container.")
        .default("127.0.0.1")
        .describe("address to listen on"),
    SESSION_DIR: text(/^[^\0]+$/, "is not the path of a folder. Use ./sessions.")
        .default("./sessions")
        .describe("folder of the encrypted session files"),
    REDIS_URL: redisUrl.optional().describe("Redis or Valkey that keeps the sessions instead of files"),
    SESSION_IDLE_SECONDS: seconds().default(1_209_600).describe("idle life of a session"),
    SESSION_MAX_SECONDS: seconds().default(2_592_000).describe("longest life of a session"),
    // ArcGIS gives 90 days at most.
    TOKEN_EXPIRATION_MINUTES: whole(1, 129_600).default(20_160).describe("`expiration` sent to the portal"),
    PKCE: yesOrNo().default(true).describe("`false` only for an Enterprise older than 10.8.1"),
    TRUST_PROXY: trustedProxy.default(false).describe("Express's `trust proxy`, but never `true`"),
    CLIENT_SECRET: credential(/^[\x21-\x7e]{1,256}$/, "client secret")
        .optional()
        .describe("sent with the token calls when the credentials item is confidential"),
    TOKEN_HANDOVER: yesOrNo()
        .default(false)
        .describe("lets `/api/credential` give the page its access token"),
    ALSO_SIGN_OUT_PORTAL: yesOrNo()
        .default(false)
        .describe("ends the portal's own sign-in of the browser too, by an address that Esri has not documented"),
    ALLOWED_ORGS: list(text(/^\w{1,64}$/, "is not an organisation's id. Copy it from {PORTAL_URL}/portals/self."))
        .default([])
        .describe("ids of the organisations whose members may use the app"),
    PROXY_ALLOW: list(proxyTarget)
        .default([])
        .describe("URL prefixes beside the portal that `/proxy` may reach, with people's tokens"),
    PROXY_MAX_BYTES: whole(1_000, 1_000_000_000_000)
        .default(268_435_456)
        .describe("largest body that `/proxy` passes on, there or back"),
    PROXY_TIMEOUT_SECONDS: whole(1, 900)
        .default(60)
        .describe("how long a server behind `/proxy` may stay silent"),
    MAP_LAYERS: list(mapLayer)
        .default([])
        .describe("layers that `/map` shows: the address of each, and after a space its title if you like"),
    MAP_TILES: mapTiles
        .optional()
        .describe("pictures under them: `https://.../{z}/{x}/{y}.png`, and after a space the attribution"),
    RATE_LIMIT: rateLimit.default(60).describe("`off`, or sign-in requests a minute an address"),
    LOG_LEVEL: z
        .enum(logLevels, { error: `is not a log level. Use one of ${logLevels.join(", ")}.` })
        .default("info")
        .describe("pino level"),
    METRICS: z
        .enum(["loopback", "public"], {
        error: "must be loopback or public. Use public only where a firewall or the reverse proxy guards /metrics.",
    })
        .default("loopback")
        .describe("who may read `/metrics`: programs on this machine, or everybody (`public`)"),
})
    // These two see settings that may have problems of their own, so that all are told at once.
    .refine((all) => !haveCommonValue(all.SESSION_SECRET, all.ENCRYPTION_KEY), {
    path: ["ENCRYPTION_KEY"],
    error: `has a value that SESSION_SECRET has too. ${makeSecret}`,
    when: () => true,
})
    .refine((all) => !(all.SESSION_IDLE_SECONDS > all.SESSION_MAX_SECONDS), {
    path: ["SESSION_IDLE_SECONDS"],
    error: "must not be more than SESSION_MAX_SECONDS. Set both (their defaults are 14 and 30 days).",
    when: () => true,
})
    .refine((all) => !hasLayerOutOfReach(all), {
    path: ["MAP_LAYERS"],
    error: "names a layer that /proxy may not reach. Add the beginning of its address, such as https://services.example.com/arcgis/rest/, to PROXY_ALLOW.",
});
function hasLayerOutOfReach({ PORTAL_URL: portal, PROXY_ALLOW: proxyAllow, MAP_LAYERS, }) {
    const isInReach = reachOf({ portal, proxyAllow });
    return !MAP_LAYERS.every(({ url }) => isInReach(new URL(url)));
}
function haveCommonValue(one, other) {
    return Array.isArray(one) && Array.isArray(other) && one.some((value) => other.includes(value));
}
/** What a table of the settings says; a setting without a default is "required" or "unset". */
export const configKeys = Object.entries(schema.shape).map(([key, rule]) => {
    const { success, data } = rule.safeParse(undefined);
    return {
        key,
        meaning: rule.description ?? "",
        default: success ? String(data ?? "") || "unset" : "required",
    };
});
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoic2V0dGluZ3MuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJzZXR0aW5ncy50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSxPQUFPLEtBQUssQ0FBQyxNQUFNLEtBQUssQ0FBQztBQUN6QixPQUFPLEVBQUUsU0FBUyxFQUFFLFdBQVcsRUFBRSxXQUFXLEVBQUUsUUFBUSxFQUFFLFlBQVksRUFBRSxNQUFNLGdCQUFnQixDQUFDO0FBQzdGLE9BQU8sRUFBaUIsUUFBUSxFQUFFLFFBQVEsRUFBRSxNQUFNLFVBQVUsQ0FBQztBQUM3RCxPQUFPLEVBQUUsT0FBTyxFQUFFLE1BQU0sWUFBWSxDQUFDO0FBQ3JDLE9BQU8sRUFBRSxTQUFTLEVBQUUsTUFBTSxXQUFXLENBQUM7QUFDdEMsT0FBTyxFQUFFLFVBQVUsRUFBRSxVQUFVLEVBQUUsTUFBTSxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBRTlELDZHQUE2RztBQUU3RyxNQUFNLE1BQU0sR0FBRyxDQUFDLEtBQWMsRUFBRSxFQUFFLENBQ2hDLE9BQU8sS0FBSyxLQUFLLFFBQVEsSUFBSSxZQUFZLENBQUMsSUFBSSxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUMsQ0FBQyxNQUFNLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQyxDQUFDLEtBQUssQ0FBQztBQUVoRixNQUFNLEtBQUssR0FBRyxDQUFDLEtBQWEsRUFBRSxJQUFZLEVBQUUsRUFBRTtJQUM1QyxNQUFNLEtBQUssR0FBRywrQkFBK0IsS0FBSyxPQUFPLElBQUksdUJBQXVCLENBQUM7SUFDckYsT0FBTyxDQUFDLENBQUMsVUFBVSxDQUFDLE1BQU0sRUFBRSxDQUFDLENBQUMsR0FBRyxDQUFDLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQyxHQUFHLENBQUMsS0FBSyxFQUFFLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQyxHQUFHLENBQUMsSUFBSSxFQUFFLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQyxDQUFDO0FBQzNGLENBQUMsQ0FBQztBQUVGLE1BQU0sT0FBTyxHQUFHLEdBQUcsRUFBRSxDQUNuQixDQUFDLENBQUMsVUFBVSxDQUNWLENBQUMsS0FBSyxFQUFFLEVBQUUsQ0FBQyxDQUFDLEtBQUssS0FBSyxNQUFNLENBQUMsQ0FBQyxDQUFDLElBQUksQ0FBQyxDQUFDLENBQUMsS0FBSyxLQUFLLE9BQU8sQ0FBQyxDQUFDLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQyxLQUFLLENBQUMsRUFDeEUsQ0FBQyxDQUFDLE9BQU8sQ0FBQyxFQUFFLEtBQUssRUFBRSw4Q0FBOEMsRUFBRSxDQUFDLENBQ3JFLENBQUM7QUFFSixNQUFNLElBQUksR0FBRyxDQUFDLE9BQWUsRUFBRSxLQUFhLEVBQUUsRUFBRSxDQUM5QyxDQUFDLENBQUMsTUFBTSxDQUFDLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQyxNQUFNLENBQUMsQ0FBQyxLQUFLLEVBQUUsRUFBRSxDQUFDLE9BQU8sQ0FBQyxJQUFJLENBQUMsS0FBSyxDQUFDLEVBQUUsRUFBRSxLQUFLLEVBQUUsQ0FBQyxDQUFDO0FBRXhFLE1BQU0sSUFBSSxHQUFHLENBQTBCLEtBQVksRUFBRSxPQUFnQixFQUFFLEVBQUU7SUFDdkUsTUFBTSxLQUFLLEdBQUcsMEZBQTBGLENBQUM7SUFDekcsT0FBTyxDQUFDLENBQUMsVUFBVSxDQUNqQixDQUFDLEtBQUssRUFBRSxFQUFFLENBQ1IsT0FBTyxLQUFLLEtBQUssUUFBUSxJQUFJLENBQUMsS0FBSyxDQUFDLFVBQVUsQ0FBQyxHQUFHLENBQUM7UUFDakQsQ0FBQyxDQUFDLEtBQUssQ0FBQyxLQUFLLENBQUMsR0FBRyxDQUFDLENBQUMsT0FBTyxDQUFDLENBQUMsSUFBSSxFQUFFLEVBQUUsQ0FBQyxJQUFJLENBQUMsSUFBSSxFQUFFLElBQUksRUFBRSxDQUFDO1FBQ3ZELENBQUMsQ0FBQyxLQUFLLEVBQ1gsQ0FBQztTQUNFLEtBQUssQ0FBQyxLQUFLLEVBQUUsU0FBUyxDQUFDLE9BQU8sRUFBRSxLQUFLLENBQUMsQ0FBQztTQUN2QyxHQUFHLENBQUMsQ0FBQyxFQUFFLEVBQUUsS0FBSyxFQUFFLDBEQUEwRCxFQUFFLENBQUM7U0FDN0UsTUFBTSxDQUFDLENBQUMsT0FBTyxFQUFFLEVBQUUsQ0FBQyxJQUFJLEdBQUcsQ0FBQyxPQUFPLENBQUMsR0FBRyxDQUFDLENBQUMsS0FBSyxFQUFFLEVBQUUsQ0FBQyxJQUFJLENBQUMsU0FBUyxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUMsQ0FBQyxJQUFJLEtBQUssT0FBTyxDQUFDLE1BQU0sRUFBRTtRQUNuRyxLQUFLLEVBQUUsb0RBQW9EO0tBQzVELENBQUMsQ0FDTCxDQUFDO0FBQ0osQ0FBQyxDQUFDO0FBRUYsbUVBQW1FO0FBQ25FLE1BQU0sT0FBTyxHQUFHLEdBQUcsRUFBRSxDQUFDLEtBQUssQ0FBQyxDQUFDLEVBQUUsVUFBVSxDQUFDLENBQUM7QUFFM0MsTUFBTSxTQUFTLEdBQUcsQ0FBQyxPQUFPLEVBQUUsT0FBTyxFQUFFLE1BQU0sRUFBRSxNQUFNLEVBQUUsT0FBTyxFQUFFLE9BQU8sRUFBRSxRQUFRLENBQVUsQ0FBQztBQUUxRixNQUFNLFNBQVMsR0FBRyxDQUFDO0tBQ2hCLFVBQVUsQ0FDVCxNQUFNLEVBQ04sQ0FBQyxDQUFDLE1BQU0sQ0FDTixDQUFDLEtBQUssRUFBRSxFQUFFLENBQUMsS0FBSyxLQUFLLEtBQUssSUFBSSxDQUFDLE1BQU0sQ0FBQyxhQUFhLENBQUMsS0FBSyxDQUFDLElBQUksTUFBTSxDQUFDLEtBQUssQ0FBQyxHQUFHLENBQUMsQ0FBQyxFQUNoRjtJQUNFLEtBQUssRUFBRSx5RkFBeUY7Q0FDakcsQ0FDRixDQUNGO0tBQ0EsU0FBUyxDQUFDLENBQUMsS0FBSyxFQUFFLEVBQUUsQ0FBQyxDQUFDLEtBQUssS0FBSyxLQUFLLENBQUMsQ0FBQyxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQztBQUUzRCw0REFBNEQ7QUFDNUQsTUFBTSxDQUFDLE1BQU0sTUFBTSxHQUFHLENBQUM7S0FDcEIsWUFBWSxDQUFDO0lBQ1osU0FBUyxFQUFFLFVBQVUsQ0FBQyxpQkFBaUIsRUFBRSxXQUFXLENBQUMsQ0FBQyxRQUFRLENBQUMsaUJBQWlCLENBQUM7SUFDakYsY0FBYyxFQUFFLElBQUksQ0FBQyxNQUFNLEVBQUUsZUFBZSxVQUFVLEVBQUUsQ0FBQyxDQUFDLFFBQVEsQ0FDaEUseURBQXlELENBQzFEO0lBQ0QsY0FBYyxFQUFFLElBQUksQ0FBQyxNQUFNLEVBQUUsZUFBZSxVQUFVLEVBQUUsQ0FBQyxDQUFDLFFBQVEsQ0FDaEUsc0VBQXNFLENBQ3ZFO0lBQ0QsWUFBWSxFQUFFLFdBQVcsQ0FBQyxRQUFRLENBQUMsdURBQXVELENBQUM7SUFDM0YsVUFBVSxFQUFFLFNBQVM7U0FDbEIsT0FBTyxDQUFDLHFDQUFxQyxDQUFDO1NBQzlDLFFBQVEsQ0FBQyw2QkFBNkIsQ0FBQztJQUMxQyxJQUFJLEVBQUUsS0FBSyxDQUFDLENBQUMsRUFBRSxLQUFLLENBQUMsQ0FBQyxPQUFPLENBQUMsSUFBSSxDQUFDLENBQUMsUUFBUSxDQUFDLHlDQUF5QyxDQUFDO0lBQ3ZGLElBQUksRUFBRSxJQUFJLENBQUMsWUFBWSxFQUFFLDZFQUE2RSxDQUFDO1NBQ3BHLE9BQU8sQ0FBQyxXQUFXLENBQUM7U0FDcEIsUUFBUSxDQUFDLHNCQUFzQixDQUFDO0lBQ25DLFdBQVcsRUFBRSxJQUFJLENBQUMsVUFBVSxFQUFFLDhDQUE4QyxDQUFDO1NBQzFFLE9BQU8sQ0FBQyxZQUFZLENBQUM7U0FDckIsUUFBUSxDQUFDLHVDQUF1QyxDQUFDO0lBQ3BELFNBQVMsRUFBRSxRQUFRLENBQUMsUUFBUSxFQUFFLENBQUMsUUFBUSxDQUFDLDBEQUEwRCxDQUFDO0lBQ25HLG9CQUFvQixFQUFFLE9BQU8sRUFBRSxDQUFDLE9BQU8sQ0FBQyxTQUFTLENBQUMsQ0FBQyxRQUFRLENBQUMsd0JBQXdCLENBQUM7SUFDckYsbUJBQW1CLEVBQUUsT0FBTyxFQUFFLENBQUMsT0FBTyxDQUFDLFNBQVMsQ0FBQyxDQUFDLFFBQVEsQ0FBQywyQkFBMkIsQ0FBQztJQUN2RixnQ0FBZ0M7SUFDaEMsd0JBQXdCLEVBQUUsS0FBSyxDQUFDLENBQUMsRUFBRSxPQUFPLENBQUMsQ0FBQyxPQUFPLENBQUMsTUFBTSxDQUFDLENBQUMsUUFBUSxDQUFDLGlDQUFpQyxDQUFDO0lBQ3ZHLElBQUksRUFBRSxPQUFPLEVBQUUsQ0FBQyxPQUFPLENBQUMsSUFBSSxDQUFDLENBQUMsUUFBUSxDQUFDLGtEQUFrRCxDQUFDO0lBQzFGLFdBQVcsRUFBRSxZQUFZLENBQUMsT0FBTyxDQUFDLEtBQUssQ0FBQyxDQUFDLFFBQVEsQ0FBQywyQ0FBMkMsQ0FBQztJQUM5RixhQUFhLEVBQUUsVUFBVSxDQUFDLHNCQUFzQixFQUFFLGVBQWUsQ0FBQztTQUMvRCxRQUFRLEVBQUU7U0FDVixRQUFRLENBQUMscUVBQXFFLENBQUM7SUFDbEYsY0FBYyxFQUFFLE9BQU8sRUFBRTtTQUN0QixPQUFPLENBQUMsS0FBSyxDQUFDO1NBQ2QsUUFBUSxDQUFDLHVEQUF1RCxDQUFDO0lBQ3BFLG9CQUFvQixFQUFFLE9BQU8sRUFBRTtTQUM1QixPQUFPLENBQUMsS0FBSyxDQUFDO1NBQ2QsUUFBUSxDQUNQLDhGQUE4RixDQUMvRjtJQUNILFlBQVksRUFBRSxJQUFJLENBQ2hCLElBQUksQ0FBQyxZQUFZLEVBQUUsc0VBQXNFLENBQUMsQ0FDM0Y7U0FDRSxPQUFPLENBQUMsRUFBRSxDQUFDO1NBQ1gsUUFBUSxDQUFDLHdEQUF3RCxDQUFDO0lBQ3JFLFdBQVcsRUFBRSxJQUFJLENBQUMsV0FBVyxDQUFDO1NBQzNCLE9BQU8sQ0FBQyxFQUFFLENBQUM7U0FDWCxRQUFRLENBQUMsOEVBQThFLENBQUM7SUFDM0YsZUFBZSxFQUFFLEtBQUssQ0FBQyxLQUFLLEVBQUUsaUJBQWlCLENBQUM7U0FDN0MsT0FBTyxDQUFDLFdBQVcsQ0FBQztTQUNwQixRQUFRLENBQUMscURBQXFELENBQUM7SUFDbEUscUJBQXFCLEVBQUUsS0FBSyxDQUFDLENBQUMsRUFBRSxHQUFHLENBQUM7U0FDakMsT0FBTyxDQUFDLEVBQUUsQ0FBQztTQUNYLFFBQVEsQ0FBQyxtREFBbUQsQ0FBQztJQUNoRSxVQUFVLEVBQUUsSUFBSSxDQUFDLFFBQVEsQ0FBQztTQUN2QixPQUFPLENBQUMsRUFBRSxDQUFDO1NBQ1gsUUFBUSxDQUFDLHdGQUF3RixDQUFDO0lBQ3JHLFNBQVMsRUFBRSxRQUFRO1NBQ2hCLFFBQVEsRUFBRTtTQUNWLFFBQVEsQ0FBQyx1RkFBdUYsQ0FBQztJQUNwRyxVQUFVLEVBQUUsU0FBUyxDQUFDLE9BQU8sQ0FBQyxFQUFFLENBQUMsQ0FBQyxRQUFRLENBQUMsZ0RBQWdELENBQUM7SUFDNUYsU0FBUyxFQUFFLENBQUM7U0FDVCxJQUFJLENBQUMsU0FBUyxFQUFFLEVBQUUsS0FBSyxFQUFFLGtDQUFrQyxTQUFTLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxHQUFHLEVBQUUsQ0FBQztTQUNyRixPQUFPLENBQUMsTUFBTSxDQUFDO1NBQ2YsUUFBUSxDQUFDLFlBQVksQ0FBQztJQUN6QixPQUFPLEVBQUUsQ0FBQztTQUNQLElBQUksQ0FBQyxDQUFDLFVBQVUsRUFBRSxRQUFRLENBQUMsRUFBRTtRQUM1QixLQUFLLEVBQ0gsb0dBQW9HO0tBQ3ZHLENBQUM7U0FDRCxPQUFPLENBQUMsVUFBVSxDQUFDO1NBQ25CLFFBQVEsQ0FBQyw0RUFBNEUsQ0FBQztDQUMxRixDQUFDO0lBQ0YsNEZBQTRGO0tBQzNGLE1BQU0sQ0FBQyxDQUFDLEdBQUcsRUFBRSxFQUFFLENBQUMsQ0FBQyxlQUFlLENBQUMsR0FBRyxDQUFDLGNBQWMsRUFBRSxHQUFHLENBQUMsY0FBYyxDQUFDLEVBQUU7SUFDekUsSUFBSSxFQUFFLENBQUMsZ0JBQWdCLENBQUM7SUFDeEIsS0FBSyxFQUFFLDRDQUE0QyxVQUFVLEVBQUU7SUFDL0QsSUFBSSxFQUFFLEdBQUcsRUFBRSxDQUFDLElBQUk7Q0FDakIsQ0FBQztLQUNELE1BQU0sQ0FBQyxDQUFDLEdBQUcsRUFBRSxFQUFFLENBQUMsQ0FBQyxDQUFDLEdBQUcsQ0FBQyxvQkFBb0IsR0FBRyxHQUFHLENBQUMsbUJBQW1CLENBQUMsRUFBRTtJQUN0RSxJQUFJLEVBQUUsQ0FBQyxzQkFBc0IsQ0FBQztJQUM5QixLQUFLLEVBQUUsMEZBQTBGO0lBQ2pHLElBQUksRUFBRSxHQUFHLEVBQUUsQ0FBQyxJQUFJO0NBQ2pCLENBQUM7S0FDRCxNQUFNLENBQUMsQ0FBQyxHQUFHLEVBQUUsRUFBRSxDQUFDLENBQUMsa0JBQWtCLENBQUMsR0FBRyxDQUFDLEVBQUU7SUFDekMsSUFBSSxFQUFFLENBQUMsWUFBWSxDQUFDO0lBQ3BCLEtBQUssRUFDSCwrSUFBK0k7Q0FDbEosQ0FBQyxDQUFDO0FBRUwsU0FBUyxrQkFBa0IsQ0FBQyxFQUMxQixVQUFVLEVBQUUsTUFBTSxFQUNsQixXQUFXLEVBQUUsVUFBVSxFQUN2QixVQUFVLEdBQ0U7SUFDWixNQUFNLFNBQVMsR0FBRyxPQUFPLENBQUMsRUFBRSxNQUFNLEVBQUUsVUFBVSxFQUFFLENBQUMsQ0FBQztJQUNsRCxPQUFPLENBQUMsVUFBVSxDQUFDLEtBQUssQ0FBQyxDQUFDLEVBQUUsR0FBRyxFQUFFLEVBQUUsRUFBRSxDQUFDLFNBQVMsQ0FBQyxJQUFJLEdBQUcsQ0FBQyxHQUFHLENBQUMsQ0FBQyxDQUFDLENBQUM7QUFDakUsQ0FBQztBQVFELFNBQVMsZUFBZSxDQUFDLEdBQVksRUFBRSxLQUFjO0lBQ25ELE9BQU8sS0FBSyxDQUFDLE9BQU8sQ0FBQyxHQUFHLENBQUMsSUFBSSxLQUFLLENBQUMsT0FBTyxDQUFDLEtBQUssQ0FBQyxJQUFJLEdBQUcsQ0FBQyxJQUFJLENBQUMsQ0FBQyxLQUFLLEVBQUUsRUFBRSxDQUFDLEtBQUssQ0FBQyxRQUFRLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQztBQUNsRyxDQUFDO0FBS0QsK0ZBQStGO0FBQy9GLE1BQU0sQ0FBQyxNQUFNLFVBQVUsR0FBRyxNQUFNLENBQUMsT0FBTyxDQUFDLE1BQU0sQ0FBQyxLQUFLLENBQUMsQ0FBQyxHQUFHLENBQUMsQ0FBQyxDQUFDLEdBQUcsRUFBRSxJQUFJLENBQUMsRUFBRSxFQUFFO0lBQ3pFLE1BQU0sRUFBRSxPQUFPLEVBQUUsSUFBSSxFQUFFLEdBQUcsSUFBSSxDQUFDLFNBQVMsQ0FBQyxTQUFTLENBQUMsQ0FBQztJQUNwRCxPQUFPO1FBQ0wsR0FBRztRQUNILE9BQU8sRUFBRSxJQUFJLENBQUMsV0FBVyxJQUFJLEVBQUU7UUFDL0IsT0FBTyxFQUFFLE9BQU8sQ0FBQyxDQUFDLENBQUMsTUFBTSxDQUFDLElBQUksSUFBSSxFQUFFLENBQUMsSUFBSSxPQUFPLENBQUMsQ0FBQyxDQUFDLFVBQVU7S0FDOUQsQ0FBQztBQUNKLENBQUMsQ0FBQyxDQUFDIn0=
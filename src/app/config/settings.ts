import * as z from "zod";
import { reachOf } from "./allowed-urls.ts";
import { type MapLayer, mapLayer, mapTiles } from "./map.ts";
import { haveCommonReach, type PortalEntry, portalList } from "./portals.ts";
import { missingOr } from "./rule.ts";
import { credential, makeSecret, secret } from "./secrets.ts";
import { embedOrigin, portalUrl, proxyTarget, redirectUri, redisUrl, trustedProxy } from "./urls.ts";

// Every rule ends in a sentence: first what is wrong, as it follows the key, then the cure. Never the value.

const digits = (value: unknown) =>
  typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;

const whole = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}. Write it in digits.`;
  return z.preprocess(digits, z.int({ error }).min(least, { error }).max(most, { error }));
};

const yesOrNo = () =>
  z.preprocess(
    (value) => (value === "true" ? true : value === "false" ? false : value),
    z.boolean({ error: "must be true or false. Write one of the two." }),
  );

const text = (pattern: RegExp, error: string) =>
  z.string({ error }).refine((value) => pattern.test(value), { error });

const list = <Entry extends z.ZodType>(entry: Entry, missing?: string) => {
  const error = "must be text with commas between the values. Only config.json can hold an array instead.";
  return z.preprocess(
    (value) =>
      typeof value === "string" && !value.startsWith("[")
        ? value.split(",").flatMap((part) => part.trim() || [])
        : value,
    z
      .array(entry, missingOr(missing, error))
      .min(1, { error: "is an empty list. Give it a value, or leave the key out." })
      .refine((entries) => new Set(entries.map((entry) => JSON.stringify(entry))).size === entries.length, {
        error: "holds the same value twice. Remove one of the two.",
      }),
  );
};

// Browsers keep no cookie longer than 400 days (RFC 6265bis, 5.5).
const seconds = () => whole(1, 34_560_000);

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

const rateLimit = z
  .preprocess(
    digits,
    z.custom<number | "off">(
      (value) => value === "off" || (Number.isSafeInteger(value) && Number(value) > 0),
      {
        error: "must be off or a whole number above 0. Use 60 unless many people come from one address.",
      },
    ),
  )
  .transform((value) => (value === "off" ? false : value));

/** Every key with its rule, its default and its meaning. */
export const schema = z
  .strictObject({
    CLIENT_ID: credential(/^[\w.-]{1,128}$/, "client id").describe("OAuth client id"),
    SESSION_SECRET: list(secret, `is missing. ${makeSecret}`).describe(
      "signs the cookie; of a list the first signs, all verify",
    ),
    ENCRYPTION_KEY: list(secret, `is missing. ${makeSecret}`).describe(
      "encrypts sessions at rest; of a list the first encrypts, all decrypt",
    ),
    REDIRECT_URI: redirectUri.describe("absolute callback URL; its path is the callback route"),
    PORTAL_URL: portalUrl
      .default("https://www.arcgis.com/sharing/rest")
      .describe("portal that signs people in"),
    PORTALS: portalList
      .default([])
      .describe("more portals that people can sign in to, beside that of `PORTAL_URL`: see Several portals"),
    PORT: whole(0, 65535).default(3000).describe("port to listen on; 0 takes any free one"),
    HOST: text(/^[\w.:-]+$/, "is not a host name or an address. Use 127.0.0.1, or 0.0.0.0 in a container.")
      .default("127.0.0.1")
      .describe("address to listen on"),
    SESSION_DIR: text(/^[^\0]+$/, "is not the path of a folder. Use ./sessions.")
      .default("./sessions")
      .describe("folder of the encrypted session files"),
    COOKIE_NAME: text(
      /^(?!arcgis\.(?:flow|auto)\.)[a-z][\w.-]{0,39}$/i,
      "is not a cookie name. Use at most 40 letters, digits and -, _, ., such as gis.sid; __Host- comes in front of it by itself.",
    )
      .default("arcgis.sid")
      .describe("name of the session cookie, for several servers on one host name"),
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
    EMBED_ORIGINS: list(embedOrigin)
      .default([])
      .describe("origins of ArcGIS apps that `/embed` may hold, which then get people's access tokens"),
    ALSO_SIGN_OUT_PORTAL: yesOrNo()
      .default(false)
      .describe(
        "ends the portal's own sign-in of the browser too, by an address that Esri has not documented",
      ),
    AUTO_SIGN_IN: yesOrNo()
      .default(false)
      .describe("the first page that a browser opens leads to the portal at once, without a click"),
    ALLOWED_ORGS: list(
      text(/^\w{1,64}$/, "is not an organisation's id. Copy it from {PORTAL_URL}/portals/self."),
    )
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
        error:
          "must be loopback or public. Use public only where a firewall or the reverse proxy guards /metrics.",
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
  .refine(({ PORTALS }) => new Set(PORTALS.map(({ id }) => id)).size === PORTALS.length, {
    path: ["PORTALS"],
    error: "has the same id twice. Give each portal one of its own.",
  })
  .refine((all) => !haveCommonReach(reachesOf(all)), {
    path: ["PORTALS"],
    error:
      "and PORTAL_URL have an address in common, or one lies below another, their proxyAllow and PROXY_ALLOW included: a portal would get tokens of another. Let each address stand for one portal only.",
  })
  .refine((all) => !hasLayerOutOfReach(all), {
    path: ["MAP_LAYERS"],
    error:
      "names a layer that /proxy may not reach. Add the beginning of its address, such as https://services.example.com/arcgis/rest/, to PROXY_ALLOW.",
  })
  .refine((all) => !(all.EMBED_ORIGINS?.length > 0) || all.TOKEN_HANDOVER === true, {
    path: ["EMBED_ORIGINS"],
    error:
      "hands access tokens to apps in frames, and TOKEN_HANDOVER is not true. Set that to true, too, or leave this key out.",
    when: () => true,
  });

function reachesOf({ PORTAL_URL: portal, PROXY_ALLOW: proxyAllow, PORTALS }: ReachSettings) {
  return [{ portal, proxyAllow }, ...PORTALS.map(({ url, proxyAllow }) => ({ portal: url, proxyAllow }))];
}

interface ReachSettings {
  PORTAL_URL: string;
  PROXY_ALLOW: string[];
  PORTALS: PortalEntry[];
}

function hasLayerOutOfReach({
  PORTAL_URL: portal,
  PROXY_ALLOW: proxyAllow,
  MAP_LAYERS,
}: MapSettings): boolean {
  const isInReach = reachOf({ portal, proxyAllow });
  return !MAP_LAYERS.every(({ url }) => isInReach(new URL(url)));
}

interface MapSettings {
  PORTAL_URL: string;
  PROXY_ALLOW: string[];
  MAP_LAYERS: MapLayer[];
}

function haveCommonValue(one: unknown, other: unknown): boolean {
  return Array.isArray(one) && Array.isArray(other) && one.some((value) => other.includes(value));
}

/** The settings after all rules. */
export type Settings = z.output<typeof schema>;

/** What a table of the settings says; a setting without a default is "required" or "unset". */
export const configKeys = Object.entries(schema.shape).map(([key, rule]) => {
  const { success, data } = rule.safeParse(undefined);
  return {
    key,
    meaning: rule.description ?? "",
    default: success ? String(data ?? "") || "unset" : "required",
  };
});

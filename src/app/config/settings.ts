import * as z from "zod";
import { isAllowedTarget, type TargetRules } from "../../proxy/arcgis-proxy.ts";
import { accessRules } from "./access.ts";
import { appColor, appLogo, appName, viewsDir } from "./brand.ts";
import { mapLayer, mapTiles } from "./map.ts";
import { organizationId, portalList } from "./portals.ts";
import { redisUrl } from "./redis-url.ts";
import { clientId, clientSecret, makeSecret, secret } from "./secrets.ts";
import { digits, list, text, trueOrFalse, whenValid, wholeNumber } from "./setting-types.ts";
import { contentPolicy } from "./site.ts";
import { embedOrigin, portalUrl, proxyTarget, redirectUri, securityContact, trustedProxy } from "./urls.ts";

// Browsers keep no cookie longer than 400 days (RFC 6265bis, 5.5).
const seconds = () => wholeNumber(1, 34_560_000);

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

const rateLimit = z
  .preprocess(
    digits,
    z.custom<number | "off">(
      (value) => value === "off" || (Number.isSafeInteger(value) && Number(value) > 0),
      "must be off or a whole number above 0. Use 60 unless many users share one address.",
    ),
  )
  .transform((value) => (value === "off" ? false : value));

// iisnode and the Windows plans of Azure App Service pass a named pipe.
const port = z
  .unknown()
  .refine((value) => !/^\\\\[.?]\\pipe\\/i.test(String(value)), {
    error:
      "is a named pipe: iisnode is not supported. Use HttpPlatformHandler, or a Windows service behind ARR (docs/windows.md).",
    abort: true,
  })
  .pipe(wholeNumber(0, 65535));

/** The name of a file; secret-files.ts reads it before the settings are checked. */
const secretFile = (key: string) =>
  text("Enter the path of a file.").optional().describe(`a file with the value of \`${key}\` instead`);

/** Every key with its type, its default and its meaning. */
export const schema = z
  .strictObject({
    CLIENT_ID: clientId.describe("OAuth client ID"),
    SESSION_SECRET: list(secret, `is missing. ${makeSecret}`).describe(
      "signs the cookie; in a list, the first one signs, and all verify",
    ),
    ENCRYPTION_KEY: list(secret, `is missing. ${makeSecret}`).describe(
      "encrypts sessions at rest; in a list, the first one encrypts, and all decrypt",
    ),
    SESSION_SECRET_FILE: secretFile("SESSION_SECRET"),
    ENCRYPTION_KEY_FILE: secretFile("ENCRYPTION_KEY"),
    REDIRECT_URI: redirectUri.describe("absolute callback URL; its path is the callback route"),
    PORTAL_URL: portalUrl
      .default("https://www.arcgis.com/sharing/rest")
      .describe("portal where users sign in"),
    PORTAL_SERVER_URL: portalUrl
      .optional()
      .describe("where the server reaches the portal, if browsers use another URL (web-tier authentication)"),
    PORTALS: portalList
      .default([])
      .describe("more portals where users can sign in, in addition to `PORTAL_URL`: see Several portals"),
    PORT: port.default(3000).describe("port to listen on; 0 takes any free one"),
    HOST: text("Use 127.0.0.1, or 0.0.0.0 in a container.", [
      /^[\w.:-]+$/,
      "is not a host name or an IP address.",
    ])
      .default("127.0.0.1")
      .describe("address to listen on"),
    SESSION_DIR: text("Use ./sessions.")
      .default("./sessions")
      .describe("folder of the encrypted session files"),
    COOKIE_NAME: text(
      "Use at most 40 letters, digits and -, _, ., such as gis.sid; the server itself puts __Host- in front of it.",
      [/^(?!arcgis\.auto\.|.*\.tx\.)[a-z][\w.-]{0,39}$/i, "is not a cookie name."],
    )
      .default("arcgis.sid")
      .describe("name of the session cookie, for several servers on one host name"),
    REDIS_URL: redisUrl.optional().describe("Redis or Valkey that stores the sessions instead of files"),
    REDIS_URL_FILE: secretFile("REDIS_URL"),
    SESSION_IDLE_SECONDS: seconds()
      .default(1_209_600)
      .describe("a session ends after this time without use: see When a session ends"),
    SESSION_MAX_SECONDS: seconds().default(2_592_000).describe("longest life of a session"),
    // ArcGIS grants 90 days at most.
    TOKEN_EXPIRATION_MINUTES: wholeNumber(1, 129_600)
      .default(20_160)
      .describe("`expiration` sent to the portal"),
    PKCE: trueOrFalse().default(true).describe("`false` only for an Enterprise older than 10.8.1"),
    TRUST_PROXY: trustedProxy.default(false).describe("Express's `trust proxy`, but never `true`"),
    KEEP_ALIVE_SECONDS: wholeNumber(1, 3_600)
      .optional()
      .describe("how long an idle connection stays open: 5, or 65 with `TRUST_PROXY`"),
    CLIENT_SECRET: clientSecret
      .optional()
      .describe("sent with the token requests when the credentials item is confidential"),
    CLIENT_SECRET_FILE: secretFile("CLIENT_SECRET"),
    TOKEN_HANDOVER: trueOrFalse()
      .default(false)
      .describe("lets `/api/credential` give the page its access token"),
    EMBED_ORIGINS: list(embedOrigin)
      .default([])
      .describe("origins of ArcGIS apps that `/embed` may contain, and that get users' access tokens"),
    ALSO_SIGN_OUT_PORTAL: trueOrFalse()
      .default(false)
      .describe("also signs the browser out of the portal, by a URL that Esri has not documented"),
    AUTO_SIGN_IN: trueOrFalse()
      .default(false)
      .describe("the first page that a browser opens redirects to the portal, without a click"),
    ALLOWED_ORGS: list(organizationId)
      .default([])
      .describe("IDs of the organizations whose members may use the app"),
    ACCESS: accessRules
      .optional()
      .describe("who may see which path of `SITE_DIR` and behind `/auth`: see In front of anything"),
    PROXY_ALLOW: list(proxyTarget)
      .default([])
      .describe("URL prefixes that `/proxy` may request in addition to the portal, with users' tokens"),
    PROXY_MAX_BYTES: wholeNumber(1_000, 1_000_000_000_000)
      .default(268_435_456)
      .describe("largest body that `/proxy` passes on, in either direction"),
    PROXY_TIMEOUT_SECONDS: wholeNumber(1, 900)
      .default(60)
      .describe("how long a server behind `/proxy` may stay silent"),
    MAP_LAYERS: list(mapLayer)
      .default([])
      .describe("layers on `/map`: the URL of each and, after a space, an optional title"),
    MAP_TILES: mapTiles
      .optional()
      .describe("tiles under the layers: `https://.../{z}/{x}/{y}.png` and, after a space, the attribution"),
    SITE_DIR: text("Enter the path of a folder with an index.html.")
      .optional()
      .describe("a folder that is served at `/`: a built app, or plain HTML"),
    SITE_FALLBACK: trueOrFalse()
      .default(false)
      .describe("the response to pages that are not in the folder is `index.html`, for single-page apps"),
    SITE_CSP: contentPolicy.optional().describe("content security policy of the folder's pages"),
    APP_NAME: appName.default("ArcGIS Sign-In").describe("the app's name on all pages"),
    APP_LOGO: appLogo
      .optional()
      .describe(
        "an SVG, PNG, WebP or JPEG file of up to 256 KB: the logo beside the name, and the icon of the tab",
      ),
    APP_COLOR: appColor
      .optional()
      .describe(
        "color of buttons, links and focus rings, such as `#005e95`; those of the dark theme follow from it",
      ),
    VIEWS_DIR: viewsDir
      .optional()
      .describe("a folder whose templates, texts and assets replace ours: see Your own look"),
    RATE_LIMIT: rateLimit.default(60).describe("`off`, or sign-in requests per minute and address"),
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
      .describe("who may read `/metrics`: programs on this machine, or everyone (`public`)"),
    SECURITY_CONTACT: securityContact
      .optional()
      .describe(
        "where to report vulnerabilities, for `/.well-known/security.txt`: an email address or a URL",
      ),
  })
  .refine((all) => !haveCommonValue(all.SESSION_SECRET, all.ENCRYPTION_KEY), {
    ...beside("ENCRYPTION_KEY"),
    error: `has a value that SESSION_SECRET has too. ${makeSecret}`,
  })
  .refine((all) => !(all.SESSION_IDLE_SECONDS > all.SESSION_MAX_SECONDS), {
    ...beside("SESSION_IDLE_SECONDS"),
    error: "must not be more than SESSION_MAX_SECONDS. Set both (their defaults are 14 and 30 days).",
  })
  .refine((all) => all.SITE_DIR !== undefined || !(all.SITE_FALLBACK === true || all.SITE_CSP), {
    ...beside("SITE_DIR"),
    error: "is missing. Without it, SITE_FALLBACK and SITE_CSP do nothing: set it, or remove them.",
  })
  .refine((all) => !(all.EMBED_ORIGINS?.length > 0) || all.TOKEN_HANDOVER === true, {
    ...beside("EMBED_ORIGINS"),
    error:
      "gives access tokens to apps in frames, but TOKEN_HANDOVER is not true. Set that to true, too, or remove this key.",
  })
  .refine(
    (all) =>
      !overlap([
        mainRules(all),
        ...all.PORTALS.map(({ url: portal, proxyAllow: allow }) => ({ portal, allow })),
      ]),
    {
      ...{ path: ["PORTALS"], when: whenValid },
      error:
        "and PORTAL_URL share a URL, or one is below another (proxyAllow and PROXY_ALLOW count, too): a portal would receive tokens of another. List each URL for one portal only.",
    },
  )
  .refine((all) => all.MAP_LAYERS.every(({ url }) => isAllowedTarget(`?${url}`, mainRules(all))), {
    ...{ path: ["MAP_LAYERS"], when: whenValid },
    error:
      "contains a layer that /proxy may not request. Add the beginning of its URL, such as https://services.example.com/arcgis/rest/, to PROXY_ALLOW.",
  });

/** For a rule that is also checked beside other problems, so that all are reported at once. */
function beside(key: string) {
  return { path: [key], when: () => true };
}

function haveCommonValue(one: unknown, other: unknown): boolean {
  return Array.isArray(one) && Array.isArray(other) && one.some((value) => other.includes(value));
}

function mainRules(all: { PORTAL_URL: string; PROXY_ALLOW: string[] }): TargetRules {
  return { portal: all.PORTAL_URL, allow: all.PROXY_ALLOW };
}

/** Whether one portal would receive tokens of another. ArcGIS ignores case in paths. */
function overlap(portals: TargetRules[]): boolean {
  const all = portals.map(({ portal, allow }) => [portal, ...allow].map((url) => url.toLowerCase()));
  const share = (mine: string[], [portal = "", ...allow]: string[]) =>
    mine.some((url) => isAllowedTarget(`?${url}`, { portal, allow }));
  return all.some((mine) => all.some((theirs) => theirs !== mine && share(mine, theirs)));
}

/** The settings after validation. */
export type Settings = z.infer<typeof schema>;

/** The rows of a table of the settings; a setting without a default is "required" or "unset". */
export const configKeys = Object.entries(schema.shape).map(([key, setting]) => {
  const { success, data } = setting.safeParse(undefined);
  return {
    key,
    meaning: setting.description ?? "",
    default: success ? String(data ?? "") || "unset" : "required",
  };
});

import { join, resolve } from "node:path";
import { mountedCookieName } from "../../session/cookie-names.ts";
import { readDotenvFile, readJsonFile, type Source } from "./files.ts";
import type { MapLayer, MapTiles } from "./map.ts";
import { firstPortal, type PortalEntry } from "./portals.ts";
import { type Given, problemLines } from "./problems.ts";
import { configKeys, type Settings, schema } from "./settings.ts";

export { configKeys };

/** The whole configuration, checked and normalised. Nothing else in src reads the environment. */
export interface Config {
  clientId: string;
  clientSecret?: string;
  /** The portal's REST root without a slash at its end, such as `https://www.arcgis.com/sharing/rest`. */
  portal: string;
  /** "main" for that of PORTAL_URL; the id of one of PORTALS. */
  portalId: string;
  /** The path below which it has its routes: "" for the first one. */
  portalPath: string;
  /** What people read where they choose one. */
  portalTitle: string;
  /** Whether people can sign in at more than one, side by side. */
  severalPortals: boolean;
  /** Those of PORTALS, each as a configuration of its own. */
  furtherPortals: Config[];
  /** The callback URL, exactly as it is registered at the portal. */
  redirectUri: string;
  /** Where browsers reach this server; known from the redirect URI alone, never from a request. */
  origin: string;
  /** The path of the redirect URI. */
  callbackPath: string;
  /** Whether browsers reach this server by https. */
  secure: boolean;
  /** Of the session; `__Host-` comes in front of it on https. */
  cookieName: string;
  /** Newest first: the first signs, all verify. */
  sessionSecrets: string[];
  /** Newest first: the first encrypts, all decrypt. */
  encryptionKeys: string[];
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** An absolute path. */
  sessionDir: string;
  redisUrl?: string;
  sessionIdleSeconds: number;
  sessionMaxSeconds: number;
  /** `expiration` at the portal: how long a refresh token lives. */
  tokenExpirationMinutes: number;
  pkce: boolean;
  /** Express's "trust proxy". */
  trustProxy: false | number | string[];
  /** Ids of organisations; none: anyone with an account at the portal. */
  allowedOrgs: string[];
  /** URL prefixes beside the portal. */
  proxyAllow: string[];
  proxyMaxBytes: number;
  proxyTimeoutSeconds: number;
  tokenHandover: boolean;
  /** Origins of apps that may be shown in a frame and get the access token, as browsers spell them. */
  embedOrigins: string[];
  alsoSignOutPortal: boolean;
  /** What `/map` shows; none: there is no map. */
  mapLayers: MapLayer[];
  mapTiles?: MapTiles;
  /** Whether the first page of a browser session leads to the portal by itself. */
  autoSignIn: boolean;
  /** Requests a minute an address; false: no limit. */
  rateLimit: number | false;
  logLevel: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  /** Who may read /metrics. */
  metrics: "loopback" | "public";
}

/** A configuration that cannot be used. It holds no value of any setting, so it may be printed. */
export class ConfigError extends Error {
  /** One line a problem: the key, what is wrong, the cure. */
  readonly problems: string[];
  /** Where to begin, when nothing is configured at all. */
  readonly hint: string | undefined;

  constructor(problems: string[], hint?: string) {
    super([...problems, hint ?? []].flat().join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
    this.hint = hint;
  }
}

const isKey = (name: string) => Object.hasOwn(schema.shape, name);
const requiredKeys = configKeys.filter((setting) => setting.default === "required");
const firstSteps =
  "Nothing is configured yet: `npm run init` writes a config.json, and `npm run demo` needs none.";

export interface LoadOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Whether it is for a server of its own. An app that is mounted in another one has a session cookie for its path. */
  standalone?: boolean;
}

/**
 * Reads config.json (or the file that CONFIG_FILE names), then .env, then the environment. Later wins; an empty value
 * counts as none. Throws a ConfigError that lists every problem.
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const { cwd = process.cwd(), env = process.env, standalone = false } = options;
  const dotenv = readDotenvFile(join(cwd, ".env"), ".env");
  const { CONFIG_FILE: inDotenv, ...others } = dotenv.settings ?? {};

  const named = env.CONFIG_FILE || inDotenv;
  const name = String(named || "config.json");
  const json = readJsonFile(resolve(cwd, name), name);
  if (named && !json.settings)
    json.problem ??=
      "CONFIG_FILE: names a file that is not there. Correct it, or leave it out for config.json.";

  const ours = Object.entries(env).filter(([key]) => isKey(key));
  const environment = { name: "the environment", settings: Object.fromEntries(ours) };
  const all = [json, { ...dotenv, settings: dotenv.settings && others }, environment];
  return toConfig(check(all, env), cwd, standalone);
}

/** Checks settings under the same keys, as text or in their JSON types. Throws a ConfigError like `loadConfig`. */
export function parseConfig(given: Record<string, unknown>): Config {
  return toConfig(check([{ settings: given }], process.env), process.cwd(), false);
}

type CheckedSettings = Settings & { isCookieNamed: boolean };

function check(sources: Source[], env: NodeJS.ProcessEnv): CheckedSettings {
  const given = new Map<string, Given>();
  for (const { name, settings = {} } of sources) {
    for (const [key, raw] of Object.entries(settings)) {
      const value = typeof raw === "string" ? raw.trim() : raw;
      const isEmpty = value === "" || value === null || value === undefined;
      if (!isEmpty || !isKey(key)) given.set(key, { value, from: name });
    }
  }

  const problems = sources.flatMap(({ problem }) => problem ?? []);
  // With it, anybody who can reach the network could pose as the portal (CF-4).
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0")
    problems.push(
      "NODE_TLS_REJECT_UNAUTHORIZED: switches the check of certificates off. Unset it, and name the file of your own certificate authority in NODE_EXTRA_CA_CERTS.",
    );

  const values = Object.fromEntries([...given].map(([key, { value }]) => [key, value]));
  const result = schema.safeParse(values);
  if (result.success && problems.length === 0)
    return { ...result.data, isCookieNamed: given.has("COOKIE_NAME") };

  // What seems to be missing may stand in a file that could not be read.
  const isIncomplete = sources.some(
    (source) => source.problem !== undefined && source.settings === undefined,
  );
  const issues = (result.error?.issues ?? []).filter(
    ({ path: [key] }) => !isIncomplete || key === undefined || given.has(String(key)),
  );
  const isBlank = !isIncomplete && !requiredKeys.some(({ key }) => given.has(key));
  throw new ConfigError([...problems, ...problemLines(issues, given)], isBlank ? firstSteps : undefined);
}

function toConfig(values: CheckedSettings, cwd: string, standalone: boolean): Config {
  const callback = new URL(values.REDIRECT_URI);
  const config: Config = {
    clientId: values.CLIENT_ID,
    clientSecret: values.CLIENT_SECRET,
    portal: values.PORTAL_URL,
    portalId: firstPortal,
    portalPath: "",
    portalTitle: titleOf(new URL(values.PORTAL_URL)),
    severalPortals: values.PORTALS.length > 0,
    furtherPortals: [],
    redirectUri: values.REDIRECT_URI,
    origin: callback.origin,
    callbackPath: callback.pathname,
    secure: callback.protocol === "https:",
    cookieName:
      standalone || values.isCookieNamed ? values.COOKIE_NAME : mountedCookieName(callback.pathname),
    sessionSecrets: values.SESSION_SECRET,
    encryptionKeys: values.ENCRYPTION_KEY,
    host: values.HOST,
    port: values.PORT,
    sessionDir: resolve(cwd, values.SESSION_DIR),
    redisUrl: values.REDIS_URL,
    sessionIdleSeconds: values.SESSION_IDLE_SECONDS,
    sessionMaxSeconds: values.SESSION_MAX_SECONDS,
    tokenExpirationMinutes: values.TOKEN_EXPIRATION_MINUTES,
    pkce: values.PKCE,
    trustProxy: values.TRUST_PROXY,
    allowedOrgs: values.ALLOWED_ORGS,
    proxyAllow: values.PROXY_ALLOW,
    proxyMaxBytes: values.PROXY_MAX_BYTES,
    proxyTimeoutSeconds: values.PROXY_TIMEOUT_SECONDS,
    tokenHandover: values.TOKEN_HANDOVER,
    embedOrigins: values.EMBED_ORIGINS,
    alsoSignOutPortal: values.ALSO_SIGN_OUT_PORTAL,
    mapLayers: values.MAP_LAYERS,
    mapTiles: values.MAP_TILES,
    autoSignIn: values.AUTO_SIGN_IN,
    rateLimit: values.RATE_LIMIT,
    logLevel: values.LOG_LEVEL,
    metrics: values.METRICS,
  };
  return { ...config, furtherPortals: values.PORTALS.map((entry) => portalConfig(config, entry)) };
}

function titleOf({ host }: URL): string {
  return host === "www.arcgis.com" ? "ArcGIS Online" : host;
}

/** The configuration of one of PORTALS: as that of PORTAL_URL, without what is said for that one alone. */
function portalConfig(first: Config, entry: PortalEntry): Config {
  const {
    id: portalId,
    title: portalTitle,
    url: portal,
    clientId,
    clientSecret,
    allowedOrgs,
    proxyAllow,
  } = entry;
  // Another path for each (RFC 9700, 4.4.2.1): so no portal's code can be taken for that of another.
  const portalPath = `/portals/${portalId}`;
  const callbackPath = first.callbackPath.replace(/(?=\/[^/]+\/?$)/, portalPath);
  return {
    ...first,
    ...{ portalId, portalPath, portalTitle, portal, clientId, clientSecret, allowedOrgs, proxyAllow },
    redirectUri: first.origin + callbackPath,
    callbackPath,
    autoSignIn: false,
    mapLayers: [],
    mapTiles: undefined,
    embedOrigins: [],
  };
}

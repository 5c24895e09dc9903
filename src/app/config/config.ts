import { join, resolve } from "node:path";
import { mountedCookieName } from "../cookie-names.ts";
import { readDotenvFile, readJsonFile, type Source } from "./files.ts";
import { firstPortal, type PortalEntry } from "./portals.ts";
import { type Given, problemLines } from "./problems.ts";
import { configKeys, type Settings, schema } from "./settings.ts";

export { configKeys };

type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<Key>;

/** The settings as code reads them: `SESSION_DIR` is `sessionDir`. */
type CamelSettings = { [Key in keyof Settings as CamelCase<Key>]: Settings[Key] };

/** The whole configuration, validated. Nothing else in src reads the environment. settings.ts describes each key. */
export interface Config
  extends Omit<CamelSettings, "portalUrl" | "portals" | "sessionSecret" | "encryptionKey"> {
  /** The portal's REST root without a slash at its end, such as `https://www.arcgis.com/sharing/rest`. */
  portal: string;
  /** "main" for that of PORTAL_URL; the id of one of PORTALS. */
  portalId: string;
  /** The path of its routes: "" for the first one. */
  portalPath: string;
  /** The name that users see where they choose a portal. */
  portalTitle: string;
  /** Those of PORTALS, each as a configuration of its own. */
  furtherPortals: Config[];
  /** Where browsers reach this server; known from the redirect URI alone, never from a request. */
  origin: string;
  /** The path of the redirect URI. */
  callbackPath: string;
  /** Whether browsers reach this server by https. */
  secure: boolean;
  /** Newest first: the first signs, all verify. */
  sessionSecrets: string[];
  /** Newest first: the first encrypts, all decrypt. */
  encryptionKeys: string[];
}

/** A configuration that cannot be used. It contains no value of any setting, so it may be printed. */
export class ConfigError extends Error {
  /** One line per problem: the key, what is wrong, the fix. */
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
const firstSteps =
  "Nothing is configured yet: `npm run init` writes a config.json, and `npm run demo` needs none.";

export interface LoadOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Whether the app is a server of its own. A mounted app has a session cookie for its path. */
  standalone?: boolean;
}

/**
 * Reads config.json (or the file that CONFIG_FILE names), then .env, then the environment. Later wins; an empty value
 * counts as none.
 * @throws ConfigError with all problems
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
      "CONFIG_FILE: names a file that does not exist. Correct the path, or remove it to use config.json.";

  const settings = Object.fromEntries(Object.entries(env).filter(([key]) => isKey(key)));
  const environment = { name: "the environment", settings };
  const all = [json, { ...dotenv, settings: dotenv.settings && others }, environment];
  return validate(all, { cwd, env, standalone });
}

/** Validates settings under the same keys, as text or in their JSON types. Throws a ConfigError like `loadConfig`. */
export function parseConfig(settings: Record<string, unknown>): Config {
  return validate([{ settings }], { cwd: process.cwd(), env: process.env, standalone: false });
}

function validate(sources: Source[], { cwd, env, standalone }: Required<LoadOptions>): Config {
  const given = new Map<string, Given>();
  for (const { name, settings = {} } of sources) {
    for (const [key, raw] of Object.entries(settings)) {
      const value = typeof raw === "string" ? raw.trim() : raw;
      const isEmpty = value === "" || value === null || value === undefined;
      if (!isEmpty || !isKey(key)) given.set(key, { value, from: name });
    }
  }

  const problems = sources.flatMap(({ problem }) => problem ?? []);
  // It would let anyone on the network pose as the portal (CF-4).
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0")
    problems.push(
      "NODE_TLS_REJECT_UNAUTHORIZED: turns off certificate checks. Unset it, and name the file of your own certificate authority in NODE_EXTRA_CA_CERTS.",
    );

  const values = Object.fromEntries([...given].map(([key, { value }]) => [key, value]));
  const result = schema.safeParse(values);
  if (result.success && problems.length === 0)
    return toConfig(result.data, { cwd, standalone: standalone || given.has("COOKIE_NAME") });

  // A setting that seems to be missing may be in a file that could not be read.
  const isIncomplete = sources.some(({ problem, settings }) => problem !== undefined && !settings);
  const issues = (result.error?.issues ?? []).filter(
    ({ path: [key] }) => !isIncomplete || key === undefined || given.has(String(key)),
  );
  const isBlank = !isIncomplete && !configKeys.some((it) => it.default === "required" && given.has(it.key));
  throw new ConfigError([...problems, ...problemLines(issues, given)], isBlank ? firstSteps : undefined);
}

function toConfig(values: Settings, { cwd, standalone }: { cwd: string; standalone: boolean }): Config {
  const {
    portalUrl: portal,
    portals,
    sessionSecret: sessionSecrets,
    encryptionKey: encryptionKeys,
    ...settings
  } = toCamelCase(values);
  const { origin, pathname: callbackPath, protocol } = new URL(settings.redirectUri);
  const { host } = new URL(portal);
  const config: Config = {
    ...settings,
    ...{ portal, sessionSecrets, encryptionKeys, origin, callbackPath },
    sessionDir: resolve(cwd, settings.sessionDir),
    cookieName: standalone ? settings.cookieName : mountedCookieName(callbackPath),
    secure: protocol === "https:",
    portalId: firstPortal,
    portalPath: "",
    portalTitle: host === "www.arcgis.com" ? "ArcGIS Online" : host,
    furtherPortals: [],
  };
  return { ...config, furtherPortals: portals.map((entry) => portalConfig(config, entry)) };
}

function toCamelCase(values: Settings): CamelSettings {
  const camelCase = (key: string) =>
    key.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const entries = configKeys.map(({ key }) => [camelCase(key), values[key as keyof Settings]]);
  return Object.fromEntries(entries);
}

/** The configuration of one of PORTALS: like that of PORTAL_URL, without what belongs to that one alone. */
function portalConfig(first: Config, { id, title, url, ...entry }: PortalEntry): Config {
  // A path of its own, so that no portal's authorization code can be taken for another's (RFC 9700, 4.4.2.1).
  const portalPath = `/portals/${id}`;
  const callbackPath = first.callbackPath.replace(/(?=\/[^/]+\/?$)/, portalPath);
  return {
    ...first,
    ...{ portalId: id, portalTitle: title, portal: url, portalPath, callbackPath },
    ...{ clientSecret: undefined, ...entry },
    redirectUri: first.origin + callbackPath,
    ...{ autoSignIn: false, mapLayers: [], mapTiles: undefined, embedOrigins: [] },
  };
}

import { join, resolve } from "node:path";
import { cookiePrefix, mountedCookieName } from "./cookie-name.ts";
import { readDotenvFile, readJsonFile, type Source } from "./files.ts";
import { firstPortal } from "./portals.ts";
import { type Given, problemLines } from "./problems.ts";
import { readSecretFiles } from "./secret-files.ts";
import { newSecret } from "./secrets.ts";
import { configKeys, type Settings, schema } from "./settings.ts";
import { siteProblems } from "./site.ts";

export { configKeys };

/** The whole configuration, validated. Nothing else in src reads the environment. settings.ts describes each key. */
export interface Config extends ReturnType<typeof mainConfig> {
  /** Those of PORTALS, each as a configuration of its own. */
  furtherPortals: Config[];
}

/** A configuration that cannot be used. It contains no value of any setting, so it may be printed. */
export class ConfigError extends Error {
  /** One line per problem: the key, what is wrong, the fix. */
  readonly problems: string[];
  /** The settings that cannot be used; `undefined`: all of them, because a whole file cannot be read, or there is none. */
  readonly keys: string[] | undefined;
  /** The first step, if nothing is configured yet. */
  readonly hint: string | undefined;

  constructor(problems: string[], keys?: string[], hint?: string) {
    super([...problems, hint ?? []].flat().join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
    this.keys = keys;
    this.hint = hint;
  }
}

const isKey = (name: string) => Object.hasOwn(schema.shape, name);

/** How users run one of our commands: a clone has scripts for them, an app that depends on this package has not. */
export function commandLine(command: string): string {
  if (import.meta.dirname.includes("node_modules")) return `npx arcgis-sign-in ${command}`;
  return command === "start" ? "npm start" : `npm run ${command}`;
}

const firstSteps = `Nothing is configured yet: \`${commandLine("init")}\` writes a config.json, and \`${commandLine("demo")}\` needs none.
Is the configuration elsewhere? Set CONFIG_FILE (--config FILE).`;

export interface LoadOptions {
  /** The folder of config.json and .env, and of relative paths in them; that of the process by default. */
  cwd?: string;
  /** `process.env` by default. */
  env?: NodeJS.ProcessEnv;
  /** Whether the app is a server by itself. A mounted app has a session cookie for its path. */
  standalone?: boolean;
  /** Leaves out these settings, with stand-ins for required ones, to check the others. Files are not judged then. */
  without?: ReadonlySet<string>;
}

const standIns = (without: ReadonlySet<string>) => ({
  CLIENT_ID: "unknown",
  // At most SESSION_MAX_SECONDS, whatever that is.
  ...(without.has("SESSION_IDLE_SECONDS") && { SESSION_IDLE_SECONDS: 1 }),
  REDIRECT_URI: "http://localhost:3000/authenticate",
  SESSION_SECRET: newSecret(),
  ENCRYPTION_KEY: newSecret(),
});

/**
 * Reads config.json (or the file that CONFIG_FILE names), then .env, then the environment. Later wins; an empty value
 * counts as none.
 * @throws ConfigError with all problems
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const { cwd = process.cwd(), env = process.env } = options;
  const dotenv = readDotenvFile(join(cwd, ".env"), ".env");
  const { CONFIG_FILE: inDotenv, ...others } = dotenv.settings ?? {};
  if (dotenv.settings) dotenv.settings = others;

  const named = env.CONFIG_FILE || inDotenv;
  const name = String(named || "config.json");
  const json = readJsonFile(resolve(cwd, name), name);
  if (named && !json.settings)
    json.problem ??= `CONFIG_FILE (--config): ${name} does not exist. Correct the path, or leave it out to use config.json.`;

  // Windows ignores the case of their names.
  const nameOf = (key: string) => (process.platform === "win32" ? key.toUpperCase() : key);
  const variables = Object.entries(env).map(([key, value]) => [nameOf(key), value] as const);
  const settings = Object.fromEntries(variables.filter(([key]) => isKey(key)));
  const files = [resolve(cwd, name), join(cwd, ".env")];
  return validate([json, dotenv, { name: "the environment", settings }], options, files);
}

/** Validates settings under the same keys, as text or in their JSON types. Throws a ConfigError like `loadConfig`. */
export function parseConfig(settings: Record<string, unknown>): Config {
  return validate([{ settings }], {}, []);
}

/** @param files which contain the settings, and may not be in the folder of SITE_DIR */
function validate(sources: Source[], options: LoadOptions, files: string[]): Config {
  const { cwd = process.cwd(), env = process.env, standalone = false, without } = options;
  const given = new Map<string, Given>();
  for (const { name, settings = {} } of sources) {
    for (const [key, raw] of Object.entries(settings)) {
      const value = typeof raw === "string" ? raw.trim() : raw;
      const isEmpty = value === "" || value === null || value === undefined;
      if (!isEmpty || !isKey(key)) given.set(key, { value, from: name });
    }
  }

  const fileProblems = readSecretFiles(given, cwd);
  const problems = [
    ...sources.flatMap(({ problem }) => problem ?? []),
    ...fileProblems.values(),
    ...siteProblems(given, cwd, files),
  ];
  // It would let anyone on the network impersonate the portal (CF-4).
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0")
    problems.push(
      "NODE_TLS_REJECT_UNAUTHORIZED: turns off certificate checks. Unset it, and name the file of your own certificate authority in NODE_EXTRA_CA_CERTS.",
    );

  for (const key of ["APP_LOGO", "VIEWS_DIR"]) {
    const found = given.get(key);
    if (typeof found?.value === "string") given.set(key, { ...found, value: resolve(cwd, found.value) });
  }
  const kept = [...given].filter(([key]) => !without || (isKey(key) && !without.has(key)));
  const values = Object.fromEntries(kept.map(([key, { value }]) => [key, value]));
  const result = schema.safeParse(without ? { ...standIns(without), ...values } : values);
  if (result.success && (without || problems.length === 0)) {
    const { portals, ...settings } = toCamelCase(result.data);
    const config = mainConfig(settings, cwd, standalone || given.has("COOKIE_NAME"));
    return { ...config, furtherPortals: portals.map((entry) => portalConfig(config, entry)) };
  }

  // A setting that seems to be missing may be in a file that could not be read.
  const isIncomplete = sources.some(({ problem, settings }) => problem !== undefined && !settings);
  const issues = (result.error?.issues ?? []).filter(
    ({ path: [key] }) =>
      key === undefined || given.has(String(key)) || !(isIncomplete || fileProblems.has(String(key))),
  );
  const isBlank = !isIncomplete && !configKeys.some((it) => it.default === "required" && given.has(it.key));
  // Unknown ones are left out: a secret on its own line looks like a key.
  const keys = (result.error?.issues ?? []).map(({ path: [key] }) => String(key)).filter(isKey);
  throw new ConfigError(
    [...problems, ...problemLines(issues, given)],
    isIncomplete || isBlank ? undefined : [...fileProblems.keys(), ...keys],
    isBlank ? firstSteps : undefined,
  );
}

type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<Key>;

/** The settings as code reads them: `SESSION_DIR` is `sessionDir`. */
type CamelSettings = { [Key in keyof Settings as CamelCase<Key>]: Settings[Key] };

function toCamelCase(values: Settings): CamelSettings {
  const camelCase = (key: string) =>
    key.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const entries = configKeys.map(({ key }) => [camelCase(key), values[key as keyof Settings]]);
  return Object.fromEntries(entries);
}

function mainConfig(
  { portalUrl: portal, sessionSecret, encryptionKey, ...settings }: Omit<CamelSettings, "portals">,
  cwd: string,
  isNamed: boolean,
) {
  const { origin, pathname: callbackPath, protocol } = new URL(settings.redirectUri);
  const { host } = new URL(portal);
  const secure = protocol === "https:";
  return {
    ...settings,
    sessionDir: resolve(cwd, settings.sessionDir),
    siteDir: settings.siteDir && resolve(cwd, settings.siteDir),
    access: settings.access ?? [],
    /** With ACCESS, even an empty one, `/` may be an app behind a reverse proxy. */
    isInFront: settings.access !== undefined,
    /** Newest first: the first signs, all verify. */
    sessionSecrets: sessionSecret,
    /** Newest first: the first encrypts, all decrypt. */
    encryptionKeys: encryptionKey,
    /** The portal's REST root without a slash at its end, such as `https://www.arcgis.com/sharing/rest`. */
    portal,
    /** "main" for that of PORTAL_URL; the ID of one of PORTALS. */
    portalId: firstPortal,
    /** The path of its routes: "" for the first one. */
    portalPath: "",
    /** The name that users see where they choose a portal. */
    portalTitle: host === "www.arcgis.com" ? "ArcGIS Online" : host,
    /** Where browsers reach this server: from the redirect URI only, never from a request. */
    origin,
    /** The path of the redirect URI. */
    callbackPath,
    /** Whether browsers reach this server by https. */
    secure,
    // Longer than load balancers keep theirs (60 s), or they send a request on a connection that is being closed.
    keepAliveSeconds: settings.keepAliveSeconds ?? (settings.trustProxy === false ? 5 : 65),
    /** The whole name of the session cookie. */
    cookieName: cookiePrefix(secure) + (isNamed ? settings.cookieName : mountedCookieName(callbackPath)),
  };
}

/** The configuration of one of PORTALS: like that of PORTAL_URL, without what belongs to that one alone. */
function portalConfig(main: ReturnType<typeof mainConfig>, entry: Settings["PORTALS"][number]): Config {
  const { id, title, url, ...settings } = entry;
  // A distinct redirect URI for each portal prevents mix-up (RFC 9700, 4.4.2.2).
  const portalPath = `/portals/${id}`;
  const callbackPath = main.callbackPath.replace(/(?=\/[^/]+\/?$)/, portalPath);
  return {
    ...main,
    ...{
      clientSecret: undefined,
      portalServerUrl: undefined,
      ...settings,
      portalId: id,
      portalTitle: title,
      portal: url,
      portalPath,
    },
    ...{ callbackPath, redirectUri: main.origin + callbackPath },
    // A browser has a session for each portal.
    cookieName: `${main.cookieName}.portals.${id}`,
    ...{ autoSignIn: false, mapLayers: [], mapTiles: undefined, embedOrigins: [], siteDir: undefined },
    furtherPortals: [],
  };
}

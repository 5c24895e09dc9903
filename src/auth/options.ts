import type { IncomingMessage } from "node:http";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Request, RequestHandler } from "express";
import type { UserProfile } from "./arcgis/user-profile.ts";
import type { SealedStore } from "./session/sealed-store.ts";

/** The first four are required; `undefined` is in their types for `process.env.NAME`, and an error at the start. */
export interface ArcGISAuthOptions {
  /** Client ID of the app's OAuth credentials. */
  clientId: string | undefined;
  /** Absolute URL of the callback, as registered; its path is the callback route. `http:` only on loopback. */
  redirectUri: string | undefined;
  /** Signs the cookie: 32 characters or more. A list: the first signs, all verify. */
  sessionSecret: string | readonly string[] | undefined;
  /** Encrypts sessions and sign-ins in progress: 32 characters or more. A list: the first encrypts, all decrypt. */
  encryptionKey: string | readonly string[] | undefined;
  /** `https://{host}/{webadaptor}/sharing/rest`; ArcGIS Online by default. */
  portal?: string | undefined;
  /** Where this server reaches the portal, when that differs from where browsers do (web-tier authentication). */
  portalServerUrl?: string | undefined;
  /** Sent with the token requests when the credentials item is confidential. */
  clientSecret?: string | undefined;
  /** Lifetime of the refresh token in minutes (20160). */
  expiration?: number | undefined;
  /** `false` only for an Enterprise older than 10.8.1. */
  pkce?: boolean | undefined;
  /** Public path in front of /sign-in and /sign-out; by default that of the callback ("/gis" of "/gis/authenticate"). */
  basePath?: string | undefined;
  /** Route of the callback below the mount, where a reverse proxy rewrites it; that of `redirectUri` by default. */
  callbackPath?: string | undefined;
  /** What a reverse proxy removes from the front of the path before this server sees it. */
  proxyPrefix?: string | undefined;
  /** Of the session: "arcgis.sid" and the base path. On https `__Host-` is put in front, except with `shareSession`. */
  cookieName?: string | undefined;
  /** Folder of the sealed sessions ("./sessions"). */
  sessionDir?: string | undefined;
  /** The sessions, in place of `sessionDir`: in Redis, or with lifetimes of its own. */
  store?: SealedStore | undefined;
  /** Keep the sign-in in the app's own express-session, whose store and secret must be these. */
  shareSession?: boolean | undefined;
  /** Property of the session that holds the identity ("arcgis"). Several mounts that share a session need one each. */
  sessionKey?: string | undefined;
  /** A session ends after this time without use (14 days). Not with `store`, which has its own. */
  idleSeconds?: number | undefined;
  /** A session ends this long after the sign-in, however often it is used (30 days). Not with `store`. */
  maxSeconds?: number | undefined;
  /** IDs of the organizations whose members may use the app; all organizations by default. Binds every guard. */
  allowedOrganizations?: readonly string[] | undefined;
  /** Sign-out goes on to the portal and ends its sign-in, too (not documented by Esri; Experience Builder uses it). */
  signOutOfPortal?: boolean | undefined;
  /** Where a sign-out ends, below the base path ("/"). */
  signedOutPath?: string | undefined;
  /** Renders the page that asks before signing out, with `req.arcgis.signOutForm()`; a plain page by default. */
  confirmSignOut?: RequestHandler | undefined;
  /** Guards leave the clients that want JSON to your error handler, too. */
  passRefusals?: boolean | undefined;
  /** Names the browser that signs in, for a list of sessions (`SignInRecord.browser`); not stored by default. */
  browserOf?: ((req: Request) => string | undefined) | undefined;
  /** Runs before the session exists. Throw to refuse the sign-in: its tokens are revoked. */
  onSignIn?: Hook<{ req: Request; user: UserProfile; identity: ArcGISIdentityManager }>;
  /** Runs after refreshed tokens are stored, in the one process that refreshed them. */
  onTokens?: Hook<{ username: string; identity: ArcGISIdentityManager }>;
  /** Runs after the session has ended. */
  onSignOut?: Hook<{ req: Request; user: UserProfile }>;
  /** For logs and metrics. Must not throw. */
  onEvent?: Hook<AuthEvent>;
}

/** Runs when something happens; may return a promise. */
export type Hook<T> = ((event: T) => unknown) | undefined;

/**
 * What happened. Contains no secret; `error` may be of any library: log its message at most. "sign-in-abandoned": the
 * browser disconnected; "return-to-dropped": it is too long, or not a path of this site; "refresh-rejected": the session
 * has ended; "revoke-failed": tried again later; "profile-failed": the stored profile counts;
 * "unreadable": a session's record does not open.
 */
export interface AuthEvent {
  type:
    | `sign-in${"" | "-started" | "-failed" | "-abandoned"}`
    | `refresh${"" | "-failed" | "-rejected"}`
    | `revoke${"" | "-failed"}`
    | `${"profile" | "hook" | "store"}-failed`
    | "sign-out"
    | "return-to-dropped"
    | "unreadable";
  /** The request that it happened in. */
  req?: IncomingMessage | undefined;
  username?: string | undefined;
  /** The beginning of a record's name. */
  record?: string | undefined;
  error?: unknown;
}

type RequiredOptions = { [name in "clientId" | "redirectUri"]: string } & {
  [name in "sessionSecret" | "encryptionKey"]: string | readonly string[];
};

/** All options by type; `?` may be left out. */
const types: Record<string, string> = {
  secret: "sessionSecret encryptionKey",
  string:
    "clientId redirectUri portal? portalServerUrl? clientSecret? basePath? callbackPath? proxyPrefix? signedOutPath? cookieName? sessionDir? sessionKey?",
  number: "expiration? idleSeconds? maxSeconds?",
  boolean: "pkce? shareSession? signOutOfPortal? passRefusals?",
  object: "store? allowedOrganizations?",
  function: "confirmSignOut? browserOf? onSignIn? onTokens? onSignOut? onEvent?",
};

const portalExample = "https://gis.example.com/portal/sharing/rest";
const makeSecret = `node -p "crypto.randomBytes(32).toString('base64url')"`;

/** Checks everything once, at construction, and reports all problems together. Never prints a value. */
export function checkOptions(given: ArcGISAuthOptions) {
  const options = given as ArcGISAuthOptions & RequiredOptions;
  const problems: string[] = [];
  const check = (isValid: boolean, problem: string) => void (isValid || problems.push(problem));
  const values = new Map<string, unknown>(Object.entries(options));
  for (const [type, names] of Object.entries(types))
    for (const name of names.split(" ")) {
      const key = name.replace("?", "");
      const value = values.get(key);
      const isOptional = key !== name && (value === undefined || value === "");
      if (type === "secret")
        check(isSecret(value), `${key}: needs 32 or more random characters: ${makeSecret}`);
      else check(isOptional || (typeof value === type && value !== ""), `${key}: must be a ${type}`);
      if (type === "number") check(isOptional || Number(value) > 0, `${key}: must be above 0`);
      values.delete(key);
    }
  for (const name of values.keys()) check(false, `${name}: unknown option`);
  const {
    redirectUri,
    portal = "https://www.arcgis.com/sharing/rest",
    portalServerUrl = portalExample,
    store,
  } = options;
  for (const [name, url] of Object.entries({ redirectUri, portal, portalServerUrl }))
    check(isSecureUrl(url), `${name}: must be an absolute https URL (http only on loopback) without a query`);
  for (const [name, url] of Object.entries({ portal, portalServerUrl }))
    check(/\/sharing\/rest\/?$/.test(url), `${name}: must end in /sharing/rest, such as ${portalExample}`);
  const callback = URL.canParse(redirectUri) ? new URL(redirectUri) : new URL("invalid:/");
  const basePath = options.basePath ?? callback.pathname.replace(/\/[^/]*\/?$/, "");
  for (const [name, path] of Object.entries({ basePath, proxyPrefix: options.proxyPrefix ?? "" }))
    check(/^(\/[\w.~-]+)*$/.test(path), `${name}: must look like "/gis", without a slash at the end`);
  const isSealed = typeof store?.update === "function" && typeof store.lock === "function";
  check(!store || isSealed, "store: must be a SealedStore; other stores lose refreshed tokens");
  const { allowedOrganizations: ids } = options;
  check(!ids || (Array.isArray(ids) && ids.length > 0), "allowedOrganizations: must be a list of IDs");
  check(/^[\w.:-]*$/.test(options.sessionKey ?? ""), "sessionKey: must be a word");
  check(/^[\w!#$%&'*+.^`|~-]*$/.test(options.cookieName ?? ""), "cookieName: must be a word (RFC 6265)");
  if (problems.length > 0) throw new TypeError(`arcgisAuth:\n- ${problems.join("\n- ")}`);

  const { clientId, clientSecret, expiration = 20_160, shareSession } = options;
  const isSecure = callback.protocol === "https:";
  const cookieName = options.cookieName ?? `arcgis.sid${basePath.replaceAll("/", ".")}`;
  const withHost = (name: string) => (isSecure && !name.startsWith("__Host-") ? `__Host-${name}` : name);
  return {
    ...options,
    oauth: { portal: portal.replace(/\/$/, ""), clientId, clientSecret, redirectUri, expiration },
    pkce: options.pkce ?? true,
    basePath,
    proxyPrefix: options.proxyPrefix ?? "",
    callbackPath: callback.pathname,
    callbackRoute: options.callbackPath,
    origin: callback.origin,
    isSecure,
    cookieName: shareSession && options.cookieName ? cookieName : withHost(cookieName),
    transactionCookiePrefix: withHost(`${cookieName}.tx.`),
    sessionKey: options.sessionKey ?? "arcgis",
    sessionSecrets: [options.sessionSecret].flat(),
  };
}

function isSecret(value: unknown): boolean {
  const secrets: unknown[] = [value].flat();
  return secrets.length > 0 && secrets.every((one) => typeof one === "string" && one.length >= 32);
}

function isSecureUrl(text: unknown): boolean {
  if (typeof text !== "string" || !URL.canParse(text)) return false;
  const { protocol, hostname, search, hash, username } = new URL(text);
  const isLoopback = ["localhost", "[::1]"].includes(hostname) || /^127\.[\d.]+$/.test(hostname);
  return (protocol === "https:" || (protocol === "http:" && isLoopback)) && !search && !hash && !username;
}

import { ArcGISAuthError, type ArcGISIdentityManager, ArcGISRequestError } from "@esri/arcgis-rest-request";
import { AuthError } from "../errors.ts";
import { portalRequest } from "./portal-request.ts";

/** Longer URLs are not looked at. */
const maxLength = 8_192;

/**
 * Whether a URL may receive the portal's token: the portal's own APIs (all of `/sharing`, such as the services with
 * stored credentials below `/sharing/servers`) and, for ArcGIS Online, services below arcgis.com. The library only looks
 * for the portal's name anywhere in the URL.
 */
export function mayReceivePortalToken(portal: string, url: string): boolean {
  const [target, home] = [parse(url), parse(portal)];
  if (!target || !home) return false;
  if (isArcGISOnline(home) && isArcGISOnline(target)) return true;
  return (
    target.origin === home.origin && isBelow(target.path, home.path.replace(/(?<=\/sharing)\/rest$/, ""))
  );
}

/** www.arcgis.com, an organization's *.maps.arcgis.com, and the hosts of its services. */
export function isArcGISOnline({ protocol, hostname, port }: Pick<URL, "protocol" | "hostname" | "port">) {
  return protocol === "https:" && port === "" && /^[a-z0-9.-]+\.arcgis\.com$/.test(hostname);
}

/**
 * Whether a response that names its issuer (RFC 9207) comes from this portal. ArcGIS names none so far, and what it
 * would be is not documented: its REST root, or a URL above or below that.
 */
export function isIssuer(issuer: unknown, portal: string): boolean {
  const [found, home] = [typeof issuer === "string" ? parse(issuer) : undefined, parse(portal)];
  if (!found || !home || found.hasQuery) return false;
  if (isArcGISOnline(found) && isArcGISOnline(home)) return true;
  return found.origin === home.origin && (isBelow(home.path, found.path) || isBelow(found.path, home.path));
}

const request = portalRequest();
/** A server's token is asked for 30 minutes. `expires` is by the portal's clock, so half of that is safe. */
const tokenMs = 15 * 60_000;
const infoMs = 5 * 60_000;
const maxEntries = 1_000;
const tokens = new Map<string, { token: Promise<string>; text?: string; until: number }>();
/** What servers say about themselves, by the URL of their `rest/info`. */
const servers = new Map<string, { info: Promise<ServerInfo>; until: number }>();

interface ServerInfo {
  /** `false` when `rest/info` is closed, missing or not that of an ArcGIS Server. */
  isArcGIS: boolean;
  /** The portal that the server claims to belong to. */
  owner?: unknown;
}

/** A token for an ArcGIS Server that is federated with the portal. Only the portal sees the user's token. */
export async function federatedToken(identity: ArcGISIdentityManager, url: string): Promise<string> {
  const root = serverRoot(url);
  if (!root?.startsWith("https:") && !(root && identity.portal.startsWith("http:")))
    throw new AuthError("untrusted_url", { cause: "this is no ArcGIS service" });
  const token = () => cachedToken(identity, root);
  return token()
    .catch(async (error) => {
      if (!(error instanceof ArcGISAuthError)) throw error;
      // The portal ended its own token early.
      await identity.refreshCredentials();
      return token();
    })
    .catch((cause) => {
      if (cause instanceof ArcGISAuthError) throw new AuthError("token_rejected", { cause });
      if (cause instanceof ArcGISRequestError) throw new AuthError("portal_response_invalid", { cause });
      throw cause;
    });
}

function cachedToken(identity: ArcGISIdentityManager, root: string): Promise<string> {
  const key = `${identity.token} ${root}`;
  const now = performance.now();
  const known = tokens.get(key);
  if (known && now < known.until) return known.token;
  const entry: typeof known = { token: generateToken(identity, root), until: now + tokenMs };
  const settled = entry.token.then((text) => Object.assign(entry, { text }));
  settled.catch(() => tokens.get(key) === entry && tokens.delete(key));
  remember(tokens, key, entry);
  return entry.token;
}

function remember<T>(entries: Map<string, T>, key: string, entry: T): void {
  entries.delete(key);
  entries.set(key, entry);
  const [oldest] = entries.keys();
  if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
}

/** The next request to that server gets another token: it rejected this one. */
export function forgetFederatedToken(token: string): void {
  for (const [key, { text }] of tokens) if (text === token) tokens.delete(key);
}

async function generateToken({ portal, token }: ArcGISIdentityManager, root: string): Promise<string> {
  const { owner } = await serverInfo(root);
  // Any server can claim to belong to a portal: the portal decides.
  if (!isSamePortal(owner, portal)) {
    const named =
      typeof owner === "string" && owner ? `belongs to ${owner.slice(0, 200)}` : "names no portal";
    throw new AuthError("untrusted_url", { cause: `${root} ${named}, and the user to ${portal}` });
  }
  const params = { request: "getToken", serverUrl: root, token, expiration: 30 };
  const response = await request(`${portal}/generateToken`, { params });
  if (typeof response.token !== "string" || !/^[\x21-\x7e]{1,8192}$/.test(response.token))
    throw new AuthError("portal_response_invalid", { cause: "generateToken returned no token" });
  return response.token;
}

function serverInfo(root: string): Promise<ServerInfo> {
  const known = servers.get(root);
  if (known && performance.now() < known.until) return known.info;
  const info = request(`${root}/rest/info`, { httpMethod: "GET" }).then(
    ({ currentVersion, authInfo, owningSystemUrl: owner }) => {
      return { isArcGIS: Boolean(currentVersion ?? authInfo ?? owner), owner };
    },
    (error) => {
      const isOther = error instanceof AuthError && error.code === "portal_response_invalid";
      if (isOther || error instanceof ArcGISRequestError) return { isArcGIS: false };
      throw error;
    },
  );
  const entry = { info, until: performance.now() + infoMs };
  info.catch(() => servers.get(root) === entry && servers.delete(root));
  remember(servers, root, entry);
  return info;
}

/**
 * Whether a URL, its path in normal form, is that of a service of an ArcGIS Server beside the portal. Such a server gets
 * a token of its own, or none. Many other APIs have a `/rest/` in their paths, too.
 */
export async function isArcGISService({ origin, pathname }: URL, portal: string): Promise<boolean> {
  const url = origin + pathname;
  if (mayReceivePortalToken(portal, url) || !service.test(pathname)) return false;
  const root = serverRoot(url);
  return root === undefined || (await serverInfo(root)).isArcGIS;
}

/** Windows ignores capitals, and dots at the end of a name. */
const service = /^(.*?)\/rest\.*(?:\/|$)/i;

/** `https://host/webadaptor` of a service's URL (`.../rest/services/...`). */
function serverRoot(url: string): string | undefined {
  const target = parse(url);
  const path = service.exec(target?.path ?? "")?.[1];
  return target && path !== undefined ? target.origin + path : undefined;
}

/**
 * Whether `owningSystemUrl` is this portal: by host and web adaptor, in any case. Scheme and default port are as they were
 * typed when the server was federated.
 */
export function isSamePortal(owner: unknown, portal: string): boolean {
  const [system, home] = [typeof owner === "string" ? parse(owner) : undefined, parse(portal)];
  if (!system || !home) return false;
  if (isArcGISOnline(home)) return isArcGISOnline({ ...system, protocol: "https:" });
  const nameOf = ({ hostname, port, path }: typeof home) => {
    const hasDefaultPort = ["80", "443"].includes(port);
    const adaptor = path.toLowerCase().replace(/\/*(?:\/(?:home|sharing(?:\/rest)?)\/*)?$/, "");
    return `${hostname}:${hasDefaultPort ? "" : port}${adaptor}`;
  };
  return nameOf(system) === nameOf(home);
}

/** Whether `path` is `base` or below it; whole path segments count. */
export function isBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(base.endsWith("/") ? base : `${base}/`);
}

/** A parsed URL; `undefined` when it has a user name, or servers may read its path in two ways. */
function parse(text: string) {
  if (text.length > maxLength || !URL.canParse(text)) return undefined;
  const { protocol, origin, hostname, port, pathname, username, password, search, hash } = new URL(text);
  const path = normalPath(pathname);
  if (username || password || path === undefined) return undefined;
  return { protocol, origin, hostname, port, path, hasQuery: search + hash !== "" };
}

/**
 * What another decoding turns into a slash, a dot segment or another name; what some servers end a name with (`;`, NUL,
 * a space); a lone %, UTF-8 that is too long, which some servers decode to ASCII, and the Kelvin sign and the long s, which
 * equal k and s without regard to case.
 */
const ambiguous =
  /%(?![\dA-F]{2})|%(?:2F|5C|3B|7F|[01][\dA-F]|25[\dA-F]{2}|C[01]|E0%[89]|F0%8|E2%84%AA|C5%BF|20\.*(?:\/|$))|[;\\]|\/\.{1,2}(?:\/|$)/i;

/**
 * The path of a parsed URL with its percent-encoding in one form (RFC 3986, 6.2.2): `/%72est` is `/rest` to every
 * server. `undefined` when servers may read it in two ways.
 */
export function normalPath(pathname: string): string | undefined {
  const path = pathname.replace(/%([\da-f]{2})/gi, (encoded, hex) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
  return ambiguous.test(path) ? undefined : path;
}

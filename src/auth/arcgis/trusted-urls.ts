import { ArcGISAuthError, type ArcGISIdentityManager, ArcGISRequestError } from "@esri/arcgis-rest-request";
import { AuthError } from "../errors.ts";
import { portalRequest } from "./portal-request.ts";

/** Longer URLs are not looked at. */
const maxLength = 8_192;

/**
 * Whether a URL may receive the portal's token: the portal's own REST API and, for ArcGIS Online, services below
 * arcgis.com. The library only looks for the portal's name anywhere in the URL.
 */
export function mayReceivePortalToken(portal: string, url: string): boolean {
  const [target, home] = [parse(url), parse(portal)];
  if (!target || !home) return false;
  if (isArcGISOnline(home) && isArcGISOnline(target)) return true;
  return target.origin === home.origin && isBelow(target.path, home.path);
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
const ownerMs = 5 * 60_000;
const maxEntries = 1_000;
const tokens = new Map<string, { token: Promise<string>; text?: string; until: number }>();
/** Whether a server is federated with a portal. */
const owners = new Map<string, { isOurs: boolean; until: number }>();

/** A token for an ArcGIS Server that is federated with the portal. Only the portal sees the user's token. */
export async function federatedToken(identity: ArcGISIdentityManager, url: string): Promise<string> {
  const root = serverRoot(url, identity.portal);
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
  const key = `${portal} ${root}`;
  let owner = owners.get(key);
  if (!owner || owner.until < performance.now()) {
    const { owningSystemUrl } = await request(`${root}/rest/info`, { httpMethod: "GET" });
    owner = { isOurs: owns(owningSystemUrl, portal), until: performance.now() + ownerMs };
  }
  if (!owner.isOurs) {
    remember(owners, key, owner);
    throw new AuthError("untrusted_url", { cause: "the server is not federated with this portal" });
  }
  const params = { request: "getToken", serverUrl: root, token, expiration: 30 };
  const response = await request(`${portal}/generateToken`, { params });
  if (typeof response.token !== "string" || !/^[\x21-\x7e]{1,8192}$/.test(response.token))
    throw new AuthError("portal_response_invalid", { cause: "generateToken returned no token" });
  // Only now: any server can claim to belong to a portal.
  remember(owners, key, owner);
  return response.token;
}

/** Windows ignores capitals, and dots at the end of a name. */
const service = /^(.*?)\/rest\.*(?:\/|$)/i;

/** Whether a URL with this path (`normalPath`) is that of an ArcGIS service: `https://host/webadaptor/rest/...`. */
export function isService(path: string): boolean {
  return service.test(path);
}

/** `https://host/webadaptor` of a service's URL (`.../rest/services/...`). */
function serverRoot(url: string, portal: string): string {
  const target = parse(url);
  const isSecure =
    target?.protocol === "https:" || (target?.protocol === "http:" && portal.startsWith("http:"));
  const root = service.exec(target?.path ?? "")?.[1];
  if (!target || !isSecure || root === undefined)
    throw new AuthError("untrusted_url", { cause: "this is no ArcGIS service" });
  return target.origin + root;
}

function owns(owner: unknown, portal: string): boolean {
  const [system, home] = [typeof owner === "string" ? parse(owner) : undefined, parse(portal)];
  if (!system || !home) return false;
  if (isArcGISOnline(system) && isArcGISOnline(home)) return true;
  const path = system.path.endsWith("/") ? system.path.slice(0, -1) : system.path;
  return system.origin === home.origin && `${path}/sharing/rest`.toLowerCase() === home.path.toLowerCase();
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

import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
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
const maxTokens = 1_000;
const tokens = new Map<string, { token: Promise<string>; text?: string; until: number }>();

/** A token for an ArcGIS Server that is federated with the portal. Only the portal sees the user's token. */
export function federatedToken(identity: ArcGISIdentityManager, url: string): Promise<string> {
  const root = serverRoot(url, identity.portal);
  const key = `${identity.token} ${root}`;
  const now = performance.now();
  const known = tokens.get(key);
  if (known && now < known.until) return known.token;
  const entry: typeof known = { token: generateToken(identity, root), until: now + tokenMs };
  const settled = entry.token.then((text) => Object.assign(entry, { text }));
  settled.catch(() => tokens.get(key) === entry && tokens.delete(key));
  tokens.delete(key);
  tokens.set(key, entry);
  const [oldest] = tokens.keys();
  if (tokens.size > maxTokens && oldest !== undefined) tokens.delete(oldest);
  return entry.token;
}

/** The next request to that server gets another token: it rejected this one. */
export function forgetFederatedToken(token: string): void {
  for (const [key, { text }] of tokens) if (text === token) tokens.delete(key);
}

async function generateToken({ portal, token }: ArcGISIdentityManager, root: string): Promise<string> {
  const { owningSystemUrl } = await request(`${root}/rest/info`, { httpMethod: "GET" });
  if (!owns(owningSystemUrl, portal))
    throw new AuthError("untrusted_url", { cause: "the server is not federated with this portal" });
  const params = { request: "getToken", serverUrl: root, token, expiration: 30 };
  const response = await request(`${portal}/generateToken`, { params });
  if (typeof response.token !== "string" || !/^[\x21-\x7e]{1,8192}$/.test(response.token))
    throw new AuthError("portal_response_invalid", { cause: "generateToken returned no token" });
  return response.token;
}

/** `https://host/webadaptor` of a service's URL (`.../rest/services/...`). */
function serverRoot(url: string, portal: string): string {
  const target = parse(url);
  const isSecure =
    target?.protocol === "https:" || (target?.protocol === "http:" && portal.startsWith("http:"));
  const end = target ? `${target.path}/`.toLowerCase().indexOf("/rest/") : -1;
  if (!target || !isSecure || end < 0)
    throw new AuthError("untrusted_url", { cause: "this is no ArcGIS service" });
  return target.origin + target.path.slice(0, end);
}

function owns(owner: unknown, portal: string): boolean {
  const [system, home] = [typeof owner === "string" ? parse(owner) : undefined, parse(portal)];
  if (!system || !home) return false;
  if (isArcGISOnline(system) && isArcGISOnline(home)) return true;
  const path = system.path.endsWith("/") ? system.path.slice(0, -1) : system.path;
  return system.origin === home.origin && `${path}/sharing/rest`.toLowerCase() === home.path.toLowerCase();
}

function isBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(base.endsWith("/") ? base : `${base}/`);
}

/** A URL with its path as a server reads it; `undefined` when servers may disagree about that, or it has a user. */
function parse(text: string) {
  if (text.length > maxLength || !URL.canParse(text)) return undefined;
  const { protocol, origin, hostname, port, pathname, username, password, search, hash } = new URL(text);
  const path = decoded(pathname);
  if (username || password || path === undefined) return undefined;
  return { protocol, origin, hostname, port, path, hasQuery: search + hash !== "" };
}

function decoded(path: string): string | undefined {
  try {
    const text = decodeURIComponent(path);
    // `%2f..%2f` and its like: decided here, or decided by the server.
    return /[\\\0]|\/\.{1,2}(?:\/|$)/.test(text) || text.includes("%2") ? undefined : text;
  } catch {
    return undefined;
  }
}

import { AuthError, hasServicePath, isBelow, normalPath } from "../index.ts";

/** The URL rules of one portal: its REST API, and additional URL prefixes. */
export type TargetRules = { portal: string; allow: readonly string[] };

/** URL prefixes in the form that `isBelow` compares; ambiguous ones are left out. */
export function parsePrefixes(urls: readonly string[]): string[] {
  return urls.flatMap((url) => {
    const { origin, pathname } = new URL(url);
    const path = normalPath(pathname)?.replace(/(?<!\/)\/+$/, "");
    return path === undefined ? [] : [origin + path];
  });
}

/** `oauth2/...` and `generateToken`. On Windows, capitals and dots at the end of a name make no difference. */
const returnsTokens = /\/(?:oauth2|generatetoken)\.*(?:\/|$)/i;

/**
 * Returns the function that reads the target of a request as Esri's clients write it: everything after the first
 * question mark (`/proxy?https://host/path?f=json`), or the same percent-encoded as a whole.
 *
 * The parsed URL decides, and it is the very object that the request is made from; its path is in normal form for
 * every decision that follows. Throws an AuthError untrusted_url for everything that is not allowed, and for what
 * returns tokens, which a script in the page could read.
 */
export function proxyTargets({ portal, allow }: TargetRules): (requestUrl: string) => URL {
  const portalServers = portal.replace(/(?<=\/sharing)\/rest$/, "/servers");
  const ofPortal = parsePrefixes([portal, portalServers]);
  const allowed = parsePrefixes(allow);
  const isAllowed = (url: string, path: string) =>
    [...ofPortal, ...allowed].some((prefix) => isBelow(url, prefix)) ||
    // ArcGIS Server ignores case in the paths of its services, and its users write them one way or the other.
    (hasServicePath(path) && allowed.some((prefix) => isBelow(url.toLowerCase(), prefix.toLowerCase())));
  return (requestUrl) => {
    const url = parse(textOf(requestUrl));
    if (!url) throw refusal("not one plain URL");
    const path = normalPath(url.pathname);
    if (path === undefined || path.includes("//")) throw refusal("its path can be read in two ways");
    if (returnsTokens.test(path)) throw refusal("it returns tokens");
    if (!isAllowed(url.origin + path, path))
      throw refusal(`not in the allowed URLs (${url.host.slice(0, 100)})`);
    if (path !== url.pathname) url.pathname = path;
    return url;
  };
}

/** Whether a request with this URL (`/proxy?https://...`) is for these servers: for an app with several portals. */
export function isAllowedTarget(requestUrl: string, rules: TargetRules): boolean {
  try {
    return proxyTargets(rules)(requestUrl) !== undefined;
  } catch {
    return false;
  }
}

function refusal(cause: string): AuthError {
  return new AuthError("untrusted_url", { cause });
}

function textOf(requestUrl: string): string {
  const text = requestUrl.slice(requestUrl.indexOf("?") + 1);
  try {
    return /^https?%3a/i.test(text) ? decodeURIComponent(text) : text;
  } catch {
    return "";
  }
}

/** Whether a URL has a user name, backslash, fragment, control character or anything that a parser would correct. */
const plainUrl = /^https?:\/\/[^\s\\/?#@%\p{Cc}]+(?:\/[^\s\\?#\p{Cc}]*)?(?:\?[^#\p{Cc}]*)?$/iu;
/** Dot segments: a parser resolves them, so the URL leads elsewhere. */
const dotSegment = /^[^?]*\/\.{1,2}(?:[/?]|$)/;

function parse(text: string): URL | undefined {
  return plainUrl.test(text) && !dotSegment.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}

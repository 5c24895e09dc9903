/**
 * Whether a URL may receive the portal's token: the portal's own APIs (all of `/sharing`, such as the services with
 * stored credentials below `/sharing/servers`) and, for ArcGIS Online, services below arcgis.com. The library only looks
 * for the portal's name anywhere in the URL.
 */
export function mayReceivePortalToken(portal: string, url: string): boolean {
  return isAtPortal(url, portal, (path, home) => isBelow(path, home.replace(/(?<=\/sharing)\/rest$/, "")));
}

/**
 * Whether a response that names its issuer (RFC 9207) comes from this portal. ArcGIS names none so far, and what it
 * would be is not documented: its REST root, or a URL above or below that.
 */
export function isIssuer(issuer: unknown, portal: string): boolean {
  const isEither = (path: string, home: string) => isBelow(path, home) || isBelow(home, path);
  return !/[?#]/.test(String(issuer)) && isAtPortal(issuer, portal, isEither);
}

function isAtPortal(url: unknown, portal: string, fits: (path: string, home: string) => boolean): boolean {
  const [found, home] = [parse(url), parse(portal)];
  if (!found || !home) return false;
  if (isArcGISOnline(found.origin) && isArcGISOnline(home.origin)) return true;
  return found.origin === home.origin && fits(found.path, home.path);
}

/** www.arcgis.com, an organization's *.maps.arcgis.com, and the hosts of its services. */
function isArcGISOnline(origin: string): boolean {
  return /^https:\/\/[a-z0-9.-]+\.arcgis\.com$/.test(origin);
}

/**
 * Whether `owningSystemUrl` is this portal: by host and web adaptor, in any case. Scheme and default port are as they were
 * typed when the server was federated.
 */
export function isSamePortal(owner: unknown, portal: string): boolean {
  const [system, home] = [parse(owner), parse(portal)];
  if (!system || !home) return false;
  if (isArcGISOnline(home.origin)) return isArcGISOnline(system.origin.replace("http:", "https:"));
  const nameOf = ({ host, path }: { host: string; path: string }) => {
    const adaptor = path.toLowerCase().split("/").filter(Boolean).join("/");
    return `${host.replace(/:(?:80|443)$/, "")}/${adaptor.replace(/(?:^|\/)(?:home|sharing(?:\/rest)?)$/, "")}`;
  };
  return nameOf(system) === nameOf(home);
}

/** Windows ignores capitals, and dots at the end of a name. */
const service = /^(.*?)\/rest\.*(?:\/|$)/i;

/** Whether a path in normal form may be that of an ArcGIS service. */
export function hasServicePath(pathname: string): boolean {
  return service.test(pathname);
}

/** `https://host/webadaptor` of an ArcGIS service's URL (`.../rest/services/...`). */
export function serverRoot(url: string): string | undefined {
  const target = parse(url);
  const path = service.exec(target?.path ?? "")?.[1];
  return target && path !== undefined ? target.origin + path : undefined;
}

/** Whether `path` is `base` or below it; whole path segments count. */
export function isBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(base.endsWith("/") ? base : `${base}/`);
}

/** A parsed http(s) URL; `undefined` when it has a user name, or servers may read its path in two ways. */
function parse(text: unknown) {
  if (typeof text !== "string" || text.length > 8_192 || !URL.canParse(text)) return undefined;
  const { protocol, origin, host, pathname, username, password } = new URL(text);
  const path = normalPath(pathname);
  if (!/^https?:$/.test(protocol) || username || password || path === undefined) return undefined;
  return { origin, host, path };
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

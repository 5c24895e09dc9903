import { createHash } from "node:crypto";

/**
 * The default of COOKIE_NAME for an app that is mounted under the path of its redirect URI. Browsers send a cookie to
 * every port of a host name, and ours to every path: two apps on one host name need different names, or each would
 * overwrite what the other has set.
 */
export function mountedCookieName(callbackPath: string): string {
  const mount = callbackPath.replace(/\/[^/]+\/?$/, "");
  // A dot in a segment must not look like a slash.
  const suffix = mount.replaceAll(".", "%2E").replaceAll("/", ".");
  // The whole cookie has to stay below 200 bytes.
  return `arcgis.sid${suffix.length > 40 ? `.${digestOf(mount)}` : suffix}`;
}

/** A cookie of this app only: no two apps have the same redirect URI. */
export function autoSignInCookie({ redirectUri, secure }: { redirectUri: string; secure: boolean }): string {
  return `${cookiePrefix(secure)}arcgis.auto.${digestOf(redirectUri)}`;
}

/** `__Host-` binds a cookie to this very host (RFC 6265bis, 4.1.3.2). */
export function cookiePrefix(secure: boolean): string {
  return secure ? "__Host-" : "";
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

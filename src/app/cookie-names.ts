import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { parseCookie } from "cookie";
import type { Config } from "./config/config.ts";
import { firstPortal } from "./config/portals.ts";

/** What the names of an app's cookies depend on. */
export type CookieNaming = Pick<Config, "cookieName" | "portalId" | "redirectUri" | "secure">;

/**
 * The names of the cookies. Browsers send a cookie to every port of a host name, and ours to every path: two apps on one
 * host name need different names, or each would overwrite what the other has set.
 *
 * `__Host-` binds a cookie to this very host (RFC 6265bis, 4.1.3.2).
 */
export function cookieNames({ cookieName, portalId, redirectUri, secure }: CookieNaming) {
  const prefix = secure ? "__Host-" : "";
  // No two apps have the same redirect URI.
  const app = digestOf(redirectUri);
  return {
    // With several portals a browser has a session for each.
    session: prefix + cookieName + (portalId === firstPortal ? "" : `.portals.${portalId}`),
    autoSignIn: `${prefix}arcgis.auto.${app}`,
  };
}

/** The default of COOKIE_NAME for an app that is mounted under the path where its redirect URI lies. */
export function mountedCookieName(callbackPath: string): string {
  const mount = callbackPath.replace(/\/[^/]+\/?$/, "");
  // A dot in a segment must not look like a slash.
  const suffix = mount.replaceAll(".", "%2E").replaceAll("/", ".");
  // The whole cookie has to stay below 200 bytes.
  return `arcgis.sid${suffix.length > 40 ? `.${digestOf(mount)}` : suffix}`;
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Whether the browser has a session cookie of this name that none of our secrets has signed. */
export function hasForeignCookie({ headers }: IncomingMessage, config: Config): boolean {
  const value = parseCookie(headers.cookie ?? "")[cookieNames(config).session] ?? "";
  const [, id = "", signature] = /^s:([^.]*)\.([^=]*)=*$/.exec(value) ?? [];
  const sign = (secret: string) =>
    createHmac("sha256", secret).update(id).digest("base64").split("=", 1).join();
  return value !== "" && !config.sessionSecrets.some((secret) => sign(secret) === signature);
}

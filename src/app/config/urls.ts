import * as z from "zod";
import { type TextRule, text } from "./setting-types.ts";

/** Whether a host name or an address is this machine itself, the one place where http is safe (RFC 8252, 8.3). */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|\[::1\]|::1|127\.\d+\.\d+\.\d+)$/.test(host);
}

/** An absolute URL that can be trusted with a token: https or loopback, and nothing but a host and a path. */
export const tokenUrl = (fix: string, ...rules: TextRule[]) =>
  text(
    fix,
    [/^[^<>{}*]*$/, "still contains a placeholder."],
    [(url) => /^https?:\/\/[^/\s\\][^\s\\]*$/i.test(url) && URL.canParse(url), "is not an absolute URL."],
    [
      (url) => new URL(url).protocol === "https:" || isLoopback(new URL(url).hostname),
      "must use https; http is allowed on loopback addresses only, such as localhost.",
      "Use https://.",
    ],
    [/^\w+:\/\/[^/?#@]*(?:[/?#]|$)/, "must not contain a user name or a password."],
    [/^[^?#]*$/, "must not contain ? or #."],
    ...rules,
  );

const portalFix =
  "Enter the URL of your portal, such as https://gis.example.com/portal, or https://www.arcgis.com for ArcGIS Online.";

// What is often copied along with the portal's URL.
const portalTail = /(?:\/sharing(?:\/rest)?|\/home(?:\/[\w-]+\.html)?|\/index\.html)$/i;

/** PORTAL_URL in any usual spelling; becomes `https://{host}/{webadaptor}/sharing/rest` (CF-2). */
export const portalUrl = tokenUrl(portalFix)
  .transform((value) => {
    const url = new URL(value);
    // Sessions must not depend on the www: Esri's library uses both spellings.
    if (url.hostname === "arcgis.com") url.hostname = "www.arcgis.com";
    return `${url.origin}${url.pathname.replace(/(?<!\/)\/+$/, "").replace(portalTail, "")}`;
  })
  .refine((portal) => !/\/(?:rest|sharing|oauth2|home)(?:\/|$)/i.test(portal), {
    error: `is the URL of something inside a portal, or of an ArcGIS Server. ${portalFix}`,
  })
  .transform((portal) => `${portal}/sharing/rest`);

// The server's other routes. The app may be mounted under a path, so a callback at /gis/sign-in would hide /sign-in.
const ownRoute =
  /\/(?:sign-ins?|signed-in|signed-out|sign-out|account|map|embed|proxy|healthz|readyz|metrics|auth|api|assets)\/?$|\/(?:api|assets)\//i;

/** REDIRECT_URI, unchanged: it must equal the one that is registered at the portal (CF-3). */
export const redirectUri = tokenUrl(
  "Enter the redirect URI exactly as it is registered in the OAuth credentials item, such as http://localhost:3000/authenticate.",
  [
    (uri) => /^(?:\/[\w.~-]+)+\/?$/.test(new URL(uri).pathname),
    'must have a path of letters, digits, "-", "_", "." and "~".',
  ],
  [
    (uri) => !ownRoute.test(new URL(uri).pathname),
    "ends in a path that the server itself uses.",
    "Register another one, such as /authenticate.",
  ],
);

/** One entry of PROXY_ALLOW, normalized: a bare host ends in a slash, so it is no prefix of another host. */
export const proxyTarget = tokenUrl(
  "Enter a whole prefix without wildcards, such as https://services.example.com/arcgis/rest/.",
).transform((url) => new URL(url).href);

/** One entry of EMBED_ORIGINS, spelled as browsers spell an origin: they are compared as text. */
export const embedOrigin = tokenUrl(
  "Enter the scheme and the host alone, such as https://experience.arcgis.com.",
  [(url) => new URL(url).pathname === "/", "is a URL with a path, not an origin."],
).transform((url) => new URL(url).origin);

/** SECURITY_CONTACT, as the URI that security.txt needs (RFC 9116, 2.5.3). */
export const securityContact = text("Use security@example.com, or an https, mailto or tel URL.", [
  /^(?:(?:mailto:)?[^\s@:/]+@[\w.-]+|https:\/\/[!-~]+|tel:\+?[\d-]+)$/,
  "is not an email address or a URL.",
]).transform((contact) => (/^(?:mailto|https|tel):/.test(contact) ? contact : `mailto:${contact}`));

const proxies = z.union([
  z.literal(false),
  z.int().min(1).max(10),
  z
    .array(
      z
        .union([z.enum(["loopback", "linklocal", "uniquelocal"]), z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
        // A network that is wider is a mistake.
        .refine((network) => !/\/[0-6]$/.test(network)),
    )
    .min(1),
]);

/** TRUST_PROXY: false, a number of hops, or subnets. Never `true`, which lets clients forge their address (CF-5). */
export const trustedProxy = z.preprocess(
  (value) => {
    if (typeof value !== "string") return value;
    if (value === "false") return false;
    return /^\d+$/.test(value) ? Number(value) : value.split(",").map((entry) => entry.trim());
  },
  z.custom<z.infer<typeof proxies>>(
    (value) => proxies.safeParse(value).success,
    "must be false, the number of reverse proxies in front (1 to 10), or their addresses. Use 1 for one proxy, or a list such as loopback,10.0.0.0/8; with true, clients could forge their address.",
  ),
);

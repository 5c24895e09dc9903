import type { RequestHandler } from "express";
import helmet from "helmet";
import type { Config } from "./config/config.ts";

/** Our pages use none of these. A map on your pages may ask for the user's location. */
const permissions =
  "accelerometer=(), camera=(), display-capture=(), geolocation=(self), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()";

/**
 * The headers of every response, errors and redirects included. Each is spelled out: helmet's defaults allow inline
 * styles, and its `no-referrer` removes the Origin from our forms.
 */
export function securityHeaders(config: Config): RequestHandler {
  const { secure } = config;
  const setHeaders = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        connectSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: formTargets(config),
        frameAncestors: ["'none'"],
      },
    },
    crossOriginOpenerPolicy: { policy: "same-origin" },
    crossOriginResourcePolicy: { policy: "same-origin" },
    // Pages with a form say "same-origin" instead, or the browser would send "Origin: null" with it.
    referrerPolicy: { policy: "no-referrer" },
    strictTransportSecurity: secure ? { maxAge: 365 * 24 * 60 * 60, includeSubDomains: false } : false,
    xFrameOptions: { action: "deny" },
  });
  return (req, res, next) => {
    res.setHeader("Cache-Control", "no-store");
    // Pages behind a sign-in are not for search engines, and neither are those that lead to it.
    res.setHeader("X-Robots-Tag", "noindex");
    res.setHeader("Permissions-Policy", permissions);
    // Tells the portal's sign-in page which color scheme the browser prefers.
    res.setHeader("Accept-CH", "Sec-CH-Prefers-Color-Scheme");
    setHeaders(req, res, next);
  };
}

/** Chromium applies form-action to the redirect after a form: after a sign-out, that may be the portal. */
function formTargets({ alsoSignOutPortal, furtherPortals, portal }: Config): string[] {
  const portals = alsoSignOutPortal ? [portal, ...furtherPortals.map((further) => further.portal)] : [];
  return ["'self'", ...new Set(portals.map((url) => new URL(url).origin))];
}

/**
 * The headers of the files of SITE_DIR in place of those of our pages: SITE_CSP, or a policy for pages with scripts and
 * data of their own. Its pages may frame each other, open a window to sign in, and say their origin to others, as API
 * keys with allowed referrers need it.
 */
export function siteHeaders(config: Config): Record<string, string> {
  const policy = [
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "media-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    `form-action ${formTargets(config).join(" ")}`,
    "frame-ancestors 'self'",
  ];
  return {
    "Content-Security-Policy": config.siteCsp ?? policy.join(";"),
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    // Browsers ignore it where a policy of yours has frame-ancestors (CSP Level 3, 6.4.2).
    "X-Frame-Options": "SAMEORIGIN",
  };
}

/** The longest `Accept` header that is read. Browsers send less than a quarter of it. */
const longestList = 1_024;

/** Ignores longer `Accept` headers: the time to parse them grows with the square of their length. */
export const boundHeaders: RequestHandler = ({ headers }, _res, next) => {
  for (const name of ["accept", "accept-language", "accept-encoding", "accept-charset"]) {
    if (String(headers[name]).length > longestList) delete headers[name];
  }
  next();
};

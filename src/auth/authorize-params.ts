import type { Request } from "express";

/**
 * Options of the portal's sign-in page. From the browser: its first language, and its light or dark scheme. From the
 * query of /sign-in: `force_login=true` (to switch accounts), `username` (prefilled), and `provider` (goes straight to
 * that social login, if the organization allows it).
 */
export function authorizeParams(req: Request) {
  const matching = (value: unknown, pattern: RegExp) =>
    typeof value === "string" && pattern.test(value) ? value : undefined;
  const social = matching(req.query.provider, /^(apple|facebook|github|google)$/);
  return {
    locale: matching(req.acceptsLanguages()[0], /^[a-z]{2,3}(-[a-z]{2})?$/i),
    style: matching(req.get("Sec-CH-Prefers-Color-Scheme"), /^(light|dark)$/),
    // Not documented; the Maps SDK sends these two (`forceLogin`, `forceUserId`).
    force_login: matching(req.query.force_login, /^true$/),
    prepopulatedusername: matching(req.query.username, /^[\w.@+-]{1,128}$/),
    socialLoginProviderName: social,
    autoAccountCreateForSocial: social && "true",
  };
}

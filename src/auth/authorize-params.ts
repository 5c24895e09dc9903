import type { Request } from "express";
import type { AuthorizeParams } from "./arcgis/identity-manager.ts";

/** Social logins of ArcGIS that an organization can switch on. */
const providers = ["apple", "facebook", "github", "google"];

/**
 * What a visitor may ask of the portal's sign-in page, and no more. From the browser: its first language, and its
 * light or dark scheme. From the query of /sign-in: `force_login=true` (to use another account), `username` (filled
 * in), and `provider` (`google` and others: straight to that login).
 */
export function authorizeParams(req: Request): AuthorizeParams {
  const { force_login, username, provider } = req.query;
  const [language = ""] = req.acceptsLanguages();
  const scheme = req.get("Sec-CH-Prefers-Color-Scheme") ?? "";
  const social = providers.find((name) => name === provider);
  return {
    locale: /^[a-z]{2,3}(-[a-z]{2})?$/i.test(language) ? language : undefined,
    style: ["light", "dark"].includes(scheme) ? scheme : undefined,
    // Not documented; the Maps SDK sends these two (`forceLogin`, `forceUserId`).
    force_login: force_login === "true" ? "true" : undefined,
    prepopulatedusername:
      typeof username === "string" && /^[\w.@+-]{1,128}$/.test(username) ? username : undefined,
    socialLoginProviderName: social,
    autoAccountCreateForSocial: social && "true",
  };
}

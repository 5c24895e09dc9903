import type { Request } from "express";
import type { Wishes } from "../arcgis/identity-manager.ts";

/** The social logins of ArcGIS that an organisation can switch on. */
const providers = ["apple", "facebook", "github", "google"] as const;

/**
 * What a visitor may wish of the portal's sign-in page, and no more: the rest of the authorize request comes
 * from the configuration alone.
 *
 * Taken from the browser: its first language, and its light or dark scheme where it tells. Taken from the
 * query of `/sign-in`: `force_login=true` (to use another account), `username` (to be filled in), `provider`
 * (`google` and its kin: straight to that login).
 */
export function wishesOf(req: Request): Wishes {
  const { force_login, username, provider } = req.query;
  const [language = ""] = req.acceptsLanguages();
  const scheme = req.get("Sec-CH-Prefers-Color-Scheme");
  return {
    locale: /^[a-z]{2,3}(-[a-z]{2})?$/i.test(language) ? language : undefined,
    style: scheme === "light" || scheme === "dark" ? scheme : undefined,
    forceLogin: force_login === "true",
    username: typeof username === "string" && /^[\w.@+-]{1,128}$/.test(username) ? username : undefined,
    provider: providers.find((each) => each === provider),
  };
}

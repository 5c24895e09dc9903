import { openSite, type Site, type SiteOptions } from "./site.ts";

/** A server that browsers reach by https, through a proxy on this machine. */
export function openSecureSite(t: Parameters<typeof openSite>[0], options: SiteOptions = {}): Promise<Site> {
  const settings = { REDIRECT_URI: "https://app.example/authenticate", TRUST_PROXY: "loopback" };
  return openSite(t, { ...options, settings: { ...settings, ...options.settings } });
}

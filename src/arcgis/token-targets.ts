import { isBelow, normalPath } from "../app/config/allowed-urls.ts";

/**
 * Whether an address may get the portal's token: the portal's own REST API, and for ArcGIS Online the hosted
 * services below arcgis.com. The parsed address decides; the library looks for the portal's name anywhere in
 * it, and gives the token to `https://evil.example/?x.arcgis.com/`.
 */
export function takesPortalToken(portal: string, url: string): boolean {
  const target = parse(url);
  const home = parse(portal);
  if (!target || !home) return false;
  if (isOnline(home) && isOnline(target)) return true;
  return target.origin === home.origin && isBelow(normalPath(target.pathname), normalPath(home.pathname));
}

/** ArcGIS Online: www.arcgis.com, an organisation's *.maps.arcgis.com, and the hosts of its services. */
export function isOnline({ protocol, hostname, port }: URL): boolean {
  return protocol === "https:" && port === "" && /^([a-z0-9-]+\.)+arcgis\.com$/.test(hostname);
}

function parse(url: string): URL | undefined {
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  return parsed.username || parsed.password ? undefined : parsed;
}

import { isBelow } from "../config/reach.js";
/**
 * Whether an address may get the portal's token: the portal's own REST API, and for ArcGIS Online the hosted
 * services below arcgis.com. The parsed address decides; the library looks for the portal's name anywhere in
 * it, and gives the token to `https://evil.example/?x.arcgis.com/`.
 */
export function takesPortalToken(portal, url) {
    const target = parse(url);
    const home = parse(portal);
    if (!target || !home)
        return false;
    if (isOnline(home) && isOnline(target))
        return true;
    return target.origin === home.origin && isBelow(target.pathname, home.pathname);
}
/** ArcGIS Online: www.arcgis.com, an organisation's *.maps.arcgis.com, and the hosts of its services. */
export function isOnline({ protocol, hostname, port }) {
    return protocol === "https:" && port === "" && /^([a-z0-9-]+\.)+arcgis\.com$/.test(hostname);
}
function parse(url) {
    if (!URL.canParse(url))
        return undefined;
    const parsed = new URL(url);
    return parsed.username || parsed.password ? undefined : parsed;
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoidG9rZW4tdGFyZ2V0cy5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInRva2VuLXRhcmdldHMudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFFLE9BQU8sRUFBRSxNQUFNLG9CQUFvQixDQUFDO0FBRTdDOzs7O0dBSUc7QUFDSCxNQUFNLFVBQVUsZ0JBQWdCLENBQUMsTUFBYyxFQUFFLEdBQVc7SUFDMUQsTUFBTSxNQUFNLEdBQUcsS0FBSyxDQUFDLEdBQUcsQ0FBQyxDQUFDO0lBQzFCLE1BQU0sSUFBSSxHQUFHLEtBQUssQ0FBQyxNQUFNLENBQUMsQ0FBQztJQUMzQixJQUFJLENBQUMsTUFBTSxJQUFJLENBQUMsSUFBSTtRQUFFLE9BQU8sS0FBSyxDQUFDO0lBQ25DLElBQUksUUFBUSxDQUFDLElBQUksQ0FBQyxJQUFJLFFBQVEsQ0FBQyxNQUFNLENBQUM7UUFBRSxPQUFPLElBQUksQ0FBQztJQUNwRCxPQUFPLE1BQU0sQ0FBQyxNQUFNLEtBQUssSUFBSSxDQUFDLE1BQU0sSUFBSSxPQUFPLENBQUMsTUFBTSxDQUFDLFFBQVEsRUFBRSxJQUFJLENBQUMsUUFBUSxDQUFDLENBQUM7QUFDbEYsQ0FBQztBQUVELHlHQUF5RztBQUN6RyxNQUFNLFVBQVUsUUFBUSxDQUFDLEVBQUUsUUFBUSxFQUFFLFFBQVEsRUFBRSxJQUFJLEVBQU87SUFDeEQsT0FBTyxRQUFRLEtBQUssUUFBUSxJQUFJLElBQUksS0FBSyxFQUFFLElBQUksOEJBQThCLENBQUMsSUFBSSxDQUFDLFFBQVEsQ0FBQyxDQUFDO0FBQy9GLENBQUM7QUFFRCxTQUFTLEtBQUssQ0FBQyxHQUFXO0lBQ3hCLElBQUksQ0FBQyxHQUFHLENBQUMsUUFBUSxDQUFDLEdBQUcsQ0FBQztRQUFFLE9BQU8sU0FBUyxDQUFDO0lBQ3pDLE1BQU0sTUFBTSxHQUFHLElBQUksR0FBRyxDQUFDLEdBQUcsQ0FBQyxDQUFDO0lBQzVCLE9BQU8sTUFBTSxDQUFDLFFBQVEsSUFBSSxNQUFNLENBQUMsUUFBUSxDQUFDLENBQUMsQ0FBQyxTQUFTLENBQUMsQ0FBQyxDQUFDLE1BQU0sQ0FBQztBQUNqRSxDQUFDIn0=
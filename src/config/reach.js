/** Whether `path` is `folder` or below it; whole path segments count. */
export function isBelow(path, folder) {
    const prefix = folder.endsWith("/") ? folder : `${folder}/`;
    return path === folder || path.startsWith(prefix);
}
/**
 * Gives the function that tells whether `/proxy` may reach an address: the portal's REST API, or below an entry of
 * PROXY_ALLOW; same origin, whole path segments.
 */
export function reachOf({ portal, proxyAllow }) {
    const allowed = [portal, ...proxyAllow].map((prefix) => {
        const { origin, pathname } = new URL(prefix);
        return { origin, folder: pathname.replace(/\/+$/, "") };
    });
    return (target) => allowed.some(({ origin, folder }) => target.origin === origin && isBelow(target.pathname, folder));
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVhY2guanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJyZWFjaC50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSx5RUFBeUU7QUFDekUsTUFBTSxVQUFVLE9BQU8sQ0FBQyxJQUFZLEVBQUUsTUFBYztJQUNsRCxNQUFNLE1BQU0sR0FBRyxNQUFNLENBQUMsUUFBUSxDQUFDLEdBQUcsQ0FBQyxDQUFDLENBQUMsQ0FBQyxNQUFNLENBQUMsQ0FBQyxDQUFDLEdBQUcsTUFBTSxHQUFHLENBQUM7SUFDNUQsT0FBTyxJQUFJLEtBQUssTUFBTSxJQUFJLElBQUksQ0FBQyxVQUFVLENBQUMsTUFBTSxDQUFDLENBQUM7QUFDcEQsQ0FBQztBQUVEOzs7R0FHRztBQUNILE1BQU0sVUFBVSxPQUFPLENBQUMsRUFBRSxNQUFNLEVBQUUsVUFBVSxFQUE0QztJQUN0RixNQUFNLE9BQU8sR0FBRyxDQUFDLE1BQU0sRUFBRSxHQUFHLFVBQVUsQ0FBQyxDQUFDLEdBQUcsQ0FBQyxDQUFDLE1BQU0sRUFBRSxFQUFFO1FBQ3JELE1BQU0sRUFBRSxNQUFNLEVBQUUsUUFBUSxFQUFFLEdBQUcsSUFBSSxHQUFHLENBQUMsTUFBTSxDQUFDLENBQUM7UUFDN0MsT0FBTyxFQUFFLE1BQU0sRUFBRSxNQUFNLEVBQUUsUUFBUSxDQUFDLE9BQU8sQ0FBQyxNQUFNLEVBQUUsRUFBRSxDQUFDLEVBQUUsQ0FBQztJQUMxRCxDQUFDLENBQUMsQ0FBQztJQUNILE9BQU8sQ0FBQyxNQUFXLEVBQVcsRUFBRSxDQUM5QixPQUFPLENBQUMsSUFBSSxDQUFDLENBQUMsRUFBRSxNQUFNLEVBQUUsTUFBTSxFQUFFLEVBQUUsRUFBRSxDQUFDLE1BQU0sQ0FBQyxNQUFNLEtBQUssTUFBTSxJQUFJLE9BQU8sQ0FBQyxNQUFNLENBQUMsUUFBUSxFQUFFLE1BQU0sQ0FBQyxDQUFDLENBQUM7QUFDdkcsQ0FBQyJ9
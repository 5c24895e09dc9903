/** Whether `path` is `folder` or below it; whole path segments count. */
export function isBelow(path: string, folder: string): boolean {
  const prefix = folder.endsWith("/") ? folder : `${folder}/`;
  return path === folder || path.startsWith(prefix);
}

/**
 * Gives the function that tells whether `/proxy` may reach an address: the portal's REST API, or below an entry of
 * PROXY_ALLOW; same origin, whole path segments.
 */
export function reachOf({ portal, proxyAllow }: { portal: string; proxyAllow: string[] }) {
  const allowed = [portal, ...proxyAllow].map((prefix) => {
    const { origin, pathname } = new URL(prefix);
    return { origin, folder: pathname.replace(/\/+$/, "") };
  });
  return (target: URL): boolean =>
    allowed.some(({ origin, folder }) => target.origin === origin && isBelow(target.pathname, folder));
}

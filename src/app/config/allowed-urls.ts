/**
 * A path with its percent-encoding in one form (RFC 3986, 6.2.2): `/%72est` is `/rest` to every server, so it is judged
 * as that.
 */
export function normalPath(pathname: string): string {
  return pathname.replace(/%([\da-f]{2})/gi, (encoded, hex) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
}

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
    return { origin, folder: normalPath(pathname).replace(/(?<!\/)\/+$/, "") };
  });
  return (target: URL): boolean =>
    allowed.some(
      ({ origin, folder }) => target.origin === origin && isBelow(normalPath(target.pathname), folder),
    );
}

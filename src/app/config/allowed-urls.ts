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

/** The URL rules of one portal: its REST API, and the entries of PROXY_ALLOW. */
export interface AllowedUrls {
  portal: string;
  proxyAllow: string[];
}

const prefixesOf = ({ portal, proxyAllow }: AllowedUrls) =>
  [portal, ...proxyAllow].map((prefix) => {
    const { origin, pathname } = new URL(prefix);
    return { origin, folder: normalPath(pathname).replace(/(?<!\/)\/+$/, "") };
  });

/** Returns the check whether `/proxy` may request a URL: same origin, whole path segments. */
export function allowedUrls(rules: AllowedUrls): (url: URL) => boolean {
  const prefixes = prefixesOf(rules);
  return ({ origin, pathname }) =>
    prefixes.some((prefix) => origin === prefix.origin && isBelow(normalPath(pathname), prefix.folder));
}

/** Whether one portal would receive tokens of another: the same URL, or one below the other. */
export function overlap(all: readonly AllowedUrls[]): boolean {
  // ArcGIS ignores case in paths.
  const urls = all.map((rules) =>
    prefixesOf(rules).map(({ origin, folder }) => `${origin}${folder.toLowerCase()}`),
  );
  const isEither = (one: string, other: string) => isBelow(one, other) || isBelow(other, one);
  return urls.some((mine, index) =>
    urls.slice(index + 1).some((theirs) => mine.some((one) => theirs.some((it) => isEither(one, it)))),
  );
}

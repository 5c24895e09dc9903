/** Long enough for a map's address, short enough for three of them in a cookie. */
const longest = 512;

/**
 * Gives `value` when it is a path of this site that is safe to redirect to, and `undefined` otherwise
 * (RFC 9700, 4.11.1: no open redirector). What was checked is what is given: nothing is put together anew.
 *
 * @param origin the site's public origin
 * @param notTo paths that make no sense as a landing place, such as the sign-in itself
 */
export function localPath(value: unknown, origin: string, notTo: readonly string[] = []): string | undefined {
  if (typeof value !== "string" || value.length > longest || !staysHere(value, origin)) return undefined;
  // Once more as a careless server or proxy would read it: `/%2f%2fevil.example` must not get through.
  const decoded = decoding(value);
  if (decoded === undefined || !staysHere(decoded, origin)) return undefined;
  const path = new URL(decoded, origin).pathname.toLowerCase().replace(/(?<!\/)\/+$/, "");
  return notTo.some((other) => path === other.toLowerCase()) ? undefined : value;
}

function staysHere(path: string, origin: string): boolean {
  // Visible ASCII without backslash, which browsers read as a slash; one slash at the front, not two.
  if (!/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(path)) return false;
  const url = new URL(path, origin);
  return url.origin === origin && !url.pathname.startsWith("//");
}

function decoding(path: string): string | undefined {
  try {
    // A space or a letter beyond ASCII is harmless: encoded again, so that one rule serves both readings.
    return decodeURIComponent(path).replace(/ |\P{ASCII}+/gu, encodeURIComponent);
  } catch {
    return undefined;
  }
}

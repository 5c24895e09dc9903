import { normalPath } from "../index.ts";

/** Some programs on Windows turn these into slashes (best fit of characters that their code page lacks). */
const slashLike = /[⁄∕∖⧵⧸¥₩]/;

/**
 * The path of a request target as it was sent (RFC 9112, 3.2.1), decoded once, without its query. `undefined` when
 * servers may read it in two ways: encoded slashes, `;`, `//`, dot segments, double encoding, NUL, invalid UTF-8, short
 * names of Windows, and anything that no browser sends.
 */
export function requestPath(target: string): ReturnType<typeof plainPath> {
  const [raw = ""] = target.split("?", 1);
  if (!/^\/[!-~]*$/.test(raw) || raw.includes("#")) return undefined;
  try {
    const path = normalPath(raw);
    return path === undefined ? undefined : plainPath(decodeURIComponent(path));
  } catch {
    return undefined;
  }
}

/** A short name that Windows gives to a file or folder, such as PROGRA~1: which one it is depends on the disk. */
const shortName = /\/(?=[^/.]{3,8}(?:[./]|$))[^/~]{1,6}~\d+(?:\.[^/.]{0,3})?(?=\/|$)/;

/**
 * The same for a decoded path, in the two forms that rules are compared with: `exact`, and `folded` as the most lenient
 * server reads it: case-insensitive, and each name as Windows would look it up.
 */
export function plainPath(decoded: string) {
  const exact = decoded.replace(/(?<=.)\/$/, "");
  const named = exact
    // Disks of older Macs, and of Linux where they ignore case, ignore invisible characters, also in front of an accent.
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .normalize("NFKC")
    // Windows ignores dots and spaces at the end of a name, and reads a colon as the start of a stream's name. What
    // rewrites URLs may end a name at a decoded ? or # (CVE-2024-38474).
    .replace(/(?<![. ])[. ]+(?=[/:?#]|$)|[:?#][^/]*/g, "");
  // By way of capitals: some letters have several small forms (σ and ς). Java takes ı and İ for an i.
  const folded = named.toLowerCase().toUpperCase().toLowerCase().replaceAll("i\u0307", "i");
  const isPlain =
    decoded.startsWith("/") &&
    !decoded.includes("//") &&
    !/[\\;\p{Cc}]/u.test(named) &&
    !slashLike.test(exact) &&
    !shortName.test(named) &&
    // No name has become empty, and no other character has become a slash.
    (exact === "/" || !/\/(?:\/|$)/.test(named)) &&
    exact.split("/").length === named.split("/").length;
  return isPlain ? { exact, folded } : undefined;
}

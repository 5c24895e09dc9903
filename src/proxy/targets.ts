import { allowedUrls, normalPath } from "../app/config/allowed-urls.ts";
import type { Config } from "../app/config/config.ts";
import { isService } from "../arcgis/federation.ts";
import { AppError } from "../errors.ts";

/**
 * Gives the function that reads a request's target, as Esri's clients write it: all that follows the first
 * question mark (`/proxy?https://host/path?f=json`), or the same percent-encoded as a whole.
 *
 * A target is the portal's REST API or below an entry of PROXY_ALLOW: same origin, whole path segments. The
 * parsed address decides, and it is the very object that the request is made from. Its path is in normal form, for
 * every decision that follows.
 *
 * The function throws AppError token_target for everything else, and for what gives out tokens: over the proxy
 * a script in the page would get one.
 */
export function proxyTargets(config: Pick<Config, "portal" | "proxyAllow">) {
  const isAllowed = allowedUrls(config);

  return (requestUrl: string): URL => {
    const target = parse(textOf(requestUrl));
    if (!target) throw refused("it is not one plain address");
    const path = plainPath(target.pathname);
    if (path === undefined) throw refused("its path can be read in two ways");
    if (givesTokens.test(path)) throw refused("it gives out tokens");
    target.pathname = normalPath(target.pathname);
    if (isService({ pathname: path }) !== isService(target))
      throw refused("its path can be read in two ways");
    if (!isAllowed(target)) throw refused(`it is not in PROXY_ALLOW (${target.host.slice(0, 100)})`);
    return target;
  };
}

/**
 * `oauth2/...` and `generateToken`, at the portal and at its servers, which may not care for capitals, nor, on
 * Windows, for dots and spaces at the end of a name.
 */
const givesTokens = /\/(?:oauth2|generatetoken)[ .]*(?:\/|$)/i;

function refused(cause: string): AppError {
  return new AppError("token_target", { cause });
}

function textOf(requestUrl: string): string | undefined {
  const text = requestUrl.slice(requestUrl.indexOf("?") + 1);
  if (!/^https?%3a/i.test(text)) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** No user name, no backslash, no fragment, nothing that a parser of addresses leaves out or puts right. */
const written = /^https?:\/\/[^\s\\/?#@%]+(?:\/[^\s\\?#]*)?(?:\?[^#]*)?$/i;

function parse(text: string | undefined): URL | undefined {
  if (text === undefined || !written.test(text) || /\p{Cc}/u.test(text)) return undefined;
  // A parser resolves them: the address would lead elsewhere than it says.
  if (/^[^?]*\/\.{1,2}(?:[/?]|$)/.test(text)) return undefined;
  return URL.canParse(text) ? new URL(text) : undefined;
}

/**
 * Gives a path without its percent-encoding. Gives `undefined` for a path that leads somewhere else on a server
 * that decodes once more than we do, takes `;` for the end of a name, or a backslash for a slash.
 */
function plainPath(pathname: string): string | undefined {
  // A lone % and the bytes C0 and C1 are in no UTF-8; some servers make a slash or a dot of them.
  if (/%(?![\da-f]{2})|%c[01]/i.test(pathname)) return undefined;
  const slashes = slashesIn(pathname);
  // Encoded more than three times is nobody's file name, and each time costs a pass.
  let path = pathname;
  for (let rounds = 0; rounds < 4; rounds++) {
    if (/[\\;\p{Cc}]|\/\/|\/\.{1,2}(?:\/|$)/u.test(path) || slashesIn(path) !== slashes) return undefined;
    const decoded = path.replace(/%([0-7][\da-f])/gi, (_, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === path) return path;
    path = decoded;
  }
  return undefined;
}

function slashesIn(text: string): number {
  return text.split("/").length;
}

import type { Request } from "express";
import { isBelow } from "../app/config/allowed-urls.ts";
import type { Config } from "../app/config/config.ts";
import { isOnline } from "../arcgis/token-targets.ts";
import { AppError, type ErrorCode } from "../errors.ts";

/** What the portal has said by sending the browser back. */
export interface Callback {
  state: string;
  /** The one-time code; empty when the portal reports an error. */
  code: string;
  error?: ErrorCode;
}

type CallbackOptions = Pick<Config, "portal" | "severalPortals">;

/**
 * Reads what the portal adds to the redirect URI (RFC 6749, 4.1.2). ArcGIS sends more than that now and then,
 * such as `persist`; it is passed over. With several portals, an answer that says that it comes from another one is
 * malformed (RFC 9700, 4.4.2.1).
 *
 * @throws AppError callback_malformed when something is missing, repeated, or not of the right form.
 */
export function readCallback({ query }: Request, { portal, severalPortals }: CallbackOptions): Callback {
  const { state, code, error, iss } = query;
  if (!isText(state, 512)) throw new AppError("callback_malformed");
  if (severalPortals && iss !== undefined && !isIssuer(iss, portal)) throw new AppError("callback_malformed");
  if (error !== undefined) {
    if (typeof error !== "string") throw new AppError("callback_malformed");
    return { state, code: "", error: errorCodes.get(error) ?? "sign_in_refused" };
  }
  if (!isText(code, 2048)) throw new AppError("callback_malformed");
  return { state, code };
}

/**
 * Whether an answer says that it comes from this portal (RFC 9207). ArcGIS says nothing so far, and what it would call
 * itself is not documented: its REST root, or an address above or below that.
 */
function isIssuer(iss: unknown, portal: string): boolean {
  if (!isText(iss, 2048) || !/^https?:\/\/[!-~]+$/.test(iss) || !URL.canParse(iss)) return false;
  const [issuer, home] = [new URL(iss), new URL(portal)];
  if (issuer.search || issuer.hash || issuer.username) return false;
  if (isOnline(issuer) && isOnline(home)) return true;
  const [path, root] = [issuer.pathname.replace(/(?<!\/)\/+$/, ""), home.pathname];
  return issuer.origin === home.origin && (isBelow(root, path) || isBelow(path, root));
}

/** RFC 6749, 4.1.2.1. The portal's own texts are not shown: anybody can write them into a link. */
const errorCodes = new Map<string, ErrorCode>([
  ["access_denied", "access_denied"],
  ["server_error", "portal_unreachable"],
  ["temporarily_unavailable", "portal_unreachable"],
]);

/** Repeated parameters are an array; visible ASCII is all that RFC 6749, appendix A, allows. */
function isText(value: unknown, longest: number): value is string {
  return typeof value === "string" && value.length <= longest && /^[\x20-\x7e]+$/.test(value);
}

/**
 * The routes of the callback. Mounted under a path of another app, or behind a proxy that strips a prefix,
 * this app sees only the end of the redirect URI's path: so every end of it is served.
 */
export function callbackRoutes(path: string): string[] {
  const parts = path
    .replace(/(?<!\/)\/+$/, "")
    .split("/")
    .slice(1);
  return parts.map((_, index) => `/${parts.slice(index).join("/")}`.replace(/[()[\]{}?+!:*\\]/g, "\\$&"));
}

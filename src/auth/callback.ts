import { ArcGISRequestError } from "@esri/arcgis-rest-request";
import type { Request } from "express";
import { isUndecided } from "./arcgis/portal-request.ts";
import { isIssuer } from "./arcgis/trusted-urls.ts";
import { AuthError, type AuthErrorCode } from "./errors.ts";

/** What the portal has said by sending the browser back. */
export interface Callback {
  state: string;
  /** Empty when the portal reports an error. */
  code: string;
  error?: AuthErrorCode;
}

/** RFC 6749, 4.1.2.1. The portal's own texts are not shown: anybody can write them into a link. */
const errorCodes = new Map<unknown, AuthErrorCode>([
  ["access_denied", "access_denied"],
  ["server_error", "portal_unreachable"],
  ["temporarily_unavailable", "portal_unreachable"],
]);

/** Repeated parameters are arrays. A response that names another portal as its issuer is none for us (RFC 9207). */
export function parseCallback({ query }: Request, portal: string): Callback {
  const { state, code, error, iss } = query;
  const isOurs = isVisibleAscii(state, 512) && (iss === undefined || isIssuer(iss, portal));
  if (!isOurs || Array.isArray(error)) throw new AuthError("callback_malformed");
  if (error !== undefined) return { state, code: "", error: errorCodes.get(error) ?? "sign_in_refused" };
  if (!isVisibleAscii(code, 2048)) throw new AuthError("callback_malformed");
  return { state, code };
}

function isVisibleAscii(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length <= maxLength && /^[\x20-\x7e]+$/.test(value);
}

/** Only a response about this code is a refusal; that of a busy portal is not. */
export function codeRefused(error: unknown): never {
  if (!(error instanceof ArcGISRequestError)) throw error;
  throw new AuthError(isUndecided(error) ? "portal_unreachable" : "code_refused", { cause: error });
}

import { ArcGISRequestError } from "@esri/arcgis-rest-request";
import type { Request } from "express";
import { isUndecided } from "./arcgis/portal-request.ts";
import { isIssuer } from "./arcgis/trusted-urls.ts";
import { AuthError, type AuthErrorCode } from "./errors.ts";

/** RFC 6749, 4.1.2.1. `error_description` is not shown: anyone can put a text into a link to the callback. */
const errorCodes = new Map<unknown, AuthErrorCode>([
  ["access_denied", "access_denied"],
  ["server_error", "portal_unreachable"],
  ["temporarily_unavailable", "portal_unreachable"],
]);

/** A state, with a code or an error. The portal sends no arrays (repeated parameters), and no other issuer (RFC 9207). */
export function parseCallback({ query: { state, code, error, iss } }: Request, portal: string) {
  const isText = (value: unknown, maxLength: number): value is string =>
    typeof value === "string" && value.length <= maxLength && /^[\x20-\x7e]+$/.test(value);
  if (!isText(state, 512) || Array.isArray(error) || !(iss === undefined || isIssuer(iss, portal)))
    throw new AuthError("callback_malformed");
  if (error !== undefined) return { state, code: "", error: errorCodes.get(error) ?? "sign_in_refused" };
  if (!isText(code, 2048)) throw new AuthError("callback_malformed");
  return { state, code };
}

/** A portal that is busy has not refused the code. If there was no response at all, `cause` already is an AuthError. */
export function exchangeFailed(cause: unknown): never {
  if (!(cause instanceof ArcGISRequestError)) throw cause;
  throw new AuthError(isUndecided(cause) ? "portal_unreachable" : "code_refused", { cause });
}

const foreignCallbacks: AuthErrorCode[] = ["callback_malformed", "transaction_missing", "state_mismatch"];

/** Whether a callback belonged to no sign-in of ours. */
export function isForeignCallback(error: unknown): boolean {
  return error instanceof AuthError && foreignCallbacks.includes(error.code);
}

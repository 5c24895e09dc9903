import { ArcGISRequestError } from "@esri/arcgis-rest-request";
import { AuthError, type AuthErrorCode } from "../index.ts";
import { ProxyError, type ProxyErrorCode } from "../proxy/arcgis-proxy.ts";

/** Errors of the server itself: HTTP status (RFC 9110, section 15) and message. Those of the library have their own. */
const appErrors = {
  bad_request: [400, "The URL or the form is malformed. Try again from the start page."],
  cross_site: [
    403,
    "The request came from another site, or from a program that does not say where it comes from.",
  ],
  embed_origin: [
    403,
    "This page shows only apps of certain origins, because they receive your access token.",
  ],
  // Not 400: of a refusal, nginx's auth_request understands 401 and 403 only.
  ambiguous_path: [
    403,
    "Servers could read this path in different ways. Use the link exactly as it is on the page.",
  ],
  proxy_not_trusted: [403, "This URL is for a reverse proxy that TRUST_PROXY names."],
  not_found: [404, "This page does not exist."],
  method_not_allowed: [405, "This URL does not accept this kind of request."],
  payload_too_large: [413, "The request is larger than this server accepts. Send less data."],
  rate_limited: [429, "There were too many sign-ins from your address. Wait a minute, then try again."],
  redirect_rewritten: [500, "The reverse proxy changes redirects, so the sign-in cannot reach the portal."],
  internal: [500, "This is an error of the server, not yours. Try again in a minute."],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = AuthErrorCode | ProxyErrorCode | keyof typeof appErrors;

/** Where the button of the error page leads. Its heading and its text are in views/locales, `error.{code}`. */
export const nextSteps: Record<ErrorCode, NextStep> = {
  bad_request: "home",
  callback_malformed: "sign-in",
  transaction_missing: "sign-in",
  state_mismatch: "sign-in",
  transaction_expired: "sign-in",
  transaction_used: "home",
  code_refused: "sign-in",
  sign_in_refused: "sign-in",
  access_denied: "sign-in",
  // The portal remembers the user: a plain sign-in would lead to this page again.
  organization_not_allowed: "another-account",
  csrf: "home",
  role_missing: "another-account",
  privilege_missing: "another-account",
  group_missing: "another-account",
  cross_site: "home",
  signed_out: "sign-in",
  session_ended: "sign-in",
  token_rejected: "sign-in",
  untrusted_url: "home",
  embed_origin: "home",
  ambiguous_path: "home",
  proxy_not_trusted: "home",
  not_found: "home",
  method_not_allowed: "home",
  payload_too_large: "home",
  rate_limited: "retry",
  not_mounted: "home",
  insecure_connection: "home",
  redirect_rewritten: "home",
  internal: "retry",
  portal_unreachable: "sign-in",
  response_rejected: "home",
  web_tier_authentication: "sign-in",
  portal_response_invalid: "sign-in",
  store_unavailable: "retry",
  busy: "retry",
  portal_timeout: "sign-in",
};

type NextStep = "sign-in" | "another-account" | "home" | "retry";

/** An error of the server itself, in the form of the library's. `cause` is what happened; only the log shows it. */
export class AppError extends Error {
  readonly code: keyof typeof appErrors;
  readonly status: number;

  constructor(code: keyof typeof appErrors, options?: { cause?: unknown }) {
    super(appErrors[code][1], options);
    this.name = "AppError";
    this.code = code;
    this.status = appErrors[code][0];
  }

  toJSON() {
    return { error: { code: this.code, message: this.message } };
  }
}

export type KnownError = AppError | AuthError | ProxyError;

const isKnown = (error: unknown): error is KnownError =>
  [AppError, AuthError, ProxyError].some((type) => error instanceof type);

/** The error to show for any error. Its texts are ours, never those of a portal or a visitor. */
export function knownError(error: unknown): KnownError {
  if (isKnown(error)) return error;
  const cause = { cause: error };
  if (error instanceof ArcGISRequestError) return new AuthError("portal_response_invalid", cause);
  const { status } = Object(error) as { status?: unknown };
  if (status === 413) return new AppError("payload_too_large", cause);
  if (status === 404) return new AppError("not_found", cause);
  const isRefused = typeof status === "number" && status >= 400 && status < 500;
  return new AppError(isRefused ? "bad_request" : "internal", cause);
}

/** The code of an error of this server, the library or the proxy. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return isKnown(error) ? error.code : undefined;
}

import { ArcGISRequestError } from "@esri/arcgis-rest-request";
import { AuthError, type AuthErrorCode } from "../index.ts";
import { ProxyError, type ProxyErrorCode } from "../proxy/arcgis-proxy.ts";

/** Errors of the server itself: HTTP status (RFC 9110, section 15) and message. Those of the library have their own. */
const appErrors = {
  bad_request: [400, "The URL or the form is malformed. Try again from the start page."],
  cross_site: [403, "The request came from another site, or from a program that does not say where."],
  embed_origin: [403, "This page shows apps of certain origins only: they receive your access token."],
  // Not 400: of a refusal, nginx's auth_request understands 401 and 403 only.
  ambiguous_path: [403, "Servers may read this path in different ways. Use the link as the page has it."],
  not_found: [404, "This page does not exist."],
  method_not_allowed: [405, "This URL does not accept this kind of request."],
  payload_too_large: [413, "The request is larger than this server accepts. Send less data."],
  rate_limited: [429, "There were too many sign-ins from your address. Wait a minute, then try again."],
  redirect_rewritten: [500, "The reverse proxy changes redirects, so the sign-in cannot reach the portal."],
  internal: [500, "This is an error of the server, not yours. Try again in a minute."],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = AuthErrorCode | ProxyErrorCode | keyof typeof appErrors;

/** Of the error page: the heading, and where its button leads. */
export const errorPages: Record<ErrorCode, [title: string, next: NextStep]> = {
  bad_request: ["Invalid request", "home"],
  callback_malformed: ["This sign-in cannot be finished", "sign-in"],
  transaction_missing: ["This sign-in was not started here", "sign-in"],
  state_mismatch: ["This sign-in was not started here", "sign-in"],
  transaction_expired: ["This sign-in took too long", "sign-in"],
  transaction_used: ["This sign-in is already finished", "home"],
  code_refused: ["The portal did not accept this sign-in", "sign-in"],
  sign_in_refused: ["The portal did not accept this sign-in", "sign-in"],
  access_denied: ["You canceled the sign-in", "sign-in"],
  // The portal remembers the user: a plain sign-in would lead to this page again.
  organization_not_allowed: ["Your organization may not use this app", "another-account"],
  csrf: ["Nothing was changed", "home"],
  role_missing: ["Your role does not allow this", "another-account"],
  privilege_missing: ["Your role lacks a privilege", "another-account"],
  group_missing: ["This is for members of a group", "another-account"],
  cross_site: ["Only for this site's own pages", "home"],
  signed_out: ["You are signed out", "sign-in"],
  session_ended: ["Your sign-in has ended", "sign-in"],
  token_rejected: ["Your sign-in was not accepted", "sign-in"],
  untrusted_url: ["This URL may not receive your token", "home"],
  embed_origin: ["This app cannot be shown here", "home"],
  ambiguous_path: ["This address is ambiguous", "home"],
  not_found: ["Page not found", "home"],
  method_not_allowed: ["Method not allowed", "home"],
  payload_too_large: ["Request too large", "home"],
  rate_limited: ["One moment, please", "retry"],
  not_mounted: ["Something went wrong on our side", "home"],
  insecure_connection: ["This server is not set up for https yet", "home"],
  redirect_rewritten: ["The sign-in did not reach the portal", "home"],
  internal: ["Something went wrong on our side", "retry"],
  portal_unreachable: ["ArcGIS cannot be reached", "sign-in"],
  response_rejected: ["This response cannot be passed on", "home"],
  web_tier_authentication: ["ArcGIS asks this server for a Windows sign-in", "sign-in"],
  portal_response_invalid: ["ArcGIS sent an unexpected response", "sign-in"],
  store_unavailable: ["Sign-in is not possible right now", "retry"],
  busy: ["One moment, please", "retry"],
  portal_timeout: ["ArcGIS took too long", "sign-in"],
};

/** Where the page has more to say than the message. */
export const pageTexts: Partial<Record<ErrorCode, string>> = {
  callback_malformed: "The portal's response is incomplete, or the URL was changed. Sign in again.",
  state_mismatch:
    "The response belongs to a different sign-in. If you did not try to sign in just now, ignore this page.",
  transaction_used: "Each sign-in works once. Go to the start page: you are probably signed in already.",
  code_refused:
    "The authorization code has expired, was used before, or belongs to another app. Sign in again.",
  sign_in_refused:
    "The portal ended the sign-in with an error. Sign in again. If it happens twice, tell the people who run this server.",
  access_denied: "Nothing was shared with this app. You can sign in at any time.",
  organization_not_allowed:
    "Sign in with an account of the right organization, or ask the people who run this app to add yours.",
  csrf: "The form did not come from this site, or it was open too long. Try again from the start page.",
  role_missing: "Ask an administrator of your organization, who can change roles.",
  privilege_missing: "Ask an administrator of your organization, who can give your role more privileges.",
  group_missing: "Ask the group's owner, or an administrator of your organization, to invite you.",
  session_ended: "It was ended at the portal, it expired, or the password was changed. Sign in again.",
  token_rejected:
    "The server rejects your token. Sign in again. If that does not help, it may not belong to your portal.",
  untrusted_url: "If you run this server: add the URL to PROXY_ALLOW if you trust it.",
  embed_origin:
    "If you run this server: add the app's origin to EMBED_ORIGINS if you trust it with your users' tokens.",
  not_mounted: "If you run this server: the log says how the app is to be mounted.",
  insecure_connection:
    "If you run this server: let the reverse proxy send X-Forwarded-Proto, and set TRUST_PROXY to its address or to 1. IIS with ARR sends only X-ARR-SSL: its rule must set HTTP_X_FORWARDED_PROTO to https (docs/windows.md).",
  redirect_rewritten:
    'A reverse proxy has put this site\'s name into the redirect to the portal. If you run this server with IIS: turn off "Reverse rewrite host in response headers" (docs/windows.md).',
  web_tier_authentication:
    "If you run this server: its requests to the portal are rejected by Integrated Windows Authentication. Set PORTAL_SERVER_URL to a URL of the portal without it (docs/windows.md).",
  store_unavailable: "The session store of this server does not respond. Try again in a minute.",
};

type NextStep = "sign-in" | "another-account" | "home" | "retry";

/** An error of the server itself, in the form of the library's. What really happened is in `cause`, only in the log. */
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

/** The error that is shown for one of any library: its texts are ours, never those of a portal or a visitor. */
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

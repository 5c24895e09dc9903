import { ArcGISRequestError } from "@esri/arcgis-rest-request";

/** What the error page says, and where its button leads. */
interface Explanation {
  /** HTTP status (RFC 9110, section 15). */
  status: number;
  /** A few words: the heading of the page. */
  title: string;
  /** One calm sentence: what happened and why. */
  message: string;
  /** One sentence: what to do now. */
  advice: string;
  /** The button under it; "home" when it is left out. */
  next?: "sign-in" | "another-account" | "home" | "retry";
}

/**
 * Every error that this server responds with. The code is the stable name: in JSON, in the log, in the `data-code` of
 * the error page, and as a heading in the README.
 */
export const catalog = {
  bad_request: {
    status: 400,
    title: "Invalid request",
    message: "The URL or the form is malformed.",
    advice: "Go back to the start page and try again from there.",
  },
  callback_malformed: {
    status: 400,
    title: "This sign-in cannot be finished",
    message: "The portal's response is incomplete, or the URL was changed.",
    advice: "Sign in again. If it happens twice, tell the people who run this server.",
    next: "sign-in",
  },
  transaction_missing: {
    status: 400,
    title: "This sign-in was not started here",
    message:
      "This browser has no sign-in in progress: the link came from somewhere else, it was opened in another browser, or cookies are blocked.",
    advice: "Allow cookies for this site, then sign in from here.",
    next: "sign-in",
  },
  state_mismatch: {
    status: 400,
    title: "This sign-in was not started here",
    message: "The response belongs to a different sign-in than the one this browser started.",
    advice: "If you did not try to sign in just now, ignore this page. Otherwise sign in again.",
    next: "sign-in",
  },
  transaction_expired: {
    status: 400,
    title: "This sign-in took too long",
    message: "A sign-in must be finished within ten minutes.",
    advice: "Sign in again.",
    next: "sign-in",
  },
  transaction_used: {
    status: 400,
    title: "This sign-in is already finished",
    message: "Each sign-in works once. This page was loaded again, perhaps with the Back button.",
    advice: "Go to the start page: you are probably signed in already.",
    next: "home",
  },
  code_refused: {
    status: 400,
    title: "The portal did not accept this sign-in",
    message: "The authorization code has expired, was used before, or belongs to another app.",
    advice: "Sign in again.",
    next: "sign-in",
  },
  sign_in_refused: {
    status: 400,
    title: "The portal did not accept this sign-in",
    message: "The portal ended the sign-in with an error instead of a result.",
    advice: "Sign in again. If it happens twice, tell the people who run this server.",
    next: "sign-in",
  },
  access_denied: {
    status: 403,
    title: "You canceled the sign-in",
    message: "Nothing was shared with this app.",
    advice: "You can sign in at any time.",
    next: "sign-in",
  },
  organization_not_allowed: {
    status: 403,
    title: "Your organization may not use this app",
    message: "This app is only for members of certain ArcGIS organizations.",
    advice:
      "Sign in with an account of the right organization, or ask the people who run this app to add yours.",
    // The portal remembers the user: a plain sign-in would lead to this page again.
    next: "another-account",
  },
  csrf: {
    status: 403,
    title: "Nothing was changed",
    message: "The form did not come from this site, or it was open too long.",
    advice: "Go to the start page and try again from there.",
    next: "home",
  },
  role_missing: {
    status: 403,
    title: "Your role does not allow this",
    message: "Your role in the organization does not include this.",
    advice: "Ask an administrator of your organization, who can change roles.",
  },
  privilege_missing: {
    status: 403,
    title: "Your role lacks a privilege",
    message: "Your role in the organization does not have the privilege that this needs.",
    advice: "Ask an administrator of your organization, who can give your role more privileges.",
  },
  group_missing: {
    status: 403,
    title: "This is for members of a group",
    message: "You are not a member of the group.",
    advice: "Ask the group's owner, or an administrator of your organization, to invite you.",
  },
  cross_site: {
    status: 403,
    title: "Only for this site's own pages",
    message: "The request came from another site, or from a program that does not say where it comes from.",
    advice: "If you write a page of this site: request this URL from its script, with fetch.",
  },
  signed_out: {
    status: 401,
    title: "You are signed out",
    message: "Sign in to continue.",
    advice: "After the sign-in you come back to this page.",
    next: "sign-in",
  },
  session_ended: {
    status: 401,
    title: "Your sign-in has ended",
    message: "The portal no longer accepts it: it was ended there, it expired, or the password was changed.",
    advice: "Sign in again.",
    next: "sign-in",
  },
  token_rejected: {
    status: 401,
    title: "Your sign-in was not accepted",
    message: "The server rejects your token, and a refreshed one, too.",
    advice: "Sign in again. If the problem continues, the server may not belong to your portal.",
    next: "sign-in",
  },
  untrusted_url: {
    status: 403,
    title: "This URL may not receive your token",
    message: "Your token is only sent to your portal and to the servers that belong to it.",
    advice: "If you run this server: add the URL to PROXY_ALLOW if you trust it.",
  },
  embed_origin: {
    status: 403,
    title: "This app cannot be shown here",
    message: "This page shows apps of certain origins only, because they receive your access token.",
    advice: "If you run this server: add the origin to EMBED_ORIGINS if you trust it.",
  },
  not_found: {
    status: 404,
    title: "Page not found",
    message: "This page does not exist.",
    advice: "Check the URL, or go to the start page.",
  },
  method_not_allowed: {
    status: 405,
    title: "Method not allowed",
    message: "This URL does not accept this kind of request.",
    advice: "Go to the start page and try again from there.",
  },
  payload_too_large: {
    status: 413,
    title: "Request too large",
    message: "The request is larger than this server accepts.",
    advice: "Send less data, or go to the start page.",
  },
  rate_limited: {
    status: 429,
    title: "One moment, please",
    message: "There were too many sign-ins from your address in one minute.",
    advice: "Wait a minute, then try again.",
    next: "retry",
  },
  not_mounted: {
    status: 500,
    title: "Something went wrong on our side",
    message: "This is an error of the server, not yours.",
    advice: "If you run this server: the log says how the app is to be mounted.",
  },
  insecure_connection: {
    status: 500,
    title: "This server is not set up for https yet",
    message:
      "Its public URL is https, but the request arrived without it, so the browser would not keep the sign-in.",
    advice:
      "If you run this server: let the reverse proxy send X-Forwarded-Proto and set TRUST_PROXY to its address or to 1.",
  },
  internal: {
    status: 500,
    title: "Something went wrong on our side",
    message: "This is an error of the server, not yours.",
    advice:
      "Try again. If the problem continues, send the request ID below to the people who run this server.",
    next: "retry",
  },
  portal_unreachable: {
    status: 502,
    title: "ArcGIS cannot be reached",
    message: "This server could not reach the portal, or the portal failed.",
    advice: "Try again in a minute.",
    next: "sign-in",
  },
  response_rejected: {
    status: 502,
    title: "This response cannot be passed on",
    message: "The server sent a redirect, a web page or a script, or too much data.",
    advice: "If you write a page of this site: ask for f=json, or for an image.",
  },
  portal_response_invalid: {
    status: 502,
    title: "ArcGIS sent an unexpected response",
    message: "The portal responded, but not in a way that this server can trust.",
    advice: "Try again in a minute. If the problem continues, the portal's URL may be wrong.",
    next: "sign-in",
  },
  store_unavailable: {
    status: 503,
    title: "Sign-in is not possible right now",
    message: "The session store of this server does not respond.",
    advice: "Try again in a minute.",
    next: "retry",
  },
  busy: {
    status: 503,
    title: "One moment, please",
    message: "Too many requests are in progress.",
    advice: "Wait a moment, then try again.",
    next: "retry",
  },
  portal_timeout: {
    status: 504,
    title: "ArcGIS took too long",
    message: "The portal did not respond in time.",
    advice: "Try again in a minute.",
    next: "sign-in",
  },
} as const satisfies Record<string, Explanation>;

export type ErrorCode = keyof typeof catalog;

/** An error of this server's own, with a stable code. What really happened is in `cause`, and only in the log. */
export class AppError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, options: { cause?: unknown } = {}) {
    super(catalog[code].message, options);
    this.name = "AppError";
    this.code = code;
  }
}

/** An error as the error page, JSON and the log tell it: its texts are ours, never those of a portal or a visitor. */
export interface Explained extends Explanation {
  code: ErrorCode;
  /** The roles, privileges or groups that a guard asked for. */
  needed?: string | undefined;
  /** Where to sign in or try again, with the path under which the app is mounted. */
  signInUrl?: string | undefined;
  cause: unknown;
}

/** Explains what any library threw: AuthError and ProxyError have codes of the catalog, Express a `status`. */
export function explainError(error: unknown): Explained {
  const code = codeOf(error);
  if (!code) return { ...catalog[kindOf(error)], code: kindOf(error), cause: error };
  const {
    needed = [],
    signInUrl,
    cause,
  } = error as { needed?: string[]; signInUrl?: string; cause?: unknown };
  return { ...catalog[code], code, needed: needed.join(", ") || undefined, signInUrl, cause };
}

/** The code of an error that the catalog explains: of this server, the library or the proxy. */
export function codeOf(error: unknown): ErrorCode | undefined {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === "string" && Object.hasOwn(catalog, code) ? (code as ErrorCode) : undefined;
}

function kindOf(error: unknown): ErrorCode {
  if (error instanceof ArcGISRequestError) return "portal_response_invalid";
  const { status } = Object(error) as { status?: unknown };
  if (status === 413) return "payload_too_large";
  if (status === 404) return "not_found";
  return typeof status === "number" && status >= 400 && status < 500 ? "bad_request" : "internal";
}

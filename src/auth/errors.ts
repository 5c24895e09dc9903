import type { ErrorRequestHandler } from "express";

/** HTTP status and what the visitor reads, by code. Operators read `message` and `cause`. */
const catalog = {
  signed_out: [401, "Sign in to continue."],
  session_ended: [401, "Your sign-in has ended. Sign in again."],
  token_rejected: [401, "Your sign-in was not accepted there. Sign in again."],
  organization_not_allowed: [403, "Your organization may not use this app."],
  role_missing: [403, "Your role does not allow this."],
  privilege_missing: [403, "Your role lacks a privilege for this."],
  group_missing: [403, "This is for members of a group."],
  access_denied: [403, "You canceled the sign-in. Nothing was shared with this app."],
  csrf: [403, "Nothing was changed: this form is not valid anymore. Go back and try again."],
  untrusted_url: [403, "This URL may not receive your token."],
  sign_in_refused: [400, "The portal did not accept this sign-in. Sign in again."],
  callback_malformed: [
    400,
    "This sign-in cannot be finished: the portal's response is incomplete. Sign in again.",
  ],
  transaction_missing: [400, "This browser has no sign-in in progress. Allow cookies, then sign in again."],
  transaction_expired: [400, "This sign-in took more than ten minutes. Sign in again."],
  transaction_used: [400, "This sign-in is finished. Each sign-in works once."],
  state_mismatch: [400, "This sign-in was not started here. Sign in again."],
  code_refused: [400, "The portal did not accept this sign-in. Sign in again."],
  insecure_connection: [500, "This app is not set up for https yet."],
  not_mounted: [500, "This route is not set up correctly."],
  portal_unreachable: [502, "The portal cannot be reached. Try again in a minute."],
  web_tier_authentication: [502, "The portal asks this server for a Windows sign-in."],
  portal_response_invalid: [502, "The portal sent an unexpected response. Try again in a minute."],
  portal_timeout: [504, "The portal took too long. Try again in a minute."],
  store_unavailable: [503, "Sign-in is not possible right now. Try again in a minute."],
} as const satisfies Record<string, readonly [number, string]>;

/** What went wrong. docs/errors.md explains every code. @useDeclaredType */
export type AuthErrorCode = keyof typeof catalog;

/** Every failure of the sign-in and of the guards, with a stable `code`. Express reads `status`. */
export class AuthError extends Error {
  readonly code: AuthErrorCode;
  /** HTTP status. */
  readonly status: number;
  /** Whether `message` may be shown to visitors (http-errors' word); otherwise it is advice for the developer. */
  readonly expose: boolean;
  /** The roles, privileges or groups that a guard asked for. */
  readonly needed: readonly string[];
  /** Where the visitor can sign in, or try again. Every 401 has it once it comes from a route. */
  signInUrl?: string;

  constructor(
    code: AuthErrorCode,
    { cause, message, needed = [] }: { cause?: unknown; message?: string; needed?: readonly string[] } = {},
  ) {
    super(message ?? catalog[code][1], cause === undefined ? undefined : { cause });
    this.name = "AuthError";
    this.code = code;
    this.status = catalog[code][0];
    this.expose = message === undefined;
    this.needed = needed;
  }

  /** What JSON clients receive: `{"error":{"code","message"}}`, and `needed` in one text if there is any. */
  toJSON() {
    const needed = this.needed.join(", ") || undefined;
    return { error: { code: this.code, message: catalog[this.code][1], needed } };
  }
}

/** Whether trying again later may help: the portal or the store is in trouble, and nothing was rejected. */
export function isTemporary(error: unknown): boolean {
  return error instanceof AuthError && error.status > 500;
}

/**
 * A plain page with a sign-in link, or JSON, for apps without an error handler of their own: for errors of this library
 * and its proxy. Other errors pass. The stack and the causes of a 5xx go to stderr, as Express does it: not if the
 * app's `env` is "test".
 */
export function authErrorHandler(): ErrorRequestHandler {
  return (error, req, res, next) => {
    const isOurs = error instanceof AuthError || Object(error).name === "ProxyError";
    if (!isOurs || res.headersSent) return next(error);
    if (error.status >= 500 && req.app.get("env") !== "test") console.error(traceOf(error));
    res.status(error.status).set("Cache-Control", "no-store");
    // Scripts accept everything; browsers name HTML for a page.
    if (req.accepts(["json", "html"]) !== "html") return void res.json(error);
    const link = error.signInUrl ? `<p><a href="${escapeHtml(error.signInUrl)}">Sign in</a></p>` : "";
    res.send(page("Sign in", error.toJSON().error.message, link));
  };
}

/** The stacks only: the other properties of a cause may be secrets, such as the arguments of a Redis command. */
function traceOf(error: unknown): string {
  const { stack = String(error), cause } = Object(error) as Error;
  return cause === undefined ? stack : `${stack}\n[cause]: ${traceOf(cause)}`;
}

/** @param html goes below the text as it is */
export function page(title: string, text: string, html = ""): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><p>${escapeHtml(text)}</p>${html}</html>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

import { createHmac } from "node:crypto";
import type { Request, RequestHandler, Response } from "express";
import { escapeHtml } from "./errors.ts";
import { isSame } from "./session/session-cookie.ts";

/**
 * Sends the browser on. `res.redirect` writes a body, and express-session then lets the headers go before its save
 * has ended. Never 301: browsers keep it.
 */
export function redirect(res: Response, location: string, status: 302 | 303 = 303): void {
  res.status(status).set({ Location: location, "Cache-Control": "no-store" }).end();
}

/**
 * Whether a browser opens a page, and can follow a redirect to the portal: by Fetch Metadata (W3C), which says of a script
 * or an image what it is, and by `Accept`, where a browser names HTML and a program accepts everything.
 */
export function isPageVisit(req: Request): boolean {
  const mode = req.get("Sec-Fetch-Mode") ?? "navigate";
  return mode === "navigate" && req.accepts(["json", "html"]) === "html";
}

/** Only this GET may change something: a click on our own page (Fetch Metadata, W3C). */
export function isSameOriginNavigation(req: Request): boolean {
  return (
    req.get("Sec-Fetch-Site") === "same-origin" &&
    req.get("Sec-Fetch-Mode") === "navigate" &&
    req.get("Sec-Fetch-Dest") === "document" &&
    !isPrefetch(req)
  );
}

/** Whether a page of this site sends the request: by Fetch Metadata (W3C), or in browsers without it by `Origin`. */
export function isSameOriginRequest(req: Request, origin: string): boolean {
  const site = req.get("Sec-Fetch-Site");
  return site === undefined ? req.get("Origin") === origin : site === "same-origin";
}

/** A link that is loaded in advance is not a visit: 503 makes the browser request it again at the click. */
export const refusePrefetch: RequestHandler = (req, res, next) => {
  if (req.method === "HEAD") res.status(204).end();
  else if (isPrefetch(req)) res.status(503).end();
  else next();
};

/** Whether the browser loads a link in advance, which is not a visit. */
export function isPrefetch(req: Request): boolean {
  return ["Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"].some((name) =>
    /prefetch|preview/i.test(req.get(name) ?? ""),
  );
}

/** Bound to the session's id, so a CSRF token needs no place in the session. The first secret makes, all verify. */
export function csrfTokens(secrets: readonly string[]) {
  const tokens = (id: string) =>
    secrets.map((secret) => createHmac("sha256", `csrf/v1|${secret}`).update(id).digest("base64url"));
  return {
    create: (sessionId: string): string => tokens(sessionId)[0] as string,
    // As texts: Node decodes base64 leniently.
    verify: (token: unknown, sessionId: string): boolean =>
      typeof token === "string" && tokens(sessionId).some((expected) => isSame(token, expected)),
  };
}

/** Long enough for the URL of a map. */
const maxReturnTo = 2_000;

/** `value` when it is a path of this site that is safe to redirect to (RFC 9700, 4.11.1). */
export function safeReturnTo(
  value: unknown,
  origin: string,
  excluded: readonly string[],
): string | undefined {
  if (typeof value !== "string" || value.length > maxReturnTo || !isSameOriginPath(value, origin))
    return undefined;
  // Once more as a careless proxy would read it: `/%2f%2fevil.example`.
  const decoded = tryDecode(value);
  if (decoded === undefined || !isSameOriginPath(decoded, origin)) return undefined;
  const path = withoutSlash(new URL(decoded, origin).pathname);
  return excluded.some((other) => path === withoutSlash(other)) ? undefined : value;
}

function withoutSlash(path: string): string {
  return path.toLowerCase().replace(/(?<!\/)\/+$/, "");
}

function isSameOriginPath(path: string, origin: string): boolean {
  // Visible ASCII without backslash, which browsers read as a slash.
  if (!/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(path)) return false;
  const url = new URL(path, origin);
  return url.origin === origin && !url.pathname.startsWith("//");
}

function tryDecode(path: string): string | undefined {
  try {
    return decodeURIComponent(path).replace(/ |\P{ASCII}+/gu, encodeURIComponent);
  } catch {
    return undefined;
  }
}

/** A form with one button; for your own, send `csrf_token`. */
export function signOutForm(action: string, csrfToken: string): string {
  return `<form method="post" action="${escapeHtml(action)}"><input type="hidden" name="csrf_token" value="${csrfToken}"><button>Sign out</button></form>`;
}

import type { ErrorRequestHandler, Request } from "express";
import type { Logger } from "pino";
import { explainError } from "./errors.ts";
import { renderError } from "./pages/views.ts";
import { reasonOf } from "./reason.ts";

/**
 * Responds to every error: a page for browsers, JSON for programs, and a line in the log.
 * @param count counts it by its code
 */
export function errorPage(log: Logger, count: (code: string) => void): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const explained = explainError(error);
    const { status, code, cause, message, needed } = explained;
    count(code);
    const { requestId } = res.locals;
    const reason = cause === undefined ? undefined : reasonOf(cause);
    const user = req.arcgis?.user?.username ?? res.locals.signedInAs;
    const details = { requestId, event: "refused", code, reason, address: req.ip, user };
    log[status >= 500 ? "error" : "warn"](details, "refused");
    // The response has begun, and cannot be taken back.
    if (res.headersSent) return void res.destroy();

    res.set({ "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" });
    // Seconds (RFC 9110, 10.2.3), for programs and proxies.
    if (status === 503) res.set("Retry-After", "5");
    // Of a file that could not be sent.
    for (const name of ["ETag", "Last-Modified", "Accept-Ranges", "Content-Range"]) res.removeHeader(name);
    if (prefersJson(req)) res.status(status).json({ error: { code, message, needed } });
    else renderError(res, explained, { requestId, retry: req.method === "GET" ? req.path : undefined });
  };
}

function prefersJson(req: Request): boolean {
  return (
    /^(?:\/portals\/[^/]+)?\/(?:api\/|proxy\/?$)/i.test(req.path) || req.accepts(["html", "json"]) === "json"
  );
}

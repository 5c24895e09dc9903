import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { ArcGISRequestError } from "@esri/arcgis-rest-request";
import type { ErrorRequestHandler, Request, RequestHandler } from "express";
import helmet from "helmet";
import type { Logger } from "pino";
import type { Config } from "./app/config/config.ts";
import { AppError } from "./errors.ts";
import { counts } from "./metrics/counts.ts";
import { reasonOf } from "./reason.ts";
import { renderError } from "./routes/views.ts";

/**
 * The headers of every answer, errors and redirects included. helmet's own defaults would allow inline styles
 * and, with `no-referrer`, take the Origin off our forms: so each header is spelled out.
 */
export function securityHeaders(config: Config): RequestHandler {
  // Chromium applies form-action to the redirect that answers a form: after a sign-out that may be the portal.
  const { secure, alsoSignOutPortal, furtherPortals } = config;
  const portals = alsoSignOutPortal ? [config, ...furtherPortals] : [];
  const formAction = ["'self'", ...new Set(portals.map(({ portal }) => new URL(portal).origin))];
  const headers = headersOf(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'", "data:"],
          connectSrc: ["'self'"],
          objectSrc: ["'none'"],
          baseUri: ["'none'"],
          formAction,
          frameAncestors: ["'none'"],
        },
      },
      crossOriginOpenerPolicy: { policy: "same-origin" },
      crossOriginResourcePolicy: { policy: "same-origin" },
      // Pages with a form say "same-origin" instead, or the browser would send "Origin: null" with it.
      referrerPolicy: { policy: "no-referrer" },
      strictTransportSecurity: secure ? { maxAge: 365 * 24 * 60 * 60, includeSubDomains: false } : false,
      xFrameOptions: { action: "deny" },
    }),
  );
  headers.set("Cache-Control", "no-store");
  // So that the portal's sign-in page comes in the scheme that the visitor's browser prefers.
  headers.set("Accept-CH", "Sec-CH-Prefers-Color-Scheme");

  return (_req, res, next) => {
    res.setHeaders(headers);
    next();
  };
}

/** What a middleware sets, once and for all: the headers are the same for every answer. */
function headersOf(middleware: (req: never, res: never, next: () => void) => void): Map<string, string> {
  // Not a Headers object: the first of these loads the whole of fetch, a twentieth of the time to start.
  const headers = new Map<string, string>();
  const res: Partial<ServerResponse> = {
    setHeader: (name, value) => {
      headers.set(name, String(value));
      return res as ServerResponse;
    },
    removeHeader: () => {},
  };
  middleware({} as never, res as never, () => {});
  return headers;
}

/** The longest list of media types, languages or encodings that is read. Browsers send less than a quarter of it. */
const longestList = 1_024;

/** Ignores longer `Accept` headers: the time to parse them grows with the square of their length. */
export const boundHeaders: RequestHandler = ({ headers }, _res, next) => {
  for (const name of ["accept", "accept-language", "accept-encoding", "accept-charset"]) {
    if (String(headers[name]).length > longestList) delete headers[name];
  }
  next();
};

/**
 * Gives every request an id (`res.locals.requestId`, header X-Request-Id) and the log one line. The line has
 * no query: on the callback it holds the code and the state. Routes that set `res.locals.quiet` are logged at debug.
 */
export function requestLog(log: Logger): RequestHandler {
  return (req, res, next) => {
    const start = performance.now();
    const requestId = randomUUID();
    res.locals.requestId = requestId;
    res.setHeader("X-Request-Id", requestId);
    res.once("close", () => {
      const ms = Math.round(performance.now() - start);
      const user = req.session?.identity?.username;
      const [path] = req.originalUrl.split("?", 1);
      log[res.locals.quiet ? "debug" : "info"]({
        requestId,
        method: req.method,
        path,
        status: res.statusCode,
        ms,
        address: req.ip,
        user,
      });
    });
    next();
  };
}

/** Answers 405 and names the methods that are allowed (RFC 9110, 15.5.6). */
export function allowOnly(methods: string): RequestHandler {
  return (_req, res) => {
    res.set("Allow", methods);
    throw new AppError("method_not_allowed");
  };
}

/** The answer to everything that went wrong: a page for browsers, JSON for programs, and a line in the log. */
export function errorPage(log: Logger): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const known = toAppError(error);
    const { status } = known.explanation;
    counts.refusals.add(known.code);
    const { requestId, signIn } = res.locals;
    const reason = known.cause && reasonOf(known.cause);
    const user = req.session?.identity?.username;
    log[status >= 500 ? "error" : "warn"](
      { requestId, event: "refused", code: known.code, reason, address: req.ip, user },
      "refused",
    );
    // The answer is on its way already, and it cannot be taken back.
    if (res.headersSent) return void res.destroy();

    res.set({ "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" });
    // Seconds (RFC 9110, 10.2.3), for programs and proxies.
    if (status === 503) res.set("Retry-After", "5");
    // Those of a file that could not be sent after all.
    for (const name of ["ETag", "Last-Modified", "Accept-Ranges", "Content-Range"]) res.removeHeader(name);
    if (prefersJson(req))
      res.status(status).json({ error: { code: known.code, message: known.message, needed: known.needed } });
    else {
      const retry = req.method === "GET" ? (signIn ?? req.path) : undefined;
      renderError(res, known, { requestId, retry, signIn });
    }
  };
}

function prefersJson(req: Request): boolean {
  return (
    /^(?:\/portals\/[^/]+)?\/(?:api\/|proxy\/?$)/i.test(req.path) || req.accepts(["html", "json"]) === "json"
  );
}

/** Express and its parsers tell by a `status` that the request was at fault. */
function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof ArcGISRequestError) return new AppError("portal_answer_invalid", { cause: error });
  const { status } = Object(error) as { status?: unknown };
  if (status === 413) return new AppError("payload_too_large", { cause: error });
  if (typeof status === "number" && status >= 400 && status < 500) {
    return new AppError("bad_request", { cause: error });
  }
  return new AppError("internal", { cause: error });
}

import { randomUUID } from "node:crypto";
import type { Request, RequestHandler } from "express";
import type { Logger } from "pino";
import { portalHeaders } from "../index.ts";

/** Node accepts URLs of 16 kB. */
const longestPath = 1_000;

/** W3C Trace Context, 3.2.2: the version, the trace, the parent and the flags. */
const traceparent = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/;

/**
 * Gives every request an ID (`res.locals.requestId`, header X-Request-Id) and the log one line, without the query: that
 * of the callback contains the code and the state. Routes that set `res.locals.quiet` are logged at debug. The portal
 * gets the request's traceparent. `for` is the path that a reverse proxy asked /auth about.
 * @param count is called with the time that the request took
 */
export function requestLog(log: Logger, count: (req: Request, seconds: number) => void): RequestHandler {
  return (req, res, next) => {
    const start = performance.now();
    const requestId = randomUUID();
    res.locals.requestId = requestId;
    res.setHeader("X-Request-Id", requestId);
    const [parent, traceId] = traceparent.exec(req.get("traceparent") ?? "") ?? [];
    res.once("close", () => {
      const ms = performance.now() - start;
      count(req, ms / 1000);
      const user = req.arcgis?.user?.username ?? res.locals.signedInAs;
      log[res.locals.quiet ? "debug" : "info"]({
        requestId,
        method: req.method,
        path: pathOf(req.originalUrl),
        for: pathOf(res.locals.requested),
        status: res.statusCode,
        ms: Math.round(ms),
        address: req.ip,
        user,
        traceId,
      });
    });
    // Only if there is one: on older versions of Node, this slows every promise.
    if (parent) portalHeaders.run({ traceparent: parent }, next);
    else next();
  };
}

/** The path of a request target for the log: without the query, in visible ASCII, and not longer than 1,000 characters. */
export function pathOf(target: string | undefined): string | undefined {
  // A header may contain the control characters of C1, which terminals obey.
  const path = target?.split("?", 1)[0]?.replace(/[^!-~]+/g, encodeURIComponent) ?? "";
  return path.length > longestPath ? `${path.slice(0, longestPath)}...` : path || undefined;
}

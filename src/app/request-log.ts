import { randomUUID } from "node:crypto";
import type { RequestHandler } from "express";
import type { Logger } from "pino";

/** Node accepts URLs of 16 kB. */
const longestPath = 1_000;

/**
 * Gives every request an ID (`res.locals.requestId`, header X-Request-Id) and the log one line, without the query: that
 * of the callback contains the code and the state. Routes that set `res.locals.quiet` are logged at debug.
 */
export function requestLog(log: Logger): RequestHandler {
  return (req, res, next) => {
    const start = performance.now();
    const requestId = randomUUID();
    res.locals.requestId = requestId;
    res.setHeader("X-Request-Id", requestId);
    res.once("close", () => {
      const ms = Math.round(performance.now() - start);
      const user = req.arcgis?.user?.username ?? res.locals.signedInAs;
      const [path = ""] = req.originalUrl.split("?", 1);
      log[res.locals.quiet ? "debug" : "info"]({
        requestId,
        method: req.method,
        path: path.length > longestPath ? `${path.slice(0, longestPath)}...` : path,
        status: res.statusCode,
        ms,
        address: req.ip,
        user,
      });
    });
    next();
  };
}

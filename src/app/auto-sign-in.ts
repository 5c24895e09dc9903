import { parseCookie } from "cookie";
import type { Request, RequestHandler, Response } from "express";
import { isPrefetch } from "../index.ts";
import type { Config } from "./config/config.ts";
import { autoSignInCookie } from "./config/cookie-name.ts";

/**
 * With AUTO_SIGN_IN: a visitor who opens a page is sent to the portal without a click, once in a browser session. The
 * portal responds at once if it knows the browser, and otherwise shows its sign-in page: ArcGIS has no `prompt=none`.
 *
 * A cookie records the attempt until the browser is closed. It is set before the browser leaves, so the next page waits
 * for a click, however the attempt ended.
 */
export function autoSignIn(config: Config): { attempt: RequestHandler; stop(res: Response): void } {
  const { autoSignIn: isOn, secure } = config;
  const name = autoSignInCookie(config);

  /** Prevents attempts until the browser is closed: after the first one, and after a sign-out. */
  function stop(res: Response): void {
    if (isOn) res.cookie(name, "done", { httpOnly: true, sameSite: "lax", path: "/", secure });
  }

  const attempt: RequestHandler = (req, res, next) => {
    const isDone = () => parseCookie(req.headers.cookie ?? "")[name] !== undefined;
    if (!isOn || req.arcgis.user || !isPageVisit(req) || isDone()) return next();
    stop(res);
    res.status(302).set("Location", req.arcgis.signInUrl()).end();
  };

  return { attempt, stop };
}

/** Fetch Metadata of a page that a visitor opens: not an image, a frame, or a page loaded in advance. */
function isPageVisit(req: Request): boolean {
  return (
    req.method === "GET" &&
    req.get("Sec-Fetch-Mode") === "navigate" &&
    req.get("Sec-Fetch-Dest") === "document" &&
    !isPrefetch(req)
  );
}

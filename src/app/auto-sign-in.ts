import { parseCookie } from "cookie";
import type { RequestHandler, Response } from "express";
import { isPageVisit, isPrefetch } from "../index.ts";
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
    // Not an image, a frame, or a page loaded in advance.
    const isVisit = () =>
      req.method === "GET" &&
      isPageVisit(req) &&
      req.get("Sec-Fetch-Dest") === "document" &&
      !isPrefetch(req);
    if (!isOn || req.arcgis.user || !isVisit() || isDone()) return next();
    stop(res);
    res.status(302).set("Location", req.arcgis.signInUrl()).end();
  };

  return { attempt, stop };
}

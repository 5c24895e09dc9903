import { parseCookie } from "cookie";
import type { Request, RequestHandler, Response } from "express";
import type { Config } from "../app/config/config.ts";
import { redirect } from "../redirect.ts";
import { type CookieNaming, cookieNames } from "../session/cookie-names.ts";
import { isPageVisit } from "./fetch-metadata.ts";

/**
 * With AUTO_SIGN_IN: a stranger who opens a page is sent to the portal without a click, once in a browser session.
 * The portal answers at once when it knows the browser, and otherwise shows its own sign-in page. ArcGIS has no
 * parameter, as `prompt=none` of OpenID Connect is, that would make it come back without showing anything.
 *
 * A cookie that lasts as long as the browser is open says that there was an attempt. It is there before the browser
 * leaves: whatever becomes of the attempt, the next page has a button and waits for the person.
 */
export function autoSignIn(config: CookieNaming & Pick<Config, "autoSignIn">) {
  const { autoSignIn: isOn, secure } = config;
  const { autoSignIn: name } = cookieNames(config);
  const options = { httpOnly: true, sameSite: "lax", path: "/", secure } as const;

  /** No attempt from now on, until the browser is closed: there was one, or the person has signed out. */
  function noMore(res: Response): void {
    if (isOn) res.cookie(name, "done", options);
  }

  const attempt: RequestHandler = (req, res, next) => {
    if (!isOn || req.session?.identity || !isPageVisit(req) || hasCookie(req)) return next();
    noMore(res);
    redirect(res, `${req.baseUrl}/sign-in?returnTo=${encodeURIComponent(req.originalUrl)}`, 302);
  };

  const hasCookie = (req: Request) => parseCookie(req.headers.cookie ?? "")[name] !== undefined;

  return { attempt, noMore };
}

export type AutoSignIn = ReturnType<typeof autoSignIn>;

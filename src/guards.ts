import type { RequestHandler } from "express";
import type { Config } from "./config.ts";
import { AppError } from "./errors.ts";
import { redirect } from "./redirect.ts";
import { localPath } from "./return-to.ts";

/**
 * Lets only people pass who are signed in. A browser is sent to the sign-in and comes back (302); anything
 * else is told 401 `signed_out`.
 */
export function requireSignIn({ origin }: Config): RequestHandler {
  return (req, res, next) => {
    if (req.session?.identity) return next();
    const wantsPage = req.method === "GET" && req.accepts(["html", "json"]) === "html";
    if (!wantsPage) throw new AppError("signed_out");
    // The address as it was asked for may be anything, another site's in full included.
    const here = localPath(req.originalUrl, origin) ?? `${req.baseUrl}/`;
    redirect(res, `${req.baseUrl}/sign-in?returnTo=${encodeURIComponent(here)}`, 302);
  };
}

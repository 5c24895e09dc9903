import type { RequestHandler } from "express";
import { AppError } from "./errors.ts";

/**
 * A request that was meant for the portal: by default IIS ARR writes its own host into every redirect, so each sign-in would
 * end on a 404 here.
 */
export const refuseRewritten: RequestHandler = ({ path }, _res, next) => {
  if (!/\/oauth2\/authorize\/?$/i.test(path)) return next();
  const cause = 'the redirect to the portal came back: IIS, "Reverse rewrite host in response headers" is on';
  next(new AppError("redirect_rewritten", { cause }));
};

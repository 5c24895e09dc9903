import type { RequestHandler } from "express";
import { AppError } from "./errors.ts";

/** Responds 405 to other methods, with these in `Allow` (RFC 9110, 15.5.6). */
export function allowOnly(methods: string): RequestHandler {
  const allowed = methods.split(", ");
  return (req, res, next) => {
    if (allowed.includes(req.method)) return next();
    res.set("Allow", methods);
    throw new AppError("method_not_allowed");
  };
}

import type { RequestHandler } from "express";
import { AppError } from "./errors.ts";

/**
 * Removes ports from `X-Forwarded-For`, where Azure, HttpPlatformHandler and IIS ARR write `203.0.113.9:51544`,
 * `[2001:db8::1]:443` and, on the same network, `[fe80::1%12]:443`. Otherwise a visitor would have another address with
 * every connection, in the log and for rate limits.
 */
export const addressesWithoutPorts: RequestHandler = ({ headers }, _res, next) => {
  const list = headers["x-forwarded-for"];
  if (list !== undefined) {
    // The log gets it: no control characters of C1, which terminals obey.
    const addresses = String(list)
      .replace(/[^ -~]+/g, " ")
      .split(",")
      .map((entry) => entry.trim());
    headers["x-forwarded-for"] = addresses.map(withoutPort).join(", ");
  }
  next();
};

function withoutPort(address: string): string {
  const [, ipv6, ipv4] = /^(?:\[([\da-f:.]+)(?:%\w+)?\]|([\d.]+))(?::\d+)?$/i.exec(address) ?? [];
  return ipv6 ?? ipv4 ?? address;
}

/**
 * A request that was meant for the portal: by default IIS ARR writes its own host into every redirect, so each sign-in would
 * end on a 404 here.
 */
export const refuseRewritten: RequestHandler = ({ path }, _res, next) => {
  if (!/\/oauth2\/authorize\/?$/i.test(path)) return next();
  const cause = 'the redirect to the portal came back: IIS, "Reverse rewrite host in response headers" is on';
  next(new AppError("redirect_rewritten", { cause }));
};

import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { parseCookie } from "cookie";
import type { Logger } from "pino";
import type { Config } from "./config/config.ts";

/** Logs that a sign-in replaces a session cookie that another server has signed. */
export function warnOfForeignCookie({ headers }: IncomingMessage, log: Logger, config: Config): void {
  const value = parseCookie(headers.cookie ?? "")[config.cookieName];
  // Signed as by express-session.
  const [, id = "", signature] = /^s:([^.]*)\.([^=]*)=*$/.exec(value ?? "") ?? [];
  const sign = (secret: string) => createHmac("sha256", secret).update(id).digest("base64").replace("=", "");
  if (!value || config.sessionSecrets.some((secret) => sign(secret) === signature)) return;
  log.warn(
    { event: "cookie-replaced" },
    "the browser had a session cookie that SESSION_SECRET has not signed: give each server on this host name its own COOKIE_NAME",
  );
}

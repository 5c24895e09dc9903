import type { Request } from "express";
import type { Logger } from "pino";
import type { AuthEvent } from "../index.ts";
import { reasonOf } from "./reason.ts";

type Level = "info" | "warn" | "error";

/** The log lines of the library's events. Events without a line are only counted. */
const lines: Partial<Record<AuthEvent["type"], [Level, event: string, message: string]>> = {
  "sign-in": ["info", "sign-in", "signed in"],
  "sign-in-abandoned": ["info", "sign-in", "the browser has disconnected"],
  "return-to-dropped": ["warn", "sign-in", "returnTo is too long or not a path of this site: it is dropped"],
  "sign-out": ["info", "sign-out", "signed out"],
  "refresh-failed": ["warn", "refresh", "not refreshed"],
  "refresh-rejected": ["warn", "refresh", "the portal rejects the refresh token"],
  "revoke-failed": ["warn", "revoke", "not revoked"],
  "profile-failed": ["warn", "profile", "the profile could not be fetched"],
  "hook-failed": ["error", "hook", "a hook failed"],
  "store-failed": ["error", "store", "the session store failed"],
  unreadable: ["warn", "unreadable", "a session's record does not open"],
};

/** Logs an event of the library in one line, without a secret. */
export function logEvent(log: Logger, { type, req, username, record, error }: AuthEvent): void {
  const [level, event, message] = lines[type] ?? [];
  if (!level) return;
  const { ip: address, res } = (req ?? {}) as Partial<Request>;
  const requestId = res?.locals.requestId;
  const reason = error === undefined ? undefined : reasonOf(error);
  log[level]({ requestId, event, address, user: username, record, reason }, message);
}

import { ArcGISRequestError } from "@esri/arcgis-rest-request";
import { codeOf } from "./errors.ts";

/**
 * An error in one line for the log, 300 characters at most, without anything that looks like a code or a token. Errors
 * are never logged whole, because they contain what a portal sent.
 */
export function reasonOf(error: unknown): string {
  return inWords(error)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ")
    .slice(0, 300);
}

function inWords(error: unknown): string {
  const text = redacted(error);
  const { cause } = Object(error) as { cause?: unknown };
  return cause === undefined || !(error instanceof Error) ? text : `${text} (${inWords(cause)})`;
}

function redacted(error: unknown): string {
  // The path of a file says what to repair. Only the name of a session record is left out.
  const secret = isAboutFile(error) ? /[a-z\d+=%~]{40,}/gi : /[\w~%+/=-]{24,}/g;
  return textOf(error).slice(0, 10_000).replace(secret, "[...]");
}

function textOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (!(error instanceof Error)) return "unknown";
  if (error instanceof ArcGISRequestError) return `${error.code}: ${error.originalMessage}`;
  return codeOf(error) ?? `${error.name}: ${error.message}`;
}

/** Whether it is about a file or folder, as Node and the file store name it. */
function isAboutFile(error: unknown): boolean {
  const { path, message } = Object(error) as { path?: unknown; message?: unknown };
  return typeof path === "string" && path !== "" && String(message).includes(path);
}

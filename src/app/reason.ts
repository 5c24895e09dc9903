import { ArcGISRequestError } from "@esri/arcgis-rest-request";
import { codeOf } from "./errors.ts";

/**
 * An error in one line for the log, 300 characters at most, without anything that looks like a code or a token. Errors
 * are never logged whole, because they contain what a portal sent.
 */
export function reasonOf(error: unknown): string {
  return inWords(error)
    .slice(0, 10_000)
    .replace(/[\w~%+/=-]{24,}/g, "[...]")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ")
    .slice(0, 300);
}

function inWords(error: unknown): string {
  if (typeof error === "string") return error;
  if (!(error instanceof Error)) return "unknown";
  const text =
    codeOf(error) ??
    (error instanceof ArcGISRequestError
      ? `${error.code}: ${error.originalMessage}`
      : `${error.name}: ${error.message}`);
  return error.cause === undefined ? text : `${text} (${inWords(error.cause)})`;
}

import { ArcGISRequestError } from "@esri/arcgis-rest-request";

/**
 * What the log says about an error. Errors are never written as they are: those of the ArcGIS library carry
 * the request's parameters, and a portal may repeat a code or a token in its message.
 */
export function reasonOf(error: Error): string | undefined {
  const { cause } = error;
  if (cause === undefined) return undefined;
  if (typeof cause === "string") return cause;
  if (!(cause instanceof Error)) return "unknown";
  const text =
    cause instanceof ArcGISRequestError
      ? `${cause.code}: ${cause.originalMessage}`
      : `${cause.name}: ${cause.message}`;
  const deeper = reasonOf(cause);
  return (deeper ? `${text} (${deeper})` : text).replace(/[\w~+/=-]{24,}/g, "[...]").slice(0, 300);
}

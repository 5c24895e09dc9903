import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { type Answer, headBytes } from "./upstream.ts";

const refusals = [498, 499];

/** An error is a small text; nothing that unpacks to more can be one. */
const unpacking = { maxOutputLength: 64 * 1024 };

const unpackers = new Map([
  ["gzip", (bytes: Buffer) => gunzipSync(bytes, unpacking)],
  ["deflate", (bytes: Buffer) => inflateSync(bytes, unpacking)],
  ["br", (bytes: Buffer) => brotliDecompressSync(bytes, unpacking)],
]);

/**
 * Whether an answer says that the token was missing or no good. ArcGIS says so with status 200 and
 * `{"error": {"code": 498}}`, whatever the content type: as JSON to a request for protobuf, inside a call (JSONP),
 * compressed, and on a web page where there is no format to ask for, as for tiles
 * (Esri/resource-proxy issues 301, 496 and 545). Newer services use the HTTP status.
 */
export function refusesToken({ status, headers, head, rest }: Answer): boolean {
  if (status === 401 || refusals.includes(status)) return true;
  if (rest || head.length > headBytes || status >= 500) return false;
  const text = textOf(head, headers["content-encoding"]);
  return (
    refusals.includes(errorCodeIn(text)) ||
    (/<html/i.test(text) && /\b(?:invalid token|token required)\b/i.test(text))
  );
}

function textOf(bytes: Buffer, encoding = ""): string {
  try {
    return (unpackers.get(encoding.toLowerCase())?.(bytes) ?? bytes).toString("utf8");
  } catch {
    return "";
  }
}

/** `NaN` when there is none. */
function errorCodeIn(text: string): number {
  // Most answers are none, and many no JSON: to try them all would be slow.
  if (!text.includes("498") && !text.includes("499")) return Number.NaN;
  try {
    const { error } = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
    return Number(error?.code);
  } catch {
    return Number.NaN;
  }
}

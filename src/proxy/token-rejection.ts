import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { headBytes, type UpstreamResponse } from "./upstream.ts";

const rejections = [498, 499];
/** Of the encodings that requestHeaders asks for. */
const decoders = new Map(Object.entries({ gzip: gunzipSync, br: brotliDecompressSync }));

/**
 * Whether a response says that the token is missing or invalid. ArcGIS says so with status 200 and
 * `{"error": {"code": 498}}`, whatever the content type: as JSON to a request for protobuf, inside a call (JSONP),
 * compressed, and on a web page where there is no format parameter, as for tiles
 * (Esri/resource-proxy issues 301, 496 and 545). Newer services use the HTTP status.
 */
export function rejectsToken({ status, headers, head, rest }: UpstreamResponse): boolean {
  if (status === 401 || rejections.includes(status)) return true;
  if (rest || head.length > headBytes || status >= 500) return false;
  const text = decode(head, headers["content-encoding"]);
  const isPage = /<html/i.test(text) && /\b(?:invalid token|token required)\b/i.test(text);
  return isPage || rejections.includes(errorCodeIn(text));
}

/** Empty when it is larger than any error. */
function decode(bytes: Buffer, encoding = ""): string {
  try {
    const decoder = decoders.get(encoding.trim().toLowerCase());
    return (decoder?.(bytes, { maxOutputLength: 64 * 1024 }) ?? bytes).toString("utf8");
  } catch {
    return "";
  }
}

/** `NaN` if there is none. Most responses are not errors, and parsing them all would be slow. */
function errorCodeIn(text: string): number {
  if (!text.includes("498") && !text.includes("499")) return Number.NaN;
  try {
    return Number(JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)).error?.code);
  } catch {
    return Number.NaN;
  }
}

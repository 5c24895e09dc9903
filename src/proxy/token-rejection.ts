import { promisify } from "node:util";
import { type BrotliOptions, brotliDecompress, inflateRawSync, unzipSync, type ZlibOptions } from "node:zlib";
import { headBytes, type UpstreamResponse } from "./upstream.ts";

const rejections = [498, 499];
/**
 * `x-gzip` is an old name of gzip (RFC 9110, 8.4.1.3). Brotli in another thread: a few bytes can fill its window of 16 MB,
 * which takes 50 ms, before any limit counts.
 */
const decoders = new Map<string, (bytes: Buffer, options: ZlibOptions) => Buffer | Promise<Buffer>>(
  Object.entries({
    gzip: unzipSync,
    "x-gzip": unzipSync,
    deflate: inflate,
    br: promisify<Buffer, BrotliOptions, Buffer>(brotliDecompress),
  }),
);

/**
 * Whether a response says that the token is missing or invalid. ArcGIS says so with status 200 and
 * `{"error": {"code": 498}}`, whatever the content type: as JSON to a request for protobuf, inside a call (JSONP),
 * compressed, and on a web page where there is no format parameter, as for tiles
 * (Esri/resource-proxy issues 301, 496 and 545). Newer services use the HTTP status.
 */
export async function rejectsToken({ status, headers, head, rest }: UpstreamResponse): Promise<boolean> {
  if (status === 401 || rejections.includes(status)) return true;
  if (rest || head.length > headBytes || status >= 500) return false;
  const text = await decode(head, headers["content-encoding"]);
  const isPage = /<html/i.test(text) && /\b(?:invalid token|token required)\b/i.test(text);
  return isPage || rejections.includes(errorCodeIn(text));
}

/** Empty when it is larger than any error. */
async function decode(bytes: Buffer, encoding = ""): Promise<string> {
  try {
    const decoder = decoders.get(encoding.trim().toLowerCase());
    const decoded = decoder ? await decoder(bytes, { maxOutputLength: 64 * 1024 }) : bytes;
    return decoded.toString("utf8");
  } catch {
    return "";
  }
}

/** IIS sends deflate without the zlib header, whose first byte says the method and the window (RFC 1950, 2.2). */
function inflate(bytes: Buffer, options: ZlibOptions): Buffer {
  const hasHeader = bytes.length > 1 && (bytes.readUInt8(0) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0;
  return hasHeader ? unzipSync(bytes, options) : inflateRawSync(bytes, options);
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

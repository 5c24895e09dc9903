import type { IncomingHttpHeaders } from "node:http";
import type { Request } from "express";
import type { Body } from "./body.ts";

/**
 * Request headers that are passed on. Cookies, `Forwarded` and hop-by-hop headers are not; neither are conditions
 * (`If-...`), because no response may be cached.
 */
const toServer = [
  ...["accept", "accept-language", "content-type", "range", "user-agent"],
  ...["traceparent", "tracestate"],
];
/** Response headers that are passed on. Cookies, CORS, policies and caching are this server's own. */
const toBrowser = ["content-encoding", "content-range", "accept-ranges"];
/** For a response that is opened as a page. */
const policy = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** Encodings that can be decoded here, to see whether a response is an error. */
const encodings = ["gzip", "deflate", "br"];

/** The request headers as alternating names and values, with the token and the body's framing. */
export function requestHeaders(req: Request, host: string, body?: Body, token?: string): string[] {
  const { method, headers } = req;
  const accepted = req.acceptsEncodings().filter((name) => encodings.includes(name));
  const list = ["host", host, "accept-encoding", accepted.join(", ") || "identity"];
  list.push(...pick(headers, toServer));
  if (token) list.push("x-esri-authorization", `Bearer ${token}`);
  // Node's defaults depend on the method: it sends the body of a DELETE without any framing (RFC 9112, 6), and the
  // upstream server would read it as the next request.
  if (body && body.length === undefined) list.push("transfer-encoding", "chunked");
  else if (body || !/^(?:GET|HEAD)$/.test(method)) list.push("content-length", String(body?.length ?? 0));
  return list;
}

/** The response headers. `type` is a harmless one, `disposition` says whether the browser saves it. */
export function responseHeaders(
  status: number,
  headers: IncomingHttpHeaders,
  type?: string,
  disposition?: string,
): string[] {
  const list = ["cache-control", "no-store", "content-security-policy", policy];
  list.push("cross-origin-resource-policy", "same-origin", "x-content-type-options", "nosniff");
  if (type !== undefined) list.push("content-type", type);
  if (disposition !== undefined) list.push("content-disposition", disposition);
  // A 204 has no length (RFC 9110, 8.6): with one, some clients wait for a body.
  return list.concat(pick(headers, status === 204 ? toBrowser : [...toBrowser, "content-length"]));
}

/** Also archives, and types that only special programs open (`vnd.`). */
const data =
  /^(?:application\/(?:(?:[\w.-]+\+)?json|(?:x-)?protobuf|octet-stream|pdf|gzip|zip|x-zip-compressed|vnd\.[\w.+-]+)|(?:image|audio|video|font)\/[\w.+-]+|text\/(?:plain|csv))$/;
/** These match, too, but can contain a script. */
const markup = /svg|\bxml\b|html/;

/**
 * The content type as it is passed on. `undefined` for everything that a browser might run or show as a page of this
 * site: HTML, SVG, XML, scripts, styles, and unknown types.
 */
export function harmlessType(contentType = ""): string | undefined {
  // Rewritten, because browsers use the end of `application/json;a=b, text/html`.
  const parts = contentType.toLowerCase().split(";");
  const [type = "", ...parameters] = parts.map((part) => part.trim());
  if (!data.test(type) || markup.test(type)) return undefined;
  const charset = parameters.find((parameter) => /^charset="?[\w-]+"?$/.test(parameter));
  return charset ? `${type}; ${charset}` : type;
}

/** The headers that `Connection` names are hop-by-hop (RFC 9110, 7.6.1). */
export function pick(headers: IncomingHttpHeaders, names: string[]): string[] {
  const ofThisHop = headers.connection?.toLowerCase().split(/[\s,]+/) ?? [];
  const passed = names.filter((name) => headers[name] !== undefined && !ofThisHop.includes(name));
  return passed.flatMap((name) => [name, String(headers[name])]);
}

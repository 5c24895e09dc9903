import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Body } from "./body.ts";

/**
 * What the server at the other end may know: not our cookie, not who asks from where, nothing of the way here
 * (`Forwarded`, hop-by-hop). Conditions (`If-...`) are left out, because nothing that comes back may be kept.
 */
const toServer = ["accept", "accept-language", "content-type", "range", "user-agent"];

/** What the browser needs to read the answer. Everything else is ours to say: cookies, CORS, policies, caching. */
const toBrowser = [
  "content-disposition",
  "content-encoding",
  "content-length",
  "content-range",
  "accept-ranges",
];

/** The encodings that we can read ourselves, to see whether an answer is an error. */
const encodings = ["gzip", "deflate", "br"];

/** The headers of a request for the upstream server, with the token and the framing of the body. */
export function requestHeaders(
  { method, headers }: IncomingMessage,
  { token, body }: { token: string | undefined; body: Pick<Body, "length"> | undefined },
): OutgoingHttpHeaders {
  const accepted = namesIn(headers["accept-encoding"]).filter((name) => encodings.includes(name));
  return {
    ...Object.fromEntries(pick(headers, toServer)),
    "accept-encoding": accepted.join(", ") || "identity",
    ...framing(method, body),
    ...(token && { "x-esri-authorization": `Bearer ${token}` }),
  };
}

/**
 * Says explicitly where the body ends (RFC 9112, 6). Node's defaults depend on the method: it sends the body of a
 * DELETE without any framing, and the upstream server would read it as the next request.
 */
function framing(method = "", body: Pick<Body, "length"> | undefined): OutgoingHttpHeaders {
  if (body)
    return body.length === undefined ? { "transfer-encoding": "chunked" } : { "content-length": body.length };
  return method === "GET" || method === "HEAD" ? {} : { "content-length": 0 };
}

/** The headers of an answer for the browser, all but its type. */
export function answerHeaders(headers: IncomingHttpHeaders): Map<string, string> {
  return new Map(pick(headers, toBrowser));
}

/** JSON, protobuf, archives, and what only programs of their own open (`vnd.`): data, all of it. */
const data =
  /^(?:application\/(?:(?:[\w.-]+\+)?json|(?:x-)?protobuf|octet-stream|pdf|gzip|zip|x-zip-compressed|vnd\.[\w.+-]+)|(?:image|audio|video|font)\/[\w.+-]+|text\/(?:plain|csv))$/;
/** These are in that list, too, and can hold a script. */
const markup = /svg|\bxml\b|html/;

/**
 * The type of an answer as it is passed on, or `undefined` for anything that a browser might run or show as a
 * page of ours: HTML, SVG, XML, scripts, styles, and what nobody knows.
 */
export function harmlessType(contentType = ""): string | undefined {
  // Written anew: of `application/json;a=b, text/html` a browser believes the end.
  const [type = "", ...parameters] = contentType
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  if (!data.test(type) || markup.test(type)) return undefined;
  const charset = parameters.find((parameter) => /^charset="?[\w-]+"?$/.test(parameter));
  return charset ? `${type}; ${charset}` : type;
}

/** Those that `Connection` names belong to one hop, too (RFC 9110, 7.6.1). */
function pick(headers: IncomingHttpHeaders, names: string[]): [string, string][] {
  const ofThisHop = namesIn(headers.connection);
  return names.flatMap((name) => {
    const value = headers[name];
    return value === undefined || ofThisHop.includes(name) ? [] : [[name, String(value)]];
  });
}

/** The names of a list such as `gzip;q=1.0, br`; one with `q=0` is not wanted. */
function namesIn(list: string | string[] = ""): string[] {
  return String(list)
    .toLowerCase()
    .split(",")
    .filter((entry) => !/;\s*q=0(?:\.0*)?\s*$/.test(entry))
    .map((entry) => entry.split(";", 1).join().trim());
}

/** HTTP status and what the client reads, by code. Operators read `cause`. */
const catalog = {
  bad_request: [400, "This request cannot be passed on."],
  cross_site: [403, "Only pages of this site may send this request."],
  method_not_allowed: [405, "This method is not passed on."],
  payload_too_large: [413, "The request is too large."],
  internal: [500, "The proxy is not set up correctly."],
  response_rejected: [502, "The server sent a redirect, a web page, a script, or too much data."],
  busy: [503, "Too many requests are in progress. Try again in a moment."],
} as const satisfies Record<string, readonly [number, string]>;

/** What went wrong. docs/errors.md explains every code. @useDeclaredType */
export type ProxyErrorCode = keyof typeof catalog;

/** Why the proxy does not pass something on, with a stable `code`. AuthErrors are about sign-in, portal or URL. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly code: ProxyErrorCode;
  readonly status: number;
  /** `message` may be shown to users (http-errors' word). */
  readonly expose = true;

  constructor(code: ProxyErrorCode, cause?: string) {
    super(catalog[code][1], { cause });
    this.code = code;
    this.status = catalog[code][0];
  }

  /** What JSON clients receive. */
  toJSON() {
    return { error: { code: this.code, message: this.message } };
  }
}

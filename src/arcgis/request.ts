import {
  ArcGISAuthError,
  ArcGISRequestError,
  checkForErrors,
  type IRequestOptions,
  processParams,
} from "@esri/arcgis-rest-request";
import fetch from "cross-fetch";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";

/** No answer of a portal that this server reads itself is larger. */
const largestAnswer = 1024 * 1024;

/** Parameters that nobody but the portal and this server may know. */
const confidential = ["code", "code_verifier", "client_secret", "refresh_token", "auth_token"];

/** What is measured apart; the rest is "other". */
const operations = [
  "oauth2/token",
  "oauth2/revokeToken",
  "community/self",
  "portals/self",
  "generateToken",
  "rest/info",
];

/**
 * The one way out to a portal, for the `request` option that every function of the ArcGIS library takes.
 *
 * The library's own way waits for ever, follows redirects with the code or the refresh token in the body, puts
 * tokens into addresses, and keeps parameters and answers in its errors. This one does none of that.
 *
 * @returns a function that resolves with the answer's JSON. It throws
 *   `AppError` portal_unreachable (no connection, a fault of the portal), portal_timeout, or
 *   portal_answer_invalid (a redirect, no JSON, too large); and the library's `ArcGISRequestError` or
 *   `ArcGISAuthError` (498, 499) for an error that the portal reports, whatever its HTTP status.
 */
export function portalRequest({ timeoutMs = 10_000 } = {}) {
  return async (url: string, options: IRequestOptions = {}) => {
    const { httpMethod = "POST", authentication } = options;
    const fields: Record<string, string> = processParams({ f: "json", ...options.params });
    const form = new URLSearchParams(fields);
    const token = typeof authentication === "object" && (await authentication.getToken(url));
    const asked = performance.now();
    const signal = AbortSignal.timeout(timeoutMs);
    const send = (connection: "keep-alive" | "close") =>
      fetch(httpMethod === "GET" ? `${url}?${form}` : url, {
        method: httpMethod,
        headers: {
          Connection: connection,
          ...(token ? { "X-Esri-Authorization": `Bearer ${token}` } : {}),
        },
        ...(httpMethod === "POST" && { body: form }),
        redirect: "manual",
        signal,
        // node-fetch's own option, which cross-fetch passes on: it stops reading there.
        ...{ size: largestAnswer },
      });
    // A connection kept from earlier may be closed just now by the portal. What only asks is asked again then; a
    // code is good for one try, and gets a connection of its own.
    const sent =
      httpMethod === "GET" ? send("keep-alive").catch(orAgain(() => send("close"))) : send("close");
    const response = await sent
      .catch(failed)
      .finally(() => counts.portalSeconds.observe(operationOf(url), (performance.now() - asked) / 1000));

    if (response.status >= 500)
      throw new AppError("portal_unreachable", { cause: `HTTP ${response.status}` });
    if (response.status >= 300 && response.status < 400) {
      throw new AppError("portal_answer_invalid", {
        cause: `HTTP ${response.status}: redirects are not followed`,
      });
    }
    const answer = parse(await response.text().catch(unreadable));
    if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
      throw new AppError("portal_answer_invalid", { cause: "the answer is not a JSON object" });
    }
    try {
      return checkForErrors(answer as Parameters<typeof checkForErrors>[0]);
    } catch (error) {
      // The library puts the portal's message and code into its error, and stumbles over those that are no text.
      if (!(error instanceof ArcGISRequestError))
        throw new AppError("portal_answer_invalid", { cause: "the answer is an error of no known form" });
      throw discreet(error, [token, ...confidential.map((name) => form.get(name))]);
    }
  };
}

/**
 * `portalRequest` for what a person does: when their token is refused (498, 499), it is renewed, and the request
 * is made once more. The library does that only on its own way. Not for files to upload.
 */
export function personalRequest(limits?: { timeoutMs?: number }) {
  const ask = portalRequest(limits);
  return (url: string, options: IRequestOptions = {}) =>
    ask(url, options).catch(async (error) => {
      const { authentication } = options;
      const renew = typeof authentication === "object" && authentication.refreshCredentials;
      if (!isTokenRefused(error) || !renew) throw error;
      await renew.call(authentication);
      return ask(url, options);
    });
}

/** Whether a token was refused (498, 499): a new one may help. */
export function isTokenRefused(error: unknown): boolean {
  return error instanceof ArcGISAuthError;
}

/** Whether the portal has said no, and not merely failed to answer or asked for patience. */
export function isRefusal(error: unknown): error is ArcGISRequestError {
  if (!(error instanceof ArcGISRequestError)) return false;
  const code = Number(error.code);
  return !(code >= 500 || code === 429 || code === 408);
}

function operationOf(url: string): string {
  const path = url.replace(/\/?(?:\?.*)?$/s, "");
  return operations.find((operation) => path.endsWith(`/${operation}`)) ?? "other";
}

/** Gives the error without the secrets that the portal repeats in it: its message is written to the log. */
function discreet(error: ArcGISRequestError, sent: unknown[]): ArcGISRequestError {
  const secrets = sent.filter((value) => typeof value === "string" && value.length >= 8) as string[];
  const clean = (text: unknown) =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret, "[...]"), String(text));
  const Kind = error instanceof ArcGISAuthError ? ArcGISAuthError : ArcGISRequestError;
  return new Kind(clean(error.originalMessage), clean(error.code));
}

/** For a request that may be sent twice (RFC 9110, 9.2.2). */
function orAgain<T>(send: () => Promise<T>): (error: Error & { code?: string }) => Promise<T> {
  return (error) => (error.code === "ECONNRESET" ? send() : Promise.reject(error));
}

/** node-fetch names its failures; the address in their messages has no query, so they may be logged. */
function failed(error: Error): never {
  if (error.name === "AbortError") throw new AppError("portal_timeout");
  throw new AppError("portal_unreachable", { cause: error.message });
}

/** Brackets within brackets; no response of a portal has more than a dozen. */
const deepest = 1_000;

/** JSON.parse takes 70 ms for a megabyte of nothing but brackets, so these never get there. */
function parse(text: string): unknown {
  let depth = 0;
  for (let index = 0; index < text.length && depth <= deepest; index++) {
    const character = text.charAt(index);
    if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth -= 1;
  }
  try {
    if (depth <= deepest) return JSON.parse(text);
  } catch {}
  throw new AppError("portal_answer_invalid", { cause: "the response is not JSON" });
}

function unreadable(error: Error & { type?: string }): never {
  if (error.name === "AbortError") throw new AppError("portal_timeout");
  throw new AppError("portal_answer_invalid", { cause: error.type ?? "the response cannot be read" });
}

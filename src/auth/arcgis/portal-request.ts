import { AsyncLocalStorage } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import http from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import {
  ArcGISAuthError,
  ArcGISRequestError,
  checkForErrors,
  type IRequestOptions,
  processParams,
} from "@esri/arcgis-rest-request";
import fetch from "cross-fetch";
import { AuthError } from "../errors.ts";

/** Never repeated in an error: a portal may echo them. */
const secretParams = ["code", "code_verifier", "client_secret", "refresh_token", "auth_token", "token"];
/** Every request, once it ends: `{ url, seconds }`, without query and secrets. */
const requests = channel("arcgis-sign-in:portal-request");

/** Further headers of the portal requests made in its `run`, such as W3C's traceparent. */
export const portalHeaders = new AsyncLocalStorage<Record<string, string>>();

/** Where this server reaches portals whose web adaptor asks browsers for a Windows sign-in, by portal in lower case. */
const serverUrls = new Map<string, string>();

/** Tokens go on to belong to `portal`. It holds for the whole process. */
export function reachPortalAt(portal: string, serverUrl: string): void {
  serverUrls.set(portal.toLowerCase(), serverUrl.replace(/\/$/, ""));
}

/** Where this server requests a URL of a portal: elsewhere with `portalServerUrl`. */
export function atServer(url: string): string {
  for (const [portal, serverUrl] of serverUrls)
    if (`${url}/`.toLowerCase().startsWith(`${portal}/`)) return serverUrl + url.slice(portal.length);
  return url;
}

/** Like Node's own agent, with its forward proxy, but without the connections that earlier requests have kept. */
function ownConnection({ protocol }: URL): http.Agent {
  const { Agent, globalAgent } = protocol === "https:" ? https : http;
  return new Agent({ ...(globalAgent as https.Agent).options, keepAlive: false });
}

/** Sends a request to a portal and returns its JSON: the `request` option of every function of ArcGIS REST JS. */
// biome-ignore lint/suspicious/noExplicitAny: the type that ArcGIS REST JS gives to its `request` option
export type PortalRequest = (url: string, options?: IRequestOptions) => Promise<any>;

/**
 * The one way out to a portal, for the `request` option of every ArcGIS REST JS function. The library's own waits
 * forever, follows redirects with the code in the body, puts tokens into URLs, and keeps secrets in its errors.
 *
 * @param options `maxBytes` of a response: parsing a megabyte of JSON can block the process for 100 ms
 */
export function portalRequest({ timeoutMs = 10_000, maxBytes = 64 * 1024 } = {}): PortalRequest {
  return async (url, options = {}) => {
    const { httpMethod = "POST", authentication } = options;
    const form = new URLSearchParams(processParams({ f: "json", ...options.params }));
    const token = typeof authentication === "object" && (await authentication.getToken(url));
    const startedAt = performance.now();
    const signal = AbortSignal.timeout(timeoutMs);
    const send = (agent?: typeof ownConnection) =>
      fetch(httpMethod === "GET" ? `${atServer(url)}?${form}` : atServer(url), {
        method: httpMethod,
        headers: {
          ...portalHeaders.getStore(),
          ...(!agent && { Connection: "keep-alive" }),
          ...(token && { "X-Esri-Authorization": `Bearer ${token}` }),
        },
        ...(httpMethod === "POST" && { body: form }),
        redirect: "manual",
        signal,
        ...{ agent, size: maxBytes }, // node-fetch's own options; it stops reading after so many bytes
      });
    // The portal may be closing a kept connection at this moment. A GET is sent again (RFC 9110, 9.2.2); a code is
    // good for one try, so it gets a connection of its own.
    const sendAgain = (error: Error & { code?: string }) =>
      /^(?:ECONNRESET|EPIPE)$/.test(error.code ?? "") ? send(ownConnection) : Promise.reject(error);
    const response = await (httpMethod === "GET" ? send().catch(sendAgain) : send(ownConnection))
      .catch(noResponse)
      .finally(() => requests.publish({ url, seconds: (performance.now() - startedAt) / 1000 }));
    const { status } = response;
    if (status === 401 && /Negotiate|NTLM/i.test(response.headers.get("WWW-Authenticate") ?? ""))
      throw new AuthError("web_tier_authentication", { cause: "HTTP 401 with WWW-Authenticate: Negotiate" });
    if (status >= 500) throw new AuthError("portal_unreachable", { cause: `HTTP ${status}` });
    if (status >= 300 && status < 400) throw invalid(`HTTP ${status}: redirects are not followed`);
    const body = await response.json().catch((error) => {
      // node-fetch would read on after `maxBytes`, and decompress it all.
      (response.body as unknown as Readable).destroy();
      return noJson(error);
    });
    if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("no JSON object");
    try {
      return checkForErrors(body);
    } catch (error) {
      if (!(error instanceof ArcGISRequestError)) throw invalid("the error has an unknown form");
      throw redacted(error, status, [token, ...secretParams.map((name) => form.get(name))]);
    }
  };
}

/** For requests with an identity: a token that is rejected (498, 499) is refreshed once. Responses may be long. */
export function refreshingRequest({ timeoutMs = 10_000, maxBytes = 1024 * 1024 } = {}): PortalRequest {
  const request = portalRequest({ timeoutMs, maxBytes });
  return (url, options = {}) =>
    request(url, options).catch(async (error) => {
      const { authentication } = options;
      const manager = typeof authentication === "object" ? authentication : undefined;
      if (!(error instanceof ArcGISAuthError) || !manager?.refreshCredentials) throw error;
      await manager.refreshCredentials();
      return request(url, options);
    });
}

/** Whether the portal could not be reached at all. An error that it reports is about what was sent. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof AuthError && ["portal_unreachable", "portal_timeout"].includes(error.code);
}

/** Errors about the app or the moment, not about the token (RFC 6749, 4.1.2.1 and 5.2; ArcGIS says invalid_client_id). */
const otherErrors =
  /^(invalid_client|unauthorized_client|unsupported_grant_type|temporarily_unavailable|server_error)/;

/**
 * Whether the portal rejected the very token or code that was sent, so that another try is of no use. A busy portal,
 * a firewall in front of it, or an app that is not registered says nothing about a token.
 */
export function isRejection(error: unknown): error is ArcGISRequestError {
  if (!(error instanceof ArcGISRequestError)) return false;
  const { status, oauthError } = error.response as PortalErrorResponse;
  const isAboutToken = (code: number) => [400, 401, 498, 499].includes(code);
  if (oauthError === "invalid_grant") return true;
  const isOther = otherErrors.test(oauthError) || !(status < 400 || isAboutToken(status));
  return isAboutToken(Number(error.code)) && !isOther;
}

/** Whether the portal could not judge what was sent: it is busy or broken, or does not know the app. */
export function isUndecided(error: ArcGISRequestError): boolean {
  const { status, oauthError } = error.response as PortalErrorResponse;
  const isBusy = [status, Number(error.code)].some((code) => code >= 500 || code === 429 || code === 408);
  return isBusy || otherErrors.test(oauthError);
}

/** What errors keep of the portal's response: nothing that may be a secret. */
interface PortalErrorResponse {
  status: number;
  /** RFC 6749's `error`; ArcGIS sends it inside of its own error object. */
  oauthError: string;
}

function redacted(error: ArcGISRequestError, status: number, sent: unknown[]): ArcGISRequestError {
  const secrets = sent.filter((value): value is string => typeof value === "string" && value.length >= 8);
  const clean = (value: unknown) =>
    secrets.reduce((text, secret) => text.replaceAll(secret, "[...]"), String(value).slice(0, 1000));
  const { error: inner } = Object(error.response);
  const oauthError = clean((typeof inner === "string" ? inner : Object(inner).error) ?? "");
  const Kind = error instanceof ArcGISAuthError ? ArcGISAuthError : ArcGISRequestError;
  const response: PortalErrorResponse = { status, oauthError };
  return new Kind(clean(error.originalMessage), clean(Object(inner).code ?? error.code), response);
}

function invalid(cause: string): AuthError {
  return new AuthError("portal_response_invalid", { cause });
}

function noResponse(error: Error): never {
  if (error.name === "AbortError") throw new AuthError("portal_timeout");
  throw new AuthError("portal_unreachable", { cause: error.message });
}

function noJson(error: Error & { type?: string }): never {
  if (error.name === "AbortError") throw new AuthError("portal_timeout");
  throw invalid(error.type ?? error.name);
}

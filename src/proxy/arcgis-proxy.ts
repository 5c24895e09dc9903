/**
 * A proxy for ArcGIS services, with the token of the signed-in user.
 *
 * @module arcgis-sign-in/proxy
 */
import type { Request, RequestHandler, Response } from "express";
import { type ArcGISContext, AuthError, atServer, isArcGISService, isSameOriginRequest } from "../index.ts";
import { type Body, bodyOf, leaveUnread, type OnBytes } from "./body.ts";
import { requestHeaders } from "./headers.ts";
import { cleanQuery } from "./parameters.ts";
import { passOn } from "./pass-on.ts";
import { ProxyError } from "./proxy-error.ts";
import { quota } from "./quota.ts";
import { proxyTargets } from "./targets.ts";
import { rejectsToken } from "./token-rejection.ts";
import { requestUpstream } from "./upstream.ts";

export type { OnBytes } from "./body.ts";
export { ProxyError, type ProxyErrorCode } from "./proxy-error.ts";
export { isAllowedTarget, type TargetRules } from "./targets.ts";

export interface ArcGISProxyOptions {
  /** URL prefixes that may be requested in addition to the user's portal, such as `https://gis.example.com/arcgis`. */
  allow?: readonly string[] | undefined;
  /** Largest body in either direction (256 MiB). */
  maxBytes?: number | undefined;
  /** How long a server may stay silent (60,000 ms). */
  timeoutMs?: number | undefined;
  /** Requests in progress (512, and 128 of each user). */
  concurrency?: { total: number; perUser: number } | undefined;
  /** Returns the sign-in of a request, `req.arcgis` by default; `auth.contextOf` sends no cookie. */
  contextOf?: ((req: Request) => Promise<ArcGISContext>) | undefined;
  /** The origin of pages that may use the proxy, for browsers without Fetch Metadata. Default: the request's own. */
  origin?: string | undefined;
  /**
   * Paths of pages beside the proxy that may GET without Fetch Metadata, known by their Referer: Safari before 16.4 sends
   * nothing else with such a request. The `Referrer-Policy` of these pages has to allow it.
   */
  pages?: readonly string[] | undefined;
  /** For metrics. */
  onBytes?: OnBytes | undefined;
  /** For metrics: the time until a server has responded or failed. */
  onResponse?: ((seconds: number) => void) | undefined;
  /** For the log: an ArcGIS Server asked for a token and got none, because it is not federated with the user's portal. */
  onTokenWithheld?: ((req: Request, host: string, reason: AuthError) => void) | undefined;
}

const securePrefix = /^(?:https:|http:\/\/(?:localhost|127\.[\d.]+|\[::1\])[:/])[^?#@]*$/i;
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** Bytes of all bodies that are kept so that they can be sent again. */
const heldBytes = { total: 64 * 1024 * 1024, perUser: 16 * 1024 * 1024 };

/**
 * Esri's proxy convention, `/proxy?https://host/path?query`: requests a URL of the user's portal, or one that is allowed,
 * with the user's token, and streams the response. Tokens never reach the browser.
 *
 * ```ts
 * app.use(auth);
 * app.all("/proxy", arcgisProxy({ allow: ["https://gis.example.com/arcgis"] }));
 * ```
 *
 * Mount it behind `arcgisAuth` and in front of any body parser. Only pages of this site may use it. Servers that are
 * federated with the portal get a token of their own, other ArcGIS Servers get none; anything else that you allow
 * gets the portal's. Errors are AuthErrors and ProxyErrors, for the app's error handler or `authErrorHandler()`.
 */
export function arcgisProxy(options: ArcGISProxyOptions = {}): RequestHandler {
  const { allow = [], maxBytes = 256 * 1024 * 1024, timeoutMs: idleMs = 60_000, onBytes } = options;
  const { concurrency = { total: 512, perUser: 128 }, contextOf = async (req) => req.arcgis } = options;
  if (!allow.every((prefix) => URL.canParse(prefix) && securePrefix.test(prefix)))
    throw new TypeError("arcgisProxy: allow: needs https URLs without a query (http only on loopback)");
  const takeSlot = quota(concurrency);
  const takeMemory = quota(heldBytes);
  const targetsByPortal = new Map<string, ReturnType<typeof proxyTargets>>();

  return (req, res, next) =>
    forward(req, res).catch((error) => {
      // The browser has disconnected, and no response is possible.
      if (res.destroyed) return;
      leaveUnread(req, res);
      next(error);
    });

  /** Only for a signed-in user, from a page of this site, to where their token may go. */
  async function forward(req: Request, res: Response): Promise<void> {
    const context: ArcGISContext | undefined = await contextOf(req);
    if (!context)
      throw new AuthError("not_mounted", { message: "arcgisProxy: app.use(auth) must come first" });
    const { username } = await context.authorize();
    // GET, too: ArcGIS accepts GET for deletions, and links on other sites send the cookie.
    const { origin = `${req.protocol}://${req.host}` } = options;
    const pages = options.pages?.map((path) => origin + req.baseUrl + path) ?? [];
    if (!isSameOriginRequest(req, origin) && !isGetOfPage(req, pages)) throw new ProxyError("cross_site");
    if (!methods.includes(req.method)) {
      res.set("Allow", methods.join(", "));
      throw new ProxyError("method_not_allowed");
    }
    const { portal } = await context.identity();
    // The browser has disconnected: no "close" will come that gives back a slot.
    if (res.destroyed) return;
    const targetOf = targetsByPortal.get(portal) ?? proxyTargets({ portal, allow });
    targetsByPortal.set(portal, targetOf);
    const url = targetOf(req.originalUrl);
    cleanQuery(url, ["GET", "HEAD"].includes(req.method), req.get("Sec-Fetch-Dest"));
    if (Number(req.headers["content-length"]) > maxBytes)
      throw new ProxyError("payload_too_large", "more than maxBytes");
    if (!takeSlot(username, res)) {
      res.set("Retry-After", "5");
      throw new ProxyError("busy");
    }
    const body = await bodyOf(req, maxBytes, (bytes) => takeMemory(username, res, bytes), onBytes);
    await passOn(await exchange(res, context, portal, url, body), res, { url, maxBytes, onBytes });
  }

  /** Sends once, and once more with another token when the response says that the first one is invalid. */
  async function exchange(res: Response, context: ArcGISContext, portal: string, url: URL, body?: Body) {
    const target = new URL(atServer(url.href));
    const send = (token?: string) => {
      const startedAt = performance.now();
      const headers = requestHeaders(res.req, target.host, body, token);
      const onEnd = () => options.onResponse?.((performance.now() - startedAt) / 1000);
      const request = { url: target, headers, body, owner: context.sessionName ?? "", idleMs };
      return requestUpstream(request, res).finally(onEnd);
    };
    // A server that you allow and that is not an ArcGIS Server gets the portal's token, to learn who the user is.
    const audience = (await isArcGISService(url, portal)) ? url.origin + url.pathname : portal;
    let withheld: AuthError | undefined;
    const token = await context.tokenFor(audience).catch((error) => {
      if (!(error instanceof AuthError && error.code === "untrusted_url")) throw error;
      // An ArcGIS Server that is not federated would reject the portal's token.
      withheld = error;
      return undefined;
    });
    const first = await send(token);
    if (withheld && (await rejectsToken(first))) options.onTokenWithheld?.(res.req, url.host, withheld);
    if (token === undefined || !(await rejectsToken(first))) return first;
    const another = await context.tokenFor(audience, token);
    // A streamed body cannot be sent again. The client gets the error, and the next request has the new token.
    if (body && !body.isHeld) return first;
    first.rest?.destroy();
    const second = await send(another);
    if (!(await rejectsToken(second))) return second;
    second.rest?.destroy();
    throw new AuthError("token_rejected", { cause: url.host });
  }
}

function isGetOfPage(req: Request, pages: readonly string[]): boolean {
  const [referer] = req.get("Referer")?.split("?", 1) ?? [];
  const isSilent = req.get("Sec-Fetch-Site") === undefined && req.get("Origin") === undefined;
  return isSilent && ["GET", "HEAD"].includes(req.method) && referer !== undefined && pages.includes(referer);
}

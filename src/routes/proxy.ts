import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import type { Config } from "../app/config/config.ts";
import { forgetServerToken, isService } from "../arcgis/federation.ts";
import type { IdentityManager } from "../arcgis/identity-manager.ts";
import { isTokenRefused } from "../arcgis/request.ts";
import type { TokenKeeper } from "../arcgis/tokens.ts";
import { AppError } from "../errors.ts";
import { bodyOf, leaveUnread } from "../proxy/body.ts";
import { requestHeaders } from "../proxy/headers.ts";
import { asJson, withoutOurs } from "../proxy/parameters.ts";
import { passOn } from "../proxy/pass-on.ts";
import { quota } from "../proxy/quota.ts";
import { proxyTargets } from "../proxy/targets.ts";
import { refusesToken } from "../proxy/token-refusal.ts";
import { type Answer, askUpstream } from "../proxy/upstream.ts";
import { allowOnly } from "../web.ts";
import { isFromOurPage } from "./fetch-metadata.ts";

export interface ProxyParts {
  config: Config;
  tokens: TokenKeeper;
  /** Gives a `req.session` that nobody can change, and sends no cookie. */
  withView: RequestHandler;
  /** Turns away whom ALLOWED_ORGS does not name. */
  memberOnly: RequestHandler;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Requests in progress at once. A browser has a hundred at most (HTTP/2). */
const concurrencyLimit = { most: 512, mostEach: 128 };

/** Bytes of bodies that are held at once, so that they can be sent a second time. */
const heldBytesLimit = { most: 64 * 1024 * 1024, mostEach: 16 * 1024 * 1024 };

/** Nothing takes longer than this, however lively it is (ms). */
const longestMs = 15 * 60_000;

/**
 * Esri's proxy convention, `/proxy?https://host/path?query`: asks the portal, or an address in PROXY_ALLOW, with
 * the person's token, and streams the answer. Errors of our own are JSON: `{error: {code, message}}`.
 */
export function proxy({ config, tokens, withView, memberOnly }: ProxyParts): Router {
  const router = express.Router();
  const targetOf = proxyTargets(config);
  const takeSlot = quota(concurrencyLimit);
  const takeMemory = quota(heldBytesLimit);
  const idleMs = config.proxyTimeoutSeconds * 1000;

  // 1. Only for somebody who is signed in, from a page of ours, to where their token may go.
  const check: RequestHandler = (req, res, next) => {
    // The browser went while the session was read: no "close" will come any more to leave a place.
    if (res.destroyed) return;
    if (!req.session?.identity) throw new AppError("signed_out");
    // GET, too: ArcGIS deletes by GET, and the cookie travels with a link on another site.
    if (!isFromOurPage(req, config.origin)) throw new AppError("cross_site");
    if (!methods.includes(req.method)) return allowOnly(methods.join(", "))(req, res, next);
    res.locals.url = urlFor(req, targetOf(req.originalUrl));
    if (Number(req.headers["content-length"]) > config.proxyMaxBytes) throw new AppError("payload_too_large");
    const leave = takeSlot(req.session.identity.username);
    if (!leave) throw new AppError("busy");
    res.once("close", leave);
    next();
  };

  // 2. There and back. All of it ends when the browser goes, or when the time is up.
  router.all("/proxy", withView, memberOnly, check, async (req, res) => {
    const end = new AbortController();
    const late = setTimeout(() => end.abort(new AppError("portal_timeout")), longestMs);
    res.once("close", () => {
      clearTimeout(late);
      if (!res.writableFinished) end.abort();
    });
    try {
      await passOn(await ask(req, res, end.signal), res, config.proxyMaxBytes);
    } catch (error) {
      if (end.signal.reason instanceof AppError) throw end.signal.reason;
      // Otherwise the browser has gone, and there is nobody left to tell.
      if (!end.signal.aborted) throw error;
    }
  });

  router.use("/proxy", ((error, req, res, next) => {
    leaveUnread(req, res);
    next(error);
  }) as ErrorRequestHandler);
  return router;

  /** Asks once; and once more, with a new token, when the answer says that this one is no good. */
  async function ask(req: Request, res: Response, signal: AbortSignal): Promise<Answer> {
    const url: URL = res.locals.url;
    const { sessionID, session } = req;
    if (!session.identity) throw new AppError("signed_out");
    const { username } = session.identity;
    const body = await bodyOf(req, {
      mostBytes: config.proxyMaxBytes,
      reserve: (bytes) => {
        const release = takeMemory(username, bytes);
        if (release) res.once("close", release);
        return release !== undefined;
      },
    });
    let identity = await tokens.fresh(sessionID, session.identity);
    const renew = async () => {
      identity = await tokens.renewed(sessionID, identity);
    };
    const send = (token: string | undefined) => {
      const headers = requestHeaders(req, { token, body });
      return askUpstream({ method: req.method, url, headers, body, owner: sessionID, idleMs, signal });
    };
    const token = await tokenFor(identity, url).catch(async (error) => {
      if (!isTokenRefused(error)) throw error;
      // The portal does not take its own token for an exchange: it was ended there before its time.
      await renew();
      return tokenFor(identity, url);
    });
    const first = await send(token);
    if (token === undefined || !refusesToken(first)) return first;

    if (token === identity.token) await renew();
    else forgetServerToken(token);
    // What was passed on as it came is gone. The client gets to see the error, and finds a new token next time.
    if (body && !body.isHeld) return first;
    first.rest?.destroy();
    const second = await send(await tokenFor(identity, url));
    if (!refusesToken(second)) return second;
    second.rest?.destroy();
    throw new AppError("token_refused", { cause: url.host });
  }
}

/** The target as it is asked for: what the client may not set is gone, and what would be a page is JSON. */
function urlFor(req: Request, url: URL): URL {
  const query = url.search.slice(1);
  const kept = withoutOurs(query);
  if (kept !== query) url.search = kept;
  if (req.method === "GET" || req.method === "HEAD") asJson(url, req.get("Sec-Fetch-Dest"));
  return url;
}

/**
 * The token for an address that is allowed: the portal's own, that of a server federated with it, and none for
 * any other ArcGIS Server, which would take ours for a bad one of its own. What is no ArcGIS Server stands in
 * PROXY_ALLOW so that it learns who asks.
 */
async function tokenFor(identity: IdentityManager, url: URL): Promise<string | undefined> {
  if (!isService(url)) return identity.token;
  try {
    return await identity.getToken(url.href);
  } catch (error) {
    if (error instanceof AppError && error.code === "token_target") return undefined;
    throw error;
  }
}

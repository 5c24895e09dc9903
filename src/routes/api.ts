import express, { type RequestHandler, type Router } from "express";
import type { Config } from "../app/config/config.ts";
import type { TokenKeeper } from "../arcgis/tokens.ts";
import { AppError } from "../errors.ts";
import { allowOnly } from "../web.ts";
import { isFromOurPage } from "./fetch-metadata.ts";

export interface ApiParts {
  config: Config;
  tokens: TokenKeeper;
  /** Gives `req.session`. */
  withSession: RequestHandler;
  /** Turns away whom ALLOWED_ORGS does not name. */
  memberOnly: RequestHandler;
}

/** What a page of this site may ask about its own sign-in. Errors are JSON: `{error: {code, message}}`. */
export function api({ config, tokens, withSession, memberOnly }: ApiParts): Router {
  const router = express.Router();

  /**
   * GET /api/session - who is signed in: `{username, fullName, portal, tokenExpires, refreshTokenExpires}`,
   * the dates in ISO 8601 (`refreshTokenExpires` is null where the portal does not say); or 401 `signed_out`.
   */
  router.get("/api/session", withSession, tokens.recheck, memberOnly, (req, res) => {
    const { identity, profile } = req.session;
    if (!identity) throw new AppError("signed_out");
    res.json({
      username: identity.username,
      fullName: profile?.fullName ?? identity.username,
      portal: identity.portal,
      tokenExpires: identity.tokenExpires.toISOString(),
      refreshTokenExpires: identity.refreshTokenExpires?.toISOString() ?? null,
    });
  });

  /**
   * GET /api/credential - only with TOKEN_HANDOVER: `{server, token, expires, ssl, userId}` for the Maps SDK's
   * `IdentityManager.registerToken`. It is the access token alone, good for five more minutes at least (or
   * four fifths of a life shorter than that); `expires` in ms since 1970. 401 signed out, 403 for another site.
   */
  if (config.tokenHandover) {
    router.get("/api/credential", withSession, memberOnly, async (req, res) => {
      if (!isFromOurPage(req, config.origin)) throw new AppError("cross_site");
      const { portal: server, token, tokenEnds, tokenExpires, ssl, username } = await tokens.identityOf(req);
      res.json({ server, token, expires: (tokenEnds ?? tokenExpires).getTime(), ssl, userId: username });
    });
    router.all("/api/credential", allowOnly("GET, HEAD"));
  }

  router.all("/api/session", allowOnly("GET, HEAD"));
  return router;
}

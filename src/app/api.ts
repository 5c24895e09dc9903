import express, { type RequestHandler, type Router } from "express";
import { isSameOriginRequest } from "../index.ts";
import { allowOnly } from "./allow-only.ts";
import { AppError } from "./errors.ts";
import type { PortalMount } from "./portal-mount.ts";

/** What a page of this site may ask about its own sign-in. Errors are JSON: `{error: {code, message}}`. */
export function api({ config, auth }: PortalMount): Router {
  const router = express.Router();
  /** For what pages request without their user: it does not count as use of the session. */
  const inBackground: RequestHandler = async (req, res, next) => {
    req.arcgis = await auth.contextOf(req, { touch: false, res });
    next();
  };
  const byTouch: RequestHandler = (req, res, next) =>
    (req.query.touch === "false" ? inBackground : auth.readOnly)(req, res, next);

  /**
   * GET /api/session - the signed-in user: `{username, fullName, portal, organization: {id, name}, role, roleId,
   * privileges, groups: {id, title}[], tokenExpires, refreshTokenExpires, sessionExpires, signInExpires}`, so that a page
   * can hide what the guards refuse. The dates are in ISO 8601; null is what the portal does not say. Or 401 `signed_out`.
   *
   * The session ends at `sessionExpires` unless it is used before, and at `signInExpires` in any case. This request is
   * use, too, but not with `?touch=false`: ask that way when no user has asked you.
   */
  router.get("/api/session", byTouch, async (req, res) => {
    const { username, fullName, orgId, organization, role, roleId, privileges, groups } =
      await req.arcgis.authorize();
    const { expires } = req.arcgis;
    res.json({
      ...{ username, fullName, portal: config.portal, role: role ?? null, roleId: roleId ?? null },
      organization: orgId === undefined ? null : { id: orgId, name: organization ?? null },
      ...{ privileges, groups },
      tokenExpires: expires?.token.toISOString(),
      refreshTokenExpires: expires?.refreshToken?.toISOString() ?? null,
      sessionExpires: expires?.session.toISOString(),
      signInExpires: expires?.signIn.toISOString(),
    });
  });
  router.all("/api/session", allowOnly("GET, HEAD"));

  /**
   * GET /api/credential - only with TOKEN_HANDOVER: `{server, token, expires, ssl, userId}` for the Maps SDK's
   * `IdentityManager.registerToken`. It is the access token alone, good for five more minutes at least (or four fifths
   * of a shorter life); `expires` in ms since 1970. Does not count as use of the session. 401 signed out, 403 for
   * another site.
   */
  if (config.tokenHandover) {
    router.get("/api/credential", inBackground, async (req, res) => {
      const { portal: server, token, ssl, username } = await req.arcgis.identity();
      await req.arcgis.authorize();
      if (!isSameOriginRequest(req, config.origin)) throw new AppError("cross_site");
      res.json({ server, token, expires: req.arcgis.expires?.tokenEnd.getTime(), ssl, userId: username });
    });
    router.all("/api/credential", allowOnly("GET, HEAD"));
  }
  return router;
}

import type { RequestHandler, Router } from "express";
import { isSameOriginRequest } from "../index.ts";
import { allowOnly } from "./allow-only.ts";
import { AppError } from "./errors.ts";
import type { PortalMount } from "./portal-mount.ts";

/** What pages of this site can request about the sign-in. Errors are JSON: `{error: {code, message}}`. */
export function addApi(router: Router, { config, auth }: PortalMount): void {
  /** For requests that a page sends by itself: they do not count as use of the session. */
  const inBackground: RequestHandler = async (req, res, next) => {
    req.arcgis = await auth.contextOf(req, { touch: false, res });
    next();
  };
  const byTouch: RequestHandler = (req, res, next) =>
    (req.query.touch === "false" ? inBackground : auth.readOnly)(req, res, next);

  /**
   * GET /api/session - the signed-in user: `{username, fullName, portal, organization: {id, name}, role, roleId,
   * privileges, groups: {id, title}[], tokenExpires, refreshTokenExpires, sessionExpires, signInExpires}`, so that a page
   * can hide what the guards refuse. Dates are in ISO 8601; what the portal does not say is null. 401 `signed_out` without
   * a session. The session ends at `sessionExpires` if it is not used until then, and at `signInExpires` in any case. This
   * request counts as use; `?touch=false` is for those that a page sends by itself.
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
   * `IdentityManager.registerToken`. The access token is valid for at least five more minutes (or four fifths of a shorter
   * life); `expires` in ms since 1970. Does not count as use of the session. 401 signed out, 403 for another site.
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
}

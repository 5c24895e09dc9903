/**
 * Sign-in with ArcGIS Online and ArcGIS Enterprise for an Express app, by OAuth 2.0 on the server:
 *
 * ```ts
 * const auth = arcgisAuth({ clientId, redirectUri, sessionSecret, encryptionKey });
 * app.use(auth);
 * app.get("/me", auth.requireSignIn(), (req, res) => res.json(req.arcgis.user));
 * ```
 *
 * @module arcgis-sign-in
 */
export { isArcGISService } from "./auth/arcgis/federated-servers.ts";
export { atServer, type PortalRequest, portalHeaders } from "./auth/arcgis/portal-request.ts";
export { hasServicePath, isBelow, normalPath } from "./auth/arcgis/trusted-urls.ts";
export type { UserProfile } from "./auth/arcgis/user-profile.ts";
export {
  type ArcGISAuth,
  arcgisAuth,
  requireGroup,
  requireOrganization,
  requirePrivilege,
  requireRole,
  requireSignIn,
} from "./auth/arcgis-auth.ts";
export type { ArcGISContext, SignInRecord } from "./auth/auth-context.ts";
export { AuthError, type AuthErrorCode, authErrorHandler } from "./auth/errors.ts";
export { type Guards, userHas } from "./auth/guards.ts";
export type { ArcGISAuthOptions, AuthEvent, Hook } from "./auth/options.ts";
export { isPageVisit, isPrefetch, isSameOriginRequest } from "./auth/request-checks.ts";

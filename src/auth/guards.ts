import { ArcGISAuthError } from "@esri/arcgis-rest-request";
import type { Request, RequestHandler, Response } from "express";
import { backoff } from "./arcgis/backoff.ts";
import type { IdentityManager } from "./arcgis/identity-manager.ts";
import { fetchProfile, type UserProfile } from "./arcgis/user-profile.ts";
import type { Auth } from "./auth-context.ts";
import { AuthError, type AuthErrorCode, isTemporary } from "./errors.ts";
import { redirect } from "./request-checks.ts";

/**
 * Middleware for routes that are not for everybody. Browsers go to the sign-in and come back (302); other clients get
 * JSON with 401 or 403; a 403 for a browser goes to the error handler. Each guard also checks `allowedOrganizations`,
 * and that the portal still accepts the sign-in once its access token has expired.
 */
export interface Guards {
  requireSignIn(): RequestHandler;
  /** Members of one of these organizations (ids). */
  requireOrganization(...ids: string[]): RequestHandler;
  /** Users with one of these roles: `org_admin`, `org_publisher`, `org_user`, or the id of a custom one. */
  requireRole(...roles: string[]): RequestHandler;
  /** Users with all of these privileges, such as `portal:user:createItem`. */
  requirePrivilege(...privileges: string[]): RequestHandler;
  /** Members of one of these groups (ids). */
  requireGroup(...ids: string[]): RequestHandler;
}

/** Roles and groups change now and then (ms). */
const profileMs = 10 * 60_000;
/** Older than this, a profile does not count, even if the portal is down (ms). */
const maxProfileMs = 24 * 60 * 60_000;
/** Of a session whose profile could not be fetched: each try may take 3 s. */
const failures = backoff({ firstMs: 30_000, maxMs: 30_000, factor: 1 });

/** `authOf` tells which mount a request belongs to: a fixed one, or the one that it has passed. */
export function guards(authOf: (req: Request) => Auth): Guards {
  const guard =
    (
      code: AuthErrorCode,
      needed: readonly string[],
      passes: ((user: UserProfile) => boolean) | undefined,
    ): RequestHandler =>
    async (req, res, next) => {
      const auth = authOf(req);
      req.arcgis = await auth.readContext(req, res);
      if (!(await req.arcgis.validate())) return signInFirst(req, res, needed);
      const allowed = auth.settings.allowedOrganizations;
      if (allowed || passes) {
        const user = await currentProfile(auth, req, res);
        if (allowed && !allowed.includes(user.orgId ?? ""))
          return refuse(req, res, "organization_not_allowed", []);
        if (passes && !passes(user)) return refuse(req, res, code, needed);
      }
      next();
    };

  const named = (
    guardName: keyof Guards,
    code: AuthErrorCode,
    needed: readonly string[],
    passes: (user: UserProfile) => boolean,
  ) => {
    if (needed.length === 0 || needed.some((name) => typeof name !== "string" || name === ""))
      throw new TypeError(`${guardName}: name at least one`);
    return guard(code, needed, passes);
  };

  return {
    requireSignIn: () => guard("signed_out", [], undefined),
    requireOrganization: (...ids) =>
      named("requireOrganization", "organization_not_allowed", ids, ({ orgId = "" }) => ids.includes(orgId)),
    requireRole: (...roles) =>
      named("requireRole", "role_missing", roles, ({ role = "", roleId = "" }) =>
        [role, roleId].some((one) => roles.includes(one)),
      ),
    requirePrivilege: (...all) =>
      named("requirePrivilege", "privilege_missing", all, ({ privileges }) =>
        all.every((one) => privileges.includes(one)),
      ),
    requireGroup: (...ids) =>
      named("requireGroup", "group_missing", ids, ({ groups }) => groups.some(({ id }) => ids.includes(id))),
  };
}

function signInFirst(req: Request, res: Response, needed: readonly string[]): void {
  if (req.method === "GET" && wantsPage(req)) redirect(res, req.arcgis.signInUrl(), 302);
  else refuse(req, res, "signed_out", needed);
}

function refuse(req: Request, res: Response, code: AuthErrorCode, needed: readonly string[]): void {
  const error = new AuthError(code, { needed });
  error.signInUrl = req.arcgis.signInUrl();
  if (wantsPage(req)) throw error;
  res.status(error.status).set("Cache-Control", "no-store").json(error);
}

function wantsPage(req: Request): boolean {
  return req.accepts(["html", "json"]) === "html";
}

/** The profile in the session, or a newer one when that is old. If the portal is down, rights stay as they were for a day. */
async function currentProfile(auth: Auth, req: Request, res: Response): Promise<UserProfile> {
  const { user, sessionName = "" } = req.arcgis;
  if (!user) throw new AuthError("signed_out");
  // A profile from the future was fetched while the clock was wrong: it is as old as it is early.
  const ageMs = Math.abs(Date.now() - user.fetchedAt);
  if (ageMs < profileMs || (ageMs < maxProfileMs && failures.isWaiting(sessionName))) return user;
  try {
    const identity = (await req.arcgis.identity()) as IdentityManager;
    const profile = await fetchProfile(identity).catch(async (error) => {
      if (!(error instanceof ArcGISAuthError)) throw error;
      // The token was ended at the portal before its time.
      return fetchProfile(await identity.refreshCredentials());
    });
    await auth.storeProfile(req, res, profile);
    return profile;
  } catch (error) {
    if (ageMs >= maxProfileMs || !isTemporary(error)) throw error;
    failures.failed(sessionName);
    auth.emit({ type: "profile-failed", req, username: user.username, error });
    return user;
  }
}

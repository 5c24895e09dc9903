import { ArcGISAuthError } from "@esri/arcgis-rest-request";
import type { Request, RequestHandler, Response } from "express";
import { backoff } from "./arcgis/backoff.ts";
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

type Context = Awaited<ReturnType<Auth["contextOf"]>>;

/** `authOf` tells which mount a request belongs to: a fixed one, or the one that it has passed. */
export function guards(authOf: (req: Request) => Auth): Guards {
  function guard(code: AuthErrorCode, needed: readonly string[], passes?: (user: UserProfile) => boolean) {
    if (passes && !(needed.length > 0 && needed.every((name) => typeof name === "string" && name !== "")))
      throw new TypeError(`${code}: a guard needs to name at least one`);
    const handler: RequestHandler = async (req, res, next) => {
      const auth = authOf(req);
      const context = await auth.contextOf(req, res);
      req.arcgis = context;
      if (!(await context.validate())) return signInFirst(req, res);
      const allowed = auth.settings.allowedOrganizations;
      const user = allowed || passes ? await currentProfile(auth, req, context) : undefined;
      if (user && allowed && !allowed.includes(user.orgId ?? ""))
        return refuse(req, res, "organization_not_allowed");
      if (user && passes && !passes(user)) return refuse(req, res, code, needed);
      next();
    };
    return handler;
  }

  return {
    requireSignIn: () => guard("signed_out", []),
    requireOrganization: (...ids) =>
      guard("organization_not_allowed", ids, ({ orgId = "" }) => ids.includes(orgId)),
    requireRole: (...roles) =>
      guard(
        "role_missing",
        roles,
        ({ role = "", roleId = "" }) => roles.includes(role) || roles.includes(roleId),
      ),
    requirePrivilege: (...all) =>
      guard("privilege_missing", all, ({ privileges }) => all.every((one) => privileges.includes(one))),
    requireGroup: (...ids) =>
      guard("group_missing", ids, ({ groups }) => groups.some(({ id }) => ids.includes(id))),
  };
}

function signInFirst(req: Request, res: Response): void {
  if (req.method === "GET" && wantsPage(req)) redirect(res, req.arcgis.signInUrl(), 302);
  else refuse(req, res, "signed_out");
}

function refuse(req: Request, res: Response, code: AuthErrorCode, needed: readonly string[] = []): void {
  const error = new AuthError(code, { needed });
  error.signInUrl = req.arcgis.signInUrl();
  if (wantsPage(req)) throw error;
  res.status(error.status).set("Cache-Control", "no-store").json(error);
}

function wantsPage(req: Request): boolean {
  return req.accepts(["html", "json"]) === "html";
}

/** The profile in the session, or a newer one when that is old. If the portal is down, rights stay as they were for a day. */
async function currentProfile(auth: Auth, req: Request, context: Context): Promise<UserProfile> {
  const { user, sessionName = "" } = context;
  if (!user) throw new AuthError("signed_out");
  // A profile from the future was fetched while the clock was wrong: it is as old as it is early.
  const ageMs = Math.abs(Date.now() - user.fetchedAt);
  if (ageMs < profileMs || (ageMs < maxProfileMs && failures.isWaiting(sessionName))) return user;
  try {
    const identity = await context.identity();
    const profile = await fetchProfile(identity).catch(async (error) => {
      if (!(error instanceof ArcGISAuthError)) throw error;
      // The token was ended at the portal before its time.
      return fetchProfile(await identity.refreshCredentials());
    });
    await context.storeProfile(profile);
    return profile;
  } catch (error) {
    if (ageMs >= maxProfileMs || !isTemporary(error)) throw error;
    failures.failed(sessionName);
    auth.emit({ type: "profile-failed", req, username: user.username, error });
    return user;
  }
}

import type { Request, RequestHandler, Response } from "express";
import type { UserProfile } from "./arcgis/user-profile.ts";
import type { Auth } from "./auth-context.ts";
import { AuthError, type AuthErrorCode } from "./errors.ts";
import { isPageVisit, redirect } from "./request-checks.ts";

/**
 * Middleware for protected routes. Browsers go to the sign-in and come back (302); other clients get JSON with 401 or 403;
 * a 403 for a browser goes to the error handler. Each guard also checks `allowedOrganizations`, and that the portal still
 * accepts the sign-in once its access token has expired. Throws a TypeError for a missing or empty name.
 */
export interface Guards extends ReturnType<typeof guards> {}

/** Whether a user has what a guard, or a rule of an app, names, by kind. */
export const userHas = {
  organizations: ({ orgId }: UserProfile, id: string) => orgId === id,
  roles: ({ role, roleId }: UserProfile, one: string) => role === one || roleId === one,
  privileges: ({ privileges }: UserProfile, one: string) => privileges.includes(one),
  groups: ({ groups }: UserProfile, id: string) => groups.some((group) => group.id === id),
};
type Kind = keyof typeof userHas;

/** `authOf` tells which mount a request belongs to: a fixed one, or the one that it has passed. */
export function guards(authOf: (req: Request) => Auth) {
  function guard(code: AuthErrorCode, kind?: Kind, needed: string[] = [], asked: "some" | "every" = "some") {
    const isName = (name: unknown) => typeof name === "string" && name.trim() !== "";
    if (kind && !(needed.length > 0 && needed.every(isName)))
      throw new TypeError(`${code}: a guard needs at least one name`);
    const handler: RequestHandler = async (req, res, next) => {
      const auth = authOf(req);
      const context = await auth.contextOf(req, res);
      req.arcgis = context;
      try {
        const user = await context.authorize(kind !== undefined);
        if (kind && !needed[asked]((name) => userHas[kind](user, name)))
          throw new AuthError(code, { needed });
      } catch (error) {
        if (error instanceof AuthError && error.status < 500) return refuse(auth, req, res, error);
        throw error;
      }
      next();
    };
    return handler;
  }

  return {
    /** Lets signed-in users pass. */
    requireSignIn: (): RequestHandler => guard("signed_out"),
    /** Lets members of one of these organizations (IDs) pass. */
    requireOrganization: (...ids: string[]): RequestHandler =>
      guard("organization_not_allowed", "organizations", ids),
    /** Lets users with one of these roles pass: `org_admin`, `org_publisher`, `org_user`, or the ID of a custom one. */
    requireRole: (...roles: string[]): RequestHandler => guard("role_missing", "roles", roles),
    /** Lets users with all of these privileges pass, such as `portal:user:createItem`. */
    requirePrivilege: (...all: string[]): RequestHandler =>
      guard("privilege_missing", "privileges", all, "every"),
    /** Lets members of one of these groups (IDs) pass. */
    requireGroup: (...ids: string[]): RequestHandler => guard("group_missing", "groups", ids),
  };
}

function refuse({ settings }: Auth, req: Request, res: Response, error: AuthError): void {
  const isPage = isPageVisit(req);
  error.signInUrl ??= req.arcgis.signInUrl();
  if (isPage && error.status === 401 && req.method === "GET") redirect(res, error.signInUrl, 302);
  else if (isPage || settings.passRefusals) throw error;
  else res.status(error.status).set("Cache-Control", "no-store").json(error);
}

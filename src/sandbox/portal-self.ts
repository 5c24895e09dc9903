import { Router } from "express";
import { sendJson } from "./arcgis-json.ts";
import { requireUser, signedIn } from "./authentication.ts";
import type { SandboxContext } from "./context.ts";
import organizations from "./data/organizations.json" with { type: "json" };
import same from "./data/portal-info.json" with { type: "json" };
import { homeOrganization, type SandboxGroup, type SandboxUser } from "./users.ts";

/**
 * `community/self`, `portals/self` and `info`: who is signed in, and where.
 *
 * The data file has what is the same for every organization, user and group of an Enterprise of 2024; the Maps SDK uses
 * PKCE from its version 8.4 on. The fields are those of IUser and IPortal of @esri/arcgis-rest-js, the values those of its
 * mocks (packages/arcgis-rest-portal/test/mocks/users/user.ts and portal/response.ts).
 */
export function portalSelfRoutes(context: SandboxContext): Router {
  const { at, origin, url, clients, clock } = context;
  const router = Router();

  router.all("/community/self", at("self"), (req, res) => {
    const user = requireUser(req, context);
    const groups = user.groups.map((group) => groupOf(group, user.username));
    sendJson(req, res, { ...profileOf(user), groups });
  });

  // Anonymous requests are allowed; a token adds the user and the app.
  router.all("/portals/self", at("portalSelf"), (req, res) => {
    const { user, clientId } = signedIn(req, context) ?? {};
    sendJson(req, res, {
      ...(organizations.find(({ id }) => id === user?.orgId) ?? homeOrganization),
      ...same.portal,
      portalHostname: `${new URL(origin).host}/portal`,
      ...(user && { user: profileOf(user), appInfo: appInfo(clientId) }),
    });
  });

  router.all("/info", at("info"), (req, res) => {
    sendJson(req, res, {
      owningSystemUrl: `${origin}/portal`,
      authInfo: { tokenServicesUrl: `${url}/generateToken`, isTokenBasedSecurity: true },
    });
  });

  router.all("/", (req, res) => sendJson(req, res, { currentVersion: same.portal.currentVersion }));

  return router;

  /** Without the groups, as in `portals/self`. */
  function profileOf({ groups: _, roleName: __, ...user }: SandboxUser) {
    return { ...user, ...same.user, lastLogin: clock() };
  }

  function appInfo(clientId?: string) {
    const appTitle = clients.find((each) => each.clientId === clientId)?.title ?? clientId;
    const { id: orgId } = homeOrganization;
    return { appId: clientId, itemId: clientId, appOwner: "sandy_admin", orgId, appTitle, privileges: [] };
  }
}

function groupOf(group: SandboxGroup, username: string) {
  const memberType = group.owner === username ? "owner" : "member";
  return { ...group, ...same.group, userMembership: { username, memberType, applications: 0 } };
}

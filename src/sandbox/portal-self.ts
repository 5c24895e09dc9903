import { type Request, Router } from "express";
import { invalidToken, sendJson, tokenRequired } from "./arcgis-json.ts";
import type { SandboxContext } from "./context.ts";
import { accessTokenOf } from "./request-params.ts";
import type { AccessToken } from "./token-store.ts";
import { homeOrganization, organizations, type SandboxGroup, type SandboxUser } from "./users.ts";

/** An Enterprise of 2024. The Maps SDK uses PKCE from 8.4 on. */
const currentVersion = "2024.2";

/** When everything in the sandbox was created. */
const created = Date.UTC(2024, 5, 1);

/**
 * `community/self`, `portals/self` and `info`: who is signed in, and where.
 *
 * The fields are those of IUser and IPortal of @esri/arcgis-rest-js, the values those of its mocks
 * (packages/arcgis-rest-portal/test/mocks/users/user.ts and portal/response.ts).
 */
export function portalSelfRoutes({ at, origin, url, clients, users, tokens, clock }: SandboxContext): Router {
  const router = Router();

  router.all("/community/self", at("self"), (req, res) => {
    if (!accessTokenOf(req)) return sendJson(req, res, tokenRequired);
    const signedIn = signedInUser(req);
    sendJson(req, res, signedIn ? communityUser(signedIn.user, clock()) : invalidToken);
  });

  // Anonymous requests are allowed; a token adds the user and the app, and a bad token is an error.
  router.all("/portals/self", at("portalSelf"), (req, res) => {
    const signedIn = signedInUser(req);
    if (accessTokenOf(req) && !signedIn) return sendJson(req, res, invalidToken);

    const { host } = new URL(origin);
    const organization = organizations.find(({ id }) => id === signedIn?.user.orgId) ?? homeOrganization;
    sendJson(req, res, {
      ...organization,
      access: "public",
      allSSL: false,
      allowedOrigins: [],
      authorizedCrossOriginDomains: [],
      created,
      culture: "en",
      currentVersion,
      customBaseUrl: "",
      helperServices: {},
      isPortal: true,
      maxTokenExpirationMinutes: -1,
      modified: created,
      portalHostname: `${host}/portal`,
      portalMode: "singletenant",
      portalName: "Sandbox portal",
      region: "WO",
      supportsOAuth: true,
      thumbnail: null,
      units: "metric",
      ...(signedIn && { user: portalUser(signedIn.user, clock()), appInfo: appInfo(signedIn.token) }),
    });
  });

  router.all("/info", at("info"), (req, res) => {
    sendJson(req, res, {
      owningSystemUrl: `${origin}/portal`,
      authInfo: { tokenServicesUrl: `${url}/generateToken`, isTokenBasedSecurity: true },
    });
  });

  router.all("/", (req, res) => sendJson(req, res, { currentVersion }));

  function signedInUser(req: Request): { token: AccessToken; user: SandboxUser } | undefined {
    const token = tokens.findAccessToken(accessTokenOf(req) ?? "");
    const user = users.find(({ username }) => username === token?.username);
    return token && user && { token, user };
  }

  function appInfo({ clientId }: AccessToken) {
    const client = clients.find((each) => each.clientId === clientId);
    return {
      appId: clientId,
      itemId: clientId,
      appOwner: "sandy_admin",
      orgId: homeOrganization.id,
      appTitle: client?.title ?? clientId,
      privileges: [],
    };
  }

  return router;
}

function communityUser(user: SandboxUser, now: number) {
  return { ...portalUser(user, now), groups: user.groups.map((group) => groupOf(group, user)) };
}

/** `portals/self` leaves the groups out. */
function portalUser({ groups: _, roleName: __, ...user }: SandboxUser, now: number) {
  return {
    ...user,
    access: "org",
    created,
    description: null,
    disabled: false,
    lastLogin: now,
    mfaEnabled: false,
    modified: created,
    region: "WO",
    tags: [],
    thumbnail: null,
    units: "metric",
  };
}

function groupOf(group: SandboxGroup, { username }: SandboxUser) {
  const memberType = group.owner === username ? "owner" : "member";
  return {
    ...group,
    access: "org",
    created,
    isInvitationOnly: true,
    isViewOnly: false,
    modified: created,
    protected: false,
    tags: [],
    userMembership: { username, memberType, applications: 0 },
  };
}

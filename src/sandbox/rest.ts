import { type Request, Router } from "express";
import { answer, invalidToken, paramsOf, text, tokenRequired } from "./answers.ts";
import type { Context } from "./context.ts";
import type { AccessToken } from "./grants.ts";
import { type Group, home, organisations, type Person } from "./people.ts";

/** An Enterprise of 2024; the Maps SDK uses PKCE from 8.4 on. */
const currentVersion = "2024.2";

/** When everything in the sandbox was made: 1 June 2024. */
const created = Date.UTC(2024, 5, 1);

/**
 * The three that tell who is signed in and where: `community/self`, `portals/self`, `info`.
 *
 * Field names as in IUser and IPortal of @esri/arcgis-rest-js, their values as in its mocks
 * (packages/arcgis-rest-portal/test/mocks/users/user.ts and portal/response.ts).
 */
export function restRoutes(portal: Context): Router {
  const router = Router();

  router.all("/community/self", portal.at("self"), (req, res) => {
    if (!tokenOf(req)) return answer(req, res, tokenRequired);
    const found = signedInBy(req);
    answer(req, res, found ? userOf(found.person, portal.now()) : invalidToken);
  });

  // Anybody may ask; a token adds who asks and by which app, and a bad one is still an error.
  router.all("/portals/self", portal.at("portalSelf"), (req, res) => {
    const found = signedInBy(req);
    if (tokenOf(req) && !found) return answer(req, res, invalidToken);

    const { host } = new URL(portal.origin);
    const organisation = organisations.find(({ id }) => id === found?.person.orgId) ?? home;
    answer(req, res, {
      ...organisation,
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
      ...(found && { user: memberOf(found.person, portal.now()), appInfo: appOf(found.token) }),
    });
  });

  router.all("/info", portal.at("info"), (req, res) => {
    answer(req, res, {
      owningSystemUrl: `${portal.origin}/portal`,
      authInfo: { tokenServicesUrl: `${portal.url}/generateToken`, isTokenBasedSecurity: true },
    });
  });

  router.all("/", (req, res) => answer(req, res, { currentVersion }));

  function signedInBy(req: Request): { token: AccessToken; person: Person } | undefined {
    const token = portal.grants.findAccessToken(tokenOf(req) ?? "");
    const person = portal.people.find(({ username }) => username === token?.username);
    return token && person && { token, person };
  }

  function appOf({ clientId }: AccessToken) {
    const client = portal.clients.find((each) => each.clientId === clientId);
    return {
      appId: clientId,
      itemId: clientId,
      appOwner: "sandy_admin",
      orgId: home.id,
      appTitle: client?.title ?? clientId,
      privileges: [],
    };
  }

  return router;
}

/** The token, from where ArcGIS takes it: one of two headers, the query or the form. */
export function tokenOf(req: Request): string | undefined {
  for (const name of ["X-Esri-Authorization", "Authorization"]) {
    const [, token] = /^Bearer +(\S+)$/i.exec(req.get(name) ?? "") ?? [];
    if (token) return token;
  }
  return text(paramsOf(req), "token");
}

function userOf(person: Person, now: number) {
  return { ...memberOf(person, now), groups: person.groups.map((group) => groupOf(group, person)) };
}

/** `portals/self` leaves the groups out. */
function memberOf({ groups: _, roleName: __, ...person }: Person, now: number) {
  return {
    ...person,
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

function groupOf(group: Group, { username }: Person) {
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

import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { organizationNames } from "./organization-names.ts";
import { portalRequest } from "./request.ts";

/** What the portal says about a person, as far as this server uses it. */
export interface Profile {
  fullName: string;
  /** Id of the organisation; missing for an account without one. */
  orgId?: string;
  /** The organisation's name. */
  organization?: string;
  /** One of the three base roles: `org_admin`, `org_publisher`, `org_user`. */
  role?: string;
  /** Id of a custom role. Such a role counts by its privileges. */
  roleId?: string;
  /** Such as `portal:user:createItem`. */
  privileges: string[];
  /** The groups the person is a member of. Their titles are not kept: several hundred would fill a session. */
  groups: { id: string }[];
  /** When the portal said so (ms since 1970); 0 when it was not asked yet. */
  fetchedAt: number;
}

/** What is known of a person whose portal does not answer. */
export function profileWithout(username: string): Profile {
  return { fullName: username, privileges: [], groups: [], fetchedAt: 0 };
}

/** Nobody waits longer than this for an answer (ms). */
const ask = portalRequest({ timeoutMs: 3_000 });

/**
 * Asks the portal who this is and what their organisation is called (community/self, portals/self).
 * https://developers.arcgis.com/rest/users-groups-and-items/community-self/
 *
 * @throws AppError or `ArcGISRequestError` when community/self does not answer within 3 s. Without the
 *   organisation's name the profile is complete enough.
 */
export async function fetchProfile(identity: ArcGISIdentityManager): Promise<Profile> {
  const nameOf = organizationNames(identity);
  const user = await ask(`${identity.portal}/community/self`, {
    httpMethod: "GET",
    authentication: identity,
  });
  const orgId = text(user.orgId);
  return {
    fullName: text(user.fullName) ?? identity.username,
    orgId,
    organization: await nameOf(orgId),
    role: text(user.role),
    roleId: text(user.roleId),
    privileges: list(user.privileges).filter(isName),
    groups: list(user.groups).flatMap((group) => {
      const { id } = Object(group);
      return isName(id) ? { id } : [];
    }),
    fetchedAt: Date.now(),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 256) : undefined;
}

/** Of ids and privileges, those of ArcGIS have 32 and some fifty characters. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= 100;
}

/** A person can be in 512 groups. */
function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, 600) : [];
}

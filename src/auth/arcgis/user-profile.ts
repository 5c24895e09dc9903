import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { refreshingRequest } from "./portal-request.ts";

/** The signed-in user, as the portal describes them. */
export interface UserProfile {
  username: string;
  fullName: string;
  /** ID and name of the organization; missing for an account without one. */
  orgId?: string | undefined;
  organization?: string | undefined;
  /** Base role: `org_admin`, `org_publisher` or `org_user`. */
  role?: string | undefined;
  /** ID of a custom role. */
  roleId?: string | undefined;
  /** Such as `portal:user:createItem`. */
  privileges: string[];
  groups: { id: string; title: string }[];
  /** When the portal said so (ms since 1970); 0 when it could not be asked. */
  fetchedAt: number;
}

/** A user of 512 groups has several megabytes: every group comes with its description. Six block the process for 50 ms. */
const maxBytes = 6 * 1024 * 1024;

export function minimalProfile(username: string): UserProfile {
  return { username, fullName: username, privileges: [], groups: [], fetchedAt: 0 };
}

/**
 * Asks for community/self and the organization's name, without which a profile is complete enough.
 * https://developers.arcgis.com/rest/users-groups-and-items/community-self/
 */
export async function fetchProfile(identity: ArcGISIdentityManager, timeoutMs = 3_000): Promise<UserProfile> {
  const request = refreshingRequest({ timeoutMs, maxBytes });
  const get = (path: string) =>
    request(`${identity.portal}/${path}`, { httpMethod: "GET", authentication: identity });
  const [user, organization] = await Promise.all([
    get("community/self"),
    get("portals/self").catch(() => ({})),
  ]);
  return {
    username: identity.username,
    fullName: text(user.fullName) ?? identity.username,
    orgId: text(user.orgId),
    organization: text(organization.name),
    role: text(user.role),
    roleId: text(user.roleId),
    privileges: list(user.privileges).filter(isShort),
    groups: list(user.groups)
      .map((group) => ({ id: Object(group).id, title: text(Object(group).title)?.slice(0, 100) ?? "" }))
      .filter(({ id }) => isShort(id)),
    fetchedAt: Date.now(),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 256) : undefined;
}

/** IDs of ArcGIS have 32 characters, privileges some fifty. */
function isShort(value: unknown): value is string {
  return typeof value === "string" && value.length <= 100;
}

/** A user can be in 512 groups. */
function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, 600) : [];
}

import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { portalRequest } from "./request.ts";

/** What the portal says about a person, as far as this server uses it. */
export interface Profile {
  fullName: string;
  /** Id of the organisation; missing for an account without one. */
  orgId?: string;
  /** The organisation's name. */
  organization?: string;
  /** `org_admin`, `org_publisher`, `org_user`, or the id of a custom role. */
  role?: string;
}

/** A sign-in does not wait longer than this for the profile (ms). */
const ask = portalRequest({ timeoutMs: 3_000 });

/**
 * Asks the portal who signed in and what their organisation is called (community/self, portals/self).
 * https://developers.arcgis.com/rest/users-groups-and-items/community-self/
 *
 * @throws AppError or `ArcGISRequestError` when community/self does not answer within 3 s. Without the
 *   organisation's name the profile is complete enough.
 */
export async function fetchProfile(identity: ArcGISIdentityManager): Promise<Profile> {
  const get = { httpMethod: "GET", authentication: identity } as const;
  const [user, portal] = await Promise.all([
    ask(`${identity.portal}/community/self`, get),
    ask(`${identity.portal}/portals/self`, get).catch(() => ({})),
  ]);
  return {
    fullName: text(user.fullName) ?? identity.username,
    orgId: text(user.orgId),
    organization: text(portal.name),
    role: text(user.role) ?? text(user.roleId),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 1024) : undefined;
}

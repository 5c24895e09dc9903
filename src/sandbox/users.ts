import organizations from "./data/organizations.json" with { type: "json" };
import roles from "./data/roles.json" with { type: "json" };
import sampleUsers from "./data/users.json" with { type: "json" };

/** A group of users. */
export interface SandboxGroup {
  id: string;
  title: string;
  owner: string;
}

/** The roles that every organization has. */
export type BaseRole = "org_admin" | "org_publisher" | "org_user";

/** A user, with the fields of `community/self` (IUser of @esri/arcgis-rest-request). */
export interface SandboxUser {
  username: string;
  fullName: string;
  firstName: string;
  lastName: string;
  email: string;
  orgId: string;
  /** A custom role has one of the three base roles, and a `roleId` of its own. */
  role: BaseRole;
  roleId?: string;
  /** The role's name on the sign-in page. ArcGIS doesn't send it to apps. */
  roleName: string;
  privileges: string[];
  groups: SandboxGroup[];
  userLicenseTypeId: string;
  level: "1" | "2";
  /** `enterprise`: the user signs in with the organization's own identity provider. */
  provider: "arcgis" | "enterprise";
  /** The user's name at the identity provider. */
  idpUsername: string | null;
  culture: string;
}

/** A user to start the sandbox with. Only the username is required. */
export type SandboxUserOptions = Partial<SandboxUser> & Pick<SandboxUser, "username">;

/**
 * The organization that `portals/self` describes to an anonymous client. Enterprise has no other; the second one at the
 * same URL is a liberty of the sandbox, so that an app can try what it does with a user of another organization.
 */
export const homeOrganization = organizations[0] as { id: string; name: string; urlKey: string };

/** The sample users. The last one shows whether an app handles names that are not ASCII or look like HTML. */
export function createSampleUsers(): SandboxUser[] {
  return structuredClone(sampleUsers as SandboxUserOptions[]).map(createUser);
}

/** Adds what the options leave out: a member of the home organization with the privileges of the role. */
export function createUser(options: SandboxUserOptions): SandboxUser {
  const { username, firstName = "", lastName = "", role = "org_user" } = options;
  return {
    fullName: `${firstName} ${lastName}`.trim() || username,
    firstName,
    lastName,
    email: `${username}@city.example`,
    orgId: homeOrganization.id,
    role,
    roleName: roles[role].name,
    privileges: [...roles[role].privileges],
    groups: [],
    userLicenseTypeId: "creatorUT",
    level: "2",
    provider: "arcgis",
    idpUsername: null,
    culture: "en",
    ...options,
  };
}

/** An organisation of the sandbox portal: what `portals/self` tells of it. */
export interface Organisation {
  id: string;
  name: string;
  urlKey: string;
}

export interface Group {
  id: string;
  title: string;
  owner: string;
}

/** A sample person, in ArcGIS's own words (IUser of @esri/arcgis-rest-request). */
export interface Person {
  username: string;
  fullName: string;
  firstName: string;
  lastName: string;
  email: string;
  orgId: string;
  /** One of three base roles; a custom role has one of them as its base and a `roleId` of its own. */
  role: "org_admin" | "org_publisher" | "org_user";
  roleId?: string;
  /** What the sign-in page calls the role; ArcGIS itself does not send it. */
  roleName: string;
  privileges: string[];
  groups: Group[];
  userLicenseTypeId: string;
  level: "1" | "2";
  provider: "arcgis" | "enterprise";
  /** The name at the organisation's own identity provider, where that is the provider. */
  idpUsername: string | null;
  culture: string;
}

// An ArcGIS Enterprise portal calls its only organisation 0123456789ABCDEF. That a second one lives at the
// same address is a liberty of the sandbox: an app can then try what it does with a stranger.
const city: Organisation = { id: "0123456789ABCDEF", name: "Sandbox City GIS", urlKey: "sandboxcity" };
const county: Organisation = { id: "FEDCBA9876543210", name: "Neighbour County", urlKey: "neighbourcounty" };

/** The organisation that `portals/self` describes to somebody who is not signed in. */
export const home: Organisation = city;

export const organisations: readonly Organisation[] = [city, county];

const streets: Group = {
  id: "5a6e64c1b2d94f0f9c1d3a7be80d5c11",
  title: "Streets and Signs",
  owner: "sandy_admin",
};
/** Its members see the layer of the street trees. */
export const cityTrees: Group = {
  id: "c0ffee21d4f84a53a7b9d7f3e1a2b3c4",
  title: "City Trees",
  owner: "pia_publisher",
};
const border: Group = {
  id: "9e107d9d372bb6826bd81d3542a419d6",
  title: "Along the Border",
  owner: "ned_county",
};

// A few privileges of each kind, as ArcGIS names them; a real administrator has about seventy.
const viewing = ["portal:user:joinGroup", "portal:user:viewOrgGroups", "portal:user:viewOrgItems"];
const editing = [...viewing, "features:user:edit"];
const creating = [
  ...editing,
  "portal:user:createGroup",
  "portal:user:createItem",
  "portal:user:shareToGroup",
  "portal:user:shareToOrg",
];
const publishing = [...creating, "portal:publisher:publishFeatures", "portal:publisher:publishTiles"];
const administering = [
  ...publishing,
  "features:user:fullEdit",
  "portal:admin:manageSecurity",
  "portal:admin:updateItems",
  "portal:admin:updateUsers",
  "portal:admin:viewItems",
  "portal:admin:viewUsers",
];

/**
 * The people to choose from. The last one is there because names are not ASCII and may look like HTML: an
 * app that greets Zoë correctly greets everybody correctly.
 */
export function samplePeople(): Person[] {
  return [
    {
      ...named("Sandy", "Boxwell", "sandy_admin"),
      orgId: city.id,
      role: "org_admin",
      roleName: "Administrator",
      privileges: administering,
      groups: [streets, cityTrees],
      userLicenseTypeId: "GISProfessionalAdvUT",
    },
    {
      ...named("Pia", "Marlow", "pia_publisher"),
      orgId: city.id,
      role: "org_publisher",
      roleName: "Publisher",
      privileges: publishing,
      groups: [cityTrees],
      userLicenseTypeId: "creatorUT",
    },
    {
      ...named("Vik", "Rao", "vik_viewer"),
      orgId: city.id,
      role: "org_user",
      roleId: "iAAAAAAAAAAAAAAA",
      roleName: "Viewer",
      privileges: viewing,
      groups: [],
      userLicenseTypeId: "viewerUT",
      level: "1",
    },
    {
      ...named("Ned", "Ashcombe", "ned_county"),
      orgId: county.id,
      email: "ned_county@county.example",
      role: "org_user",
      roleName: "User",
      privileges: creating,
      groups: [border],
      userLicenseTypeId: "creatorUT",
    },
    {
      ...named("Zoë", "日本 <b>", "zoe_editor"),
      orgId: city.id,
      role: "org_user",
      roleId: "Fj3kQ9tWbZx7Lm2p",
      roleName: "Field Editor",
      privileges: editing,
      groups: [streets],
      userLicenseTypeId: "editorUT",
      provider: "enterprise",
      idpUsername: "zoë@city.example",
    },
  ].map((person) => structuredClone(person) as Person);
}

function named(firstName: string, lastName: string, username: string) {
  return {
    username,
    fullName: `${firstName} ${lastName}`,
    firstName,
    lastName,
    email: `${username}@city.example`,
    level: "2" as const,
    provider: "arcgis" as const,
    idpUsername: null,
    culture: "en",
  };
}

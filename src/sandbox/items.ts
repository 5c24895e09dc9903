import { createHash } from "node:crypto";

/** An item, with the fields of IItem of @esri/arcgis-rest-portal that a list of items shows. */
export interface SandboxItem {
  id: string;
  owner: string;
  title: string;
  type: string;
  snippet: string;
  /** Milliseconds since 1970. */
  modified: number;
  /** A path below `content/items/{id}/info/`. */
  thumbnail: string;
}

const types = ["Web Map", "Feature Service", "Web Mapping Application", "Dashboard", "StoryMap"];
const subjects = [
  "Street trees",
  "Road works",
  "Play areas",
  "Bus stops",
  "Bicycle racks",
  "Flood levels",
  "Parking",
];

/** Twenty-three items of each user: enough for three pages. */
export function itemsOf(owner: string): SandboxItem[] {
  return Array.from({ length: 23 }, (_, index) => ({
    id: createHash("md5").update(`${owner} ${index}`).digest("hex"),
    owner,
    title: `${subjects[index % subjects.length]} ${2024 - Math.floor(index / subjects.length)}`,
    type: types[index % types.length] as string,
    snippet: "A sample item of the sandbox portal.",
    modified: Date.UTC(2024, 5, 1 - index, 9, 30),
    thumbnail: "thumbnail/ago_downloaded.png",
  }));
}

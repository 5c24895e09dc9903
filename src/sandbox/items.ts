import { createHash } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";

/** An item, in ArcGIS's own words (IItem of @esri/arcgis-rest-portal), as far as a list of items shows it. */
export interface Item {
  id: string;
  owner: string;
  title: string;
  type: string;
  snippet: string;
  /** ms since 1970 */
  modified: number;
  /** Below `content/items/{id}/info/`. */
  thumbnail: string;
}

const kinds = ["Web Map", "Feature Service", "Web Mapping Application", "Dashboard", "StoryMap"];
const subjects = [
  "Street trees",
  "Road works",
  "Play areas",
  "Bus stops",
  "Bicycle racks",
  "Flood levels",
  "Parking",
];

/** Twenty-three items of each person who may create any: enough for three pages. */
export function itemsOf(owner: string): Item[] {
  return Array.from({ length: 23 }, (_, index) => ({
    id: createHash("md5").update(`${owner} ${index}`).digest("hex"),
    owner,
    title: `${subjects[index % subjects.length]} ${2024 - Math.floor(index / subjects.length)}`,
    type: kinds[index % kinds.length] as string,
    snippet: "A sample item of the sandbox portal.",
    modified: Date.UTC(2024, 5, 1 - index, 9, 30),
    thumbnail: "thumbnail/ago_downloaded.png",
  }));
}

/** A thumbnail of ArcGIS's size (200 by 133), in a colour of the item's own, as PNG. */
export function thumbnailOf(id: string): Buffer {
  const [width, height] = [200, 133];
  const [red = 0, green = 0, blue = 0] = createHash("md5").update(id).digest();
  const pixel = (x: number, y: number) => {
    const shade = (Math.floor(x / 25) + Math.floor(y / 25)) % 2 === 0 ? 0.5 : 0.65;
    return [red, green, blue].map((part) => Math.round(part * 0.4 + 255 * shade * 0.6));
  };
  const rows = Array.from({ length: height }, (_, y) =>
    Buffer.from([0, ...Array.from({ length: width }, (_, x) => pixel(x, y)).flat()]),
  );
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A part of a PNG file (PNG specification, 5.3). */
function chunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, sum]);
}

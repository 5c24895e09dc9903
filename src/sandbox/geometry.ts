/** A geometry as the ArcGIS REST API has it; the spatial reference is said elsewhere. */
export type Geometry = { x: number; y: number } | { rings: number[][][] };

export interface Envelope {
  xmin: number;
  ymin: number;
  xmax: number;
  ymax: number;
}

/** Well-known ids: degrees (WGS 84), and the metres of web maps, which have an older id too. */
export const degrees = 4326;
export const webMercator = 3857;
const webMercatorIds = [webMercator, 102100, 900913];

/** Gives 4326 or 3857 for any id that means one of the two, else `undefined`. */
export function knownReference(wkid: number): number | undefined {
  return webMercatorIds.includes(wkid) ? webMercator : wkid === degrees ? degrees : undefined;
}

/** As ArcGIS writes it: web Mercator has an old id and a latest one. */
export function spatialReference(wkid: number): { wkid: number; latestWkid: number } {
  return { wkid: wkid === webMercator ? 102100 : wkid, latestWkid: wkid };
}

const radius = 6_378_137;

/** Degrees to metres of web Mercator. */
function toMercator([longitude = 0, latitude = 0]: number[]): number[] {
  const radians = Math.PI / 180;
  // Beyond this the square map of the world ends.
  const bounded = Math.max(-85.06, Math.min(85.06, latitude));
  return [longitude * radians * radius, Math.log(Math.tan(Math.PI / 4 + (bounded * radians) / 2)) * radius];
}

function toDegrees([x = 0, y = 0]: number[]): number[] {
  const inDegrees = 180 / Math.PI;
  return [(x / radius) * inDegrees, (2 * Math.atan(Math.exp(y / radius)) - Math.PI / 2) * inDegrees];
}

/** Gives `change` applied to every position. */
export function mapPositions(geometry: Geometry, change: (position: number[]) => number[]): Geometry {
  if ("rings" in geometry) return { rings: geometry.rings.map((ring) => ring.map(change)) };
  const [x = 0, y = 0] = change([geometry.x, geometry.y]);
  return { x, y };
}

/** A geometry in degrees, in the spatial reference that is asked for. */
export function projected(geometry: Geometry, wkid: number): Geometry {
  return wkid === webMercator ? mapPositions(geometry, toMercator) : geometry;
}

/** An envelope of any known spatial reference, in degrees. */
export function envelopeInDegrees({ xmin, ymin, xmax, ymax }: Envelope, wkid: number): Envelope {
  if (wkid === degrees) return { xmin, ymin, xmax, ymax };
  const [west = 0, south = 0] = toDegrees([xmin, ymin]);
  const [east = 0, north = 0] = toDegrees([xmax, ymax]);
  return { xmin: west, ymin: south, xmax: east, ymax: north };
}

/** The smallest envelope around some geometries; `undefined` around none. */
export function extentOf(geometries: Geometry[]): Envelope | undefined {
  const positions = geometries.flatMap((geometry) =>
    "rings" in geometry ? geometry.rings.flat() : [[geometry.x, geometry.y]],
  );
  if (positions.length === 0) return undefined;
  const xs = positions.map(([x = 0]) => x);
  const ys = positions.map(([, y = 0]) => y);
  return { xmin: Math.min(...xs), ymin: Math.min(...ys), xmax: Math.max(...xs), ymax: Math.max(...ys) };
}

/** Whether any part of the geometry lies in the envelope. */
export function intersects(geometry: Geometry, box: Envelope): boolean {
  if (!("rings" in geometry)) return contains(box, geometry.x, geometry.y);
  const [outer = []] = geometry.rings;
  // A border runs through it, or it lies wholly within the border.
  return (
    outer.some((from, index) => crosses(from, outer[index + 1] ?? from, box)) ||
    isInside(box.xmin, box.ymin, outer)
  );
}

function contains({ xmin, ymin, xmax, ymax }: Envelope, x: number, y: number): boolean {
  return x >= xmin && x <= xmax && y >= ymin && y <= ymax;
}

/** Whether a line has a point in the box: it is cut off at each side in turn (Liang and Barsky). */
function crosses([x0 = 0, y0 = 0]: number[], [x1 = 0, y1 = 0]: number[], box: Envelope): boolean {
  let [enter, leave] = [0, 1];
  const sides: [number, number][] = [
    [x0 - x1, x0 - box.xmin],
    [x1 - x0, box.xmax - x0],
    [y0 - y1, y0 - box.ymin],
    [y1 - y0, box.ymax - y0],
  ];
  for (const [towards, distance] of sides) {
    if (towards === 0 && distance < 0) return false;
    if (towards < 0) enter = Math.max(enter, distance / towards);
    if (towards > 0) leave = Math.min(leave, distance / towards);
  }
  return enter <= leave;
}

/** Whether a ray to the east meets the ring an odd number of times. */
function isInside(x: number, y: number, ring: number[][]): boolean {
  return ring.reduce((inside, [x0 = 0, y0 = 0], index) => {
    const [x1 = x0, y1 = y0] = ring[index + 1] ?? [];
    const meets = y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0;
    return meets ? !inside : inside;
  }, false);
}

/** `quantizationParameters`: positions become whole numbers of steps from the upper left corner. */
export interface Quantization {
  tolerance: number;
  extent: Envelope;
}

/** What a client needs to undo it. */
export function transformOf({ tolerance, extent }: Quantization) {
  return {
    originPosition: "upperLeft",
    scale: [tolerance, tolerance],
    translate: [extent.xmin, extent.ymax],
  };
}

/** In a ring each position but the first counts from the one before it; those that fall together are left out. */
export function quantized(geometry: Geometry, { tolerance, extent }: Quantization): Geometry {
  const whole = ([x = 0, y = 0]: number[]) => [
    Math.round((x - extent.xmin) / tolerance),
    Math.round((extent.ymax - y) / tolerance),
  ];
  const steps = mapPositions(geometry, whole);
  return "rings" in steps ? { rings: steps.rings.map(differences) } : steps;
}

function differences(ring: number[][]): number[][] {
  const [first = [], ...others] = ring;
  let [x = 0, y = 0] = first;
  const steps = others.map(([nextX = 0, nextY = 0]) => {
    const step = [nextX - x, nextY - y];
    [x, y] = [nextX, nextY];
    return step;
  });
  return [first, ...steps.filter(([right, down]) => right !== 0 || down !== 0)];
}

/** GeoJSON (RFC 7946) turns outer rings the other way round than ArcGIS. */
export function geoJsonOf(geometry: Geometry): { type: string; coordinates: unknown } {
  return "rings" in geometry
    ? { type: "Polygon", coordinates: geometry.rings.map((ring) => ring.toReversed()) }
    : { type: "Point", coordinates: [geometry.x, geometry.y] };
}

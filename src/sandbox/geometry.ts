/** A geometry of the ArcGIS REST API, without its spatial reference. */
export type LayerGeometry = { x: number; y: number } | { rings: number[][][] };

export interface Envelope {
  xmin: number;
  ymin: number;
  xmax: number;
  ymax: number;
}

/** The WKIDs of WGS 84 and of web Mercator, which has older ones, too. */
export const degrees = 4326;
const webMercator = 3857;
const webMercatorWkids = [webMercator, 102100, 900913];

/** 4326 or 3857 for a WKID that means one of the two. */
export function supportedWkid(wkid = Number.NaN): number | undefined {
  return webMercatorWkids.includes(wkid) ? webMercator : [degrees].find((each) => each === wkid);
}

/** As ArcGIS writes it: web Mercator has an old WKID and a latest one. */
export function spatialReference(wkid: number): { wkid: number; latestWkid: number } {
  return { wkid: wkid === webMercator ? 102100 : wkid, latestWkid: wkid };
}

const radius = 6_378_137;
const radians = Math.PI / 180;

function toMercator([longitude = 0, latitude = 0]: number[]): number[] {
  // The square map of the world ends here.
  const bounded = Math.max(-85.06, Math.min(85.06, latitude));
  return [longitude * radians * radius, Math.log(Math.tan(Math.PI / 4 + (bounded * radians) / 2)) * radius];
}

function toDegrees(x: number, y: number): number[] {
  return [x / radius / radians, (2 * Math.atan(Math.exp(y / radius)) - Math.PI / 2) / radians];
}

function mapPositions(geometry: LayerGeometry, change: (position: number[]) => number[]): LayerGeometry {
  if ("rings" in geometry) return { rings: geometry.rings.map((ring) => ring.map(change)) };
  const [x = 0, y = 0] = change([geometry.x, geometry.y]);
  return { x, y };
}

/** A geometry in degrees, in another spatial reference. */
export function projected(geometry: LayerGeometry, wkid: number): LayerGeometry {
  return wkid === webMercator ? mapPositions(geometry, toMercator) : geometry;
}

export function envelopeInDegrees(envelope: Envelope, wkid: number): Envelope {
  if (wkid === degrees) return envelope;
  const [xmin = 0, ymin = 0] = toDegrees(envelope.xmin, envelope.ymin);
  const [xmax = 0, ymax = 0] = toDegrees(envelope.xmax, envelope.ymax);
  return { xmin, ymin, xmax, ymax };
}

/** The smallest envelope around the geometries; `undefined` without geometries. */
export function extentOf(geometries: LayerGeometry[]): Envelope | undefined {
  const positions = geometries.flatMap((geometry) =>
    "rings" in geometry ? geometry.rings.flat() : [[geometry.x, geometry.y]],
  );
  if (positions.length === 0) return undefined;
  const xs = positions.map(([x = 0]) => x);
  const ys = positions.map(([, y = 0]) => y);
  return { xmin: Math.min(...xs), ymin: Math.min(...ys), xmax: Math.max(...xs), ymax: Math.max(...ys) };
}

/** Whether any part of the geometry is in the envelope. */
export function intersects(geometry: LayerGeometry, box: Envelope): boolean {
  if (!("rings" in geometry)) {
    const { x, y } = geometry;
    return x >= box.xmin && x <= box.xmax && y >= box.ymin && y <= box.ymax;
  }
  const [outer = []] = geometry.rings;
  // A side of the polygon crosses the envelope, or the envelope is inside the polygon.
  return (
    outer.some((from, index) => crosses(from, outer[index + 1] ?? from, box)) ||
    isInside(box.xmin, box.ymin, outer)
  );
}

/** Whether a line has a point in the box (Liang-Barsky line clipping). */
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

/** Whether a ray to the east crosses the ring an odd number of times. */
function isInside(x: number, y: number, ring: number[][]): boolean {
  return ring.reduce((inside, [x0 = 0, y0 = 0], index) => {
    const [x1 = x0, y1 = y0] = ring[index + 1] ?? [];
    const meets = y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0;
    return meets ? !inside : inside;
  }, false);
}

/** In GeoJSON (RFC 7946) outer rings are counterclockwise, in Esri JSON clockwise. */
export function toGeoJson(geometry: LayerGeometry): { type: string; coordinates: unknown } {
  return "rings" in geometry
    ? { type: "Polygon", coordinates: geometry.rings.map((ring) => ring.toReversed()) }
    : { type: "Point", coordinates: [geometry.x, geometry.y] };
}

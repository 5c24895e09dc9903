import { say } from "./map-words.js";

const { L, topojson } = globalThis;

/** Puts under the layers what was configured (`tiles`), or the land of the earth, which comes from this server. */
export async function addBasemap(map, { tiles }) {
  if (tiles) {
    // The attribution is text, and Leaflet takes it for HTML. Some tile servers want to know which site asks.
    L.tileLayer(tiles.url, {
      attribution: escaped(tiles.attribution),
      maxZoom: 19,
      referrerPolicy: "origin",
    }).addTo(map);
    return;
  }
  map.createPane("landPane");
  const response = await fetch(new URL("land-110m.json", import.meta.url));
  const world = await response.json();
  const { features } = topojson.feature(world, world.objects.land);
  const coordinates = features.flatMap(({ geometry }) =>
    geometry.coordinates.map((rings) => rings.map(unrolled)),
  );
  L.geoJSON(
    { type: "MultiPolygon", coordinates },
    {
      pane: "landPane",
      interactive: false,
      attribution: say("land"),
      style: { className: "land", weight: 1, fillOpacity: 1 },
    },
  ).addTo(map);
}

/**
 * The rings of the atlas run across the 180th meridian. On a flat map they go on beyond it, or they would go back
 * all around the world.
 */
function unrolled(ring) {
  let turns = 0;
  const line = ring.map(([longitude, latitude], index) => {
    const step = longitude - (ring[index - 1] ?? ring[0])[0];
    if (Math.abs(step) > 180) turns -= Math.sign(step);
    return [longitude + 360 * turns, latitude];
  });
  // One that does not come back to where it began goes around the South Pole.
  const closed = turns === 0 ? line : [...line, [line.at(-1)[0], -90], [line[0][0], -90]];
  // Wherever it began, most of it is to be on this side.
  const longitudes = closed.map(([longitude]) => longitude);
  const middle = (Math.min(...longitudes) + Math.max(...longitudes)) / 2;
  const shift = 360 * Math.round(middle / 360);
  return closed.map(([longitude, latitude]) => [longitude - shift, latitude]);
}

/** Text as HTML. */
export function escaped(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => names[character]);
}

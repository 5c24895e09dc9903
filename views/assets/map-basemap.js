const { L, topojson } = globalThis;

/** Puts under the layers what was configured (`tiles`), or the land of the earth, which comes from this server. */
export async function addBasemap(map, { base, tiles }) {
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
  // The same version as this module's: it stands in its address.
  const { search } = new URL(import.meta.url);
  const response = await fetch(`${base}/assets/land-110m.json${search}`);
  const world = await response.json();
  L.geoJSON(topojson.feature(world, world.objects.land), {
    pane: "landPane",
    interactive: false,
    attribution: "Land: Natural Earth",
    style: { className: "land", weight: 1, fillOpacity: 1 },
  }).addTo(map);
}

/** Text as HTML. */
export function escaped(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => names[character]);
}

/** Where the extent is kept for a sign-in on the way, which may lose what is after the # of the URL. */
const key = "map-view";

/**
 * Keeps the extent of the map in the URL (`#zoom/latitude/longitude`), so that a reload, a bookmark and a
 * sign-in come back to it.
 *
 * @returns {boolean} whether there was one to come back to
 */
export function keepView(map) {
  const wanted = parse(location.hash) ?? parse(sessionStorage.getItem(key) ?? "");
  if (wanted) map.setView(wanted.center, wanted.zoom, { animate: false });
  else map.fitWorld({ animate: false });

  map.on("moveend", () => {
    const { lat, lng } = map.getCenter().wrap();
    const hash = `#${map.getZoom()}/${lat.toFixed(5)}/${lng.toFixed(5)}`;
    history.replaceState(null, "", hash);
    sessionStorage.setItem(key, hash);
  });
  addEventListener("hashchange", () => {
    const view = parse(location.hash);
    if (view) map.setView(view.center, view.zoom);
  });
  return wanted !== undefined;
}

function parse(hash) {
  const [, zoom, latitude, longitude] =
    /^#(\d{1,2}(?:\.\d)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/.exec(hash) ?? [];
  const isOnEarth = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  return isOnEarth ? { zoom: Number(zoom), center: [Number(latitude), Number(longitude)] } : undefined;
}

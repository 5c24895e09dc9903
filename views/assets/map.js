// The map: the layers that this server names, as the person who is signed in may see them. Everything is asked
// through this server's proxy, which adds the token. There is none in this page.

import { addBasemap, escaped } from "./map-basemap.js";
import { fieldsOf, popupContent } from "./map-fields.js";
import { featureList } from "./map-list.js";
import { layerSection } from "./map-panel.js";
import { ask, isSignedOut } from "./map-request.js";
import { watchSession } from "./map-session.js";
import { markerImage, pathStyle, rendererOf } from "./map-symbols.js";
import { keepView } from "./map-view.js";
import { numberText, page, say } from "./map-words.js";
import { look } from "./session-watch.js";

const { L } = globalThis;
const container = document.querySelector("#map");
const settings = JSON.parse(container.dataset.settings);
Object.assign(page, settings.page);
const proxy = `${settings.base}/proxy`;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

// 1. An empty map, at the extent where the person was last.
const map = L.map(container, {
  minZoom: 2,
  maxZoom: 19,
  worldCopyJump: true,
  zoomControl: false,
  // Tiles are sharp at whole levels only; lines and areas fit better with something between.
  zoomSnap: settings.tiles ? 1 : 0.5,
  zoomAnimation: !calm,
  fadeAnimation: !calm,
  markerZoomAnimation: !calm,
});
L.control.zoom({ zoomInTitle: say("zoomIn"), zoomOutTitle: say("zoomOut") }).addTo(map);
map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
// esri-leaflet would add its two rules as inline styles, which the policy of this page forbids.
map.attributionControl._esriAttributionAddedOnce = true;
let isPlaced = keepView(map);
addBasemap(map, settings).catch((error) => console.warn("no basemap", error));

// 2. What is beside it.
const list = featureList(document.querySelector("#in-view"), choose);
const summary = document.querySelector("#summary");
const showAll = document.querySelector("#show-all");
const everything = L.latLngBounds();
watchSession(document.querySelector("#session-ended"), { ...settings, onReturn: goOn });
const layers = settings.layers.map(({ url, title }, index) => {
  const layer = { index, url, title, name: title ?? nameIn(url) };
  layer.section = layerSection(document.querySelector("#layers"), layer.name, () => reload(layer));
  return layer;
});

// 3. The layers: first what each of them is, then its features in view, again and again as the map moves.
Promise.all(layers.map(open)).then(() => {
  isPlaced = true;
});
showAll.addEventListener("click", () => fitAll());
map.on("moveend", refreshList);
map.on("popupopen", ({ popup }) => {
  popup.getElement().querySelector(".leaflet-popup-close-button").setAttribute("aria-label", say("close"));
});
map.on("popupclose", ({ popup }) => {
  // The keyboard goes back to where the popup was opened from.
  if (popup.openedFrom) list.focus(popup.openedFrom);
  popup.openedFrom = undefined;
});
container.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") map.closePopup();
});

async function open(layer) {
  const { section, url } = layer;
  section.say("loading");
  try {
    const info = await ask(proxy, `${url}?f=json`);
    layer.name = layer.title ?? info.name ?? layer.name;
    layer.fields = fieldsOf(info);
    layer.renderer = rendererOf({ ...info, name: layer.name });
    section.rename(layer.name);
    section.explain(layer.renderer);
    await place(info, url);
    draw(layer, info);
  } catch (error) {
    fail(layer, error);
  }
}

/** Notes where the layer is, and goes there unless the person has been somewhere already. */
async function place(info, url) {
  const bounds = await boundsOf(info, url);
  if (!bounds?.isValid()) return;
  everything.extend(bounds);
  showAll.hidden = false;
  if (!isPlaced) fitAll({ animate: false });
}

function fitAll(options) {
  map.fitBounds(everything, { padding: [16, 16], ...options });
}

async function boundsOf({ extent }, url) {
  const { wkid, latestWkid = wkid } = extent?.spatialReference ?? {};
  const isMercator = [3857, 102100].includes(latestWkid);
  if (!isMercator && latestWkid !== 4326) {
    const found = await ask(proxy, `${url}/query?where=1%3D1&returnExtentOnly=true&outSR=4326&f=json`);
    return L.esri.Util.extentToBounds(found.extent);
  }
  if (!isMercator) return L.esri.Util.extentToBounds(extent);
  const corner = (x, y) => L.CRS.EPSG3857.unproject(L.point(x, y));
  return L.latLngBounds(corner(extent.xmin, extent.ymin), corner(extent.xmax, extent.ymax));
}

function draw(layer, { geometryType, minScale, maxScale, copyrightText }) {
  const { renderer, fields, section, index } = layer;
  const isPoint = geometryType === "esriGeometryPoint" || geometryType === "esriGeometryMultipoint";
  const symbolOf = ({ properties }) => renderer.entryOf(properties).symbol;
  layer.leaflet = L.esri.featureLayer({
    url: layer.url,
    proxy,
    simplifyFactor: 0.5,
    // Otherwise the layer would take the service's text, as HTML.
    attribution: escaped(copyrightText ?? "") || " ",
    ...(minScale > 0 && { minZoom: zoomOf(minScale) }),
    ...(maxScale > 0 && { maxZoom: zoomOf(maxScale) }),
    ...(!isPoint && { style: (feature) => pathStyle(symbolOf(feature), renderer.opacity) }),
    pointToLayer(feature, latlng) {
      const { image, size, anchor } = markerImage(symbolOf(feature), renderer.opacity);
      const icon = L.divIcon({ html: image, className: "symbol", iconSize: size, iconAnchor: anchor });
      // With the keyboard, the list is the way to it.
      return L.marker(latlng, { icon, keyboard: false });
    },
    onEachFeature(feature, drawn) {
      const content = () =>
        popupContent(fields.titleOf(feature.properties), fields.rowsOf(feature.properties));
      // The zoom buttons would cover a popup that is not beside them.
      const padding = { autoPanPaddingTopLeft: [72, 16], autoPanPaddingBottomRight: [16, 16] };
      const width = Math.min(260, map.getSize().x - 96);
      drawn.bindPopup(content, { minWidth: width, maxWidth: width, ...padding });
      drawn.key = `${index}:${feature.id}`;
    },
  });

  let outcome = "shown";
  layer.leaflet
    .on("loading", () => {
      outcome = "shown";
      section.say("loading");
    })
    .on("drawlimitexceeded", () => {
      outcome = "limited";
    })
    .on("requesterror", (error) => {
      outcome = undefined;
      fail(layer, error, "partly");
    })
    .on("load", () => {
      if (outcome) section.say(outcome);
      refreshList();
    })
    .addTo(map);
}

function fail({ section }, error, otherwise = "failed") {
  if (isSignedOut(error)) look();
  section.say(isSignedOut(error) ? "waiting" : Number(error.code) === 403 ? "forbidden" : otherwise);
}

/** The person is signed in again: what could not be loaded meanwhile is loaded now. */
function goOn() {
  for (const layer of layers) reload(layer);
}

function reload(layer) {
  if (layer.leaflet) layer.leaflet.refresh();
  else open(layer);
}

/** Lists what is in view, once for all that has changed since the last picture. */
function refreshList() {
  cancelAnimationFrame(refreshList.next);
  refreshList.next = requestAnimationFrame(() => {
    const shown = layers
      .filter(({ leaflet }) => leaflet)
      .map((layer) => ({ title: layer.name, items: itemsOf(layer) }));
    list.show(shown);
    const count = shown.reduce((sum, { items }) => sum + items.length, 0);
    const isOne = new Intl.PluralRules(page.locale).select(count) === "one";
    summary.textContent = say(isOne ? "featuresOne" : "featuresOther", { count: numberText(count) });
  });
}

function itemsOf({ leaflet, fields, renderer }) {
  const items = [];
  leaflet.eachActiveFeature(({ key, feature: { properties } }) => {
    const { label, symbol } = renderer.entryOf(properties);
    items.push({ key, title: fields.titleOf(properties), label, symbol, opacity: renderer.opacity });
  });
  return items;
}

/** Opens what was chosen in the list, and takes the keyboard there. */
function choose(key) {
  const [index, id] = key.split(":");
  const drawn = layers[index].leaflet.getFeature(id);
  container.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  drawn.openPopup();
  const popup = drawn.getPopup();
  popup.openedFrom = key;
  popup.getElement()?.querySelector(".popup")?.focus({ preventScroll: true });
}

/** The zoom level of the web's usual tiles at a scale of 1 to so much. */
function zoomOf(scale) {
  return Math.round(Math.log2(591_657_527.59 / scale));
}

/** "StreetTrees" of a URL becomes "Street Trees". */
function nameIn(url) {
  const [, name = "Layer"] = /\/([^/]+)\/\w+Server\/\d+$/.exec(url) ?? [];
  return decodeURIComponent(name)
    .replace(/_+/g, " ")
    .replace(/(?<=\p{Ll})(?=\p{Lu})/gu, " ");
}

import { svg } from "./map-dom.js";
import { say } from "./map-words.js";

/*
 * How a layer wants to be drawn: the `drawingInfo` of the ArcGIS REST API, as Leaflet draws it.
 * https://developers.arcgis.com/web-map-specification/objects/drawingInfo/
 */

/**
 * One kind of feature: what the legend calls it, and its symbol.
 * @typedef {{label: string, symbol: object}} Entry
 */

/**
 * Reads a renderer (simple, unique values, class breaks). What it does not cover is drawn in a plain symbol.
 *
 * @returns {{entries: Entry[], entryOf: (attributes: object) => Entry, opacity: number}} the legend, and the entry of a feature
 */
export function rendererOf({ drawingInfo, geometryType, name }) {
  const { renderer, transparency = 0 } = drawingInfo ?? {};
  const { type, label, symbol, defaultSymbol, defaultLabel } = renderer ?? {};
  const { plain, types } = geometries[geometryType] ?? geometries.esriGeometryPolygon;
  const drawable = (entry) => ({
    ...entry,
    symbol: types.includes(entry.symbol?.type) ? entry.symbol : plain,
  });

  const read = readers.get(type);
  const { entries, indexOf } = read ? read(renderer) : { entries: [], indexOf: () => -1 };
  const usual = read ? defaultLabel || say("other") : label || name;
  const other = drawable({ label: usual, symbol: read ? defaultSymbol : symbol });
  const listed = entries.map(drawable);
  return {
    entries: read && !defaultSymbol ? listed : [...listed, other],
    entryOf: (attributes) => listed[indexOf(attributes)] ?? other,
    opacity: 1 - transparency / 100,
  };
}

const readers = new Map([
  ["uniqueValue", readUniqueValues],
  ["classBreaks", readClassBreaks],
]);

function readUniqueValues({ field1, field2, field3, fieldDelimiter = ",", ...renderer }) {
  const fields = [field1, field2, field3].filter(Boolean);
  // Newer services group the values, and several may share a symbol.
  const { uniqueValueInfos, uniqueValueGroups = [] } = renderer;
  const infos = uniqueValueInfos ?? uniqueValueGroups.flatMap(({ classes }) => classes);
  const byValue = new Map(
    infos.flatMap(({ value, values = [[value]] }, index) =>
      values.map((each) => [each.join(fieldDelimiter), index]),
    ),
  );
  return {
    entries: infos.map(({ label, value, symbol }) => ({ label: label || String(value), symbol })),
    indexOf: (attributes) =>
      byValue.get(fields.map((field) => attributes[field] ?? "<Null>").join(fieldDelimiter)),
  };
}

function readClassBreaks({ field, minValue = -Infinity, normalizationField, classBreakInfos = [] }) {
  return {
    entries: classBreakInfos.map(({ label, classMaxValue, symbol }) => ({
      label: label || say("upTo", { value: classMaxValue }),
      symbol,
    })),
    indexOf(attributes) {
      const value = attributes[field] / (normalizationField ? attributes[normalizationField] : 1);
      // NULL is no number, though JavaScript counts it as 0.
      if (attributes[field] === null || value < minValue) return -1;
      return classBreakInfos.findIndex(({ classMaxValue }) => value <= classMaxValue);
    },
  };
}

const grey = [100, 110, 120, 255];
const thinLine = { type: "esriSLS", style: "esriSLSSolid", color: grey, width: 1.5 };
const dot = { type: "esriSMS", style: "esriSMSCircle", color: grey, size: 8, outline: thinLine };
const area = { type: "esriSFS", style: "esriSFSSolid", color: [100, 110, 120, 60], outline: thinLine };

/** What each kind of geometry is drawn in, and in what plain symbol when the service names another kind. */
const geometries = {
  esriGeometryPoint: { types: ["esriSMS", "esriPMS"], plain: dot },
  esriGeometryMultipoint: { types: ["esriSMS", "esriPMS"], plain: dot },
  esriGeometryPolyline: { types: ["esriSLS"], plain: thinLine },
  esriGeometryPolygon: { types: ["esriSFS"], plain: area },
};

/** Sizes are in points, of which 72 make an inch; pixels are 96. */
const pixels = (points = 0) => (points * 4) / 3;

const rgb = ([red = 0, green = 0, blue = 0]) => `rgb(${red},${green},${blue})`;
const alpha = ([, , , value = 255]) => value / 255;

const dashes = {
  esriSLSDash: "6 4",
  esriSLSDot: "1 4",
  esriSLSDashDot: "6 4 1 4",
  esriSLSDashDotDot: "6 4 1 4 1 4",
};

/** The symbol of a line or an area as Leaflet's options for a path. */
export function pathStyle(symbol, opacity) {
  if (symbol.type === "esriSLS") return { ...lineStyle(symbol, opacity), fill: false };
  const { color } = symbol;
  // Hatchings become a paler color.
  const paler = symbol.style && symbol.style !== "esriSFSSolid" ? 0.4 : 1;
  return {
    ...lineStyle(symbol.outline, opacity),
    fill: Boolean(color) && symbol.style !== "esriSFSNull",
    fillColor: rgb(color ?? []),
    fillOpacity: alpha(color ?? []) * opacity * paler,
  };
}

function lineStyle(line, opacity) {
  if (!line || line.style === "esriSLSNull" || !line.color) return { stroke: false };
  const { color, width = 1, style } = line;
  return {
    stroke: true,
    color: rgb(color),
    opacity: alpha(color) * opacity,
    weight: pixels(width),
    dashArray: dashes[style] ?? null,
  };
}

/** Outlines within a square from -1 to 1. */
const shapes = {
  esriSMSCircle: "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0 -2 0Z",
  esriSMSSquare: "M-1 -1H1V1H-1Z",
  esriSMSDiamond: "M0 -1L1 0L0 1L-1 0Z",
  esriSMSTriangle: "M0 -1L1 1H-1Z",
  esriSMSCross: "M-1 0H1M0 -1V1",
  esriSMSX: "M-1 -1L1 1M-1 1L1 -1",
};

/** The symbol of a point: an image, its size and the place in it that is the point, all in pixels. */
export function markerImage(symbol, opacity) {
  const image = symbol.type === "esriPMS" ? picture(symbol) : drawing(symbol);
  image.setAttribute("opacity", opacity);
  const [width, height] = ["width", "height"].map((name) => Number(image.getAttribute(name)));
  const { xoffset = 0, yoffset = 0 } = symbol;
  return {
    image,
    size: [width, height],
    anchor: [width / 2 - pixels(xoffset), height / 2 + pixels(yoffset)],
  };
}

function drawing({ style, size = 8, angle = 0, color, outline }) {
  const width = pixels(outline?.color ? outline.width : 0);
  const side = Math.max(pixels(size), 2);
  const half = (side + width) / side;
  const shape = svg("path", {
    d: shapes[style] ?? shapes.esriSMSCircle,
    fill: color ? rgb(color) : "none",
    "fill-opacity": color ? alpha(color) : 0,
    stroke: outline?.color ? rgb(outline.color) : "none",
    "stroke-width": width,
    "vector-effect": "non-scaling-stroke",
    transform: `rotate(${-angle})`,
  });
  const box = {
    width: side + width,
    height: side + width,
    viewBox: [-half, -half, 2 * half, 2 * half].join(" "),
  };
  return svg("svg", { ...box, "aria-hidden": "true" }, shape);
}

/** Only pictures that come along: one from another URL would be requested without the token. */
function picture({ imageData, contentType, width = 16, height = 16 }) {
  if (!imageData || !/^image\/(?:png|jpeg|gif)$/.test(contentType)) return drawing(dot);
  const href = `data:${contentType};base64,${imageData}`;
  const size = { width: pixels(width), height: pixels(height) };
  return svg("svg", { ...size, "aria-hidden": "true" }, svg("image", { href, ...size }));
}

/** A symbol as the legend shows it. */
export function swatch(symbol, opacity) {
  if (symbol.type === "esriSMS" || symbol.type === "esriPMS") return markerImage(symbol, opacity).image;
  const { stroke, color, weight, dashArray, fill, fillColor, fillOpacity, ...style } = pathStyle(
    symbol,
    opacity,
  );
  const shape = svg("path", {
    d: fill ? "M2 2H22V14H2Z" : "M1 8H23",
    fill: fill ? fillColor : "none",
    "fill-opacity": fillOpacity ?? 1,
    stroke: stroke ? color : "none",
    "stroke-opacity": style.opacity ?? 1,
    "stroke-width": weight ?? 0,
    ...(dashArray && { "stroke-dasharray": dashArray }),
  });
  return svg("svg", { width: 24, height: 16, viewBox: "0 0 24 16", "aria-hidden": "true" }, shape);
}

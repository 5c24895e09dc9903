import * as z from "zod";
import { text } from "./setting-types.ts";
import { tokenUrl } from "./urls.ts";

/** A URL, and after a space a title: URLs contain no spaces, so the value needs no other syntax. */
const urlAndTitle = (fix: string) =>
  text(fix).transform((value) => {
    const [url = "", ...title] = value.trim().split(/\s+/);
    return { url, title: title.join(" ") };
  });

const layerFix =
  "Enter the URL of a layer and, after a space, its title if you like: https://services.example.com/arcgis/rest/services/Trees/FeatureServer/0 Street trees";
const layerUrl = tokenUrl(layerFix, [
  /\/(?:Feature|Map)Server\/\d+$/i,
  "is not the URL of one layer, which ends in FeatureServer/ and a number.",
]).transform((url) => new URL(url).href);
const layerTitle = text("Use 100 characters at most.", [/^.{0,100}$/s, "has a title that is too long."]);

/** One entry of MAP_LAYERS. Without a title, the map uses the layer's own name. */
export const mapLayer = urlAndTitle(layerFix)
  .pipe(z.object({ url: layerUrl, title: layerTitle }))
  .transform(({ url, title }): { url: string; title?: string } => (title === "" ? { url } : { url, title }));

const tilesFix =
  "Enter the template and, after a space, the attribution: https://tiles.example.com/{z}/{x}/{y}.png © The mapmakers";
const tilesUrl = tokenUrl(tilesFix);
const template = text(
  tilesFix,
  [hasZoomRowAndColumn, "must contain each of {z}, {x} and {y} once, and no other braces."],
  [/^https?:\/\/[^/{}]+\//i, "must be an https URL with {z}, {x} and {y} after the host."],
  [
    (url) => tilesUrl.safeParse(url.replace(/\?.*/, "").replace(/\{[zxy]\}/g, "1")).success,
    "must be an https URL without a user name.",
  ],
);

/** MAP_TILES: the URL template of the tiles, and their attribution. */
export const mapTiles = urlAndTitle(tilesFix)
  .pipe(z.object({ url: template, title: text(tilesFix, [/./, "lacks the attribution."]) }))
  .transform(({ url, title }) => ({ url, attribution: title }));

function hasZoomRowAndColumn(url: string): boolean {
  const braces = url.match(/\{[^}]*\}?/g) ?? [];
  return braces.sort().join("") === "{x}{y}{z}";
}

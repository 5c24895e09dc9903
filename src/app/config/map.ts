import * as z from "zod";
import { stop } from "./rule.ts";
import { address } from "./urls.ts";

/** A feature layer that the map shows. */
export interface MapLayer {
  url: string;
  /** What the map calls it; without one, it is the layer's own name. */
  title?: string;
}

/** Pictures under the layers: the template of their addresses, and whom to thank for them. */
export interface MapTiles {
  url: string;
  attribution: string;
}

const layerCure =
  "Give the address of a layer, and after a space its title if you like: https://services.example.com/arcgis/rest/services/Trees/FeatureServer/0 Street trees";

/** One entry of MAP_LAYERS: an address, and after a space a title. Addresses have no spaces, so that is all the form. */
export const mapLayer = z
  .string({ error: `must be text. ${layerCure}` })
  .transform(inTwo)
  .pipe(
    z.object({
      first: address(layerCure)
        .refine(
          (url) => /\/(?:Feature|Map)Server\/\d+$/i.test(url),
          stop(`is not the address of one layer, which ends in FeatureServer/ and a number. ${layerCure}`),
        )
        .refine(isDecodable, stop('has a "%" that stands for no character. Write "%25" for it.'))
        .transform((url) => new URL(url).href),
      rest: z.string().max(100, stop("has a title that is too long. Use 100 characters at most.")),
    }),
  )
  .transform(({ first: url, rest: title }): MapLayer => (title === "" ? { url } : { url, title }));

const tilesCure =
  "Give the template and after a space the attribution: https://tiles.example.com/{z}/{x}/{y}.png © The mapmakers";

/** MAP_TILES: the template of the addresses of tiles, and after a space their attribution. */
export const mapTiles = z
  .string({ error: `must be text. ${tilesCure}` })
  .transform(inTwo)
  .pipe(
    z.object({
      first: z
        .string()
        .refine(
          (url) =>
            url
              .match(/\{[^}]*\}?/g)
              ?.sort()
              .join("") === "{x}{y}{z}",
          stop(`must have each of {z}, {x} and {y} once, and no other braces. ${tilesCure}`),
        )
        .refine(
          (url) => /^https?:\/\/[^/{}]+\//i.test(url),
          stop(`must be an https address with {z}, {x} and {y} after the host. ${tilesCure}`),
        )
        .refine(
          (url) => address(tilesCure).safeParse(url.replace(/\?.*/, "").replace(/\{[zxy]\}/g, "1")).success,
          stop(`must be an https address, without a user name. ${tilesCure}`),
        ),
      rest: z.string().min(1, stop(`lacks the attribution. ${tilesCure}`)),
    }),
  )
  .transform(({ first: url, rest: attribution }): MapTiles => ({ url, attribution }));

/** Whether every "%" begins a character of UTF-8: /proxy and the map's page read the address's path. */
function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

/** What stands before the first space, and after it. */
function inTwo(text: string): { first: string; rest: string } {
  const [first = "", ...rest] = text.trim().split(/\s+/);
  return { first, rest: rest.join(" ") };
}

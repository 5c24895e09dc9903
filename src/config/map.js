import * as z from "zod";
import { address } from "./addresses.js";
import { stop } from "./rule.js";
const layerCure = "Give the address of a layer, and after a space its title if you like: https://services.example.com/arcgis/rest/services/Trees/FeatureServer/0 Street trees";
/** One entry of MAP_LAYERS: an address, and after a space a title. Addresses have no spaces, so that is all the form. */
export const mapLayer = z
    .string({ error: `must be text. ${layerCure}` })
    .transform(inTwo)
    .pipe(z.object({
    first: address(layerCure)
        .refine((url) => /\/(?:Feature|Map)Server\/\d+$/i.test(url), stop(`is not the address of one layer, which ends in FeatureServer/ and a number. ${layerCure}`))
        .transform((url) => new URL(url).href),
    rest: z.string().max(100, stop("has a title that is too long. Use 100 characters at most.")),
}))
    .transform(({ first: url, rest: title }) => (title === "" ? { url } : { url, title }));
const tilesCure = "Give the template and after a space the attribution: https://tiles.example.com/{z}/{x}/{y}.png © The mapmakers";
/** MAP_TILES: the template of the addresses of tiles, and after a space their attribution. */
export const mapTiles = z
    .string({ error: `must be text. ${tilesCure}` })
    .transform(inTwo)
    .pipe(z.object({
    first: z
        .string()
        .refine((url) => url
        .match(/\{[^}]*\}?/g)
        ?.sort()
        .join("") === "{x}{y}{z}", stop(`must have each of {z}, {x} and {y} once, and no other braces. ${tilesCure}`))
        .refine((url) => /^https?:\/\/[^/{}]+\//i.test(url), stop(`must be an https address with {z}, {x} and {y} after the host. ${tilesCure}`))
        .refine((url) => address(tilesCure).safeParse(url.replace(/\?.*/, "").replace(/\{[zxy]\}/g, "1")).success, stop(`must be an https address, without a user name. ${tilesCure}`)),
    rest: z.string().min(1, stop(`lacks the attribution. ${tilesCure}`)),
}))
    .transform(({ first: url, rest: attribution }) => ({ url, attribution }));
/** What stands before the first space, and after it. */
function inTwo(text) {
    const [first = "", ...rest] = text.trim().split(/\s+/);
    return { first, rest: rest.join(" ") };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoibWFwLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsibWFwLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sS0FBSyxDQUFDLE1BQU0sS0FBSyxDQUFDO0FBQ3pCLE9BQU8sRUFBRSxPQUFPLEVBQUUsTUFBTSxnQkFBZ0IsQ0FBQztBQUN6QyxPQUFPLEVBQUUsSUFBSSxFQUFFLE1BQU0sV0FBVyxDQUFDO0FBZWpDLE1BQU0sU0FBUyxHQUNiLDRKQUE0SixDQUFDO0FBRS9KLHlIQUF5SDtBQUN6SCxNQUFNLENBQUMsTUFBTSxRQUFRLEdBQUcsQ0FBQztLQUN0QixNQUFNLENBQUMsRUFBRSxLQUFLLEVBQUUsaUJBQWlCLFNBQVMsRUFBRSxFQUFFLENBQUM7S0FDL0MsU0FBUyxDQUFDLEtBQUssQ0FBQztLQUNoQixJQUFJLENBQ0gsQ0FBQyxDQUFDLE1BQU0sQ0FBQztJQUNQLEtBQUssRUFBRSxPQUFPLENBQUMsU0FBUyxDQUFDO1NBQ3RCLE1BQU0sQ0FDTCxDQUFDLEdBQUcsRUFBRSxFQUFFLENBQUMsZ0NBQWdDLENBQUMsSUFBSSxDQUFDLEdBQUcsQ0FBQyxFQUNuRCxJQUFJLENBQUMsK0VBQStFLFNBQVMsRUFBRSxDQUFDLENBQ2pHO1NBQ0EsU0FBUyxDQUFDLENBQUMsR0FBRyxFQUFFLEVBQUUsQ0FBQyxJQUFJLEdBQUcsQ0FBQyxHQUFHLENBQUMsQ0FBQyxJQUFJLENBQUM7SUFDeEMsSUFBSSxFQUFFLENBQUMsQ0FBQyxNQUFNLEVBQUUsQ0FBQyxHQUFHLENBQUMsR0FBRyxFQUFFLElBQUksQ0FBQywyREFBMkQsQ0FBQyxDQUFDO0NBQzdGLENBQUMsQ0FDSDtLQUNBLFNBQVMsQ0FBQyxDQUFDLEVBQUUsS0FBSyxFQUFFLEdBQUcsRUFBRSxJQUFJLEVBQUUsS0FBSyxFQUFFLEVBQVksRUFBRSxDQUFDLENBQUMsS0FBSyxLQUFLLEVBQUUsQ0FBQyxDQUFDLENBQUMsRUFBRSxHQUFHLEVBQUUsQ0FBQyxDQUFDLENBQUMsRUFBRSxHQUFHLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQyxDQUFDO0FBRW5HLE1BQU0sU0FBUyxHQUNiLGdIQUFnSCxDQUFDO0FBRW5ILDhGQUE4RjtBQUM5RixNQUFNLENBQUMsTUFBTSxRQUFRLEdBQUcsQ0FBQztLQUN0QixNQUFNLENBQUMsRUFBRSxLQUFLLEVBQUUsaUJBQWlCLFNBQVMsRUFBRSxFQUFFLENBQUM7S0FDL0MsU0FBUyxDQUFDLEtBQUssQ0FBQztLQUNoQixJQUFJLENBQ0gsQ0FBQyxDQUFDLE1BQU0sQ0FBQztJQUNQLEtBQUssRUFBRSxDQUFDO1NBQ0wsTUFBTSxFQUFFO1NBQ1IsTUFBTSxDQUNMLENBQUMsR0FBRyxFQUFFLEVBQUUsQ0FDTixHQUFHO1NBQ0EsS0FBSyxDQUFDLGFBQWEsQ0FBQztRQUNyQixFQUFFLElBQUksRUFBRTtTQUNQLElBQUksQ0FBQyxFQUFFLENBQUMsS0FBSyxXQUFXLEVBQzdCLElBQUksQ0FBQyxpRUFBaUUsU0FBUyxFQUFFLENBQUMsQ0FDbkY7U0FDQSxNQUFNLENBQ0wsQ0FBQyxHQUFHLEVBQUUsRUFBRSxDQUFDLHdCQUF3QixDQUFDLElBQUksQ0FBQyxHQUFHLENBQUMsRUFDM0MsSUFBSSxDQUFDLGtFQUFrRSxTQUFTLEVBQUUsQ0FBQyxDQUNwRjtTQUNBLE1BQU0sQ0FDTCxDQUFDLEdBQUcsRUFBRSxFQUFFLENBQUMsT0FBTyxDQUFDLFNBQVMsQ0FBQyxDQUFDLFNBQVMsQ0FBQyxHQUFHLENBQUMsT0FBTyxDQUFDLE1BQU0sRUFBRSxFQUFFLENBQUMsQ0FBQyxPQUFPLENBQUMsWUFBWSxFQUFFLEdBQUcsQ0FBQyxDQUFDLENBQUMsT0FBTyxFQUNqRyxJQUFJLENBQUMsa0RBQWtELFNBQVMsRUFBRSxDQUFDLENBQ3BFO0lBQ0gsSUFBSSxFQUFFLENBQUMsQ0FBQyxNQUFNLEVBQUUsQ0FBQyxHQUFHLENBQUMsQ0FBQyxFQUFFLElBQUksQ0FBQywwQkFBMEIsU0FBUyxFQUFFLENBQUMsQ0FBQztDQUNyRSxDQUFDLENBQ0g7S0FDQSxTQUFTLENBQUMsQ0FBQyxFQUFFLEtBQUssRUFBRSxHQUFHLEVBQUUsSUFBSSxFQUFFLFdBQVcsRUFBRSxFQUFZLEVBQUUsQ0FBQyxDQUFDLEVBQUUsR0FBRyxFQUFFLFdBQVcsRUFBRSxDQUFDLENBQUMsQ0FBQztBQUV0Rix3REFBd0Q7QUFDeEQsU0FBUyxLQUFLLENBQUMsSUFBWTtJQUN6QixNQUFNLENBQUMsS0FBSyxHQUFHLEVBQUUsRUFBRSxHQUFHLElBQUksQ0FBQyxHQUFHLElBQUksQ0FBQyxJQUFJLEVBQUUsQ0FBQyxLQUFLLENBQUMsS0FBSyxDQUFDLENBQUM7SUFDdkQsT0FBTyxFQUFFLEtBQUssRUFBRSxJQUFJLEVBQUUsSUFBSSxDQUFDLElBQUksQ0FBQyxHQUFHLENBQUMsRUFBRSxDQUFDO0FBQ3pDLENBQUMifQ==
import { type Request, Router } from "express";
import { answer, arcgisError, invalidToken, paramsOf, text, tokenRequired } from "./answers.ts";
import type { Context } from "./context.ts";
import { type Item, itemsOf, thumbnailOf } from "./items.ts";
import { tokenOf } from "./rest.ts";

/**
 * `search` for the items of one owner, and their thumbnails. Items are private: each person finds their own.
 * The answer's fields as in ISearchResult of @esri/arcgis-rest-portal; `num` is 100 at most, as ArcGIS has it.
 * https://developers.arcgis.com/rest/users-groups-and-items/search/
 */
export function contentRoutes(portal: Context): Router {
  const router = Router();

  router.all("/search", portal.at("search"), (req, res) => {
    const params = paramsOf(req);
    const query = text(params, "q");
    if (!query) return answer(req, res, arcgisError(400, "'q' parameter must be specified."));
    const token = tokenOf(req);
    const username = usernameOf(req);
    if (token && !username) return answer(req, res, invalidToken);

    const [, owner] = /\bowner:"?([^\s"]+)"?/.exec(query) ?? [];
    const found = username && owner === username ? itemsOf(username) : [];
    const start = whole(text(params, "start"), 1);
    const num = Math.min(whole(text(params, "num"), 10), 100);
    const results = found.toSorted(byModified).slice(start - 1, start - 1 + num);
    const next = start + results.length;
    answer(req, res, {
      query,
      total: found.length,
      start,
      num: results.length,
      nextStart: next <= found.length ? next : -1,
      results,
    });
  });

  router.get("/content/items/:id/info/thumbnail/:file", portal.at("thumbnail"), (req, res) => {
    const username = usernameOf(req);
    if (!username) return answer(req, res, tokenOf(req) ? invalidToken : tokenRequired);
    const item = itemsOf(username).find(({ id }) => id === req.params.id);
    if (!item) return answer(req, res, arcgisError(400, "Item does not exist or is inaccessible."));
    res.type("png").send(thumbnailOf(item.id));
  });

  return router;

  function usernameOf(req: Request): string | undefined {
    return portal.grants.findAccessToken(tokenOf(req) ?? "")?.username;
  }
}

function byModified(one: Item, other: Item): number {
  return other.modified - one.modified;
}

function whole(value: string | undefined, usual: number): number {
  return value !== undefined && /^[1-9]\d{0,6}$/.test(value) ? Number(value) : usual;
}

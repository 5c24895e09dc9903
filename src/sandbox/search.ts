import { type Request, Router } from "express";
import { arcgisError, invalidToken, sendJson, tokenRequired } from "./arcgis-json.ts";
import type { SandboxContext } from "./context.ts";
import { itemsOf, type SandboxItem } from "./items.ts";
import { accessTokenOf, param, paramsOf } from "./request-params.ts";
import { viewsFolder } from "./views.ts";

/**
 * `search` for the items of one owner, and their thumbnails. Items are private: users find only their own.
 * The fields of the response are those of ISearchResult of @esri/arcgis-rest-portal; `num` is at most 100, as in ArcGIS.
 * https://developers.arcgis.com/rest/users-groups-and-items/search/
 */
export function searchRoutes({ at, tokens }: SandboxContext): Router {
  const router = Router();

  router.all("/search", at("search"), (req, res) => {
    const params = paramsOf(req);
    const query = param(params, "q");
    if (!query) return sendJson(req, res, arcgisError(400, "'q' parameter must be specified."));
    const username = usernameOf(req);
    if (accessTokenOf(req) && !username) return sendJson(req, res, invalidToken);

    const [, owner] = /\bowner:"?([^\s"]+)"?/.exec(query) ?? [];
    const found = username && owner === username ? itemsOf(username) : [];
    const start = positive(param(params, "start"), 1);
    const num = Math.min(positive(param(params, "num"), 10), 100);
    const results = found.toSorted(newestFirst).slice(start - 1, start - 1 + num);
    const next = start + results.length;
    sendJson(req, res, {
      query,
      total: found.length,
      start,
      num: results.length,
      nextStart: next <= found.length ? next : -1,
      results,
    });
  });

  router.get("/content/items/:id/info/thumbnail/:file", at("thumbnail"), (req, res) => {
    const username = usernameOf(req);
    if (!username) return sendJson(req, res, accessTokenOf(req) ? invalidToken : tokenRequired);
    const item = itemsOf(username).find(({ id }) => id === req.params.id);
    if (!item) return sendJson(req, res, arcgisError(400, "Item does not exist or is inaccessible."));
    const file = `thumbnails/${item.type.toLowerCase().replaceAll(" ", "-")}.png`;
    res.sendFile(file, { root: viewsFolder, cacheControl: false });
  });

  return router;

  function usernameOf(req: Request): string | undefined {
    return tokens.findAccessToken(accessTokenOf(req) ?? "")?.username;
  }
}

function newestFirst(one: SandboxItem, other: SandboxItem): number {
  return other.modified - one.modified;
}

function positive(value: string | undefined, fallback: number): number {
  return value !== undefined && /^[1-9]\d{0,6}$/.test(value) ? Number(value) : fallback;
}

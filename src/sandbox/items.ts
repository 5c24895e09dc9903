import { createHash } from "node:crypto";
import { Router } from "express";
import { arcgisError, sendJson } from "./arcgis-json.ts";
import { requireUser, signedIn } from "./authentication.ts";
import type { SandboxContext } from "./context.ts";
import sampleItems from "./data/items.json" with { type: "json" };
import { viewsFolder } from "./pages.ts";
import { param, paramsOf } from "./request-params.ts";

/**
 * The items of a user, newest first, with the fields of IItem of @esri/arcgis-rest-portal that a list of items shows.
 * `thumbnail` is a path below `content/items/{id}/info/`.
 */
export function itemsOf(owner: string) {
  const idOf = (index: number) => createHash("md5").update(`${owner} ${index}`).digest("hex");
  return sampleItems.map((item, index) => ({ id: idOf(index), owner, ...item }));
}

/**
 * `search` for the items of one owner, and their thumbnails. Items are private: users find only their own.
 * The fields of the response are those of ISearchResult of @esri/arcgis-rest-portal; `num` is at most 100, as in ArcGIS.
 * https://developers.arcgis.com/rest/users-groups-and-items/search/
 */
export function itemRoutes(context: SandboxContext): Router {
  const { at } = context;
  const router = Router();

  router.all("/search", at("search"), (req, res) => {
    const params = paramsOf(req);
    const query = param(params, "q");
    if (!query) throw arcgisError(400, "'q' parameter must be specified.");
    const username = signedIn(req, context)?.user.username;

    const [, owner] = /\bowner:"?([^\s"]+)"?/.exec(query) ?? [];
    const found = username && owner === username ? itemsOf(username) : [];
    const total = found.length;
    const start = positive(param(params, "start"), 1);
    const results = found.slice(start - 1, start - 1 + Math.min(positive(param(params, "num"), 10), 100));
    const num = results.length;
    const nextStart = start + num <= total ? start + num : -1;
    sendJson(req, res, { query, total, start, num, nextStart, results });
  });

  router.get("/content/items/:id/info/thumbnail/:file", at("thumbnail"), (req, res) => {
    const { username } = requireUser(req, context);
    const item = itemsOf(username).find(({ id }) => id === req.params.id);
    if (!item) throw arcgisError(400, "Item does not exist or is inaccessible.");
    const file = `thumbnails/${item.type.toLowerCase().replaceAll(" ", "-")}.png`;
    res.sendFile(file, { root: viewsFolder, cacheControl: false });
  });

  return router;
}

function positive(value: string | undefined, fallback: number): number {
  return value !== undefined && /^[1-9]\d{0,6}$/.test(value) ? Number(value) : fallback;
}

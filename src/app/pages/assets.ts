import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import express, { type RequestHandler, type Response, type Router } from "express";

const folder = join(import.meta.dirname, "../../../views/assets");

/** What the map takes from npm packages, by the name under which it is served. scripts/build.js has copied it. */
const packaged = new Map(
  [
    "leaflet/leaflet.css",
    "leaflet/leaflet.js",
    "esri-leaflet/esri-leaflet.js",
    "topojson-client/topojson-client.min.js",
    "world-atlas/land-110m.json",
  ].map((path) => [path.slice(path.lastIndexOf("/") + 1), join(import.meta.dirname, "../../map", path)]),
);

const own = readdirSync(folder).sort();

/** Changes with every change of an asset, and stands in the assets' URLs: such a URL may be kept for ever. */
export const version = [...own.map((name) => join(folder, name)), ...packaged.values()]
  .reduce((hash, path) => hash.update(readFileSync(path)), createHash("sha256"))
  .digest("hex")
  .slice(0, 12);

/** Modules name those that they import with the version, too, or old and new ones would meet in a browser. */
const modules = new Map(
  own
    .filter((name) => name.endsWith(".js"))
    .map((name) => [name, readFileSync(join(folder, name), "utf8")] as const)
    .filter(([, text]) => text.includes(' from "./'))
    .map(([name, text]) => [name, text.replace(/(?<= from "\.\/)[\w-]+\.js/g, `$&?v=${version}`)]),
);

/**
 * Serves views/assets, and what the map takes from packages, at /assets: for a year under the current `?v=`, for
 * a minute otherwise.
 */
export function assets(): Router {
  const ofTheMap: RequestHandler = (req, res, next) => {
    const name = req.path.slice(1);
    const text = modules.get(name);
    const path = packaged.get(name);
    const isRead = req.method === "GET" || req.method === "HEAD";
    if (!isRead || (text === undefined && path === undefined)) return next();
    setHeaders(res);
    if (path !== undefined) res.sendFile(name, { cacheControl: false, root: dirname(path) });
    else res.type("js").send(text);
  };
  const files = express.static(folder, { cacheControl: false, index: false, redirect: false, setHeaders });
  return express.Router().use("/assets", ofTheMap, files);
}

function setHeaders(res: Response): void {
  const isCurrent = res.req.query.v === version;
  res.set("Cache-Control", isCurrent ? "public, max-age=31536000, immutable" : "public, max-age=60");
  res.set("X-Content-Type-Options", "nosniff");
}

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import express, { type Response, type Router } from "express";
import type { Config } from "../config/config.ts";

const mapFolder = join(import.meta.dirname, "../../map");

/** Ours, and what the map takes from npm packages: scripts/build.js has copied that. */
const folders = [
  join(import.meta.dirname, "../../../views/assets"),
  ...readdirSync(mapFolder).map((name) => join(mapFolder, name)),
];

/** Changes with every change of an asset. */
export const version = folders
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .sort()
  .reduce((hash, path) => hash.update(readFileSync(path)), createHash("sha256"))
  .digest("hex")
  .slice(0, 12);

/**
 * Serves the assets at /assets/{version}: for a year under the current version, for a minute under another or none. The
 * version is in the path, so that modules import each other under the same one. With SITE_DIR, paths without one are left
 * to that folder.
 */
export function assets({ siteDir }: Pick<Config, "siteDir">): Router {
  const options = { cacheControl: false, index: false, redirect: false, setHeaders } as const;
  const files = express.Router().use(...folders.map((folder) => express.static(folder, options)));
  const path = siteDir === undefined ? /\/assets(?:\/[0-9a-f]{12})?(?=\/)/i : /\/assets\/[0-9a-f]{12}(?=\/)/i;
  return express.Router().use(path, files);
}

function setHeaders(res: Response): void {
  const isCurrent = res.req.baseUrl.endsWith(version);
  res.set("Cache-Control", isCurrent ? "public, max-age=31536000, immutable" : "public, max-age=60");
  res.set("X-Content-Type-Options", "nosniff");
}

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import express, { type Response } from "express";
import { shadeOf } from "../config/color.ts";
import type { Config } from "../config/config.ts";

/** Our templates and assets. */
export const ourFolder = join(import.meta.dirname, "../../../views");

const mapFolder = join(import.meta.dirname, "../../map");

/** Our own files, and those of npm packages for the map, which scripts/build.js has copied. */
const ourFolders = [
  join(ourFolder, "assets"),
  ...readdirSync(mapFolder).map((name) => join(mapFolder, name)),
];

/**
 * Serves the assets at /assets/{version}: for a year under the current version, for a minute under another or none. The
 * version changes with every asset, and is in the path, so that modules import each other under the same one. With
 * SITE_DIR, paths without one are left to that folder. What VIEWS_DIR, APP_LOGO and APP_COLOR say comes before our own files.
 */
export function openAssets({ appColor, appLogo, siteDir, viewsDir }: Partial<Config> = {}) {
  const ownFolder = viewsDir && join(viewsDir, "assets");
  const folders = [...(ownFolder && existsSync(ownFolder) ? [ownFolder] : []), ...ourFolders];
  const made = new Map<string, { type: string; content: string | Buffer }>();
  if (appLogo) made.set("/logo", appLogo);
  const colored = { "favicon.svg": "image/svg+xml", "brand.css": "text/css; charset=utf-8" };
  if (appColor !== undefined)
    for (const [name, type] of Object.entries(colored)) {
      const content = readFileSync(join(ourFolder, "assets", name), "utf8")
        .replace("#007ac2", appColor)
        .replace("--shade: #000000", `--shade: ${shadeOf(appColor)}`);
      made.set(`/${name}`, { type, content });
    }

  const hash = createHash("sha256");
  for (const folder of folders)
    for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
  for (const { content } of made.values()) hash.update(content);
  const version = hash.digest("hex").slice(0, 12);

  const setHeaders = (res: Response) => {
    const isCurrent = res.req.baseUrl.endsWith(version);
    res.set("Cache-Control", isCurrent ? "public, max-age=31536000, immutable" : "public, max-age=60");
  };
  const options = { cacheControl: false, index: false, redirect: false, setHeaders } as const;
  const files = express.Router();
  for (const [path, { type, content }] of made)
    files.get(path, (_req, res) => {
      setHeaders(res);
      // An SVG opened in a tab is a page, whose scripts must not run on this origin.
      res.set(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
      );
      res.set("Content-Type", type).send(content);
    });
  files.use(...folders.map((folder) => express.static(folder, options)));
  const path = siteDir === undefined ? /\/assets(?:\/[0-9a-f]{12})?(?=\/)/i : /\/assets\/[0-9a-f]{12}(?=\/)/i;
  return { version, router: express.Router().use(path, files) };
}

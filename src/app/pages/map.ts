import type { Router } from "express";
import { allowOnly } from "../allow-only.ts";
import type { PortalMount } from "../portal-mount.ts";
import { allowForms, render } from "./views.ts";

/**
 * GET /map - the layers of MAP_LAYERS, as the user may see them. The page asks for them through `/proxy`, so there is
 * no second sign-in and no token in the browser. Without layers it says what to configure,
 * unless there is a folder (SITE_DIR).
 */
export function addMap(router: Router, { config, auth }: PortalMount): void {
  const { mapLayers: layers, mapTiles: tiles, siteDir } = config;
  // A page of that name may be in the folder.
  if (siteDir !== undefined && layers.length === 0) return;

  router.get("/map", auth.requireSignIn(), (req, res) => {
    const { user, csrfToken } = req.arcgis;
    allowForms(res);
    // The sign-in window tells this one when it is done: "same-origin" would separate them.
    res.set("Cross-Origin-Opener-Policy", "same-origin-allow-popups");
    if (tiles) {
      const policy = String(res.getHeader("Content-Security-Policy"));
      const images = `img-src 'self' ${new URL(tiles.url).origin}`;
      res.set("Content-Security-Policy", policy.replace("img-src 'self'", images));
    }
    render(res, "map", "map.title", {
      mapSettings: { base: req.baseUrl, layers, tiles },
      layers,
      header: { user, csrfToken },
      styles: layers.length > 0 ? ["leaflet.css", "map.css"] : [],
      wide: layers.length > 0,
    });
  });

  router.all("/map", allowOnly("GET, HEAD"));
}

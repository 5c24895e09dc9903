import express, { type Router } from "express";
import { allowOnly } from "../allow-only.ts";
import type { PortalMount } from "../portal-mount.ts";
import { renderMap } from "./views.ts";

/**
 * GET /map - the layers of MAP_LAYERS, as the user may see them. The page asks for them through `/proxy`, so there is
 * no second sign-in and no token in the browser.
 */
export function map({ config, auth }: PortalMount): Router {
  const router = express.Router();

  router.get("/map", auth.requireSignIn(), (req, res) => {
    const { user, csrfToken } = req.arcgis;
    if (user) renderMap(res, { user, csrfToken, layers: config.mapLayers, tiles: config.mapTiles });
  });

  router.all("/map", allowOnly("GET, HEAD"));
  return router;
}

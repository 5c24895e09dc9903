import express, { type RequestHandler, type Router } from "express";
import type { Config } from "../app/config/config.ts";
import type { FormTokens } from "../session/form-token.ts";
import { allowOnly } from "../web.ts";
import { renderMap } from "./views.ts";

export interface MapParts {
  config: Config;
  forms: FormTokens;
  /** Gives `req.session` of somebody who is signed in, and sends others to the sign-in. */
  requireSignIn: RequestHandler;
}

/**
 * GET /map - the layers of MAP_LAYERS, as the person may see them. The page asks for them through `/proxy`, so
 * there is no second sign-in and no token in the browser.
 */
export function map({ config, forms, requireSignIn }: MapParts): Router {
  const router = express.Router();

  router.get("/map", requireSignIn, (req, res) => {
    const { identity, profile } = req.session;
    renderMap(res, {
      person: { fullName: profile?.fullName ?? "", username: identity?.username ?? "" },
      formToken: forms.make(req.sessionID),
      layers: config.mapLayers,
      tiles: config.mapTiles,
    });
  });

  router.all("/map", allowOnly("GET, HEAD"));
  return router;
}

import express, { type Router } from "express";
import { allowOnly } from "../allow-only.ts";
import { AppError } from "../errors.ts";
import type { PortalMount } from "../portal-mount.ts";
import { renderEmbed } from "./views.ts";

/** Longer addresses are not made by people. */
const longest = 2048;

/**
 * GET /embed?url=https://... - only with EMBED_ORIGINS: a page that shows an ArcGIS app in a frame, and gives it the
 * person's access token when it asks for it. The messages are those of `ArcGISIdentityManager.fromParent` and of the
 * Maps SDK (Esri/arcgis-rest-js, post-message-auth-spec.md).
 *
 * The page's policy lets no frame show anything but these origins, and its script answers no others.
 */
export function embed({ config, auth }: PortalMount): Router {
  const router = express.Router();
  const { embedOrigins, origin, portal } = config;
  if (embedOrigins.length === 0) return router;

  router.get("/embed", auth.requireSignIn(), (req, res) => {
    const app = appAddress(req.query.url, embedOrigins);
    // How the Maps SDK and Experience Builder learn whom to ask; `parentOrigin` is what arcgis-rest-js suggests.
    app.searchParams.set("arcgis-auth-origin", origin);
    app.searchParams.set("arcgis-auth-portal", portal.replace(/\/sharing\/rest$/, ""));
    app.searchParams.set("parentOrigin", origin);

    const policy = res.getHeader("Content-Security-Policy");
    res.set("Content-Security-Policy", `${policy};frame-src ${embedOrigins.join(" ")}`);
    renderEmbed(res, {
      app: app.href,
      origins: embedOrigins,
      username: req.arcgis.user?.username ?? "",
    });
  });
  router.all("/embed", allowOnly("GET, HEAD"));
  return router;
}

/** @throws AppError bad_request for what is no address, embed_origin for one that may not be shown. */
function appAddress(value: unknown, origins: readonly string[]): URL {
  if (typeof value !== "string" || value.length > longest || !URL.canParse(value)) {
    throw new AppError("bad_request");
  }
  const url = new URL(value);
  // The origin of a blob: address is that of the page which made it.
  if (!/^https?:$/.test(url.protocol) || !origins.includes(url.origin))
    throw new AppError("embed_origin", { cause: url.origin });
  if (url.username || url.password) throw new AppError("bad_request");
  return url;
}

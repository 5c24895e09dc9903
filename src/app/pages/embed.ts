import type { Router } from "express";
import { allowOnly } from "../allow-only.ts";
import { AppError } from "../errors.ts";
import type { PortalMount } from "../portal-mount.ts";
import { render } from "./views.ts";

const longestUrl = 2048;

/**
 * GET /embed?url=https://... - only with EMBED_ORIGINS: a page that shows an ArcGIS app in a frame, and gives it the
 * user's access token when it asks for it. The messages are those of `ArcGISIdentityManager.fromParent` and of the
 * Maps SDK (Esri/arcgis-rest-js, post-message-auth-spec.md).
 *
 * The page's policy lets the frame show these origins only, and its script responds to no others.
 */
export function addEmbed(router: Router, { config, auth }: PortalMount): void {
  const { embedOrigins: origins, origin, portal } = config;
  if (origins.length === 0) return;

  router.get("/embed", auth.requireSignIn(), (req, res) => {
    const app = appUrl(req.query.url, origins);
    // `arcgis-auth-origin` is for the Maps SDK and Experience Builder, `parentOrigin` for arcgis-rest-js.
    app.searchParams.set("arcgis-auth-origin", origin);
    app.searchParams.set("arcgis-auth-portal", portal.replace(/\/sharing\/rest$/, ""));
    app.searchParams.set("parentOrigin", origin);

    const policy = res.getHeader("Content-Security-Policy");
    res.set("Content-Security-Policy", `${policy};frame-src ${origins.join(" ")}`);
    const header = { user: req.arcgis.user, signOutUrl: req.arcgis.signOutUrl };
    render(res, "embed", "embed.title", { app: app.href, origins, host: app.host, header });
  });
  router.all("/embed", allowOnly("GET, HEAD"));
}

/** @throws AppError bad_request for an invalid URL, embed_origin for one that may not be shown. */
function appUrl(value: unknown, origins: readonly string[]): URL {
  if (typeof value !== "string" || value.length > longestUrl || !URL.canParse(value))
    throw new AppError("bad_request");
  const url = new URL(value);
  // The origin of a blob: URL is that of the page which made it.
  if (!/^https?:$/.test(url.protocol) || !origins.includes(url.origin))
    throw new AppError("embed_origin", { cause: url.origin });
  if (url.username || url.password) throw new AppError("bad_request");
  return url;
}

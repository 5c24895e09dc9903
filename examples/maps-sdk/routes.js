import { existsSync } from "node:fs";
import { join } from "node:path";
import express from "express";

const built = join(import.meta.dirname, "dist");
const assets = join(import.meta.dirname, "node_modules/@arcgis/core/assets");

/** Whether `npm ci && npm run build` was run here. */
export function isBuilt() {
  return existsSync(join(built, "hand-over.html")) && existsSync(assets);
}

/**
 * GET /maps-sdk, /maps-sdk/proxy - the example with the ArcGIS Maps SDK for JavaScript: with the access token in the page
 * (needs TOKEN_HANDOVER), and through `/proxy`. These pages alone have the wider policy that the SDK needs.
 *
 * @param settings the portal's REST root, and the URLs of the feature layers to show
 * @returns for the option `routes` of `createApp`
 */
export function mapsSdk(settings) {
  const origins = [settings.portal, ...settings.layers].map((url) => new URL(url).origin);

  return ({ router, auth }) => {
    router.use("/maps-sdk/dist", express.static(built, { index: false, redirect: false }));
    router.use("/maps-sdk/assets", express.static(assets, { index: false, redirect: false }));
    router.use("/maps-sdk", auth.requireSignIn());
    router.get("/maps-sdk", (_req, res) => {
      res.set("Content-Security-Policy", policy(origins)).sendFile("hand-over.html", { root: built });
    });
    router.get("/maps-sdk/proxy", (_req, res) => {
      res.set("Content-Security-Policy", policy([])).sendFile("proxy.html", { root: built });
    });
    router.get("/maps-sdk/settings.json", (_req, res) => void res.json(settings));
  };
}

/** @param origins which the page may talk to beside its own */
function policy(origins) {
  const others = [...new Set(origins)].map((origin) => ` ${origin}`).join("");
  return [
    "default-src 'none'",
    // Projections and geometry are WebAssembly.
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    // The SDK makes its canvas by HTML with style attributes. Style elements stay forbidden.
    "style-src-attr 'unsafe-inline'",
    `img-src 'self' data: blob:${others}`,
    "font-src 'self' data:",
    `connect-src 'self'${others}`,
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join(";");
}

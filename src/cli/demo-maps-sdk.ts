import { existsSync } from "node:fs";
import { join } from "node:path";
import express from "express";
import type { Site } from "../app/create-app.ts";

const folder = join(import.meta.dirname, "../../examples/maps-sdk");
const built = join(folder, "dist");
const assets = join(folder, "node_modules/@arcgis/core/assets");

/** Whether `npm ci && npm run build` was run in examples/maps-sdk. */
export function isMapsSdkBuilt(): boolean {
  return existsSync(join(built, "hand-over.js")) && existsSync(assets);
}

/** What the example shows. */
export interface MapsSdkOptions {
  /** The portal's REST root. */
  portal: string;
  /** Addresses of feature layers. */
  layers: string[];
}

/**
 * GET /maps-sdk, /maps-sdk/proxy - the example with the ArcGIS Maps SDK for JavaScript: with the access token in the page
 * (needs TOKEN_HANDOVER), and through `/proxy`. These pages alone have the wider policy that the SDK needs.
 */
export function mapsSdk({ portal, layers }: MapsSdkOptions): (site: Site) => void {
  const origins = [...new Set([portal, ...layers].map((url) => new URL(url).origin))];

  return ({ router, auth }) => {
    router.get("/maps-sdk", auth.requireSignIn(), (_req, res) => {
      res.set("Content-Security-Policy", policy(origins)).send(page("hand-over"));
    });
    router.get("/maps-sdk/proxy", auth.requireSignIn(), (_req, res) => {
      res.set("Content-Security-Policy", policy([])).send(page("proxy"));
    });
    router.get(
      "/maps-sdk/settings.json",
      auth.requireSignIn(),
      (_req, res) => void res.json({ portal, layers }),
    );
    router.use("/maps-sdk/dist", express.static(built, { index: false, redirect: false }));
    router.use("/maps-sdk/assets", express.static(assets, { index: false, redirect: false }));
  };
}

/** @param origins which the page may talk to beside its own */
function policy(origins: string[]): string {
  const others = origins.map((origin) => ` ${origin}`).join("");
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

function page(script: "hand-over" | "proxy"): string {
  const title = script === "proxy" ? "Maps SDK, through the proxy" : "Maps SDK, with the token handed over";
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>${title}</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/maps-sdk/dist/map.css">
  <script type="module" src="/maps-sdk/dist/${script}.js"></script>
</head>
<body class="calcite-mode-auto">
  <header>
    <h1>${title}</h1>
    <div role="status"><ul id="layers"></ul></div>
    <nav><a href="/">Start page</a></nav>
  </header>
  <main id="map"></main>
</body>
</html>
`;
}

import express, { type Request, type Router } from "express";
import { arcgisProxy, isAllowedTarget } from "../proxy/arcgis-proxy.ts";
import type { PortalMount } from "./portal-mount.ts";

/** /proxy?https://host/path?query - Esri's proxy convention, with the user's token. */
export function proxy({ config, auth, count }: PortalMount): Router {
  const handler = arcgisProxy({
    allow: config.proxyAllow,
    origin: config.origin,
    maxBytes: config.proxyMaxBytes,
    timeoutMs: config.proxyTimeoutSeconds * 1000,
    contextOf: async (req) => {
      req.arcgis = await auth.contextOf(req);
      return req.arcgis;
    },
    onBytes: (direction, bytes) => count((metrics) => metrics.proxyBytes(direction, bytes)),
    onResponse: (seconds) => count((metrics) => metrics.proxyRequest(seconds)),
  });
  return express.Router().all("/proxy", handler);
}

/** Whether the target of a request to /proxy belongs to this portal. */
export function isProxyTarget(req: Request, { config }: PortalMount): boolean {
  return isAllowedTarget(req.originalUrl, { portal: config.portal, allow: config.proxyAllow });
}

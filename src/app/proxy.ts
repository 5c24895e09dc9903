import type { Request, Router } from "express";
import type { AuthError } from "../index.ts";
import { arcgisProxy } from "../proxy/arcgis-proxy.ts";
import type { PortalMount } from "./portal-mount.ts";
import { reasonOf } from "./reason.ts";

/** How often the log says that a host gets no token (ms). */
const reportMs = 5 * 60_000;

/** /proxy?https://host/path?query - Esri's proxy convention, with the user's token. */
export function addProxy(router: Router, { config, auth, count, log }: PortalMount): void {
  const reportedAt = new Map<string, number>();
  const handler = arcgisProxy({
    allow: config.proxyAllow,
    origin: config.origin,
    pages: ["/map"],
    maxBytes: config.proxyMaxBytes,
    timeoutMs: config.proxyTimeoutSeconds * 1000,
    contextOf: async (req) => {
      // A map that reloads its layers does not show that its user is still there.
      req.arcgis = await auth.contextOf(req, { touch: false });
      return req.arcgis;
    },
    onBytes: (direction, bytes) => count((metrics) => metrics.proxyBytes(direction, bytes)),
    onResponse: (seconds) => count((metrics) => metrics.proxyRequest(seconds)),
    onTokenWithheld,
  });
  router.all("/proxy", handler);

  /** Rarely for each host, because a map sends many requests at once. */
  function onTokenWithheld({ res }: Request, host: string, reason: AuthError): void {
    const now = performance.now();
    if (now - (reportedAt.get(host) ?? -Infinity) < reportMs) return;
    reportedAt.set(host, now);
    log.warn(
      { requestId: res?.locals.requestId, event: "token-withheld", host, reason: reasonOf(reason) },
      "an ArcGIS Server asked for a token and got none, because it does not belong to the portal of PORTAL_URL; if it does, use the host name by which the server knows the portal",
    );
  }
}

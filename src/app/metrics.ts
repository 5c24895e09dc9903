import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Request } from "express";
import prometheus from "prom-client";
import type { AuthEvent } from "../index.ts";
import { codeOf } from "./errors.ts";

/** The number of sessions is reused for this time (ms), because it takes long to list them. */
const sessionsMs = 60_000;
/** In seconds. A portal has 10 s at most; longer ones are for /proxy. */
const buckets = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/** Portal requests that are measured by name; all others are "other". */
const operations = [
  "oauth2/token",
  "oauth2/revokeToken",
  "community/self",
  "portals/self",
  "generateToken",
  "rest/info",
];

/**
 * The metrics of one app, and prom-client's metrics of the process. Import this file only when something is counted:
 * prom-client takes 50 ms to load.
 *
 * @param countSessions the number of sessions in the store; when it rejects, the gauge is NaN
 */
export function createMetrics(countSessions: () => Promise<number>) {
  const registry = new prometheus.Registry();
  const registers = [registry];
  prometheus.collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, label?: string) =>
    new prometheus.Counter({ name, help, labelNames: label ? [label] : [], registers });
  const histogram = (name: string, help: string, ...labelNames: string[]) =>
    new prometheus.Histogram({ name, help, labelNames, buckets, registers });

  const started = counter("arcgis_sign_ins_started_total", "Browsers that were sent to the portal");
  const signIns = counter("arcgis_sign_ins_total", "Browsers that came back from the portal", "outcome");
  const signOuts = counter("arcgis_sign_outs_total", "Sign-outs");
  const refreshes = counter("arcgis_token_refreshes_total", "Refreshes of access tokens", "outcome");
  const revocations = counter("arcgis_revocations_total", "Attempts to revoke a token", "outcome");
  const refusals = counter("arcgis_refusals_total", "Error responses", "code");
  const storeErrors = counter("arcgis_store_errors_total", "Failures of the session store");
  const proxyBytes = counter("arcgis_proxy_bytes_total", "Bytes of bodies through /proxy", "direction");
  const portalSeconds = histogram(
    "arcgis_portal_request_duration_seconds",
    "Time until the portal, or a server behind /proxy, has responded or failed",
    "operation",
  );
  const requestSeconds = histogram(
    "http_server_request_duration_seconds",
    "Time until a response has ended, by route",
    ...["http_request_method", "http_route", "http_response_status_code"],
  );
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
  new prometheus.Gauge({
    ...{ name: "arcgis_sign_in_build_info", help: "The version of this server", labelNames: ["version"] },
    registers,
  }).set({ version }, 1);
  // Start at 0: Prometheus computes no rate from a series that appears with its first value.
  signIns.inc({ outcome: "signed_in" }, 0);
  for (const outcome of ["refreshed", "rejected", "failed"]) refreshes.inc({ outcome }, 0);
  for (const outcome of ["revoked", "failed"]) revocations.inc({ outcome }, 0);
  for (const direction of ["sent", "received"]) proxyBytes.inc({ direction }, 0);

  let latest = { sessions: Number.NaN, at: Number.NEGATIVE_INFINITY };
  new prometheus.Gauge({
    name: "arcgis_sessions",
    help: "Sessions in the store, at most a minute old",
    registers,
    async collect() {
      if (performance.now() > latest.at + sessionsMs) {
        const sessions = await countSessions().catch(() => Number.NaN);
        latest = { sessions, at: performance.now() };
      }
      this.set(latest.sessions);
    },
  });

  const events: Partial<Record<AuthEvent["type"], (event: AuthEvent) => void>> = {
    "sign-in-started": () => started.inc(),
    "sign-in": () => signIns.inc({ outcome: "signed_in" }),
    "sign-in-failed": ({ error }) => signIns.inc({ outcome: codeOf(error) ?? "internal" }),
    "sign-out": () => signOuts.inc(),
    refresh: () => refreshes.inc({ outcome: "refreshed" }),
    "refresh-rejected": () => refreshes.inc({ outcome: "rejected" }),
    "refresh-failed": () => refreshes.inc({ outcome: "failed" }),
    revoke: () => revocations.inc({ outcome: "revoked" }),
    "revoke-failed": () => revocations.inc({ outcome: "failed" }),
    "store-failed": () => storeErrors.inc(),
  };

  return {
    registry,
    event: (event: AuthEvent) => events[event.type]?.(event),
    refusal(code: string) {
      refusals.inc({ code });
      if (code === "store_unavailable") storeErrors.inc();
    },
    /** Labels follow OpenTelemetry's semantic conventions. Unknown paths and methods get no label of their own. */
    request({ method, route, res }: Request, seconds: number) {
      const labels = {
        http_request_method: methods.includes(method) ? method : "_OTHER",
        http_route: String(route?.path ?? ""),
        http_response_status_code: res?.statusCode,
      };
      requestSeconds.observe(labels, seconds);
    },
    proxyBytes: (direction: "sent" | "received", bytes: number) => proxyBytes.inc({ direction }, bytes),
    portalRequest(url: string, seconds: number) {
      const operation = operations.find((name) => url.endsWith(name)) ?? "other";
      portalSeconds.observe({ operation }, seconds);
    },
    proxyRequest: (seconds: number) => portalSeconds.observe({ operation: "proxy" }, seconds),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

import { monitorEventLoopDelay } from "node:perf_hooks";
import type { AuthEvent } from "../index.ts";
import { codeOf } from "./errors.ts";
import { createRegistry } from "./prometheus.ts";

/** Listing all sessions is work: a number counts for so long (ms). */
const sessionsMs = 60_000;
/** A portal has 10 s at most; the longer ones are of /proxy. */
const buckets = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
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
 * The metrics of one app, and of the process that it runs in.
 *
 * @param countSessions the number of sessions in the store; when it rejects, the gauge is NaN
 */
export function createMetrics(countSessions: () => Promise<number>) {
  const { counter, gauge, histogram, text } = createRegistry();
  const started = counter("arcgis_sign_ins_started_total", "Browsers that were sent to the portal");
  const signIns = counter("arcgis_sign_ins_total", "Browsers that came back from the portal", true);
  const signOuts = counter("arcgis_sign_outs_total", "Sign-outs");
  const refreshes = counter("arcgis_token_refreshes_total", "Refreshes of access tokens", true);
  const revocations = counter("arcgis_revocations_total", "Attempts to revoke a token", true);
  const refusals = counter("arcgis_refusals_total", "Error responses", true);
  const storeErrors = counter("arcgis_store_errors_total", "Failures of the session store");
  const proxyBytes = counter("arcgis_proxy_bytes_total", "Bytes of bodies through /proxy", true);
  const portalSeconds = histogram(
    "arcgis_portal_request_duration_seconds",
    "Time until the portal, or a server behind /proxy, has responded or failed",
    buckets,
  );
  // From zero on: a rate cannot be computed from the first value that is scraped.
  signIns({ outcome: "signed_in" }, 0);
  for (const outcome of ["refreshed", "rejected", "failed"]) refreshes({ outcome }, 0);
  for (const outcome of ["revoked", "failed"]) revocations({ outcome }, 0);
  for (const direction of ["sent", "received"]) proxyBytes({ direction }, 0);

  let latest = { sessions: Number.NaN, at: Number.NEGATIVE_INFINITY };
  gauge("arcgis_sessions", "Sessions in the store, at most a minute old", async () => {
    if (performance.now() > latest.at + sessionsMs) {
      const sessions = await countSessions().catch(() => Number.NaN);
      latest = { sessions, at: performance.now() };
    }
    return latest.sessions;
  });

  gauge(
    "process_cpu_seconds_total",
    "CPU time of the process",
    () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
    "counter",
  );
  gauge("process_resident_memory_bytes", "Memory of the process", () => process.memoryUsage.rss());
  gauge("process_start_time_seconds", "When the process was started", () =>
    Math.round(Date.now() / 1000 - process.uptime()),
  );
  gauge("nodejs_heap_size_used_bytes", "Memory of JavaScript objects", () => process.memoryUsage().heapUsed);
  const loopDelay = monitorEventLoopDelay();
  loopDelay.enable();
  gauge("nodejs_eventloop_lag_p99_seconds", "Delay of the event loop since the last scrape", () => {
    const seconds = loopDelay.percentile(99) / 1e9;
    loopDelay.reset();
    return seconds;
  });

  const events: Partial<Record<AuthEvent["type"], (event: AuthEvent) => void>> = {
    "sign-in-started": () => started(),
    "sign-in": () => signIns({ outcome: "signed_in" }),
    "sign-in-failed": ({ error }) => signIns({ outcome: codeOf(error) ?? "internal" }),
    "sign-out": () => signOuts(),
    refresh: () => refreshes({ outcome: "refreshed" }),
    "refresh-rejected": () => refreshes({ outcome: "rejected" }),
    "refresh-failed": () => refreshes({ outcome: "failed" }),
    revoke: () => revocations({ outcome: "revoked" }),
    "revoke-failed": () => revocations({ outcome: "failed" }),
    "store-failed": () => storeErrors(),
  };

  return {
    text,
    event: (event: AuthEvent) => events[event.type]?.(event),
    signOut: () => signOuts(),
    refusal(code: string) {
      refusals({ code });
      if (code === "store_unavailable") storeErrors();
    },
    proxyBytes: (direction: "sent" | "received", bytes: number) => proxyBytes({ direction }, bytes),
    portalRequest(url: string, seconds: number) {
      const operation = operations.find((name) => url.endsWith(name)) ?? "other";
      portalSeconds({ operation }, seconds);
    },
    proxyRequest: (seconds: number) => portalSeconds({ operation: "proxy" }, seconds),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

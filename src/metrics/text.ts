import prometheus, { type Metric, type Registry } from "prom-client";
import { counts, type Durations, type Tally } from "./counts.ts";

/** Listing all sessions is work: a number is good for so long (ms). */
const sessionsGoodForMs = 60_000;

/**
 * Makes the text of /metrics: our own counts, and what prom-client knows of the process, such as the lag of its event
 * loop. It is measured from the first call on. Import this file only then: prom-client takes a while to load.
 *
 * @param countSessions gives the number of sessions in the store; when it fails the gauge says NaN
 */
export function metricsText(countSessions: () => Promise<number>): Pick<Registry, "metrics" | "contentType"> {
  const registry = new prometheus.Registry();
  prometheus.collectDefaultMetrics({ register: registry });
  counter("arcgis_sign_ins_started_total", "Browsers that were sent to the portal", counts.signInsStarted);
  counter("arcgis_sign_ins_total", "Browsers that came back from the portal", counts.signIns, "outcome");
  counter("arcgis_sign_outs_total", "Sign-outs", counts.signOuts);
  counter("arcgis_token_refreshes_total", "Renewals of access tokens", counts.refreshes, "outcome");
  counter("arcgis_revocations_total", "Attempts to revoke a token", counts.revocations, "outcome");
  counter("arcgis_refusals_total", "Error answers", counts.refusals, "code");
  counter("arcgis_store_errors_total", "Failures of the session store", counts.storeErrors);
  counter("arcgis_proxy_bytes_total", "Bytes of bodies through /proxy", counts.proxyBytes, "direction");
  histogram(
    "arcgis_portal_request_duration_seconds",
    "Time until the portal, or a server behind /proxy, has answered or failed",
    counts.portalSeconds,
    "operation",
  );
  let counted = { sessions: Number.NaN, at: Number.NEGATIVE_INFINITY };
  new prometheus.Gauge({
    name: "arcgis_sessions",
    help: "Sessions in the store, at most a minute old",
    registers: [registry],
    async collect() {
      if (performance.now() > counted.at + sessionsGoodForMs) {
        const sessions = await countSessions().catch(() => Number.NaN);
        counted = { sessions, at: performance.now() };
      }
      this.set(counted.sessions);
    },
  });
  return registry;

  function counter(name: string, help: string, { sums }: Tally, label?: string): void {
    new prometheus.Counter({
      name,
      help,
      labelNames: label ? [label] : [],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, sum] of sums) this.inc(label ? { [label]: value } : {}, sum);
      },
    });
  }

  function histogram(name: string, help: string, durations: Durations, label: string): void {
    const values = () => valuesOf(name, durations, label);
    // A histogram of prom-client can only be filled one observation after the other, and these have been made.
    const metric = { name, get: async () => ({ name, help, type: "histogram", values: values() }) };
    registry.registerMetric(metric as unknown as Metric);
  }
}

/** The series of a histogram: each bucket holds all that is below it, too. */
function valuesOf(name: string, { bounds, byLabel }: Durations, label: string) {
  return [...byLabel].flatMap(([value, { buckets, sum }]) => {
    const labels = { [label]: value };
    let count = 0;
    const cumulative = buckets.map((inside, index) => {
      count += inside;
      return {
        metricName: `${name}_bucket`,
        labels: { ...labels, le: bounds[index] ?? "+Inf" },
        value: count,
      };
    });
    return [
      ...cumulative,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  });
}

/** Sums by one label: a word of ours, never a name, a host or anything else that a visitor can choose. */
export interface Tally {
  readonly sums: ReadonlyMap<string, number>;
  add(label: string, amount?: number): void;
}

/** How long things took, by one label. */
export interface Durations {
  /** Upper ends of the buckets, in seconds. */
  readonly bounds: readonly number[];
  readonly byLabel: ReadonlyMap<string, DurationsOfLabel>;
  observe(label: string, seconds: number): void;
}

interface DurationsOfLabel {
  /** How many fell into each bucket; the last one is for what is longer than all bounds. */
  buckets: number[];
  /** In seconds. */
  sum: number;
}

/** A portal is given 10 s at most; beyond that is /proxy, which may wait longer. */
const portalBounds = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * What this process has counted since its start. Plain numbers, so that counting costs nanoseconds and nothing has
 * to be loaded for it: `metricsText` makes Prometheus's format of them when somebody asks.
 */
export const counts = {
  /** Browsers that were sent to the portal. */
  signInsStarted: tally("all"),
  /** Callbacks: "signed_in", or the code of the error. */
  signIns: tally("signed_in"),
  signOuts: tally("all"),
  refreshes: tally("renewed", "refused", "failed"),
  revocations: tally("revoked", "failed"),
  /** Errors that were answered, by code. */
  refusals: tally(),
  portalSeconds: durations(portalBounds),
  storeErrors: tally("all"),
  /** Bytes of bodies through /proxy. */
  proxyBytes: tally("sent", "received"),
};

function tally(...known: string[]): Tally {
  // From zero on, because a rate cannot be told from the first value that is seen.
  const sums = new Map(known.map((label) => [label, 0]));
  return { sums, add: (label, amount = 1) => void sums.set(label, (sums.get(label) ?? 0) + amount) };
}

function durations(bounds: readonly number[]): Durations {
  const byLabel = new Map<string, DurationsOfLabel>();
  return {
    bounds,
    byLabel,
    observe(label, seconds) {
      const found = byLabel.get(label) ?? { buckets: Array(bounds.length + 1).fill(0), sum: 0 };
      byLabel.set(label, found);
      const index = bounds.findIndex((bound) => seconds <= bound);
      const bucket = index === -1 ? bounds.length : index;
      found.buckets[bucket] = (found.buckets[bucket] ?? 0) + 1;
      found.sum += seconds;
    },
  };
}

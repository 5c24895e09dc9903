/** Names of labels and their values. */
export type Labels = Record<string, string>;

interface Metric {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  /** Samples by their name and labels, as `name{label="value"}`. */
  samples(): Iterable<[string, number]> | Promise<Iterable<[string, number]>>;
}

/** Metrics in Prometheus's text format (version 0.0.4), in the order in which they were made. */
export function createRegistry() {
  const metrics: Metric[] = [];

  return {
    /** A number per set of labels that only grows. Without labels it is there from the start. */
    counter(name: string, help: string, isLabeled = false) {
      const values = new Map<string, number>(isLabeled ? [] : [[name, 0]]);
      metrics.push({ name, help, type: "counter", samples: () => values });
      return (labels: Labels = {}, by = 1) => add(values, name, labels, by);
    },

    /** A number that is read when somebody asks for it. */
    gauge(
      name: string,
      help: string,
      read: () => number | Promise<number>,
      type: "gauge" | "counter" = "gauge",
    ) {
      metrics.push({ name, help, type, samples: async () => [[name, await read()]] });
    },

    /** Counts values by size. `buckets` are the upper bounds, in ascending order. */
    histogram(name: string, help: string, buckets: readonly number[]) {
      const values = new Map<string, number>();
      metrics.push({ name, help, type: "histogram", samples: () => values });
      return (labels: Labels, value: number) => {
        for (const bound of [...buckets, Number.POSITIVE_INFINITY]) {
          const le = bound === Number.POSITIVE_INFINITY ? "+Inf" : `${bound}`;
          add(values, `${name}_bucket`, { le, ...labels }, value <= bound ? 1 : 0);
        }
        add(values, `${name}_sum`, labels, value);
        add(values, `${name}_count`, labels, 1);
      };
    },

    async text(): Promise<string> {
      const texts = metrics.map(async ({ name, help, type, samples }) => {
        const lines = Array.from(await samples(), ([sample, value]) => `${sample} ${value}\n`);
        return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
      });
      return (await Promise.all(texts)).join("\n");
    },
  };
}

function add(values: Map<string, number>, name: string, labels: Labels, by: number): void {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  const sample = pairs.length > 0 ? `${name}{${pairs.join()}}` : name;
  values.set(sample, (values.get(sample) ?? 0) + by);
}

function escaped(value: string): string {
  return value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n");
}

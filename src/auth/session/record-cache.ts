import type { Opened } from "./sealed-record.ts";

const maxRecords = 2_000;

/** Records that were opened, as long as the backend says that they did not change. */
export function recordCache() {
  const records = new Map<string, { version: string; opened: Opened }>();
  return {
    get(name: string, version: string | undefined): Opened | undefined {
      const known = records.get(name);
      return known?.version === version ? known?.opened : undefined;
    },
    set(name: string, version: string | undefined, opened: Opened): void {
      records.delete(name);
      if (version === undefined) return;
      records.set(name, { version, opened });
      const [oldest] = records.keys();
      if (records.size > maxRecords && oldest !== undefined) records.delete(oldest);
    },
  };
}

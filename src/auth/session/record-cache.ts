import type { Opened } from "./sealed-record.ts";

const maxRecords = 2_000;

/** Records that were opened, as long as the backend says that they did not change. */
export interface RecordCache {
  get(name: string, version: string | undefined): Opened | undefined;
  set(name: string, version: string | undefined, opened: Opened): void;
  /** When this process last noted an access, which the backend may take its time to do. */
  touched(name: string, lastAccess: number): void;
  delete(name: string): void;
}

export function recordCache(): RecordCache {
  const records = new Map<string, { version: string; opened: Opened }>();
  return {
    get(name, version) {
      const known = records.get(name);
      return version !== undefined && known?.version === version ? known.opened : undefined;
    },
    set(name, version, opened) {
      records.delete(name);
      if (version === undefined) return;
      records.set(name, { version, opened });
      const [oldest] = records.keys();
      if (records.size > maxRecords && oldest !== undefined) records.delete(oldest);
    },
    touched(name, lastAccess) {
      const known = records.get(name);
      if (known) known.opened.lastAccess = lastAccess;
    },
    delete: (name) => void records.delete(name),
  };
}

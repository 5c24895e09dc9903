import type { SessionBackend, StoredRecord } from "./file-backend.ts";
import type { Opened } from "./sealed-record.ts";

const maxRecords = 2_000;

/** Reads records. Each is opened once, as long as the backend says that it did not change. */
export function cachedReader(
  backend: Pick<SessionBackend, "read" | "version">,
  open: (name: string, record: StoredRecord) => Opened | undefined,
) {
  const records = new Map<string, { version: string; opened: Opened }>();

  return async (name: string): Promise<Opened | undefined> => {
    const version = backend.version?.(name);
    if (backend.version && version === undefined) return undefined;
    const known = records.get(name);
    if (known && known.version === version) return known.opened;
    const record = await backend.read(name);
    const opened = record && open(name, record);
    records.delete(name);
    if (opened && record.version !== undefined) records.set(name, { version: record.version, opened });
    const [oldest] = records.keys();
    if (records.size > maxRecords && oldest !== undefined) records.delete(oldest);
    return opened;
  };
}

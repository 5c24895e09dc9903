import { hash } from "node:crypto";
import type { SessionBackend, StoredRecord } from "./file-backend.ts";
import type { Opened } from "./sealed-record.ts";

const maxRecords = 2_000;

/**
 * Reads records. One is read once, as long as the backend says that it did not change, and opened once, as long as its
 * text is the same: a touch changes the rest. On an older key it is opened again, until it is sealed with the newest.
 */
export function cachedReader(
  backend: Pick<SessionBackend, "read" | "version">,
  open: (name: string, record: StoredRecord) => Opened | undefined,
) {
  const records = new Map<string, { version: string | undefined; digest: string; opened: Opened }>();

  return async (name: string): Promise<Opened | undefined> => {
    const version = backend.version?.(name);
    if (backend.version && version === undefined) return undefined;
    const known = records.get(name);
    if (known && version !== undefined && known.version === version) return known.opened;
    const record = await backend.read(name);
    const digest = hash("sha256", record?.text ?? "");
    const isOpen = record && known?.digest === digest && known.opened.isOnNewestKey;
    const opened = isOpen ? { ...known.opened, lastAccess: record.lastAccess } : record && open(name, record);
    records.delete(name);
    if (opened) records.set(name, { version: record?.version, digest, opened });
    const [oldest] = records.keys();
    if (records.size > maxRecords && oldest !== undefined) records.delete(oldest);
    return opened;
  };
}

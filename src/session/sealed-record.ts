import { createHash } from "node:crypto";
import type { SealedRecord } from "./record-store.ts";
import type { KeyRing } from "./seal.ts";
import { type Content, parseContent } from "./session-content.ts";

/** What a record says once it is open. */
export interface OpenRecord {
  content: Content;
  /** When the session was last used, within a minute (ms since 1970). */
  seenAt: number;
}

/**
 * The name of a session's record. Knowing it is no way back to the id, which has 192 random bits, and it
 * depends on no key: it stays when keys are replaced.
 */
export function recordName(id: string): string {
  return createHash("sha256").update(`session-name/v1|${id}`).digest("hex");
}

/**
 * Seals sessions into records, and opens them. Each seal belongs to the name of its record, and the two of a
 * record have different purposes: neither opens anywhere else.
 */
export function recordSeals(keys: KeyRing) {
  const sealContent = (name: string, content: Content) => keys.seal(JSON.stringify(content), "session", name);
  const sealSeen = (name: string, seenAt: number) => keys.seal(String(seenAt), "seen", name);
  const openSeen = (name: string, { seen }: SealedRecord) =>
    Number(keys.open(seen, "seen", name) ?? Number.NaN);

  return {
    seal: (name: string, { content, seenAt }: OpenRecord): SealedRecord => ({
      content: sealContent(name, content),
      seen: sealSeen(name, seenAt),
    }),

    /** Gives what the record says; `undefined` when either seal does not open, or holds what we do not write. */
    open(name: string, record: SealedRecord): OpenRecord | undefined {
      const text = keys.open(record.content, "session", name);
      const content = text === undefined ? undefined : parseContent(text);
      const seenAt = openSeen(name, record);
      return content && Number.isFinite(seenAt) ? { content, seenAt } : undefined;
    },

    /** When the session was last used; `NaN` when that does not open. */
    openSeen,

    /** The record with another content, last used when it was. */
    withContent: (name: string, { seen }: SealedRecord, content: Content): SealedRecord => ({
      content: sealContent(name, content),
      seen,
    }),

    /** The record after another use. As it is written anyway, its content moves to the newest key. */
    withUse(name: string, { content: sealed }: SealedRecord, seenAt: number): SealedRecord {
      const text = keys.isNewest(sealed) ? undefined : keys.open(sealed, "session", name);
      const content = text === undefined ? sealed : keys.seal(text, "session", name);
      return { content, seen: sealSeen(name, seenAt) };
    },

    /** Why a record does not open, for the log. */
    troubleWith: ({ content, seen }: SealedRecord): string =>
      keys.knows(content) && keys.knows(seen) ? "damaged or forged" : "sealed with a key that is not here",
  };
}

export type RecordSeals = ReturnType<typeof recordSeals>;

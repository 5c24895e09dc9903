import { hash } from "node:crypto";
import { endOfSignIn } from "./expiry.ts";
import type { StoredRecord } from "./file-backend.ts";
import type { KeyRing } from "./seal.ts";
import { identitiesIn, isParts, type Parts, parseJson } from "./serializer.ts";

/** A record once it is open. */
export type Opened = NonNullable<ReturnType<typeof openRecord>>;

/** The record's name: no way back to the id, and independent of all keys, so it stays when they are replaced. */
export function recordName(id: string): string {
  return hash("sha256", `session-name/v1|${id}`, "hex");
}

type Content = { createdAt: number; parts: Parts };

export function sealRecord(keys: KeyRing, name: string, { createdAt, parts }: Content): string {
  return keys.seal(JSON.stringify({ createdAt, parts }), "session", name);
}

/** What is in a record; `undefined` when it does not open, or holds what we do not write. */
export function openRecord(keys: KeyRing, name: string, { text, lastAccess }: StoredRecord) {
  const { createdAt, parts } = Object(parseJson(keys.open(text, "session", name))) as Content;
  if (!Number.isFinite(createdAt) || !isParts(parts)) return undefined;
  const { originalMaxAge } = Object(parseJson(parts.cookie)) as { originalMaxAge?: unknown };
  const maxAgeMs = typeof originalMaxAge === "number" ? originalMaxAge : Infinity;
  /** When each identity expires (ms since 1970). */
  const ends = identitiesIn(parts).map(([part, one]): [string, number] => [part, endOfSignIn(one)]);
  const isOnNewestKey = keys.keyOf(text) === "newest";
  return { createdAt, lastAccess, maxAgeMs, parts, ends, isOnNewestKey };
}

/** Why a record does not open. */
export function problemWith(keys: KeyRing, { text, problem }: StoredRecord): string {
  return problem ?? (keys.keyOf(text) ? "damaged or forged" : "damaged, or sealed with an unknown key");
}

/** The parts without expired identities. */
export function liveParts({ parts, ends }: Opened): Parts {
  const expired = ends.filter(([, endsAt]) => Date.now() >= endsAt).map(([name]) => name);
  if (expired.length === 0) return parts;
  return Object.fromEntries(Object.entries(parts).filter(([name]) => !expired.includes(name)));
}

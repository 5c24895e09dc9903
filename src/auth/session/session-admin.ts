import type { SessionData } from "express-session";
import { isExpired, type Lifetimes } from "./expiry.ts";
import type { SessionBackend } from "./file-backend.ts";
import type { KeyRing } from "./seal.ts";
import { openRecord, sealRecord } from "./sealed-record.ts";
import { deserialize } from "./serializer.ts";

/** A session as seen from outside. Times in ms since 1970. */
export interface SessionInfo {
  /** The name of its record, from which its id cannot be told. Logs show the beginning of it. */
  name: string;
  /** What is in it: identity managers, profiles, data of the app. */
  data: Partial<SessionData>;
  createdAt: number;
  /** Exact to the minute. */
  lastAccess: number;
  /** When it ends, however often it is used. */
  endsAt: number;
  /** Expired sessions are deleted later. */
  isExpired: boolean;
  isOnNewestKey: boolean;
}

/** All sessions, for those who are not a request of one of them. Every method rejects when the backend fails. */
export interface SessionAdmin {
  names(): Promise<string[]>;
  /** The session; the problem when it does not open; `undefined` when there is none (anymore). */
  inspect(name: string): Promise<SessionInfo | { problem: string } | undefined>;
  /**
   * Ends a session for good, and returns what was in it at that moment: revoke its identities (`auth.revoke`). Tokens
   * of a refresh in progress are among them, or are revoked by whoever has refreshed them.
   */
  end(name: string): Promise<Partial<SessionData> | undefined>;
  /** Seals a session with the newest key, whatever its requests do meanwhile. */
  reseal(name: string): Promise<"resealed" | "on newest key" | "unreadable" | "gone">;
}

export function sessionAdmin({
  backend,
  keys,
  lifetimes,
}: {
  backend: SessionBackend;
  keys: KeyRing;
  lifetimes: Lifetimes;
}): SessionAdmin {
  return {
    names: () => backend.names(),

    async inspect(name) {
      const record = await backend.read(name);
      if (!record) return undefined;
      const key = keys.keyOf(record.text);
      const opened = openRecord(keys, name, record);
      if (!opened)
        return { problem: key ? "damaged or forged" : "damaged, or sealed with a key that is not here" };
      const { createdAt, lastAccess, parts } = opened;
      return {
        name,
        data: deserialize(parts),
        createdAt,
        lastAccess,
        endsAt: Math.min(createdAt + lifetimes.maxSeconds * 1000),
        isExpired: isExpired(opened, lifetimes),
        isOnNewestKey: key === "newest",
      };
    },

    async end(name) {
      const record = await backend.take(name);
      const opened = record && openRecord(keys, name, record);
      return opened && deserialize(opened.parts);
    },

    async reseal(name) {
      let outcome: Awaited<ReturnType<SessionAdmin["reseal"]>> = "gone";
      await backend.update(name, (record) => {
        outcome = "on newest key";
        if (keys.keyOf(record.text) === "newest") return undefined;
        const opened = openRecord(keys, name, record);
        outcome = opened ? "resealed" : "unreadable";
        return opened && sealRecord(keys, name, opened);
      });
      return outcome;
    },
  };
}

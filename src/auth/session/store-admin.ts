import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { SessionData } from "express-session";
import { endsOf, isExpired, type Lifetimes } from "./expiry.ts";
import type { SessionBackend, StoredRecord } from "./file-backend.ts";
import type { KeyRing } from "./seal.ts";
import { openRecord, problemWith, recordName, sealRecord } from "./sealed-record.ts";
import { deserialize } from "./serializer.ts";

// Here, because the declarations of both entry points lead to this file.
declare module "express-session" {
  interface SessionData {
    /** The signed-in user's identity, when the app shares its session with arcgisAuth (the name in Esri's tutorial). */
    arcgis: ArcGISIdentityManager;
    /** Of further mounts that share the session (`sessionKey`). */
    [mount: `arcgis:${string}`]: unknown;
  }
}

/** A session as seen from outside. Times in ms since 1970. */
export interface SessionInfo {
  /** The name of its record, which does not reveal its id. Logs show the beginning of it. */
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

/** Of tokens that could not be revoked yet. */
const revocations = "pending-revocations";

/** All sessions, for operators: `store.admin`. Every method rejects when the backend fails. */
export interface StoreAdmin extends ReturnType<typeof storeAdmin> {}

export function storeAdmin(backend: SessionBackend, keys: KeyRing, lifetimes: Lifetimes) {
  return {
    /** The name of the record of a session id. */
    nameOf: recordName,

    /** The names of all records. */
    names: (): Promise<string[]> => backend.names(),

    /** The session; the problem when it does not open; `undefined` when there is none (anymore). */
    async inspect(name: string): Promise<SessionInfo | { problem: string } | undefined> {
      const record = await backend.read(name);
      const opened = record && openRecord(keys, name, record);
      if (!opened) return record && { problem: problemWith(keys, record) };
      return {
        name,
        data: deserialize(opened.parts),
        createdAt: opened.createdAt,
        lastAccess: opened.lastAccess,
        endsAt: endsOf(opened, lifetimes).latest,
        isExpired: isExpired(opened, lifetimes),
        isOnNewestKey: opened.isOnNewestKey,
      };
    },

    /** Ends a session for good, and returns what was in it at that moment: revoke its identities (`auth.revoke`). */
    async end(name: string): Promise<Partial<SessionData> | undefined> {
      let last: StoredRecord | undefined;
      // What cannot be removed, such as without the right to DEL, can often be emptied.
      const empty = (record: StoredRecord) => {
        last = record;
        const opened = openRecord(keys, name, record);
        return (
          opened && sealRecord(keys, name, { ...opened, parts: { cookie: opened.parts.cookie ?? "{}" } })
        );
      };
      const record = await backend.take(name).catch(async (error) => {
        if (await backend.update(name, empty).catch(() => false)) return last;
        throw error;
      });
      const opened = record && openRecord(keys, name, record);
      return opened && deserialize(opened.parts);
    },

    /** Seals a session with the newest key, whatever its requests do meanwhile. */
    async reseal(name: string): Promise<"resealed" | "on newest key" | "unreadable" | "gone"> {
      let outcome: "resealed" | "on newest key" | "unreadable" | "gone" = "gone";
      await backend.update(name, (record) => {
        outcome = "on newest key";
        if (keys.keyOf(record.text) === "newest") return undefined;
        const opened = openRecord(keys, name, record);
        outcome = opened ? "resealed" : "unreadable";
        return opened && sealRecord(keys, name, opened);
      });
      return outcome;
    },

    /** Changes a sealed list: of revocations that wait for their portal, or another one, which opens in its own place only. */
    async changePending<Item>(change: (items: Item[]) => Item[], list = revocations) {
      await backend.replace(list, (text) => {
        const before = (text && keys.open(text, "revocation", list)) || "[]";
        const after = JSON.stringify(change(JSON.parse(before)));
        // One that does not open waits for its key, unless something new is to be kept.
        if (after === before && (after === "[]" || keys.keyOf(text ?? "") === "newest")) return text;
        return after === "[]" ? undefined : keys.seal(after, "revocation", list);
      });
    },

    /** Tries what sessions need of the place where they are kept, and rejects with what fails. */
    async probe(): Promise<void> {
      await (backend.probe?.() ?? backend.read("probe"));
    },
  };
}

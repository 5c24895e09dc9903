import { IdentityManager } from "../arcgis/identity-manager.ts";
import { type LifetimeOptions, lifetime } from "./lifetime.ts";
import type { RecordStore, SealedRecord } from "./record-store.ts";
import type { KeyRing } from "./seal.ts";
import { recordSeals } from "./sealed-record.ts";
import type { Content } from "./session-content.ts";

/** A session as whoever runs the server sees it. Times in ms since 1970. */
export interface SessionFacts {
  /** The name of its record; the log shows the beginning of it. */
  name: string;
  /** Who is signed in; none in a session that holds no identity. */
  identities: IdentityManager[];
  fullName: string | undefined;
  /** The browser that signed in, in words. */
  browser: string | undefined;
  createdAt: number;
  seenAt: number;
  /** When it is over, however often it is used. */
  end: number;
  /** Whether it still counts; what is over lies there until it is removed. */
  isAlive: boolean;
  isOnNewestKey: boolean;
}

/** What became of one record. */
export type Resealed = "resealed" | "newest already" | "not opened" | "gone";

/** All sessions, for those who are not a request of one of them. */
export interface Inventory {
  names(): Promise<string[]>;
  /** Gives a session; the reason when it does not open; `undefined` when there is none (any more). */
  look(name: string): Promise<SessionFacts | { trouble: string } | undefined>;
  /**
   * Ends a session for good, and gives the identities that were in it at that moment: a token that is renewed
   * meanwhile is among them, or is revoked by whoever has renewed it. When it rejects, the session is as it was.
   */
  end(name: string): Promise<IdentityManager[]>;
  /** Seals a session with the newest key, whatever its requests are doing meanwhile. */
  reseal(name: string): Promise<Resealed>;
}

/** Looks at all sessions from outside, beside the servers that work with them. Every method rejects when the store fails. */
export function inventory({
  records,
  keys,
  ...limits
}: LifetimeOptions & { records: RecordStore; keys: KeyRing }): Inventory {
  const seals = recordSeals(keys);
  const life = lifetime(limits);
  const isOnNewestKey = ({ content, seen }: SealedRecord) => keys.isNewest(content) && keys.isNewest(seen);

  return {
    names: () => records.names(),

    async look(name) {
      const record = await records.read(name);
      const open = record && seals.open(name, record);
      if (!open) return record && { trouble: seals.troubleWith(record) };
      const { content, seenAt } = open;
      const { createdAt } = content;
      const end = life.endOf(content);
      const now = Date.now();
      return {
        name,
        identities: identitiesIn(content),
        fullName: textOf(Object(content.data.profile).fullName),
        browser: textOf(content.data.browser),
        createdAt,
        seenAt,
        end,
        isAlive: !life.isFromTheFuture({ createdAt }, now) && !life.isOver({ seenAt, end }, now),
        isOnNewestKey: isOnNewestKey(record),
      };
    },

    async end(name) {
      let identities: IdentityManager[] = [];
      const note = (record: SealedRecord) => {
        const open = seals.open(name, record);
        if (open) identities = identitiesIn(open.content);
        return open;
      };
      // Once they are taken out, a renewal still under way finds that it is too late.
      const takeOut = (record: SealedRecord) => {
        const open = note(record);
        return open && seals.withContent(name, record, { ...open.content, identities: {} });
      };
      const isTakenOut = await records.change(name, takeOut).catch(async () => {
        // A full disk cannot be written, but the session can be read and removed all the same.
        const record = await records.read(name);
        if (record) note(record);
        return false;
      });
      await records.remove(name).catch((error) => {
        // Otherwise what is left is nobody's session, and whoever called must get to know the tokens.
        if (!isTakenOut) throw error;
      });
      return identities;
    },

    async reseal(name) {
      let outcome: Resealed = "gone";
      await records.change(name, (record) => {
        outcome = "newest already";
        if (isOnNewestKey(record)) return undefined;
        const open = seals.open(name, record);
        outcome = open ? "resealed" : "not opened";
        return open && seals.seal(name, open);
      });
      return outcome;
    },
  };
}

function identitiesIn({ identities }: Content): IdentityManager[] {
  return Object.values(identities).map((text) => IdentityManager.deserialize(text));
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

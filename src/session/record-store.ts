/** What is kept of one session: two sealed texts, which only the sealed store can read. */
export interface SealedRecord {
  /** The session. */
  content: string;
  /** When it was last used. Apart from the content, so that noting a use cannot undo a change of the content. */
  seen: string;
  /** Which state of the record this is, where the place can tell; see `RecordStore.version`. */
  version?: string;
}

/**
 * A place for sealed records, under names of 64 hexadecimal digits. It knows nothing of what is in them.
 *
 * It tells making from changing: a record that was removed cannot come back through a request that was still
 * under way. Every method rejects when the place itself fails (disk, network); "not there" is no failure.
 */
export interface RecordStore {
  /** The record, or `undefined` when there is none or what lies there cannot be one. */
  read(name: string): Promise<SealedRecord | undefined>;
  /**
   * Tells at once which state of the record is there now: what was read with the same version need not be read
   * again. `undefined`: there is none. A place that would have to ask over a network leaves this out.
   *
   * @throws when the place itself fails
   */
  version?(name: string): string | undefined;
  /** Keeps a new record. */
  create(name: string, record: SealedRecord): Promise<void>;
  /**
   * Replaces a record by what `next` makes of it, while nobody else changes it. Gives false, and writes
   * nothing, when there is no such record (any more) or when `next` gives nothing.
   */
  change(name: string, next: (record: SealedRecord) => SealedRecord | undefined): Promise<boolean>;
  /** Removes a record for good. Gives false when there was none. */
  remove(name: string): Promise<boolean>;
  /**
   * Waits for a lock that only one holder in all processes can have, and gives the function that releases it, which
   * never rejects. A lock is broken when its holder is gone, or has had it for `staleMs`.
   *
   * @throws Error when the lock is not free within 20 s
   */
  lock(name: string, staleMs: number): Promise<() => Promise<void>>;
  /**
   * Changes the one sealed text beside the records, the queue of pending revocations, while nobody else changes
   * it. It is there as long as `next` gives a text.
   */
  changePending(next: (text: string | undefined) => string | undefined): Promise<void>;
  /** The names of all records. */
  names(): Promise<string[]>;
  /**
   * Removes the records that nobody has written for the idle time, each after `farewell`, which may keep it by
   * giving false. It opens no record itself. A place that forgets by itself leaves this out.
   */
  reap?(farewell?: (name: string) => Promise<boolean>): Promise<void>;
  /** Resolves when records can be read and written. */
  ping(): Promise<void>;
  /** Ends timers and connections. */
  close(): Promise<void>;
}

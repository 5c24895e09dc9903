import type { RecordStore } from "./record-store.ts";
import type { KeyRing } from "./seal.ts";

/** The list of what waits to be revoked. */
export interface PendingList {
  /**
   * Replaces the list by what `change` makes of it, which is called again when somebody else was faster. When it
   * gives the list back as it is, nothing is written, unless there is a newer key to seal it with.
   */
  changePending<Item>(change: (items: Item[]) => Item[]): Promise<void>;
}

/** Keeps the list beside the records, sealed like them. */
export function pendingList(records: Pick<RecordStore, "changePending">, keys: KeyRing): PendingList {
  return {
    changePending: (change) =>
      records.changePending((sealed) => {
        const text = sealed && keys.open(sealed, "revocation");
        const before = text ? JSON.parse(text) : [];
        const after = change(before);
        // Sealed with a key that is not here: it waits for that key, as long as nothing new is to be kept.
        if (sealed && !keys.knows(sealed) && after.length === 0) return sealed;
        if (sealed && keys.isNewest(sealed) && after === before && after.length > 0) return sealed;
        return after.length > 0 ? keys.seal(JSON.stringify(after), "revocation") : undefined;
      }),
  };
}

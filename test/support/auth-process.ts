/**
 * A process of its own with a SealedStore on a folder: does what its parent asks for. Run with the folder, the key and
 * the work: "update ID TIMES" counts a session's `count` up, "hold NAME" takes the refresh lock and keeps it.
 */
import { fileBackend, SealedStore } from "#src/session-store.ts";

const [dir = "", encryptionKey = "", work, id = "", times] = process.argv.slice(2);
const store = new SealedStore({ backend: fileBackend(dir), encryptionKey });

if (work === "hold") {
  await store.lock(id, 60_000);
  setInterval(() => {}, 1_000);
}
process.send?.("ready");
if (work === "update") {
  for (let i = 0; i < Number(times); i++)
    await store.update(id, (data) => {
      const counted = data as { count?: number };
      counted.count = (counted.count ?? 0) + 1;
    });
  store.close();
  process.disconnect?.();
}

import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { isExpired, type Lifetimes, skewMs } from "./expiry.ts";
import type { SessionBackend } from "./file-backend.ts";
import type { KeyRing } from "./seal.ts";
import { liveParts, openRecord } from "./sealed-record.ts";
import { identitiesIn } from "./serializer.ts";

/** Grace period before an expired session is deleted. */
const graceMs = 60_000;
/** How many are read and deleted at a time: mostly, that is waiting for a disk. */
const concurrency = 16;

/** Removes idle sessions a minute after the start, and then every hour. `onExpired` gets the identities of each. */
export function reaper(
  backend: SessionBackend,
  keys: KeyRing,
  lifetimes: Lifetimes,
  onExpired: (identities: ArcGISIdentityManager[]) => unknown,
  onError: (error: unknown) => void,
) {
  /** Changes when the clock is set. */
  const clockOffset = () => Date.now() - performance.now();
  let last = clockOffset();
  let isStopped = false;
  const timers = [setTimeout(reapUnlessSet, 60_000), setInterval(reapUnlessSet, 60 * 60_000)];
  for (const timer of timers) timer.unref();

  /** Not when the clock was set since the last time: it may be a mistake, and be put right before the next. */
  function reapUnlessSet(): void {
    const jumpMs = clockOffset() - last;
    last += jumpMs;
    if (Math.abs(jumpMs) <= skewMs) reap().catch(onError);
  }

  async function reap(): Promise<void> {
    const names = await backend.names(Date.now() - lifetimes.idleSeconds * 1000 - graceMs);
    // A session stays for the next process once this one ends: it may not live until the tokens are revoked.
    while (names.length > 0 && !isStopped)
      await Promise.all(names.splice(0, concurrency).map((name) => remove(name).catch(onError)));
  }

  /** One that does not open has waited for its key long enough. */
  async function remove(name: string): Promise<void> {
    const record = await backend.read(name);
    const opened = record && openRecord(keys, name, record);
    if (opened && !isExpired(opened, lifetimes)) return;
    await backend.take(name);
    if (opened) onExpired(identitiesIn(liveParts(opened)).map(([, identity]) => identity));
  }

  return {
    reap,
    stop(): void {
      isStopped = true;
      timers.forEach(clearTimeout);
    },
  };
}

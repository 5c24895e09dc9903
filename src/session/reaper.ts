import { IdentityManager } from "../arcgis/identity-manager.ts";
import { type Lifetime, renewableUntil } from "./lifetime.ts";
import type { RecordStore } from "./record-store.ts";
import type { RecordSeals } from "./sealed-record.ts";
import { putTogether } from "./session-content.ts";

export interface ReaperParts {
  records: RecordStore;
  seals: RecordSeals;
  life: Lifetime;
  /** Takes the tokens of a session back that is over. */
  onExpired: (identity: IdentityManager) => Promise<unknown>;
  /** Told of what failed; the rest goes on. */
  warn?: (message: string, details: object) => void;
}

/** The first time soon after the start: not every server runs for an hour. */
const firstAfterMs = 60_000;
const everyMs = 60 * 60_000;
const toleranceMs = 5 * 60_000;

const clocks = () => ({ wall: Date.now(), steady: performance.now() });

/** Removes sessions that are over, an hour after another, as long as the process lives or until `stop`. */
export function reaper({ records, seals, life, onExpired, warn }: ReaperParts) {
  const timers = [setTimeout(run, firstAfterMs).unref(), setInterval(run, everyMs).unref()];

  let last = clocks();
  let isStopped = false;

  /** Not when the clock was set since the last time: it may have been a mistake, and be put right before the next. */
  function run(): void {
    const now = clocks();
    const jumpMs = now.wall - last.wall - (now.steady - last.steady);
    last = now;
    if (Math.abs(jumpMs) > toleranceMs) return;
    reap().catch(failed("sessions that are over could not be removed"));
  }

  async function reap(): Promise<void> {
    await records.reap?.(sayGoodbye);
  }

  /** Whether a record that nobody has written for the idle time may go. Its tokens are worthless from then on. */
  async function sayGoodbye(name: string): Promise<boolean> {
    // It stays for the next process: this one may end before the tokens are revoked.
    if (isStopped) return false;
    const record = await records.read(name);
    const opened = record && seals.open(name, record);
    // Nobody could use it either, for all that time: it is over.
    if (!opened) return true;
    const { content, seenAt } = opened;
    const now = Date.now();
    if (!life.isOver({ seenAt, end: life.endOf(content) }, now)) return false;

    if (now >= renewableUntil(content.identities)) return true;
    for (const value of Object.values(putTogether(content))) {
      if (!(value instanceof IdentityManager)) continue;
      await onExpired(value).catch(failed("the tokens of a session that is over could not be revoked"));
    }
    return true;
  }

  function failed(message: string): (error: Error) => void {
    return ({ message: reason }) => warn?.(message, { reason });
  }

  function stop(): void {
    isStopped = true;
    timers.forEach(clearTimeout);
  }

  return { reap, stop };
}

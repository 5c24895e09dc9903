import type { Logger } from "pino";
import type { SealedStore } from "../session-store.ts";

/** What a command has done to sessions. It waits in the store until a server logs it. */
export interface OperatorAction {
  action: "revoke";
  /** `undefined`: all users. */
  user: string | undefined;
  /** `undefined`: at all portals. */
  portal: string | undefined;
  sessions: number;
  /** The operator, as their environment says. */
  by: string;
  /** ISO 8601. */
  at: string;
}

const list = "pending-actions";
const everyMs = 60_000;

/** Queues an action for the log of a server. Rejects when the store is not writable. */
export function noteAction(store: SealedStore, action: OperatorAction): Promise<void> {
  return store.admin.changePending<OperatorAction>((actions) => [...actions, action], list);
}

/** Logs queued actions, now and every minute; each is logged by one server. Returns a function that stops it. */
export function logActions(store: SealedStore, log: Logger): () => void {
  async function take(): Promise<void> {
    let taken: OperatorAction[] = [];
    const takeAll = (actions: OperatorAction[]) => {
      taken = actions;
      return [];
    };
    await store.admin.changePending(takeAll, list);
    for (const action of taken) log.warn({ event: "operator", ...action }, "an operator has ended sessions");
  }
  // A store that is away is reported elsewhere.
  const takeIfPossible = () => void take().catch(() => {});
  takeIfPossible();
  const timer = setInterval(takeIfPossible, everyMs).unref();
  return () => clearInterval(timer);
}

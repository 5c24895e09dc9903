import pMap from "p-map";
import type { RevocationQueue } from "../arcgis/revocation-queue.ts";
import type { Inventory, SessionFacts } from "../session/inventory.ts";
import type { PendingList } from "../session/pending.ts";

/** What the subcommands of `arcgis-sign-in sessions` work with. */
export interface SessionsContext {
  sessions: Inventory;
  queue: RevocationQueue;
  pending: PendingList;
  /** Where the sessions are stored, without a password. */
  place: string;
  /** The IDs of all portals by their URL. */
  portals: ReadonlyMap<string, string>;
  /** The URL of the only portal to look at. */
  portal: string | undefined;
  /** How many encryption keys there are. */
  keys: number;
  /** Why records cannot be read, and how many there are of each kind: filled while they are read. */
  unreadable: Map<string, number>;
  /** Why tokens were not revoked. */
  reasons: Set<string>;
  /** Characters in a line of the terminal. */
  width: number;
  /** Prints the result: as text, or as JSON with `--json`. */
  print(text: string, json: unknown): void;
  /** Prints a remark on the standard error. */
  note(text: string): void;
  /** Shows the progress of long work in a terminal. */
  progress(label: string, total: number): Progress;
}

/** A line that shows how far work has come. */
export interface Progress {
  step(): void;
  /** Removes the line. */
  end(): void;
}

/** The concurrency limit for records: most of the time they wait for a disk or a network. */
export const inParallel = { concurrency: 32 };

/** Runs `work` on every record, with a progress line. */
export async function forEachRecord(
  { sessions, progress }: SessionsContext,
  label: string,
  work: (name: string) => Promise<void>,
): Promise<void> {
  const names = await sessions.names();
  const { step, end } = progress(label, names.length);
  await pMap(names, (name) => work(name).then(step), inParallel).finally(end);
}

/** Reads a session, and counts unreadable ones; `undefined` when it is gone or belongs to another portal. */
export async function readSession(
  { sessions, unreadable, portal }: SessionsContext,
  name: string,
): Promise<SessionFacts | "unreadable" | undefined> {
  const found = await sessions.look(name);
  if (found && "trouble" in found) {
    countUp(unreadable, found.trouble);
    return "unreadable";
  }
  const isWanted = portal === undefined || found?.identities.some((identity) => identity.portal === portal);
  return isWanted ? found : undefined;
}

/** Calls `visit` with every readable session of the portal. */
export async function forEachSession(
  context: SessionsContext,
  visit: (session: SessionFacts) => void,
): Promise<void> {
  await forEachRecord(context, "Reading sessions", async (name) => {
    const session = await readSession(context, name);
    if (session && session !== "unreadable") visit(session);
  });
}

/** Counts one more of a kind. */
export function countUp(counts: Map<string, number>, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

/** The number of records that cannot be read. */
export function unreadableCount({ unreadable }: SessionsContext): number {
  return [...unreadable.values()].reduce((sum, times) => sum + times, 0);
}

/** The users of a session: usually one, none in a session of another purpose. */
export function usersOf({ identities }: SessionFacts): string[] {
  return [...new Set(identities.map(({ username }) => username))];
}

/** Whether the user may have meant that name: ArcGIS ignores case when users sign in. */
export function isSimilar(name: string, written: string): boolean {
  return name !== written && name.toLowerCase() === written.trim().toLowerCase();
}

/** `1 session`, `100,000 sessions`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** A line for each kind of record that cannot be read. */
export function noteUnreadable({ unreadable, note }: SessionsContext): void {
  for (const [reason, times] of unreadable)
    note(`${counted(times, "session")} could not be opened: ${reason}.`);
}

/** A line for a user without a session, with similar user names. */
export function noteNoSession({ note }: SessionsContext, user: string, similar: ReadonlySet<string>): void {
  const advice =
    similar.size > 0 ? `Did you mean ${[...similar].join(" or ")}?` : "To see who is signed in, use list.";
  note(`${user} has no session. ${advice}`);
}

import pMap from "p-map";
import type { RevocationQueue } from "../arcgis/revocation-queue.ts";
import type { Inventory, SessionFacts } from "../session/inventory.ts";
import type { PendingList } from "../session/pending.ts";

/** What the commands of `npm run sessions` work with. */
export interface Office {
  sessions: Inventory;
  queue: RevocationQueue;
  pending: PendingList;
  /** Where the sessions are, for people: without a password. */
  place: string;
  /** The ids of all portals by their address. */
  portals: ReadonlyMap<string, string>;
  /** The address of the only portal whose sessions count; all do when it is left out. */
  portal?: string | undefined;
  /** How many keys open sessions. */
  keys: number;
  /** What cannot be used, and how often each was met: filled while records are read. */
  troubles: Map<string, number>;
  /** Why tokens were not revoked. */
  reasons: Set<string>;
  /** Characters in a line of the terminal. */
  width: number;
  /** Says what was found: the first to people, or the second, as JSON, to programs. */
  tell(text: string, json: unknown): void;
  /** Tells people what else they should know. */
  note(text: string): void;
  /** Shows in a terminal how far long work has come. */
  progress(doing: string, total: number): Progress;
}

/** A line that shows how far work has come. */
export interface Progress {
  step(): void;
  /** Removes the line. */
  end(): void;
}

/** Records are read so many side by side: most of the time they wait for a disk or a network. */
export const atOnce = 32;

/** Shows each session of the portal that can be opened to `see`; the others are counted among the troubles. */
export async function survey(office: Office, see: (session: SessionFacts) => void): Promise<void> {
  const { sessions, troubles, progress } = office;
  const names = await sessions.names();
  const { step, end } = progress("Reading sessions", names.length);
  await pMap(
    names,
    async (name) => {
      const found = await sessions.look(name);
      if (found && "trouble" in found) count(troubles, found.trouble);
      else if (found && isAskedFor(office, found)) see(found);
      step();
    },
    { concurrency: atOnce },
  ).finally(end);
}

/** Counts one more of a kind. */
export function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** Whether a session is one of the portal that counts. No session has identities of two. */
export function isAskedFor({ portal }: Office, { identities }: SessionFacts): boolean {
  return portal === undefined || identities.some((identity) => identity.portal === portal);
}

/** Who is signed in there; usually one person, and nobody in a session of another purpose. */
export function usersOf({ identities }: SessionFacts): string[] {
  return [...new Set(identities.map(({ username }) => username))];
}

/** A line for each kind of record that could not be used. */
export function noteTroubles({ troubles, note }: Office): void {
  for (const [reason, times] of troubles) note(`${sessionsOf(times)} could not be opened: ${reason}.`);
}

/** `1 session`, `2 sessions`. */
export function sessionsOf(count: number): string {
  return counted(count, "session");
}

/** `1 session`, `2 sessions`, `100,000 sessions`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

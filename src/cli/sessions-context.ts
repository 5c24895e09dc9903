import pMap from "p-map";
import { IdentityManager } from "../auth/arcgis/identity-manager.ts";
import { endOf } from "../auth/session/expiry.ts";
import type { ArcGISAuth } from "../index.ts";
import type { SessionInfo } from "../session-store.ts";

/** A session, with the users who are signed in by it: usually one, none in a session of another purpose. */
export interface SignedInSession extends SessionInfo {
  identities: IdentityManager[];
  fullName: string | undefined;
}

/** What the subcommands of `arcgis-sign-in sessions` work with. */
export interface SessionsContext {
  /** Of all portals, as its `revoke` and `store.admin` go. It does nothing by itself. */
  auth: ArcGISAuth;
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
  /** What became of the tokens that `auth` was to revoke, and why. */
  revocations: { lost: number; reasons: Set<string>; onDone(): void };
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
  { auth, progress }: SessionsContext,
  label: string,
  work: (name: string) => Promise<void>,
): Promise<void> {
  const names = await auth.store.admin.names();
  const { step, end } = progress(label, names.length);
  await pMap(names, (name) => work(name).then(step), inParallel).finally(end);
}

/** Reads a session, and counts unreadable ones; `undefined` when it is gone or belongs to another portal. */
export async function readSession(
  { auth, unreadable, portal }: SessionsContext,
  name: string,
): Promise<SignedInSession | "unreadable" | undefined> {
  const info = await auth.store.admin.inspect(name);
  if (!info) return undefined;
  if ("problem" in info) {
    countUp(unreadable, info.problem);
    return "unreadable";
  }
  const identities = identitiesIn(info.data);
  if (portal !== undefined && !identities.some((identity) => identity.portal === portal)) return undefined;
  // A sign-in ends with its refresh token.
  const endsAt = Math.min(info.endsAt, identities.length > 0 ? Math.max(...identities.map(endOf)) : Infinity);
  const isExpired = info.isExpired || Date.now() >= endsAt;
  return { ...info, endsAt, isExpired, identities, fullName: fullNameIn(info.data) };
}

export function identitiesIn(data: object | undefined): IdentityManager[] {
  return Object.values(data ?? {}).filter((value) => value instanceof IdentityManager);
}

/** Beside an identity under `arcgis`, its user's profile is under `arcgisSignIn`. */
function fullNameIn(data: object): string | undefined {
  const isSignIn = ([name]: [string, unknown]) => name.startsWith("arcgis") && name.endsWith("SignIn");
  const names = Object.entries(data)
    .filter(isSignIn)
    .map(([, signIn]) => Object(signIn).user?.fullName);
  return names.find((name) => typeof name === "string");
}

/** Calls `visit` with every readable session of the portal. */
export async function forEachSession(
  context: SessionsContext,
  visit: (session: SignedInSession) => void,
): Promise<void> {
  await forEachRecord(context, "Reading sessions", async (name) => {
    const session = await readSession(context, name);
    if (session && session !== "unreadable") visit(session);
  });
}

function countUp(counts: Map<string, number>, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

/** The number of records that cannot be read. */
export function unreadableCount({ unreadable }: SessionsContext): number {
  return [...unreadable.values()].reduce((sum, times) => sum + times, 0);
}

export function usersOf({ identities }: SignedInSession): string[] {
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

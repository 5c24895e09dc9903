import { statSync } from "node:fs";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import pMap, { pMapIterable } from "p-map";
import type { Config } from "../app/config/config.ts";
import { SessionDirError } from "../app/session-folder.ts";
import { openStore } from "../app/store.ts";
import type { SealedStore, SessionInfo } from "../session-store.ts";
import { folderFix } from "./doctor/store.ts";
import { counted, type Screen } from "./terminal.ts";

/** The context of the subcommands of `arcgis-sign-in sessions`. */
export interface SessionsContext extends Screen {
  config: Config;
  store: SealedStore;
  /** The IDs of all portals by their URL. */
  portals: ReadonlyMap<string, string>;
  /** The URL of the only portal to look at. */
  portal: string | undefined;
  /** Who runs the command, for the server's log. */
  operator: string;
  /** The users of the sessions that were read. */
  users: Set<string>;
  /** Why records could not be read, by their names. */
  unreadable: Map<string, string>;
}

/** A session with its signed-in users: usually one, or none in a session that is not about a sign-in. */
export interface SignedInSession extends SessionInfo {
  identities: (ArcGISIdentityManager & { tokenEndsAt?: Date })[];
}

/** Reading records mostly waits for a disk or a network. */
const concurrency = 32;

/** Opens the server's store. A folder that does not exist is not created: it would be the wrong one. */
export async function openExisting(config: Config) {
  const { redisUrl, sessionDir } = config;
  if (!redisUrl && !statSync(sessionDir, { throwIfNoEntry: false })?.isDirectory())
    throw new SessionDirError(`there is no folder ${sessionDir}, which the server creates`, folderFix);
  const opened = await openStore(config, { info() {}, warn() {} });
  // The reaper is the server's.
  opened.store.close();
  return opened;
}

/** All sessions of the portal, expired ones too. */
export async function* readSessions({
  store,
  portal,
  users,
  unreadable,
  progress,
}: Pick<SessionsContext, "store"> & Partial<SessionsContext>): AsyncGenerator<SignedInSession> {
  const names = await store.admin.names();
  const read = async (name: string) => ({ name, info: await store.admin.inspect(name) });
  const step = progress?.("Reading sessions", names.length);
  for await (const { name, info } of pMapIterable(names, read, { concurrency })) {
    step?.();
    if (info && "problem" in info) unreadable?.set(name, info.problem);
    if (!info || "problem" in info) continue;
    const identities = identitiesIn(info.data);
    if (portal !== undefined && !identities.some((identity) => identity.portal === portal)) continue;
    for (const { username } of identities) users?.add(username);
    const endOfAll = identities.length > 0 ? Math.max(...identities.map(endOf)) : Infinity;
    const endsAt = Math.min(info.endsAt, endOfAll);
    yield { ...info, identities, endsAt, isExpired: info.isExpired || Date.now() >= endsAt };
  }
}

/** Does the same to each record, and shows progress. */
export function eachRecord<Result>(
  { progress }: SessionsContext,
  label: string,
  names: string[],
  work: (name: string) => Promise<Result>,
): Promise<Result[]> {
  const step = progress(label, names.length);
  return pMap(names, (name) => work(name).finally(step), { concurrency });
}

export function identitiesIn(data: object | undefined): ArcGISIdentityManager[] {
  return Object.values(data ?? {}).filter((value) => value instanceof ArcGISIdentityManager);
}

/** A sign-in ends with its refresh token. */
function endOf({ refreshToken, refreshTokenExpires, tokenExpires }: ArcGISIdentityManager): number {
  return (refreshToken ? refreshTokenExpires : tokenExpires)?.getTime() ?? Infinity;
}

/** A line for each kind of record that cannot be read. */
export function noteUnreadable({ unreadable, note }: SessionsContext): void {
  const reasons = [...unreadable.values()];
  for (const reason of new Set(reasons)) {
    const { length } = reasons.filter((each) => each === reason);
    note(`${counted(length, "session")} could not be opened: ${reason}.`);
  }
}

/** A line for a user without a session, with similar user names: ArcGIS ignores case when users sign in. */
export function noteNoSession({ users, note }: SessionsContext, user: string): "noSession" {
  const similar = [...users].filter((name) => name.toLowerCase() === user.trim().toLowerCase());
  const advice =
    similar.length > 0 ? `Did you mean ${similar.join(" or ")}?` : "To see who is signed in, use list.";
  note(`${user} has no session. ${advice}`);
  return "noSession";
}

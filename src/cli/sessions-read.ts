import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { pMapIterable } from "p-map";
import type { Config } from "../app/config/config.ts";
import type { SealedStore, SessionInfo } from "../session-store.ts";
import { counted, type progressLine } from "./terminal.ts";

/** The context of the subcommands of `arcgis-sign-in sessions`. */
export interface SessionsContext {
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
  /** Prints the result: as text, or as JSON with `--json`. */
  print(text: string, json: unknown): void;
  /** Prints a note to the standard error. */
  note(text: string): void;
  /** Shows progress. */
  progress(label: string, total: number): ReturnType<typeof progressLine>;
  /** Width of the terminal, in characters. */
  width: number | undefined;
}

/** A session with its signed-in users: usually one, or none in a session that is not about a sign-in. */
export interface SignedInSession extends SessionInfo {
  identities: (ArcGISIdentityManager & { tokenEndsAt?: Date })[];
}

/** The concurrency limit for reading records, which mostly waits for a disk or a network. */
export const inParallel = { concurrency: 32 };

/** What reading sessions needs. */
export type Reading = Pick<SessionsContext, "store" | "portal" | "users" | "unreadable"> & {
  progress(label: string, total: number): Pick<ReturnType<typeof progressLine>, "step" | "end">;
};

/** All sessions of the portal, expired ones too. */
export async function* readSessions(context: Reading): AsyncGenerator<SignedInSession> {
  const { store, portal, users, unreadable } = context;
  const names = await store.admin.names();
  const read = async (name: string) => ({ name, info: await store.admin.inspect(name) });
  const progress = context.progress("Reading sessions", names.length);
  try {
    for await (const { name, info } of pMapIterable(names, read, inParallel)) {
      progress.step();
      if (info && "problem" in info) unreadable.set(name, info.problem);
      if (!info || "problem" in info) continue;
      const identities = identitiesIn(info.data);
      if (portal !== undefined && !identities.some((identity) => identity.portal === portal)) continue;
      for (const { username } of identities) users.add(username);
      const endsAt = Math.min(
        info.endsAt,
        Math.max(...identities.map(endOf), identities.length ? 0 : Infinity),
      );
      yield { ...info, identities, endsAt, isExpired: info.isExpired || Date.now() >= endsAt };
    }
  } finally {
    progress.end();
  }
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
  const isSimilar = (name: string) => name !== user && name.toLowerCase() === user.trim().toLowerCase();
  const similar = [...users].filter(isSimilar);
  const advice =
    similar.length > 0 ? `Did you mean ${similar.join(" or ")}?` : "To see who is signed in, use list.";
  note(`${user} has no session. ${advice}`);
  return "noSession";
}

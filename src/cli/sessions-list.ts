import type { Config } from "../app/config/config.ts";
import { noteNoSession, noteUnreadable, readSessions, type SessionsContext } from "./sessions-read.ts";
import { counted, iso, minute, printable, table } from "./terminal.ts";

type SignedInUser = Record<"user" | "portal", string | null> &
  Record<"sessions" | "lastUsed" | "ends", number>;

/** `list`: the signed-in users, the latest active first. */
export async function list(context: SessionsContext): Promise<"done"> {
  const found = new Map<string, SignedInUser>();
  for await (const { identities, isExpired, lastAccess, endsAt } of readSessions(context)) {
    if (isExpired) continue;
    const none = { username: null, portal: null };
    for (const { username: user, portal } of identities.length > 0 ? identities : [none]) {
      const key = `${portal} ${user}`;
      const row = found.get(key) ?? { user, portal, sessions: 0, lastUsed: 0, ends: 0 };
      row.sessions += 1;
      row.lastUsed = Math.max(row.lastUsed, lastAccess);
      row.ends = Math.max(row.ends, endsAt);
      found.set(key, row);
    }
  }

  const rows = [...found.values()]
    .sort((one, other) => other.lastUsed - one.lastUsed)
    .map((row) => ({ ...row, lastUsed: iso(row.lastUsed), ends: iso(row.ends) }));
  const lines = rows.map(({ user, portal, sessions, lastUsed, ends }) => {
    return [user ?? "(none)", ...portalId(context, portal), sessions, minute(lastUsed), minute(ends)];
  });
  const titles = ["USER", ...portalTitle(context), "SESSIONS", "LAST USED (UTC)", "ENDS (UTC)"];
  const total = rows.reduce((sum, { sessions }) => sum + sessions, 0);
  const summary = `${counted(rows.length, "user")}, ${counted(total, "session")}.`;
  const text = total === 0 ? "No users are signed in.\n" : `${table([titles, ...lines])}\n${summary}\n`;
  context.print(text, rows);
  noteUnreadable(context);
  return "done";
}

/** With several portals, the column of their IDs; "-" for one that is no longer configured. */
const portalTitle = ({ portals }: SessionsContext) => (portals.size > 1 ? ["PORTAL"] : []);
const portalId = ({ portals }: SessionsContext, portal: string | null) =>
  portals.size > 1 ? [portals.get(portal ?? "") ?? "-"] : [];

/** `show USER`: the sessions of a user. */
export async function show(context: SessionsContext, user = ""): Promise<"done" | "noSession"> {
  const sessions = [];
  let fullName: string | null = null;
  for await (const session of readSessions(context)) {
    const identity = session.identities.find(({ username }) => username === user);
    if (!identity || session.isExpired) continue;
    fullName ??= fullNameIn(session.data);
    const { portal, tokenExpires, tokenEndsAt = tokenExpires, refreshTokenExpires } = identity;
    sessions.push({
      // Shortened as in the log.
      record: session.name.slice(0, 8),
      portal,
      signedIn: iso(session.createdAt),
      lastUsed: iso(session.lastAccess),
      ends: iso(session.endsAt),
      tokenUntil: iso(tokenEndsAt?.getTime()),
      refreshTokenUntil: iso(refreshTokenExpires?.getTime()),
    });
  }
  noteUnreadable(context);
  if (sessions.length === 0) return noteNoSession(context, user);

  sessions.sort((one, other) => String(other.lastUsed).localeCompare(String(one.lastUsed)));
  const lines = sessions.map(({ record, portal, signedIn, lastUsed, tokenUntil, ends }) => {
    return [record, ...portalId(context, portal), ...[signedIn, lastUsed, tokenUntil, ends].map(minute)];
  });
  const titles = ["RECORD", ...portalTitle(context), "SIGNED IN", "LAST USED", "TOKEN UNTIL", "ENDS (UTC)"];
  const portals = new Set(sessions.map(({ portal }) => portal));
  const heading = printable([user, fullName ?? [], ...portals].flat().join(" · "));
  const text = `${heading}\n\n${table([titles, ...lines])}\n${counted(lines.length, "session")}.\n`;
  context.print(text, { user, fullName, sessions });
  return "done";
}

/** Beside an identity under `arcgis`, its user's profile is under `arcgisSignIn`. */
function fullNameIn(data: object): string | null {
  const [, signIn] = Object.entries(data).find(([name]) => /^arcgis.*SignIn$/.test(name)) ?? [];
  return Object(signIn).user?.fullName ?? null;
}

const hourMs = 60 * 60_000;

/** `stats`: the number of sessions, by kind. */
export async function stats(context: SessionsContext): Promise<"done"> {
  const users = new Set<string>();
  const counts = { sessions: 0, users: 0, lastHour: 0, lastDay: 0, expired: 0, onOlderKey: 0 };
  let oldest = Infinity;
  for await (const session of readSessions(context)) {
    const { identities, isExpired, isOnNewestKey, createdAt, lastAccess } = session;
    if (!isOnNewestKey) counts.onOlderKey += 1;
    if (isExpired) counts.expired += 1;
    if (isExpired) continue;
    counts.sessions += 1;
    oldest = Math.min(oldest, createdAt);
    for (const { portal, username } of identities) users.add(`${portal} ${username}`);
    if (Date.now() - lastAccess < hourMs) counts.lastHour += 1;
    if (Date.now() - lastAccess < 24 * hourMs) counts.lastDay += 1;
  }
  let waiting = 0;
  await context.store.admin.changePending((items) => {
    waiting = items.length;
    return items;
  });

  const all = { ...counts, users: users.size, unopened: context.unreadable.size, waiting };
  const place = placeOf(context.config);
  const lines = Object.entries(all).map(([key, count]) => [kinds[key as keyof typeof all], count]);
  const since = Number.isFinite(oldest) ? `\nThe oldest session began at ${minute(iso(oldest))} UTC.\n` : "";
  context.print(`${printable(place)}\n\n${table(lines)}${since}`, { place, ...all, oldest: iso(oldest) });
  noteUnreadable(context);
  return "done";
}

/** What `stats` counts, by its name in JSON. */
const kinds = {
  sessions: "sessions",
  users: "users",
  lastHour: "used in the last hour",
  lastDay: "used in the last day",
  expired: "expired, not yet removed",
  onOlderKey: "on an older key",
  unopened: "unreadable",
  waiting: "pending revocations",
};

/** Where the sessions are stored, without a password. */
function placeOf({ redisUrl: address, sessionDir }: Config): string {
  if (!address) return `Files in ${sessionDir}`;
  const hosts = address.nodes.map(({ host, port }) => `${host}:${port}`);
  return `Redis at ${address.socketPath ?? hosts.join(", ")}, database ${address.database}`;
}

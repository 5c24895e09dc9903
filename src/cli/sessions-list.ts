import {
  counted,
  forEachSession,
  isSimilar,
  noteNoSession,
  noteUnreadable,
  type SessionsContext,
  unreadableCount,
  usersOf,
} from "./sessions-context.ts";
import { minute, printable, table } from "./table.ts";

/** A user at a portal, with all sessions together. Times in ms since 1970. */
interface UserRow {
  user: string | null;
  portal: string | null;
  sessions: number;
  lastUsed: number;
  ends: number;
}

/** `list`: who is signed in, the last active users first. */
export async function listUsers(context: SessionsContext): Promise<"done"> {
  const users = new Map<string, UserRow>();
  await forEachSession(context, (session) => {
    if (session.isExpired) return;
    const portal = session.identities[0]?.portal ?? null;
    const names = usersOf(session);
    for (const user of names.length > 0 ? names : [null]) {
      const key = JSON.stringify([portal, user]);
      const row = users.get(key) ?? { user, portal, sessions: 0, lastUsed: 0, ends: 0 };
      row.sessions += 1;
      row.lastUsed = Math.max(row.lastUsed, session.lastAccess);
      row.ends = Math.max(row.ends, session.endsAt);
      users.set(key, row);
    }
  });

  const rows = [...users.values()].sort((one, other) => other.lastUsed - one.lastUsed);
  const columns = [
    { title: "USER", of: ({ user }: UserRow) => user ?? "(none)" },
    ...portalColumn(context),
    { title: "SESSIONS", of: ({ sessions }: UserRow) => sessions },
    { title: "LAST USED (UTC)", of: ({ lastUsed }: UserRow) => minute(lastUsed) },
    { title: "ENDS (UTC)", of: ({ ends }: UserRow) => minute(ends) },
  ];
  const total = rows.reduce((sum, { sessions }) => sum + sessions, 0);
  const summary = `${counted(rows.length, "user")}, ${counted(total, "session")}.\n`;
  context.print(
    rows.length === 0 ? "No users are signed in.\n" : `${table(columns, rows, context.width)}\n${summary}`,
    rows.map(({ lastUsed, ends, ...row }) => ({ ...row, ...isoTimes({ lastUsed, ends }) })),
  );
  noteUnreadable(context);
  return "done";
}

/** The column for the portal's ID, "-" for one that is no longer configured, where there are several. */
function portalColumn({ portals }: SessionsContext) {
  const of = ({ portal }: { portal: string | null }) => portals.get(portal ?? "") ?? "-";
  return portals.size > 1 ? [{ title: "PORTAL", of }] : [];
}

/** One session of the user of `show`. */
interface SessionRow {
  record: string;
  portal: string;
  signedIn: number;
  lastUsed: number;
  ends: number;
  tokenUntil: number;
  refreshTokenUntil: number;
}

/** `show USER`: the sessions of a user. */
export async function show(context: SessionsContext, user = ""): Promise<"done" | "noSession"> {
  const rows: SessionRow[] = [];
  const similar = new Set<string>();
  let fullName: string | undefined;
  await forEachSession(context, (session) => {
    if (session.isExpired) return;
    for (const name of usersOf(session)) if (isSimilar(name, user)) similar.add(name);
    const identity = session.identities.find(({ username }) => username === user);
    if (!identity) return;
    fullName ??= session.fullName;
    rows.push({
      // As much of it as the log shows.
      record: session.name.slice(0, 8),
      portal: identity.portal,
      signedIn: session.createdAt,
      lastUsed: session.lastAccess,
      ends: session.endsAt,
      tokenUntil: timeOf(identity.tokenEndsAt ?? identity.tokenExpires),
      refreshTokenUntil: timeOf(identity.refreshTokenExpires),
    });
  });
  noteUnreadable(context);
  if (rows.length === 0) {
    noteNoSession(context, user, similar);
    return "noSession";
  }

  rows.sort((one, other) => other.lastUsed - one.lastUsed);
  const columns = [
    { title: "RECORD", of: ({ record }: SessionRow) => record },
    ...portalColumn(context),
    { title: "SIGNED IN", of: ({ signedIn }: SessionRow) => minute(signedIn) },
    { title: "LAST USED", of: ({ lastUsed }: SessionRow) => minute(lastUsed) },
    { title: "TOKEN UNTIL", of: ({ tokenUntil }: SessionRow) => minute(tokenUntil) },
    { title: "ENDS (UTC)", of: ({ ends }: SessionRow) => minute(ends) },
  ];
  const title = [user, fullName ?? [], ...new Set(rows.map(({ portal }) => portal))].flat().join(" · ");
  context.print(
    `${printable(title)}\n\n${table(columns, rows, context.width)}\n${counted(rows.length, "session")}.\n`,
    {
      user,
      fullName: fullName ?? null,
      sessions: rows.map(({ record, portal, ...times }) => ({ record, portal, ...isoTimes(times) })),
    },
  );
  return "done";
}

/** `stats`: the number of sessions, by kind. */
export async function stats(context: SessionsContext): Promise<"done"> {
  const users = new Set<string>();
  const counts = { alive: 0, lastHour: 0, lastDay: 0, expired: 0, onOlderKey: 0 };
  let oldest = Infinity;
  const now = Date.now();
  await forEachSession(context, (session) => {
    if (!session.isOnNewestKey) counts.onOlderKey += 1;
    if (session.isExpired) {
      counts.expired += 1;
      return;
    }
    counts.alive += 1;
    oldest = Math.min(oldest, session.createdAt);
    for (const { portal, username } of session.identities) users.add(`${portal} ${username}`);
    const unusedMs = now - session.lastAccess;
    if (unusedMs < 60 * 60_000) counts.lastHour += 1;
    if (unusedMs < 24 * 60 * 60_000) counts.lastDay += 1;
  });
  let waiting = 0;
  await context.auth.store.admin.changePending((items) => {
    waiting = items.length;
    return items;
  });

  const rows: [title: string, key: string, value: number][] = [
    ["sessions", "sessions", counts.alive],
    ["users", "users", users.size],
    ["used in the last hour", "lastHour", counts.lastHour],
    ["used in the last day", "lastDay", counts.lastDay],
    ["expired, not yet removed", "expired", counts.expired],
    ["on an older key", "onOlderKey", counts.onOlderKey],
    ["unreadable", "unopened", unreadableCount(context)],
    ["pending revocations", "waiting", waiting],
  ];
  const widest = Math.max(...rows.map(([, , value]) => value.toLocaleString("en").length));
  const lines = rows.map(
    ([title, , value]) => `${title.padEnd(26)}${value.toLocaleString("en").padStart(widest)}\n`,
  );
  const since = Number.isFinite(oldest) ? `\nThe oldest session began at ${minute(oldest)} UTC.\n` : "";
  context.print(`${printable(context.place)}\n\n${lines.join("")}${since}`, {
    place: context.place,
    ...Object.fromEntries(rows.map(([, key, value]) => [key, value])),
    ...isoTimes({ oldest }),
  });
  noteUnreadable(context);
  return "done";
}

const timeOf = (date: Date | undefined) => date?.getTime() ?? Number.NaN;

function isoTimes(times: Record<string, number>): Record<string, string | null> {
  const iso = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : null);
  return Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, iso(ms)]));
}

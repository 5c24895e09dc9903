import { counted, noteTroubles, type Office, sessionsOf, survey, usersOf } from "./sessions-context.ts";
import { minute, plain, table } from "./table.ts";

/** Somebody in the list, with all of their sessions together. Times in ms since 1970. */
interface Person {
  user: string | null;
  /** The portal's address; the same name at another one is somebody else. */
  portal: string | null;
  sessions: number;
  lastUsed: number;
  ends: number;
}

/** `list`: who is signed in, whoever was here last first. */
export async function list(office: Office): Promise<void> {
  const people = new Map<string, Person>();
  await survey(office, (session) => {
    if (!session.isAlive) return;
    const users = usersOf(session);
    const portal = session.identities[0]?.portal ?? null;
    for (const user of users.length > 0 ? users : [null]) {
      const key = JSON.stringify([portal, user]);
      const person = people.get(key) ?? { user, portal, sessions: 0, lastUsed: 0, ends: 0 };
      person.sessions += 1;
      person.lastUsed = Math.max(person.lastUsed, session.seenAt);
      person.ends = Math.max(person.ends, session.end);
      people.set(key, person);
    }
  });

  const rows = [...people.values()].sort((one, other) => other.lastUsed - one.lastUsed);
  const columns = [
    { title: "USER", of: ({ user }: Person) => user ?? "(nobody)" },
    ...(office.portals.size > 1 ? [{ title: "PORTAL", of: portalIn(office) }] : []),
    { title: "SESSIONS", of: ({ sessions }: Person) => sessions },
    { title: "LAST USED (UTC)", of: ({ lastUsed }: Person) => minute(lastUsed) },
    { title: "ENDS (UTC)", of: ({ ends }: Person) => minute(ends) },
  ];
  const total = rows.reduce((sum, { sessions }) => sum + sessions, 0);
  office.tell(
    rows.length === 0
      ? "Nobody is signed in.\n"
      : `${table(columns, rows, office.width)}\n${counted(rows.length, "person", "people")}, ${sessionsOf(total)}.\n`,
    rows.map(({ user, portal, sessions, lastUsed, ends }) => ({
      user,
      portal,
      sessions,
      lastUsed: iso(lastUsed),
      ends: iso(ends),
    })),
  );
  noteTroubles(office);
}

/** The portal's id, or "-" for one that is not configured any more. */
function portalIn({ portals }: Office): (row: { portal: string | null }) => string {
  return ({ portal }) => portals.get(portal ?? "") ?? "-";
}

/** One session of the person that `show` shows. */
interface Shown {
  record: string;
  portal: string;
  signedIn: number;
  lastUsed: number;
  ends: number;
  tokenUntil: number;
  refreshTokenUntil: number;
}

/**
 * `show USER`: every session of a person. Gives false when there is none, and says whether somebody has nearly the
 * same name.
 */
export async function show(office: Office, user: string): Promise<boolean> {
  const found: Shown[] = [];
  const similar = new Set<string>();
  let fullName: string | undefined;
  await survey(office, (session) => {
    if (!session.isAlive) return;
    for (const name of usersOf(session)) if (isSimilar(name, user)) similar.add(name);
    const identity = session.identities.find(({ username }) => username === user);
    if (!identity) return;
    fullName ??= session.fullName;
    found.push({
      // As much of it as the log shows.
      record: session.name.slice(0, 8),
      portal: identity.portal,
      signedIn: session.createdAt,
      lastUsed: session.seenAt,
      ends: session.end,
      tokenUntil: timeOf(identity.tokenEnds ?? identity.tokenExpires),
      refreshTokenUntil: timeOf(identity.refreshTokenExpires),
    });
  });
  noteTroubles(office);
  if (found.length === 0) {
    noteNobody(office, user, similar);
    return false;
  }

  found.sort((one, other) => other.lastUsed - one.lastUsed);
  const columns = [
    { title: "RECORD", of: ({ record }: Shown) => record },
    ...(office.portals.size > 1 ? [{ title: "PORTAL", of: portalIn(office) }] : []),
    { title: "SIGNED IN", of: ({ signedIn }: Shown) => minute(signedIn) },
    { title: "LAST USED", of: ({ lastUsed }: Shown) => minute(lastUsed) },
    { title: "TOKEN UNTIL", of: ({ tokenUntil }: Shown) => minute(tokenUntil) },
    { title: "ENDS (UTC)", of: ({ ends }: Shown) => minute(ends) },
  ];
  const who = [user, fullName ?? [], ...new Set(found.map(({ portal }) => portal))].flat();
  office.tell(
    `${plain(who.join(" · "))}\n\n${table(columns, found, office.width)}\n${sessionsOf(found.length)}.\n`,
    {
      user,
      fullName: fullName ?? null,
      sessions: found.map(({ record, portal, ...times }) => ({ record, portal, ...isoTimes(times) })),
    },
  );
  return true;
}

/** `stats`: how many there are, of what kind. */
export async function stats(office: Office): Promise<void> {
  const people = new Set<string>();
  const counts = { alive: 0, lastHour: 0, lastDay: 0, over: 0, onOlderKey: 0 };
  let oldest = Infinity;
  const now = Date.now();
  await survey(office, (session) => {
    if (!session.isOnNewestKey) counts.onOlderKey += 1;
    if (!session.isAlive) {
      counts.over += 1;
      return;
    }
    counts.alive += 1;
    oldest = Math.min(oldest, session.createdAt);
    for (const { portal, username } of session.identities) people.add(`${portal} ${username}`);
    const unusedMs = now - session.seenAt;
    if (unusedMs < 60 * 60_000) counts.lastHour += 1;
    if (unusedMs < 24 * 60 * 60_000) counts.lastDay += 1;
  });
  let waiting = 0;
  await office.pending.changePending((items) => {
    waiting = items.length;
    return items;
  });

  const unopened = [...office.troubles.values()].reduce((sum, times) => sum + times, 0);
  const facts: { title: string; key: string; value: number }[] = [
    { title: "sessions", key: "sessions", value: counts.alive },
    { title: "people", key: "people", value: people.size },
    { title: "used in the last hour", key: "lastHour", value: counts.lastHour },
    { title: "used in the last day", key: "lastDay", value: counts.lastDay },
    { title: "over, to be removed", key: "over", value: counts.over },
    { title: "sealed with an older key", key: "onOlderKey", value: counts.onOlderKey },
    { title: "that cannot be opened", key: "unopened", value: unopened },
    { title: "revocations that wait", key: "waiting", value: waiting },
  ];
  const widest = Math.max(...facts.map(({ value }) => value.toLocaleString("en").length));
  const lines = facts.map(
    ({ title, value }) => `${title.padEnd(26)}${value.toLocaleString("en").padStart(widest)}\n`,
  );
  const since = Number.isFinite(oldest) ? `\nThe oldest sign-in is of ${minute(oldest)} UTC.\n` : "";
  office.tell(`${plain(office.place)}\n\n${lines.join("")}${since}`, {
    place: office.place,
    ...Object.fromEntries(facts.map(({ key, value }) => [key, value])),
    oldest: iso(oldest),
  });
  noteTroubles(office);
}

/** Whether somebody who wrote this may have meant that name: ArcGIS does not tell case apart at its sign-in. */
export function isSimilar(name: string, written: string): boolean {
  return name !== written && name.toLowerCase() === written.trim().toLowerCase();
}

/** Says that a person has no session, and who has nearly the same name. */
export function noteNobody({ note }: Office, user: string, similar: ReadonlySet<string>): void {
  const meant = similar.size > 0 ? ` Did you mean ${plain([...similar].join(" or "))}?` : "";
  note(`Nobody called ${plain(user)} has a session.${meant || " See who has: npm run sessions -- list"}`);
}

const timeOf = (date: Date | undefined) => date?.getTime() ?? Number.NaN;

const iso = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : null);

function isoTimes(times: Record<string, number>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, iso(ms)]));
}

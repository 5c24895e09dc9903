import pMap from "p-map";
import { reasonOf } from "../app/reason.ts";
import type { IdentityManager } from "../auth/arcgis/identity-manager.ts";
import type { PendingRevocation } from "../auth/arcgis/revocation.ts";
import {
  counted,
  forEachRecord,
  identitiesIn,
  inParallel,
  isSimilar,
  noteNoSession,
  noteUnreadable,
  readSession,
  type SessionsContext,
  unreadableCount,
  usersOf,
} from "./sessions-context.ts";

/** How many sessions are ended before the queue of revocations is written again: twice as many each time, as it grows. */
const batch = { first: 1_000, largest: 16_000 };

interface Ending {
  name: string;
  identities: IdentityManager[];
}

/**
 * `revoke USER`, or all users with `undefined`: ends the sessions, then revokes their tokens. The users are signed out
 * at their next request.
 *
 * All sessions are ended before the first token is revoked: a slow portal keeps no session alive. The tokens are in
 * the queue before that: if the command is stopped, a server revokes them.
 */
export async function revoke(
  context: SessionsContext,
  user: string | undefined,
): Promise<"done" | "noSession" | "waiting"> {
  const { auth, portals, revocations, progress, note, print } = context;
  const { admin } = auth.store;
  const names = await admin.names();
  const users = new Set<string>();
  const endedAt = new Set<string>();
  const similar = new Set<string>();
  const unqueued: IdentityManager[] = [];
  let ended = 0;
  let tokens = 0;

  /** What to end, when it is a session of the user. */
  async function endingOf(name: string): Promise<Ending | undefined> {
    const session = await readSession(context, name);
    if (!session) return undefined;
    if (session === "unreadable") {
      // With its key it would be readable again, so all sessions means this one, too.
      return user === undefined && context.portal === undefined ? { name, identities: [] } : undefined;
    }
    const owners = usersOf(session);
    if (user !== undefined) for (const owner of owners) if (isSimilar(owner, user)) similar.add(owner);
    if (user !== undefined && !owners.includes(user)) return undefined;
    for (const { portal, username } of session.identities) {
      users.add(`${portal} ${username}`);
      endedAt.add(portals.get(portal) ?? portal);
    }
    return { name, identities: session.identities };
  }

  async function enqueue(identities: IdentityManager[]): Promise<void> {
    tokens += identities.length;
    if (identities.length === 0) return;
    // A full disk must not stop this.
    const add = (items: PendingRevocation[]) => {
      const known = new Set(items.map(({ token }) => token));
      return [...items, ...identities.map(pendingRevocation).filter(({ token }) => !known.has(token))];
    };
    await admin.changePending(add).catch(() => unqueued.push(...identities));
  }

  async function endAll(endings: Ending[]): Promise<void> {
    const known = endings.flatMap(({ identities }) => identities);
    await enqueue(known);
    const queued = new Set(known.map(tokenOf));
    const end = async ({ name }: Ending) => identitiesIn(await admin.end(name));
    const latest = (await pMap(endings, end, inParallel)).flat();
    // Tokens that were refreshed in the meantime.
    await enqueue(latest.filter((identity) => !queued.has(tokenOf(identity))));
    ended += endings.length;
  }

  const reading = progress("Ending sessions", names.length);
  try {
    for (let size = batch.first; names.length > 0; size = Math.min(2 * size, batch.largest)) {
      const read = (name: string) => endingOf(name).finally(reading.step);
      const endings = await pMap(names.splice(0, size), read, inParallel);
      await endAll(endings.filter((ending) => ending !== undefined));
    }
  } finally {
    reading.end();
  }

  if (user !== undefined && ended === 0) {
    noteUnreadable(context);
    noteNoSession(context, user, similar);
    return "noSession";
  }

  const revoking = progress("Revoking tokens", tokens);
  revocations.onDone = revoking.step;
  await pMap(unqueued, auth.revoke, inParallel);
  const waiting = await auth.revokePending().catch((error) => {
    revocations.reasons.add(reasonOf(error));
    return tokens - unqueued.length;
  });
  revoking.end();
  const { lost } = revocations;

  const whose = user ?? counted(users.size, "user");
  const where = portals.size > 1 && endedAt.size > 0 ? ` at ${[...endedAt].sort().join(", ")}` : "";
  print(ended === 0 ? "No session to end.\n" : `Ended ${counted(ended, "session")} of ${whose}${where}.\n`, {
    ended,
    users: users.size,
    waiting,
    lost,
  });
  noteUnreadable(context);
  const why = [...revocations.reasons].join("; ");
  if (lost > 0)
    note(
      `${counted(lost, "token")} could not be revoked (${why}), nor queued, because the store is not writable. Revoke them at the portal.`,
    );
  if (waiting > 0)
    note(
      `${counted(waiting, "token")} could not be revoked yet (${why}). A running server tries again within ten minutes.`,
    );
  return waiting > 0 || lost > 0 ? "waiting" : "done";
}

/** `rekey`: encrypts everything that is on an older key with the newest one. */
export async function rekey(context: SessionsContext): Promise<"done"> {
  const { keys, print, note } = context;
  const { admin } = context.auth.store;
  const counts = { resealed: 0, "on newest key": 0, unreadable: 0, gone: 0 };
  await forEachRecord(context, "Encrypting sessions", async (name) => {
    counts[await admin.reseal(name)] += 1;
  });
  await admin.changePending((items) => items);

  const { resealed, "on newest key": already, unreadable: unopened } = counts;
  const rest = already > 0 ? ` ${counted(already, "session")} already had it.` : "";
  print(`Encrypted ${counted(resealed, "session")} with the newest key.${rest}\n`, {
    resealed,
    already,
    unopened: unopened + unreadableCount(context),
  });
  noteUnreadable(context);
  if (unopened > 0)
    note(
      `${counted(unopened, "session")} could not be opened: damaged, or encrypted with a key that is not in ENCRYPTION_KEY. They were not changed.`,
    );
  note(
    keys === 1
      ? "ENCRYPTION_KEY contains one key only. To replace it, put a new one in front of it, restart the servers, and run this again."
      : "When every server runs with the newest key in front, you can remove the older ones from ENCRYPTION_KEY.",
  );
  return "done";
}

function tokenOf({ refreshToken, token }: IdentityManager): string {
  return refreshToken ?? token;
}

function pendingRevocation(identity: IdentityManager): PendingRevocation {
  const { portal, clientId, username } = identity;
  // No refresh token lives longer, where the portal does not say.
  const until = identity.refreshTokenExpires?.getTime() ?? Date.now() + 90 * 24 * 60 * 60_000;
  return { portal, clientId, username, token: tokenOf(identity), until };
}

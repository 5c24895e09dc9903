import pMap from "p-map";
import type { IdentityManager } from "../arcgis/identity-manager.ts";
import { reasonOf } from "../reason.ts";
import {
  atOnce,
  count,
  counted,
  isAskedFor,
  noteTroubles,
  type Office,
  sessionsOf,
  usersOf,
} from "./sessions-context.ts";
import { isSimilar, noteNobody } from "./sessions-look.ts";

/**
 * So many sessions are ended before the queue of revocations is written again. It grows meanwhile, and so do the
 * batches: each twice as large as the one before.
 */
const batch = { first: 1_000, largest: 16_000 };

interface Ending {
  name: string;
  identities: IdentityManager[];
}

/**
 * `revoke USER`, or everybody's with `undefined`: ends the sessions, then revokes their tokens. Whoever has one is
 * anonymous at their next request.
 *
 * All sessions are ended before the first token is revoked: a slow portal keeps nobody signed in. Before that, the
 * tokens are in the queue: when the command is stopped half-way, a server revokes them.
 *
 * @returns "nobody" when that person has no session; "waiting" when tokens are still to be revoked
 */
export async function revoke(
  office: Office,
  user: string | undefined,
): Promise<"done" | "nobody" | "waiting"> {
  const { sessions, portals, queue, troubles, progress, note, tell } = office;
  const names = await sessions.names();
  const people = new Set<string>();
  const places = new Set<string>();
  const similar = new Set<string>();
  const unqueued: IdentityManager[] = [];
  let ended = 0;
  let tokens = 0;

  async function enqueue(identities: IdentityManager[]): Promise<void> {
    tokens += identities.length;
    if (identities.length === 0) return;
    // A full disk does not stop this either.
    await queue.add(identities).catch(() => unqueued.push(...identities));
  }

  async function endAll(endings: Ending[]): Promise<void> {
    const known = endings.flatMap(({ identities }) => identities);
    await enqueue(known);
    const queued = new Set(known.map(tokenOf));
    const renewed: IdentityManager[] = [];
    await pMap(
      endings,
      async ({ name }) => {
        const latest = await sessions.end(name);
        renewed.push(...latest.filter((identity) => !queued.has(tokenOf(identity))));
      },
      { concurrency: atOnce },
    );
    await enqueue(renewed);
    ended += endings.length;
  }

  const reading = progress("Ending sessions", names.length);
  try {
    for (let size = batch.first; names.length > 0; size = Math.min(2 * size, batch.largest)) {
      const endings: Ending[] = [];
      await pMap(
        names.splice(0, size),
        async (name) => {
          reading.step();
          const found = await sessions.look(name);
          if (!found) return;
          if ("trouble" in found) {
            count(troubles, found.trouble);
            // Whoever means everybody means these, too: with its key one of them would count again.
            if (user === undefined && office.portal === undefined) endings.push({ name, identities: [] });
            return;
          }
          if (!isAskedFor(office, found)) return;
          const users = usersOf(found);
          for (const one of users) if (user !== undefined && isSimilar(one, user)) similar.add(one);
          if (user !== undefined && !users.includes(user)) return;
          for (const { portal, username } of found.identities) {
            people.add(`${portal} ${username}`);
            places.add(portals.get(portal) ?? portal);
          }
          endings.push({ name, identities: found.identities });
        },
        { concurrency: atOnce },
      );
      await endAll(endings);
    }
  } finally {
    reading.end();
  }

  if (user !== undefined && ended === 0) {
    noteTroubles(office);
    noteNobody(office, user, similar);
    return "nobody";
  }

  const revoking = progress("Revoking tokens", tokens);
  let lost = 0;
  await pMap(
    unqueued,
    async (identity) => {
      if (!(await queue.revoke(identity))) lost += 1;
      revoking.step();
    },
    { concurrency: atOnce },
  );
  const left = await queue.work(revoking.step).catch((error) => {
    office.reasons.add(reasonOf(error));
    return tokens - unqueued.length;
  });
  revoking.end();

  const whose = user ?? counted(people.size, "person", "people");
  // Whoever has meant one portal only sees that there were more.
  const where = portals.size > 1 && places.size > 0 ? ` at ${[...places].sort().join(", ")}` : "";
  tell(ended === 0 ? "There was no session to end.\n" : `Ended ${sessionsOf(ended)} of ${whose}${where}.\n`, {
    ended,
    people: people.size,
    waiting: left,
    lost,
  });
  noteTroubles(office);
  const why = [...office.reasons].join("; ");
  if (lost > 0)
    note(
      `${counted(lost, "token")} could neither be revoked (${why}) nor be kept for later, as the store cannot be written. Revoke them at the portal.`,
    );
  if (left === 0) return lost > 0 ? "waiting" : "done";
  note(
    `${counted(left, "token")} could not be revoked yet (${why}). A running server tries again within ten minutes.`,
  );
  return "waiting";
}

/** `rekey`: seals everything that was sealed with an older key with the newest one. */
export async function rekey(office: Office): Promise<void> {
  const { sessions, troubles, progress, tell, note } = office;
  const names = await sessions.names();
  const counts = { resealed: 0, "newest already": 0, "not opened": 0, gone: 0 };
  const { step, end } = progress("Sealing sessions", names.length);
  await pMap(
    names,
    async (name) => {
      counts[await sessions.reseal(name)] += 1;
      step();
    },
    { concurrency: atOnce },
  ).finally(end);
  await office.pending.changePending((items) => items);

  const { resealed, "newest already": already, "not opened": unopened } = counts;
  const unusable = unopened + [...troubles.values()].reduce((sum, times) => sum + times, 0);
  const rest = already > 0 ? ` ${sessionsOf(already)} had it already.` : "";
  tell(`Sealed ${sessionsOf(resealed)} with the newest key.${rest}\n`, {
    resealed,
    already,
    unopened: unusable,
  });
  noteTroubles(office);
  if (unopened > 0)
    note(
      `${sessionsOf(unopened)} could not be opened: damaged, or sealed with a key that is not in ENCRYPTION_KEY. They were left as they are.`,
    );
  note(
    office.keys === 1
      ? "ENCRYPTION_KEY holds one key only. To replace it, put a new one in front of it, restart the servers, and run this again."
      : "When every server runs with the newest key in front, the older ones can be removed from ENCRYPTION_KEY now.",
  );
}

function tokenOf({ refreshToken, token }: IdentityManager): string {
  return refreshToken ?? token;
}

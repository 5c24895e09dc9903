import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { noteAction } from "../app/operator-log.ts";
import { reasonOf } from "../app/reason.ts";
import { type AuthEvent, arcgisAuth } from "../index.ts";
import { type PendingRevocation, type SealedStore, toPending } from "../session-store.ts";
import {
  eachRecord,
  identitiesIn,
  noteNoSession,
  noteUnreadable,
  readSessions,
  type SessionsContext,
} from "./sessions-read.ts";
import { counted } from "./terminal.ts";

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
  const { portal, portals, unreadable, store, operator: by, note, print } = context;
  const names: string[] = [];
  const identities: ArcGISIdentityManager[] = [];
  for await (const session of readSessions(context)) {
    if (user !== undefined && !session.identities.some(({ username }) => username === user)) continue;
    names.push(session.name);
    identities.push(...session.identities);
  }
  // It would be readable again with its key, so `--all` includes it.
  if (user === undefined && portal === undefined) names.push(...unreadable.keys());
  noteUnreadable(context);
  if (user !== undefined && names.length === 0) return noteNoSession(context, user);

  const queued = new Set(identities.map(tokenOf));
  let unqueued = await queue(store, identities);
  const ended = await eachRecord(context, "Ending sessions", names, store.admin.end);
  // Tokens that were refreshed in the meantime, and those that a full disk could not take.
  const latest = ended.flatMap(identitiesIn).filter((identity) => !queued.has(tokenOf(identity)));
  unqueued = await queue(store, [...unqueued, ...latest]);
  if (ended.length > 0) {
    const at = new Date().toISOString();
    const action = { action: "revoke", user, portal, sessions: ended.length, by, at } as const;
    const notNoted = "The server's log will not mention this, because the store is not writable.";
    await noteAction(store, action).catch(() => note(notNoted));
  }
  const { waiting, lost, reasons } = await revokeTokens(context, unqueued, queued.size + latest.length);

  const users = new Set(identities.map(({ portal, username }) => `${portal} ${username}`)).size;
  const endedAt = new Set(identities.map(({ portal }) => portals.get(portal) ?? portal));
  const where = portals.size > 1 && endedAt.size > 0 ? ` at ${[...endedAt].sort().join(", ")}` : "";
  const whose = `${user ?? counted(users, "user")}${where}`;
  print(
    names.length === 0 ? "No session to end.\n" : `Ended ${counted(names.length, "session")} of ${whose}.\n`,
    { ended: names.length, users, waiting, lost },
  );
  const why = [...reasons].join("; ");
  if (lost > 0)
    note(`${counted(lost, "token")} could not be revoked, nor queued (${why}). Revoke them at the portal.`);
  if (waiting > 0)
    note(
      `${counted(waiting, "token")} could not be revoked yet (${why}). A running server tries again within a minute.`,
    );
  return waiting > 0 || lost > 0 ? "waiting" : "done";
}

/** Queues tokens for revocation, and returns those that could not be queued: a full disk must not stop this. */
function queue({ admin }: SealedStore, identities: ArcGISIdentityManager[]) {
  const add = (items: PendingRevocation[]) => [...items, ...identities.map(toPending)];
  return admin.changePending(add).then(
    () => [],
    () => identities,
  );
}

/** Revokes the queued tokens, and these others. */
async function revokeTokens(
  { config, store, progress }: SessionsContext,
  unqueued: ArcGISIdentityManager[],
  total: number,
) {
  const reasons = new Set<string>();
  let lost = 0;
  const step = progress("Revoking tokens", total);
  const onEvent = ({ type, error }: AuthEvent) => {
    if (type === "revoke") step();
    else reasons.add(reasonOf(error));
    // The queue could not be written.
    if (type === "store-failed") lost += 1;
  };
  const { clientId, redirectUri, portal, portalServerUrl, sessionSecrets, encryptionKeys } = config;
  const secrets = { sessionSecret: sessionSecrets, encryptionKey: encryptionKeys };
  const auth = arcgisAuth({ clientId, redirectUri, portal, portalServerUrl, ...secrets, store, onEvent });
  await auth.revoke(unqueued);
  const waiting = await auth.revokePending().catch((error) => {
    reasons.add(reasonOf(error));
    return total - unqueued.length;
  });
  await auth.close();
  return { waiting, lost, reasons };
}

function tokenOf({ refreshToken, token }: ArcGISIdentityManager): string {
  return refreshToken ?? token;
}

/** `rekey`: encrypts everything that is on an older key with the newest one. */
export async function rekey(context: SessionsContext): Promise<"done"> {
  const { config, note, print } = context;
  const { admin } = context.store;
  const isOnlyKey = config.encryptionKeys.length === 1;
  if (!isOnlyKey)
    note(
      "Restart every server with the new key first: without it, a server cannot open what this encrypts, and signs those users out.",
    );
  const outcomes = await eachRecord(context, "Encrypting sessions", await admin.names(), admin.reseal);
  await admin.changePending((items) => items);

  const count = (kind: (typeof outcomes)[number]) => outcomes.filter((outcome) => outcome === kind).length;
  const [resealed, already, unopened] = [count("resealed"), count("on newest key"), count("unreadable")];
  const rest = already > 0 ? ` ${counted(already, "session")} already had it.` : "";
  const text = `Encrypted ${counted(resealed, "session")} with the newest key.${rest}\n`;
  print(text, { resealed, already, unopened });
  if (unopened > 0)
    note(
      `${counted(unopened, "session")} could not be opened: damaged, or encrypted with a key that is not in ENCRYPTION_KEY. They were not changed.`,
    );
  note(
    isOnlyKey
      ? "ENCRYPTION_KEY contains one key only. To replace it, put a new one in front of it, restart the servers, and run this again."
      : "When every server runs with the newest key in front, you can remove the older ones from ENCRYPTION_KEY.",
  );
  return "done";
}

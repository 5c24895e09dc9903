import { promisify } from "node:util";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { refresh } from "./portal.js";

const inProgress = new Map();
const isFresh = (identity) => identity.tokenExpires > new Date();

/** Returns the identity of this session with a token that is valid for minutes. */
export async function freshIdentity(req, identity) {
  if (isFresh(identity)) return identity;
  const { sessionID: id, session } = req;
  if (!inProgress.has(id)) inProgress.set(id, refreshStored(req).finally(() => inProgress.delete(id)));
  const fresh = await inProgress.get(id);
  // This request has the session as it was. Its save would bring the old token back.
  session.identity = fresh.serialize();
  return fresh;
}

async function refreshStored({ sessionID, sessionStore }) {
  const stored = await promisify(sessionStore.get.bind(sessionStore))(sessionID);
  if (!stored) throw new Error("signed out meanwhile");
  const identity = ArcGISIdentityManager.deserialize(stored.identity);
  // Another request may have been faster.
  if (isFresh(identity)) return identity;
  const fresh = await refresh(identity);
  const changed = { ...stored, identity: fresh.serialize() };
  await promisify(sessionStore.set.bind(sessionStore))(sessionID, changed);
  return fresh;
}

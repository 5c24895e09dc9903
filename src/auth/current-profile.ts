import { ArcGISAuthError, type ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { isUnreachable, type PortalBackoff } from "./arcgis/backoff.ts";
import { fetchProfile, type UserProfile } from "./arcgis/user-profile.ts";

/** Roles and groups change now and then (ms). */
const profileMs = 10 * 60_000;
/** Older than this, a profile does not count, even if the portal is down (ms). */
const maxProfileMs = 24 * 60 * 60_000;

export interface ProfileSource {
  session: { id: string; username: string };
  /** Of profile requests to this portal. */
  backoff: PortalBackoff;
  identity(): Promise<ArcGISIdentityManager>;
  store(user: UserProfile): Promise<void>;
  onFailure(error: unknown): void;
}

/** The profile in the session, or a newer one when that is old. If the portal is down, rights stay as they were for a day. */
export async function currentProfile(user: UserProfile, source: ProfileSource): Promise<UserProfile> {
  const { session, backoff } = source;
  // A profile from the future was fetched while the clock was wrong: it is as old as it is early.
  const ageMs = Math.abs(Date.now() - user.fetchedAt);
  const isEnough = ageMs < maxProfileMs;
  if (ageMs < profileMs || (isEnough && backoff.isWaiting(session.id))) return user;
  try {
    const identity = await source.identity();
    const fetch = () => fetchProfile(identity);
    const profile = await (isEnough ? backoff.run(session, fetch) : fetch()).catch(async (error) => {
      if (!(error instanceof ArcGISAuthError)) throw error;
      // The token was ended at the portal before its time.
      return fetchProfile(await identity.refreshCredentials());
    });
    await source.store(profile);
    return profile;
  } catch (error) {
    if (!isEnough || !isUnreachable(error)) throw error;
    source.onFailure(error);
    return user;
  }
}

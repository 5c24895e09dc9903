import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { portalRequest } from "./request.ts";

/** An organisation's name is asked for again after so long (ms). */
const keptMs = 10 * 60_000;
/** Of so many organisations; a portal of one's own has one. */
const most = 1_000;

const ask = portalRequest({ timeoutMs: 3_000 });

/** Names by the portal and the organisation's id. */
const kept = new Map<string, { name: string; askedAt: number }>();
/** When a name was last kept, by the portal. */
const lastKept = new Map<string, number>();

/**
 * Gives a function that tells what the organisation of this id is called, which must be the one of this person; the
 * portal tells its members alone (portals/self). `undefined` when it does not say.
 *
 * All members see the same name, so most sign-ins need not ask. Where nothing is known of a portal, it is asked at
 * once, while it tells who the person is.
 */
export function organizationNames(identity: ArcGISIdentityManager) {
  const { portal } = identity;
  const fresh = (since = Number.NEGATIVE_INFINITY) => Math.abs(Date.now() - since) < keptMs;
  let asked = fresh(lastKept.get(portal)) ? undefined : askName(identity);

  return async (orgId: string | undefined): Promise<string | undefined> => {
    const key = `${portal} ${orgId}`;
    const known = orgId === undefined ? undefined : kept.get(key);
    if (known && fresh(known.askedAt)) return known.name;
    asked ??= askName(identity);
    const name = await asked;
    if (orgId === undefined || name === undefined) return name;
    kept.delete(key);
    kept.set(key, { name, askedAt: Date.now() });
    lastKept.set(portal, Date.now());
    const [oldest] = kept.keys();
    if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    return name;
  };
}

async function askName(authentication: ArcGISIdentityManager): Promise<string | undefined> {
  const self = { httpMethod: "GET", authentication } as const;
  const { name } = await ask(`${authentication.portal}/portals/self`, self).catch(() => ({
    name: undefined,
  }));
  return typeof name === "string" && name !== "" ? name.slice(0, 256) : undefined;
}

import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { remembered } from "./remembered.ts";
import { portalRequest } from "./request.ts";

/** An organisation's name is asked for again after so long (ms). */
const keptMs = 10 * 60_000;

const ask = portalRequest({ timeoutMs: 3_000 });

/** Names by the portal and the organisation's id. */
const names = remembered<string>(keptMs);
/** When a portal last told one (ms, `performance.now`). */
const toldAt = new Map<string, number>();

/**
 * Gives a function that tells what the organisation of this id is called, which must be the one of this person; the
 * portal tells its members alone (portals/self). `undefined` when it does not say.
 *
 * All members see the same name, so most sign-ins need not ask. Where nothing is known of a portal, it is asked at
 * once, while it tells who the person is.
 */
export function organizationNames(identity: ArcGISIdentityManager) {
  const { portal } = identity;
  const isKnown = performance.now() < (toldAt.get(portal) ?? Number.NEGATIVE_INFINITY) + keptMs;
  let asked = isKnown ? undefined : askName(identity);
  // When it is not known who the person is, nobody wants to know this.
  asked?.catch(() => {});

  return (orgId: string | undefined): Promise<string | undefined> => {
    const once = () => {
      asked ??= askName(identity);
      return asked;
    };
    const name = orgId === undefined ? once() : names.get(`${portal} ${orgId}`, once);
    return name.catch(() => undefined);
  };
}

async function askName(identity: ArcGISIdentityManager): Promise<string> {
  const { portal } = identity;
  const { name } = await ask(`${portal}/portals/self`, { httpMethod: "GET", authentication: identity });
  if (typeof name !== "string" || name === "") throw new TypeError("an organisation without a name");
  toldAt.set(portal, performance.now());
  return name.slice(0, 256);
}

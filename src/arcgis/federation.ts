import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { normalPath } from "../app/config/allowed-urls.ts";
import { AppError } from "../errors.ts";
import { remembered } from "./remembered.ts";
import { portalRequest } from "./request.ts";
import { isOnline } from "./token-targets.ts";

const ask = portalRequest();
/** Windows does not care for capitals, nor for dots and spaces at the end of a name. */
const service = /^(.*?)\/rest[ .]*(?:\/|$)/i;
const minutes = 30;
/** Longer than the URL of any portal. */
const longestUrl = 2048;
// `expires` is a time of the portal's clock, which need not be ours: half of what was asked for is safe.
const tokens = remembered<string>((minutes / 2) * 60_000);
const federated = remembered<boolean>(5 * 60_000);

/**
 * Gives a token for an ArcGIS Server that is federated with the person's portal. The server says which portal
 * it belongs to, and only the portal itself, never the server, is shown the person's token.
 *
 * @throws AppError token_target when the address is no service of a server federated with this portal;
 *   portal_unreachable and its kin.
 */
export async function serverToken({ portal, token }: ArcGISIdentityManager, url: string): Promise<string> {
  const root = serverRoot(url, portal);
  const isOurs = await federated.get(`${portal} ${root}`, async () => {
    const { owningSystemUrl } = await ask(`${root}/rest/info`, { httpMethod: "GET" });
    return owns(owningSystemUrl, portal);
  });
  if (!isOurs) throw new AppError("token_target", { cause: "the server is not federated with this portal" });

  return tokens.get(`${token} ${root}`, async () => {
    const params = { request: "getToken", serverUrl: root, token, expiration: minutes };
    const answer = await ask(`${portal}/generateToken`, { params });
    if (typeof answer.token !== "string") {
      throw new AppError("portal_answer_invalid", { cause: "generateToken gave no token" });
    }
    return answer.token;
  });
}

/** Forgets the token of a server that has refused it. */
export function forgetServerToken(token: string): void {
  tokens.forget(token);
}

/** Whether this is the address of an ArcGIS service, `https://host/webadaptor/rest/...`. */
export function isService({ pathname }: Pick<URL, "pathname">): boolean {
  return service.test(normalPath(pathname));
}

/** `https://host/webadaptor` of a service's address (`.../rest/services/...`). */
function serverRoot(url: string, portal: string): string {
  const { protocol, origin, pathname } = URL.canParse(url) ? new URL(url) : new URL("invalid:");
  const root = service.exec(normalPath(pathname))?.[1];
  const secure = protocol === "https:" || (protocol === "http:" && portal.startsWith("http:"));
  if (root === undefined || !secure)
    throw new AppError("token_target", { cause: "this is no ArcGIS service" });
  return origin + root;
}

function owns(owningSystemUrl: unknown, portal: string): boolean {
  if (typeof owningSystemUrl !== "string" || owningSystemUrl.length > longestUrl) return false;
  if (!URL.canParse(owningSystemUrl)) return false;
  const owner = new URL(owningSystemUrl);
  if (isOnline(owner) && isOnline(new URL(portal))) return true;
  return `${owningSystemUrl.replace(/(?<!\/)\/+$/, "")}/sharing/rest`.toLowerCase() === portal.toLowerCase();
}

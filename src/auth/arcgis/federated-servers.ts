import { ArcGISAuthError, type ArcGISIdentityManager, ArcGISRequestError } from "@esri/arcgis-rest-request";
import { AuthError } from "../errors.ts";
import { isUnreachable, portalRequest } from "./portal-request.ts";
import { isToken } from "./token-response.ts";
import { hasServicePath, isSamePortal, mayReceivePortalToken, serverRoot } from "./trusted-urls.ts";

const request = portalRequest();
const maxEntries = 1_000;
/** What servers say about themselves, by `https://host/webadaptor`. A server may be federated any time. */
const servers = shared<Awaited<ReturnType<typeof askServer>>>(5 * 60_000);
/** By the portal's token and the server. A token is asked for 30 minutes by the portal's clock, so half of that is safe. */
const tokens = shared<string>(15 * 60_000);

/** Returns a function that makes a result once for all who ask for a key, until it is too old, `rejected` or an error. */
function shared<T>(maxAgeMs: number) {
  const entries = new Map<string, { result: Promise<T>; value?: T; until: number }>();
  return (key: string, make: () => Promise<T>, rejected?: T): Promise<T> => {
    const known = entries.get(key);
    const isRejected = rejected !== undefined && known?.value === rejected;
    if (known && !isRejected && performance.now() < known.until) return known.result;
    const entry: typeof known = { result: make(), until: performance.now() + maxAgeMs };
    entry.result.then(
      (value) => Object.assign(entry, { value }),
      () => entries.get(key) === entry && entries.delete(key),
    );
    entries.delete(key);
    entries.set(key, entry);
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    return entry.result;
  };
}

/**
 * A token for an ArcGIS Server that is federated with the portal. Only the portal sees the user's token. `rejected` is
 * a token that the server did not accept: it gets another one.
 */
export async function federatedToken(
  identity: ArcGISIdentityManager,
  url: string,
  rejected?: string,
): Promise<string> {
  const root = serverRoot(url);
  if (!root?.startsWith("https:") && !(root && identity.portal.startsWith("http:")))
    throw new AuthError("untrusted_url", { cause: "this is no ArcGIS service" });
  const token = () => tokens(`${identity.token} ${root}`, () => generateToken(identity, root), rejected);
  return token()
    .catch(async (error) => {
      if (!(error instanceof ArcGISAuthError)) throw error;
      // The portal ended its own token early.
      await identity.refreshCredentials();
      return token();
    })
    .catch((cause) => {
      if (cause instanceof ArcGISAuthError) throw new AuthError("token_rejected", { cause });
      if (cause instanceof ArcGISRequestError) throw new AuthError("portal_response_invalid", { cause });
      throw cause;
    });
}

async function generateToken({ portal, token }: ArcGISIdentityManager, root: string): Promise<string> {
  const { owner } = await servers(root, () => askServer(root));
  // Any server can claim to belong to a portal: the portal decides.
  if (!isSamePortal(owner, portal)) {
    const named =
      typeof owner === "string" && owner ? `belongs to ${owner.slice(0, 200)}` : "names no portal";
    throw new AuthError("untrusted_url", { cause: `${root} ${named}, and the user to ${portal}` });
  }
  const params = { request: "getToken", serverUrl: root, token, expiration: 30 };
  const response = await request(`${portal}/generateToken`, { params });
  if (!isToken(response.token))
    throw new AuthError("portal_response_invalid", { cause: "generateToken returned no token" });
  return response.token;
}

/** `owner` is the portal that the server claims to belong to. */
async function askServer(root: string): Promise<{ isArcGIS: boolean; owner?: unknown }> {
  try {
    const info = await request(`${root}/rest/info`, { httpMethod: "GET" });
    const owner = info.owningSystemUrl;
    return { isArcGIS: Boolean(info.currentVersion ?? info.authInfo ?? owner), owner };
  } catch (error) {
    if (isUnreachable(error)) throw error;
    // It is closed, missing or not that of an ArcGIS Server.
    return { isArcGIS: false };
  }
}

/**
 * Whether a URL, its path in normal form, is that of a service of an ArcGIS Server beside the portal. Such a server gets
 * a token of its own, or none. Many other APIs have a `/rest/` in their paths, too.
 */
export async function isArcGISService({ origin, pathname }: URL, portal: string): Promise<boolean> {
  const url = origin + pathname;
  if (mayReceivePortalToken(portal, url) || !hasServicePath(pathname)) return false;
  const root = serverRoot(url);
  return root === undefined || (await servers(root, () => askServer(root))).isArcGIS;
}

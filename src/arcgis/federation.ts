import { createHash } from "node:crypto";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { AppError } from "../errors.ts";
import { portalRequest } from "./request.ts";
import { isOnline } from "./token-targets.ts";

interface ServerToken {
  token: string;
  /** When to ask for a new one (ms since 1970, by our own clock). */
  renewAt: number;
}

const ask = portalRequest();
const minutes = 30;
const mostTokens = 1_000;
const tokens = new Map<string, ServerToken>();

/**
 * Gives a token for an ArcGIS Server that is federated with the person's portal. The server says which portal
 * it belongs to, and only the portal itself, never the server, is shown the person's token.
 *
 * @throws AppError token_target when the address is no service of a server federated with this portal;
 *   portal_unreachable and its kin.
 */
export async function serverToken(identity: ArcGISIdentityManager, url: string): Promise<string> {
  const root = serverRoot(url, identity.portal);
  const key = createHash("sha256").update(`${identity.token}|${root}`).digest("hex");
  const known = tokens.get(key);
  if (known && Date.now() < known.renewAt) return known.token;

  const { owningSystemUrl } = await ask(`${root}/rest/info`, { httpMethod: "GET" });
  if (!owns(owningSystemUrl, identity.portal)) {
    throw new AppError("token_target", { cause: "the server is not federated with this portal" });
  }
  const answer = await ask(`${identity.portal}/generateToken`, {
    params: { request: "getToken", serverUrl: root, token: identity.token, expiration: minutes },
  });
  if (typeof answer.token !== "string") {
    throw new AppError("portal_answer_invalid", { cause: "generateToken gave no token" });
  }
  // `expires` is a time of the portal's clock, which need not be ours: half of what was asked for is safe.
  remember(key, { token: answer.token, renewAt: Date.now() + (minutes / 2) * 60_000 });
  return answer.token;
}

/** Forgets the token of a server that has refused it. */
export function forgetServerToken(token: string): void {
  for (const [key, known] of tokens) if (known.token === token) tokens.delete(key);
}

function remember(key: string, token: ServerToken): void {
  tokens.delete(key);
  tokens.set(key, token);
  const [oldest] = tokens.keys();
  if (tokens.size > mostTokens && oldest !== undefined) tokens.delete(oldest);
}

/** `https://host/webadaptor` of a service's address (`.../rest/services/...`). */
function serverRoot(url: string, portal: string): string {
  const { protocol, origin, pathname } = URL.canParse(url) ? new URL(url) : new URL("invalid:");
  const root = /^(.*?)\/rest(?:\/|$)/.exec(pathname)?.[1];
  const secure = protocol === "https:" || (protocol === "http:" && portal.startsWith("http:"));
  if (root === undefined || !secure)
    throw new AppError("token_target", { cause: "this is no ArcGIS service" });
  return origin + root;
}

function owns(owningSystemUrl: unknown, portal: string): boolean {
  if (typeof owningSystemUrl !== "string" || !URL.canParse(owningSystemUrl)) return false;
  const owner = new URL(owningSystemUrl);
  if (isOnline(owner) && isOnline(new URL(portal))) return true;
  return `${owningSystemUrl.replace(/\/+$/, "")}/sharing/rest`.toLowerCase() === portal.toLowerCase();
}

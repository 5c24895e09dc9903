import type { Request } from "express";
import { invalidToken, tokenRequired } from "./arcgis-json.ts";
import type { SandboxContext } from "./context.ts";
import { accessTokenOf } from "./request-params.ts";
import type { SandboxUser } from "./users.ts";

/**
 * The user whose token is sent along, and the app; `undefined` without a token.
 * @throws ArcGISError 498 for a bad token
 */
export function signedIn(req: Request, { users, tokens }: SandboxContext) {
  const token = accessTokenOf(req);
  if (!token) return undefined;
  const { username, clientId } = tokens.findAccessToken(token) ?? {};
  const user = users.find((each) => each.username === username);
  if (!user) throw invalidToken;
  return { user, clientId };
}

/** @throws ArcGISError also without a token, 499 */
export function requireUser(req: Request, context: SandboxContext): SandboxUser {
  const found = signedIn(req, context);
  if (!found) throw tokenRequired;
  return found.user;
}

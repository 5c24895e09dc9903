import type { Request } from "express";
import { invalidToken, tokenRequired } from "./arcgis-json.ts";
import type { SandboxContext } from "./context.ts";
import { accessTokenOf } from "./request-params.ts";
import type { SandboxUser } from "./users.ts";

type State = Pick<SandboxContext, "users" | "tokens">;

/**
 * The user whose token is sent along, and the app; `undefined` without a token.
 * @throws ArcGISError 498 for a bad token
 */
export function signedIn(req: Request, { users, tokens }: State) {
  const text = accessTokenOf(req);
  if (!text) return undefined;
  const token = tokens.findAccessToken(text);
  const user = users.find(({ username }) => username === token?.username);
  if (!token || !user) throw invalidToken;
  return { user, clientId: token.clientId };
}

/** @throws ArcGISError also without a token, 499 */
export function requireUser(req: Request, state: State): SandboxUser {
  const found = signedIn(req, state);
  if (!found) throw tokenRequired;
  return found.user;
}

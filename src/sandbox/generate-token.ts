import { Router } from "express";
import { arcgisError, invalidToken, sendJson, tokenRequired } from "./arcgis-json.ts";
import type { SandboxContext } from "./context.ts";
import { param, paramsOf } from "./request-params.ts";
import { randomToken } from "./token-store.ts";

const expirationMinutes = { default: 60, max: 20160 };

/**
 * `generateToken` with `request=getToken`: exchanges the user's token for one of a federated server. The variant with
 * user name and password is missing, because the sandbox has no passwords.
 *
 * No public response of ArcGIS for an unknown server was found; this one follows the pattern of the others.
 */
export function generateTokenRoutes({ at, servers, serverTokens, tokens, clock }: SandboxContext): Router {
  const router = Router();

  router.post("/generateToken", at("generateToken"), (req, res) => {
    const params = paramsOf(req);
    const token = param(params, "token");
    const serverUrl = param(params, "serverUrl");
    const user = tokens.findAccessToken(token ?? "");
    if (!token) return sendJson(req, res, tokenRequired);
    if (!user) return sendJson(req, res, invalidToken);
    // The Maps SDK sends the URL of the service, other clients the root of the server.
    const root = servers.find((each) => serverUrl === each || serverUrl?.startsWith(`${each}/`));
    if (root === undefined) return sendJson(req, res, arcgisError(400, "Unable to generate token."));

    const requested = Number(param(params, "expiration"));
    const minutes = requested > 0 ? Math.min(requested, expirationMinutes.max) : expirationMinutes.default;
    const expires = clock() + minutes * 60_000;
    const serverToken = randomToken(96);
    serverTokens.set(serverToken, { username: user.username, serverUrl: root, expires });
    sendJson(req, res, { token: serverToken, expires, ssl: false });
  });

  return router;
}

import { Router } from "express";
import { ArcGISError, arcgisError, sendJson } from "./arcgis-json.ts";
import { requireUser } from "./authentication.ts";
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
export function generateTokenRoutes(context: SandboxContext): Router {
  const { at, servers, serverTokens, clock } = context;
  const router = Router();

  router.post("/generateToken", at("generateToken"), (req, res) => {
    const { username } = requireUser(req, context);
    const serverUrl = param(paramsOf(req), "serverUrl");
    // The Maps SDK sends the URL of the service, other clients the root of the server.
    const root = servers.find((each) => serverUrl === each || serverUrl?.startsWith(`${each}/`));
    if (root === undefined) throw new ArcGISError(arcgisError(400, "Unable to generate token."));

    const requested = Number(param(paramsOf(req), "expiration"));
    const minutes = requested > 0 ? Math.min(requested, expirationMinutes.max) : expirationMinutes.default;
    const expires = clock() + minutes * 60_000;
    const token = randomToken(96);
    serverTokens.set(token, { username, serverUrl: root, expires });
    sendJson(req, res, { token, expires, ssl: false });
  });

  return router;
}

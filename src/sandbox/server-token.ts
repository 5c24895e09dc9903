import { Router } from "express";
import { answer, arcgisError, invalidToken, paramsOf, text, tokenRequired } from "./answers.ts";
import type { Context } from "./context.ts";
import { randomToken } from "./grants.ts";

/** Minutes: what is given without being asked, and at most. */
const expirations = { byDefault: 60, most: 20160 };

/**
 * `generateToken` with `request=getToken`: a token for a server that is federated with this portal, in exchange
 * for the person's own. (The other use of it, with user name and password, is not here: there are no passwords.)
 *
 * For the refusal of an unknown server no answer of ArcGIS was found; it follows the others.
 */
export function serverTokenRoutes(portal: Context): Router {
  const router = Router();

  router.post("/generateToken", portal.at("generateToken"), (req, res) => {
    const params = paramsOf(req);
    const token = text(params, "token");
    const serverUrl = text(params, "serverUrl");
    const person = portal.grants.findAccessToken(token ?? "");
    if (!token) return answer(req, res, tokenRequired);
    if (!person) return answer(req, res, invalidToken);
    // The Maps SDK names the service that it wants to see, others the server's root.
    const root = portal.servers.find((each) => serverUrl === each || serverUrl?.startsWith(`${each}/`));
    if (root === undefined) return answer(req, res, arcgisError(400, "Unable to generate token."));

    const asked = Number(text(params, "expiration"));
    const minutes = asked > 0 ? Math.min(asked, expirations.most) : expirations.byDefault;
    const expires = portal.now() + minutes * 60_000;
    const serverToken = randomToken(96);
    portal.serverTokens.set(serverToken, { username: person.username, serverUrl: root, expires });
    answer(req, res, { token: serverToken, expires, ssl: false });
  });

  return router;
}

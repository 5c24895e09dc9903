import { createHash } from "node:crypto";
import { Router } from "express";
import { arcgisError, invalidRefreshToken, notSpecified, oauthError, sendJson } from "./arcgis-json.ts";
import { requireUser } from "./authentication.ts";
import type { SandboxClient, SandboxContext } from "./context.ts";
import { param, paramsOf, type RequestParams } from "./request-params.ts";
import { type Authorization, type CodeChallenge, randomToken } from "./token-store.ts";

const invalidClientId = oauthError(400, "invalid_client_id", "Invalid client_id");
const invalidRedirectUri = oauthError(400, "invalid_request", "Invalid redirect_uri");

/**
 * `oauth2/token` and `oauth2/revokeToken`.
 *
 * "refresh_token expired", "Invalid client_id", "Invalid client_secret" and "redirect_uri not specified" are
 * ArcGIS's own words (Esri/arcgis-rest-js, tests of arcgis-rest-request and issue 1290), and so is "code
 * expired" (support.esri.com 000029271). The other errors follow the same pattern.
 */
export function tokenRoutes({ at, clients, settings, tokens }: SandboxContext): Router {
  const router = Router();
  /** The parameters that each grant type needs. */
  const needed = new Map([
    ["authorization_code", ["code", "redirect_uri"]],
    ["refresh_token", ["refresh_token"]],
    ["exchange_refresh_token", ["refresh_token", "redirect_uri"]],
  ]);

  // Both endpoints send JSON whatever `f` says.
  router.post("/oauth2/token", at("token"), (req, res) => {
    res.json(tokenResponse(paramsOf(req)));
  });

  router.post("/oauth2/revokeToken", at("revokeToken"), (req, res) => {
    const params = paramsOf(req);
    const client = clientOf(params);
    if (!client) return void res.json(arcgisError(400, "Invalid client_id"));

    // An unknown token and a token of another app are a success, too: the response proves nothing.
    tokens.revoke(param(params, "auth_token") ?? "", client.clientId);
    res.json({ success: true });
  });

  router.all(["/oauth2/token", "/oauth2/revokeToken"], (req, res) => {
    res.status(405).set("Allow", "POST");
    sendJson(req, res, arcgisError(405, "Only HTTP POST is supported."));
  });

  function tokenResponse(params: RequestParams): object {
    const client = clientOf(params);
    if (!param(params, "client_id")) return notSpecified("client_id");
    if (!client) return invalidClientId;
    if (client.clientSecret && param(params, "client_secret") !== client.clientSecret)
      return oauthError(400, "invalid_request", "Invalid client_secret");

    const grantType = param(params, "grant_type");
    if (!grantType) return notSpecified("grant_type");
    const names = needed.get(grantType);
    if (!names) return oauthError(400, "unsupported_grant_type", "Invalid grant_type");
    const missing = names.find((name) => !param(params, name));
    if (missing) return notSpecified(missing);
    return grantType === "authorization_code" ? exchangeCode(client, params) : refresh(client, params);
  }

  function exchangeCode({ clientId }: SandboxClient, params: RequestParams): object {
    const verifier = param(params, "code_verifier");
    const code = tokens.redeemCode(param(params, "code") ?? "");
    if (code?.authorization.clientId !== clientId) return oauthError(498, "invalid_request", "code expired");
    const { authorization, challenge } = code;
    if (authorization.redirectUri !== param(params, "redirect_uri")) return invalidRedirectUri;
    if (challenge && !verifier) return notSpecified("code_verifier");
    if (challenge && madeFrom(verifier ?? "", challenge.method) !== challenge.value)
      return oauthError(400, "invalid_request", "Invalid code_verifier");

    code.refreshToken = tokens.issueRefreshToken(authorization);
    return tokenPair(code.refreshToken, authorization);
  }

  /** Responds with a new access token, or with a new pair, which ends the old pair. */
  function refresh({ clientId }: SandboxClient, params: RequestParams): object {
    const token = param(params, "refresh_token") ?? "";
    const found = tokens.findRefreshToken(token, clientId);
    if (!found) return invalidRefreshToken;
    if (found.isExpired) return oauthError(498, "invalid_request", "refresh_token expired");
    if (param(params, "grant_type") === "refresh_token") return accessToken(token, found.username);
    if (found.redirectUri !== param(params, "redirect_uri")) return invalidRedirectUri;
    tokens.endRefreshToken(token);
    return tokenPair(tokens.issueRefreshToken(found), found);
  }

  function tokenPair(refreshToken: string, { username, refreshTokenSeconds }: Authorization): object {
    return {
      ...accessToken(refreshToken, username),
      refresh_token: refreshToken,
      ...(!settings.omitRefreshTokenExpiry && { refresh_token_expires_in: refreshTokenSeconds }),
    };
  }

  function accessToken(refreshToken: string, username: string): object {
    const access_token = tokens.issueAccessToken(refreshToken);
    // `ssl` says whether the token needs https; this portal has http.
    return { access_token, expires_in: settings.accessTokenSeconds, username, ssl: false };
  }

  function clientOf(params: RequestParams): SandboxClient | undefined {
    return clients.find(({ clientId }) => clientId === param(params, "client_id"));
  }

  return router;
}

/** The code challenge of a verifier (RFC 7636, 4.2). */
function madeFrom(verifier: string, method: CodeChallenge["method"]): string {
  return method === "plain" ? verifier : createHash("sha256").update(verifier).digest("base64url");
}

/** How long a token for a federated server may live. */
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
    if (root === undefined) throw arcgisError(400, "Unable to generate token.");

    const requested = Number(param(paramsOf(req), "expiration"));
    const minutes = requested > 0 ? Math.min(requested, expirationMinutes.max) : expirationMinutes.default;
    const expires = clock() + minutes * 60_000;
    const token = randomToken(96);
    serverTokens.set(token, { username, serverUrl: root, expires });
    sendJson(req, res, { token, expires, ssl: false });
  });

  return router;
}

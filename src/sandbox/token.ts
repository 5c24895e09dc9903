import { Router } from "express";
import {
  answer,
  arcgisError,
  invalidClientId,
  notSpecified,
  oauthError,
  type Params,
  paramsOf,
  text,
} from "./answers.ts";
import type { Client, Context } from "./context.ts";
import { type Grant, verifierFits } from "./grants.ts";

/**
 * `oauth2/token` and `oauth2/revokeToken`: where an app comes with a code or a refresh token.
 *
 * "refresh_token expired", "Invalid client_id", "Invalid client_secret" and "redirect_uri not specified" are
 * ArcGIS's own words (Esri/arcgis-rest-js, tests of arcgis-rest-request and issue 1290), and so is "code
 * expired" (support.esri.com 000029271). For the other refusals no answer of ArcGIS was found; theirs
 * follow the same pattern.
 */
export function tokenRoutes(portal: Context): Router {
  const { settings, grants } = portal;
  const router = Router();

  // These two answer JSON whatever `f` says.
  router.post("/oauth2/token", portal.at("token"), (req, res) => {
    res.json(tokenAnswer(paramsOf(req)));
  });

  router.post("/oauth2/revokeToken", portal.at("revokeToken"), (req, res) => {
    const params = paramsOf(req);
    const client = clientOf(portal, params);
    if (!client) return void res.json(arcgisError(400, "Invalid client_id"));

    // Also a token that is unknown, or of another app, is answered with success: it proves nothing.
    grants.revoke(text(params, "auth_token") ?? "", client.clientId);
    res.json({ success: true });
  });

  router.all(["/oauth2/token", "/oauth2/revokeToken"], (req, res) => {
    res.status(405).set("Allow", "POST");
    answer(req, res, arcgisError(405, "Only HTTP POST is supported."));
  });

  function tokenAnswer(params: Params): object {
    const client = clientOf(portal, params);
    if (!text(params, "client_id")) return notSpecified("client_id");
    if (!client) return invalidClientId;
    if (client.clientSecret && text(params, "client_secret") !== client.clientSecret) {
      return oauthError(400, "invalid_request", "Invalid client_secret");
    }

    switch (text(params, "grant_type")) {
      case undefined:
        return notSpecified("grant_type");
      case "authorization_code":
        return exchangeCode(client, params);
      case "refresh_token":
        return refresh(client, params);
      case "exchange_refresh_token":
        return exchangeRefreshToken(client, params);
      default:
        return oauthError(400, "unsupported_grant_type", "Invalid grant_type");
    }
  }

  function exchangeCode({ clientId }: Client, params: Params): object {
    const token = text(params, "code");
    const redirectUri = text(params, "redirect_uri");
    const verifier = text(params, "code_verifier");
    if (!token) return notSpecified("code");
    if (!redirectUri) return notSpecified("redirect_uri");

    const code = grants.spendCode(token);
    if (code?.clientId !== clientId) return oauthError(498, "invalid_request", "code expired");
    if (code.redirectUri !== redirectUri) return oauthError(400, "invalid_request", "Invalid redirect_uri");
    if (code.challenge && !verifier) return notSpecified("code_verifier");
    if (code.challenge && !verifierFits(verifier ?? "", code.challenge)) {
      return oauthError(400, "invalid_request", "Invalid code_verifier");
    }

    code.gave = grants.issueRefreshToken(code);
    return pair(code.gave, code);
  }

  function refresh({ clientId }: Client, params: Params): object {
    const token = text(params, "refresh_token");
    if (!token) return notSpecified("refresh_token");

    const grant = grants.findRefreshToken(token, clientId);
    if (!grant) return oauthError(498, "invalid_request", "Invalid refresh_token");
    if (grant.expired) return oauthError(498, "invalid_request", "refresh_token expired");
    return accessToken(token, grant);
  }

  function exchangeRefreshToken({ clientId }: Client, params: Params): object {
    const token = text(params, "refresh_token");
    const redirectUri = text(params, "redirect_uri");
    if (!token) return notSpecified("refresh_token");
    if (!redirectUri) return notSpecified("redirect_uri");

    const grant = grants.findRefreshToken(token, clientId);
    if (!grant) return oauthError(498, "invalid_request", "Invalid refresh_token");
    if (grant.expired) return oauthError(498, "invalid_request", "refresh_token expired");
    if (grant.redirectUri !== redirectUri) return oauthError(400, "invalid_request", "Invalid redirect_uri");

    grants.endRefreshToken(token);
    return pair(grants.issueRefreshToken(grant), grant);
  }

  function pair(refreshToken: string, grant: Grant): object {
    return {
      ...accessToken(refreshToken, grant),
      refresh_token: refreshToken,
      ...(!settings.omitRefreshTokenExpiry && { refresh_token_expires_in: grant.refreshTokenSeconds }),
    };
  }

  function accessToken(refreshToken: string, grant: Grant): object {
    return {
      access_token: grants.issueAccessToken(refreshToken, grant),
      expires_in: settings.accessTokenSeconds,
      username: grant.username,
      ssl: false, // whether the token may travel by https only; this portal has http
    };
  }

  return router;
}

function clientOf(portal: Context, params: Params): Client | undefined {
  return portal.clients.find(({ clientId }) => clientId === text(params, "client_id"));
}

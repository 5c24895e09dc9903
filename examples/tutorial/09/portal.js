import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";

/** The portal's sign-in page. */
export function authorizeUrl({ portal, clientId, redirectUri }, { state, codeChallenge }) {
  const params = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    expiration: 20160, // minutes: the refresh token lives for two weeks
    state,
    code_challenge: codeChallenge,
    code_challenge_method: "S256",
  };
  return `${portal}/oauth2/authorize?${new URLSearchParams(params)}`;
}

/** Exchanges an authorization code for an identity. */
export async function exchangeCode(oauth, { code, codeVerifier }) {
  const { portal, clientId, redirectUri } = oauth;
  const response = await ask(`${portal}/oauth2/token`, {
    grant_type: "authorization_code",
    client_id: clientId,
    redirect_uri: redirectUri,
    code,
    code_verifier: codeVerifier,
  });
  return identityFrom(oauth, response);
}

/** Returns the identity with a new access token. */
export async function refresh({ portal, clientId, redirectUri, refreshToken, refreshTokenExpires }) {
  const response = await ask(`${portal}/oauth2/token`, {
    grant_type: "refresh_token",
    client_id: clientId,
    refresh_token: refreshToken,
  });
  const { username, ssl, token, tokenExpires } = identityFrom({ portal, clientId, redirectUri }, response);
  return new ArcGISIdentityManager({
    portal,
    clientId,
    redirectUri,
    username,
    ssl,
    token,
    tokenExpires,
    refreshToken,
    refreshTokenExpires,
  });
}

/** Revokes the refresh token, and with it every access token that came from it. */
export async function revoke({ portal, clientId, refreshToken }) {
  await ask(`${portal}/oauth2/revokeToken`, { client_id: clientId, auth_token: refreshToken });
}

async function ask(url, params) {
  const response = await fetch(url, {
    method: "POST",
    body: new URLSearchParams({ f: "json", ...params }),
    redirect: "error",
    signal: AbortSignal.timeout(10_000),
  });
  const body = await response.json();
  // ArcGIS reports errors with HTTP status 200. The message is the portal's own, and repeats no secret of ours.
  if (body.error) throw new Error(`the portal said: ${body.error.message}`);
  return body;
}

function identityFrom({ portal, clientId, redirectUri }, response) {
  const { access_token: token, refresh_token: refreshToken, username, ssl } = response;
  const ends = (seconds) => new Date(Date.now() + seconds * 1000 - Math.min(5 * 60, seconds / 5) * 1000);
  return new ArcGISIdentityManager({
    portal,
    clientId,
    redirectUri,
    username,
    ssl,
    token,
    tokenExpires: ends(response.expires_in),
    refreshToken,
    refreshTokenExpires: ends(response.refresh_token_expires_in),
  });
}

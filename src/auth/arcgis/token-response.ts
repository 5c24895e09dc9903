import { AuthError } from "../errors.ts";

/** What the token endpoint returned (RFC 6749, 5.1), in the identity manager's terms. */
export type TokenSet = ReturnType<typeof parseTokenResponse>;

export const isToken = (value: unknown): value is string =>
  typeof value === "string" && /^[\x21-\x7e]{1,8192}$/.test(value);
/** Seconds. No token of ArcGIS lives longer than 90 days; ten years are surely a mistake. */
const isLifetime = (value: unknown): value is number =>
  typeof value === "number" && value > 0 && value <= 10 * 365 * 24 * 60 * 60;
/** It is sent as a header and shown on pages later. */
const isUsername = (value: unknown): value is string =>
  typeof value === "string" && /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,128}$/u.test(value);

/**
 * The refresh margin: an access token is refreshed five minutes early, so that it does not expire on its way; but at
 * most a fifth of its lifetime, or a token of two minutes would be refreshed at every request.
 */
const refreshEarlyMs = 5 * 60_000;
/** An exchange ends the old refresh token at once, so it waits for the last day, or the last fifth. */
const exchangeEarlyMs = 24 * 60 * 60_000;

/** Validates a token response and turns its lifetimes into times. */
export function parseTokenResponse(response: unknown) {
  const fields: Record<string, unknown> = Object(response);
  const { access_token, expires_in, username, ssl, refresh_token, refresh_token_expires_in } = fields;
  const isValid =
    isToken(access_token) &&
    isLifetime(expires_in) &&
    isUsername(username) &&
    (refresh_token === undefined || isToken(refresh_token)) &&
    (refresh_token_expires_in === undefined || isLifetime(refresh_token_expires_in));
  if (!isValid)
    throw new AuthError("portal_response_invalid", { cause: "a field of the token response is invalid" });
  return {
    username,
    token: access_token,
    // When to refresh it.
    tokenExpires: endOf(expires_in, refreshEarlyMs),
    tokenEndsAt: endOf(expires_in),
    ssl: ssl === true,
    // Missing when only the access token was refreshed.
    ...(refresh_token !== undefined && { refreshToken: refresh_token }),
    // Missing when the portal does not say (ArcGIS Enterprise before 10.9.1).
    ...(refresh_token_expires_in !== undefined && {
      refreshTokenExpires: endOf(refresh_token_expires_in),
      // From then on a refresh exchanges the refresh token, too.
      refreshTokenExchangeFrom: endOf(refresh_token_expires_in, exchangeEarlyMs),
    }),
  };
}

function endOf(lifeSeconds: number, earlyMs = 0): Date {
  const lifeMs = lifeSeconds * 1000;
  return new Date(Date.now() + lifeMs - Math.min(earlyMs, lifeMs / 5));
}

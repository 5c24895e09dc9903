import { AuthError } from "../errors.ts";

/** What the token endpoint returned (RFC 6749, 5.1), in the identity manager's terms. */
export interface TokenSet {
  username: string;
  token: string;
  /** When to refresh it: some minutes before `tokenEndsAt`. */
  tokenExpires: Date;
  tokenEndsAt: Date;
  ssl: boolean;
  /** Missing when only the access token was refreshed. */
  refreshToken?: string;
  /** Missing when the portal does not say (ArcGIS Enterprise before 10.9.1). */
  refreshTokenExpires?: Date;
  /** From then on a refresh exchanges the refresh token, too; see `exchangeFrom`. */
  refreshTokenExchangeFrom?: Date;
}

/** No token of ArcGIS lives longer than 90 days; ten years are surely a mistake. */
const maxLifeSeconds = 10 * 365 * 24 * 60 * 60;
const refreshEarlyMs = 5 * 60_000;
const dayMs = 24 * 60 * 60_000;

/** Validates a token response: what is stored here is sent as a header and shown on pages later. */
export function parseTokenResponse(response: Record<string, unknown>): TokenSet {
  const { access_token, expires_in, username, ssl, refresh_token, refresh_token_expires_in } = response;
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
    tokenExpires: refreshAt(expires_in),
    tokenEndsAt: new Date(Date.now() + expires_in * 1000),
    ssl: ssl === true,
    ...(refresh_token !== undefined && { refreshToken: refresh_token }),
    ...(refresh_token_expires_in !== undefined && {
      refreshTokenExpires: refreshAt(refresh_token_expires_in),
      refreshTokenExchangeFrom: exchangeFrom(refresh_token_expires_in),
    }),
  };
}

/**
 * The refresh margin: a token is refreshed five minutes early, as the ArcGIS library has it, so that it does not expire
 * on its way; but at most a fifth of its lifetime, or a token of two minutes would be refreshed at every request.
 */
function refreshAt(lifeSeconds: number): Date {
  const lifeMs = lifeSeconds * 1000;
  return new Date(Date.now() + lifeMs - Math.min(refreshEarlyMs, lifeMs / 5));
}

/** An exchange ends the old pair at once, so it waits for the last day, or the last fifth of what was granted. */
function exchangeFrom(lifeSeconds: number): Date {
  const lifeMs = lifeSeconds * 1000;
  return new Date(Date.now() + lifeMs - Math.min(dayMs, lifeMs / 5));
}

function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,8192}$/.test(value);
}

function isLifetime(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= maxLifeSeconds;
}

function isUsername(value: unknown): value is string {
  return typeof value === "string" && /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,128}$/u.test(value);
}

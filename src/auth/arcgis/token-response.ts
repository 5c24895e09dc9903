import { z } from "zod";
import { AuthError } from "../errors.ts";

/** What the token endpoint returned (RFC 6749, 5.1), in the identity manager's terms. */
export interface TokenSet {
  username: string;
  token: string;
  /** When to refresh it: some minutes before `tokenEndsAt`, and not after `refreshTokenExchangeFrom`. */
  tokenExpires: Date;
  tokenEndsAt: Date;
  ssl: boolean;
  /** Missing when only the access token was refreshed. */
  refreshToken?: string;
  /** Missing when the portal does not say (ArcGIS Enterprise before 10.9.1). */
  refreshTokenExpires?: Date;
  /** From then on a refresh exchanges the refresh token, too. */
  refreshTokenExchangeFrom?: Date;
}

const token = z.string().regex(/^[\x21-\x7e]{1,8192}$/);
/** Seconds. No token of ArcGIS lives longer than 90 days; ten years are surely a mistake. */
const lifetime = z
  .number()
  .positive()
  .max(10 * 365 * 24 * 60 * 60);
/** What is stored of it is sent as a header and shown on pages later. */
const tokenResponse = z.object({
  access_token: token,
  expires_in: lifetime,
  username: z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,128}$/u),
  ssl: z.unknown().optional(),
  refresh_token: token.optional(),
  refresh_token_expires_in: lifetime.optional(),
});

/**
 * The refresh margin: an access token is refreshed five minutes early, so that it does not expire on its way; but at
 * most a fifth of its lifetime, or a token of two minutes would be refreshed at every request.
 */
const refreshEarlyMs = 5 * 60_000;
/** An exchange ends the old refresh token at once, so it waits for the last day, or the last fifth. */
const exchangeEarlyMs = 24 * 60 * 60_000;

/** Validates a token response and turns its lifetimes into times. */
export function parseTokenResponse(response: unknown): TokenSet {
  const { success, data } = tokenResponse.safeParse(response);
  if (!success)
    throw new AuthError("portal_response_invalid", { cause: "a field of the token response is invalid" });
  const { refresh_token, refresh_token_expires_in } = data;
  return {
    username: data.username,
    token: data.access_token,
    tokenExpires: endOf(data.expires_in, refreshEarlyMs),
    tokenEndsAt: endOf(data.expires_in),
    ssl: data.ssl === true,
    ...(refresh_token !== undefined && { refreshToken: refresh_token }),
    ...(refresh_token_expires_in !== undefined && {
      refreshTokenExpires: endOf(refresh_token_expires_in),
      refreshTokenExchangeFrom: endOf(refresh_token_expires_in, exchangeEarlyMs),
    }),
  };
}

function endOf(lifeSeconds: number, earlyMs = 0): Date {
  const lifeMs = lifeSeconds * 1000;
  return new Date(Date.now() + lifeMs - Math.min(earlyMs, lifeMs / 5));
}

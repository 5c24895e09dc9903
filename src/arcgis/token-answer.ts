import { AppError } from "../errors.ts";

/** What the token endpoint grants, in the identity manager's own terms. */
export interface Grant {
  username: string;
  token: string;
  /** When the token is to be renewed: some minutes before its end. */
  tokenExpires: Date;
  /** When the token really ends. */
  tokenEnds: Date;
  ssl: boolean;
  /** Missing when an access token was only renewed. */
  refreshToken?: string;
  /** Missing when the portal does not say (ArcGIS Enterprise before 10.9.1). */
  refreshTokenExpires?: Date;
}

/** No token of ArcGIS lives longer than 90 days; ten years are surely a mistake. */
const longestLifeSeconds = 10 * 365 * 24 * 60 * 60;
const earliestRenewalMs = 5 * 60_000;

/**
 * Reads the answer of the token endpoint. Nothing in it is believed unseen: what is stored here is sent as a
 * header and shown on pages later.
 *
 * https://developers.arcgis.com/rest/users-groups-and-items/token/
 *
 * @throws AppError portal_answer_invalid
 */
export function readTokenAnswer(answer: Record<string, unknown>): Grant {
  const { access_token, expires_in, username, ssl, refresh_token, refresh_token_expires_in } = answer;
  const sound =
    isToken(access_token) &&
    isLife(expires_in) &&
    isUsername(username) &&
    (refresh_token === undefined || isToken(refresh_token)) &&
    (refresh_token_expires_in === undefined || isLife(refresh_token_expires_in));
  if (!sound)
    throw new AppError("portal_answer_invalid", { cause: "the token answer has a field of a wrong kind" });

  return {
    username,
    token: access_token,
    tokenExpires: renewal(expires_in),
    tokenEnds: new Date(Date.now() + expires_in * 1000),
    ssl: ssl === true,
    ...(refresh_token !== undefined && { refreshToken: refresh_token }),
    ...(refresh_token_expires_in !== undefined && { refreshTokenExpires: renewal(refresh_token_expires_in) }),
  };
}

/**
 * When to renew what lives so many seconds from now: five minutes before the end, as the ArcGIS library has
 * it, but never more than a fifth of the life, or a token of two minutes would be renewed at every request.
 */
function renewal(lifeSeconds: number): Date {
  const lifeMs = lifeSeconds * 1000;
  return new Date(Date.now() + lifeMs - Math.min(earliestRenewalMs, lifeMs / 5));
}

function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,8192}$/.test(value);
}

function isLife(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= longestLifeSeconds;
}

function isUsername(value: unknown): value is string {
  return typeof value === "string" && /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,128}$/u.test(value);
}

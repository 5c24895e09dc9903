import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { SandboxSettings } from "./context.ts";

/** What a user has allowed an app to do: everything a refresh token stands for. */
export interface Authorization {
  clientId: string;
  username: string;
  redirectUri: string;
  /** The lifetime of the refresh token, and of each one that replaces it. */
  refreshTokenSeconds: number;
}

/** A code challenge of RFC 7636. */
export interface CodeChallenge {
  value: string;
  method: "S256" | "plain";
}

interface AuthorizationCode {
  authorization: Authorization;
  challenge: CodeChallenge | undefined;
  expires: number;
  /** The token endpoint accepts a code once, even when the exchange fails. */
  isRedeemed: boolean;
  /** The refresh token that it was exchanged for. */
  refreshToken?: string;
}

/** By token. An access token is valid as long as the refresh token that it was issued for is there. */
interface IssuedTokens {
  refreshTokens: Map<string, Authorization & { expires: number }>;
  accessTokens: Map<string, { refreshToken: string; expires: number }>;
}

/**
 * The codes and tokens of the portal. With a `stateFile` tokens survive a restart; a file that cannot be read counts
 * as empty.
 */
export function openTokenStore(settings: SandboxSettings, clock: () => number, stateFile?: string) {
  const codes = new Map<string, AuthorizationCode>();
  const { refreshTokens, accessTokens } = readState(stateFile);
  const revoked: string[] = [];
  const after = (seconds: number) => clock() + seconds * 1000;

  function save(): void {
    if (!stateFile) return;
    const isGood = ([, { expires }]: [string, { expires: number }]) => expires > clock();
    const content = {
      refreshTokens: [...refreshTokens].filter(isGood),
      accessTokens: [...accessTokens].filter(isGood),
    };
    mkdirSync(dirname(stateFile), { recursive: true, mode: 0o700 });
    writeFileSync(`${stateFile}.new`, JSON.stringify(content), { mode: 0o600 });
    renameSync(`${stateFile}.new`, stateFile);
  }

  /** Stops at the first one that has not expired: later ones were issued later. */
  function forgetExpired(issued: Map<string, { expires: number }>): void {
    for (const [name, { expires }] of issued) {
      if (expires > clock()) return;
      issued.delete(name);
    }
  }

  function expireAll(tokens: Map<string, { expires: number }>): void {
    for (const token of tokens.values()) token.expires = clock();
    save();
  }

  function revokeRefreshToken(token: string): void {
    if (refreshTokens.delete(token)) revoked.push(token);
    save();
  }

  return {
    /** The refresh tokens that were revoked, in order. */
    revoked,

    issueCode(authorization: Authorization, challenge: CodeChallenge | undefined): string {
      forgetExpired(codes);
      const code = randomToken(32);
      codes.set(code, { authorization, challenge, expires: after(settings.codeSeconds), isRedeemed: false });
      return code;
    },

    /** Returns a code once. The second time, the tokens of the first time are revoked (RFC 6749, 4.1.2). */
    redeemCode(value: string): AuthorizationCode | undefined {
      const code = codes.get(value);
      if (!code || code.expires <= clock()) return undefined;
      if (code.isRedeemed && code.refreshToken) revokeRefreshToken(code.refreshToken);
      if (code.isRedeemed) return undefined;
      code.isRedeemed = true;
      return code;
    },

    issueRefreshToken({ clientId, redirectUri, username, refreshTokenSeconds }: Authorization): string {
      const token = randomToken(288);
      const expires = after(refreshTokenSeconds);
      refreshTokens.set(token, { clientId, redirectUri, username, refreshTokenSeconds, expires });
      save();
      return token;
    },

    /** What the refresh token stands for, if it was issued to this app. */
    findRefreshToken(token: string, clientId: string): (Authorization & { isExpired: boolean }) | undefined {
      const found = refreshTokens.get(token);
      return found?.clientId === clientId ? { ...found, isExpired: found.expires <= clock() } : undefined;
    },

    /** Ends a refresh token, because another one has replaced it. */
    endRefreshToken: (token: string) => refreshTokens.delete(token),

    issueAccessToken(refreshToken: string): string {
      forgetExpired(accessTokens);
      const token = randomToken(168);
      accessTokens.set(token, { refreshToken, expires: after(settings.accessTokenSeconds) });
      save();
      return token;
    },

    /** `undefined` when the token is unknown, revoked or expired. */
    findAccessToken(token: string): Authorization | undefined {
      const { refreshToken = "", expires = 0 } = accessTokens.get(token) ?? {};
      return expires > clock() ? refreshTokens.get(refreshToken) : undefined;
    },

    /** Revokes a refresh token or an access token of this app, and nothing else. */
    revoke(token: string, clientId: string): void {
      const refreshToken = accessTokens.get(token)?.refreshToken ?? token;
      if (refreshTokens.get(refreshToken)?.clientId !== clientId) return;
      if (accessTokens.delete(token)) save();
      else revokeRefreshToken(token);
    },

    expireAccessTokens: () => expireAll(accessTokens),
    expireRefreshTokens: () => expireAll(refreshTokens),
  };
}

export type TokenStore = ReturnType<typeof openTokenStore>;

/** ArcGIS's tokens are base64 with `-`, `_` and, for the padding, dots. */
export function randomToken(bytes: number): string {
  return randomBytes(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ".");
}

function readState(file?: string): IssuedTokens {
  try {
    const { refreshTokens = [], accessTokens = [] } = file ? JSON.parse(readFileSync(file, "utf8")) : {};
    const entries = [...refreshTokens, ...accessTokens];
    if (entries.every(([, { expires }]) => Number.isFinite(expires)))
      return { refreshTokens: new Map(refreshTokens), accessTokens: new Map(accessTokens) };
  } catch {}
  return { refreshTokens: new Map(), accessTokens: new Map() };
}

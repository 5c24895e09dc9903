import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { SandboxSettings } from "./context.ts";

const Token = z.object({ clientId: z.string(), username: z.string(), expires: z.number() });
/** `refreshTokenSeconds` is the lifetime of the token and of each one that replaces it. */
const RefreshToken = Token.extend({ redirectUri: z.string(), refreshTokenSeconds: z.number() });
/** It ends with the refresh token that it was issued for. */
const AccessToken = Token.extend({ refreshToken: z.string() });
export type AccessToken = z.infer<typeof AccessToken>;

/** Of the state file: names and values in pairs, as a Map takes them. */
const State = z.object({
  refreshTokens: z.array(z.tuple([z.string(), RefreshToken])),
  accessTokens: z.array(z.tuple([z.string(), AccessToken])),
});

/** What a user has allowed an app to do: everything a refresh token stands for. */
export type Authorization = Omit<z.infer<typeof RefreshToken>, "expires">;

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

/**
 * The codes and tokens of the portal. With a `stateFile` tokens survive a restart; a file that cannot be read counts
 * as empty.
 */
export function openTokenStore(settings: SandboxSettings, clock: () => number, stateFile?: string) {
  const codes = new Map<string, AuthorizationCode>();
  const isGood = ({ expires }: { expires: number }) => expires > clock();
  const state = readState(stateFile);
  const refreshTokens = new Map(state.refreshTokens.filter(([, token]) => isGood(token)));
  const accessTokens = new Map(state.accessTokens.filter(([, token]) => isGood(token)));
  const revoked: string[] = [];
  const after = (seconds: number) => clock() + seconds * 1000;

  function save(): void {
    if (!stateFile) return;
    const content = { refreshTokens: [...refreshTokens], accessTokens: [...accessTokens] };
    mkdirSync(dirname(stateFile), { recursive: true, mode: 0o700 });
    writeFileSync(`${stateFile}.new`, JSON.stringify(content), { mode: 0o600 });
    renameSync(`${stateFile}.new`, stateFile);
  }

  /** Stops at the first one that is still good: later ones were issued later. */
  function forgetExpired(issued: Map<string, { expires: number }>): void {
    for (const [name, each] of issued) {
      if (isGood(each)) return;
      issued.delete(name);
    }
  }

  function expireAll(tokens: Map<string, { expires: number }>): void {
    for (const token of tokens.values()) token.expires = clock();
    save();
  }

  function endRefreshToken(token: string): void {
    refreshTokens.delete(token);
    for (const [accessToken, { refreshToken }] of accessTokens) {
      if (refreshToken === token) accessTokens.delete(accessToken);
    }
    save();
  }

  function revokeRefreshToken(token: string): void {
    if (refreshTokens.has(token)) revoked.push(token);
    endRefreshToken(token);
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
      if (!code || !isGood(code)) return undefined;
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
      return found?.clientId === clientId ? { ...found, isExpired: !isGood(found) } : undefined;
    },

    /** Ends a refresh token and its access tokens. */
    endRefreshToken,

    issueAccessToken(refreshToken: string, { clientId, username }: Authorization): string {
      forgetExpired(accessTokens);
      const token = randomToken(168);
      const expires = after(settings.accessTokenSeconds);
      accessTokens.set(token, { clientId, username, refreshToken, expires });
      save();
      return token;
    },

    /** `undefined` when the token is unknown, revoked or expired. */
    findAccessToken(token = ""): AccessToken | undefined {
      const found = accessTokens.get(token);
      return found && isGood(found) ? found : undefined;
    },

    /** Revokes a refresh token or an access token of this app, and nothing else. */
    revoke(token: string, clientId: string): void {
      if (refreshTokens.get(token)?.clientId === clientId) revokeRefreshToken(token);
      if (accessTokens.get(token)?.clientId !== clientId) return;
      accessTokens.delete(token);
      save();
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

function readState(file?: string): z.infer<typeof State> {
  try {
    if (file) return State.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {}
  return { refreshTokens: [], accessTokens: [] };
}

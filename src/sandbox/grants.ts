import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

/** What a person allowed an app to do, and for how long: everything a refresh token stands for. */
const Grant = z.object({
  clientId: z.string(),
  redirectUri: z.string(),
  username: z.string(),
  /** The life of the refresh token and of each that replaces it. */
  refreshTokenSeconds: z.number(),
});
export type Grant = z.infer<typeof Grant>;

const RefreshToken = Grant.extend({ expires: z.number() });
type RefreshToken = z.infer<typeof RefreshToken>;

const AccessToken = z.object({
  clientId: z.string(),
  username: z.string(),
  /** The refresh token it came with; it dies with it. */
  refreshToken: z.string(),
  expires: z.number(),
});
export type AccessToken = z.infer<typeof AccessToken>;

const State = z.object({
  refreshTokens: z.record(z.string(), RefreshToken),
  accessTokens: z.record(z.string(), AccessToken),
});

/** RFC 7636: the challenge and how it was made. */
export interface Challenge {
  value: string;
  method: "S256" | "plain";
}

interface Code extends Grant {
  challenge: Challenge | undefined;
  expires: number;
  /** Once sent to the token endpoint a code is spent, whatever came of it. */
  spent: boolean;
  /** The refresh token it was exchanged for. */
  gave?: string;
}

/** Lifetimes in seconds; read at each use, so tests can change them under way. */
export interface Lifetimes {
  codeSeconds: number;
  accessTokenSeconds: number;
}

/**
 * The portal's memory of codes and tokens. With a `stateFile` the tokens survive a restart; a file that
 * cannot be read counts as empty. Expiry is judged by `now`, the clock in milliseconds.
 */
export function openGrants(lifetimes: Lifetimes, now: () => number, stateFile?: string) {
  const codes = new Map<string, Code>();
  const { refreshTokens, accessTokens } = stateFile ? load(stateFile, now()) : noTokens();
  const revoked: string[] = [];

  const after = (seconds: number) => now() + seconds * 1000;
  const save = () => stateFile && write(stateFile, { refreshTokens, accessTokens });

  /** From the oldest one on; one that lives longer than those after it keeps them a while, and nobody can use them. */
  function forgetExpired(tokens: Map<string, { expires: number }>): void {
    for (const [token, { expires }] of tokens) {
      if (expires > now()) return;
      tokens.delete(token);
    }
  }

  function expireAll(tokens: Map<string, { expires: number }>): void {
    for (const token of tokens.values()) token.expires = now();
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

    issueCode(grant: Grant, challenge: Challenge | undefined): string {
      forgetExpired(codes);
      const code = randomToken(32);
      codes.set(code, { ...grant, challenge, expires: after(lifetimes.codeSeconds), spent: false });
      return code;
    },

    /**
     * Gives what a code stands for, once. Sent again it gives nothing, and takes back what it gave the first
     * time (RFC 6749, 4.1.2): two who know the same code cannot both be right.
     */
    spendCode(token: string): Code | undefined {
      const code = codes.get(token);
      if (!code || code.expires <= now()) return undefined;
      if (code.spent) {
        if (code.gave) revokeRefreshToken(code.gave);
        return undefined;
      }
      code.spent = true;
      return code;
    },

    issueRefreshToken({ clientId, redirectUri, username, refreshTokenSeconds }: Grant): string {
      const token = randomToken(288);
      const expires = after(refreshTokenSeconds);
      refreshTokens.set(token, { clientId, redirectUri, username, refreshTokenSeconds, expires });
      save();
      return token;
    },

    /** Gives the grant behind a refresh token that was issued to this app; `expired` when it is too late. */
    findRefreshToken(token: string, clientId: string): (Grant & { expired: boolean }) | undefined {
      const found = refreshTokens.get(token);
      if (found?.clientId !== clientId) return undefined;
      return { ...found, expired: found.expires <= now() };
    },

    /** Ends a refresh token, and all access tokens that came with it. */
    endRefreshToken,

    issueAccessToken(refreshToken: string, { clientId, username }: Grant): string {
      forgetExpired(accessTokens);
      const token = randomToken(168);
      const expires = after(lifetimes.accessTokenSeconds);
      accessTokens.set(token, { clientId, username, refreshToken, expires });
      save();
      return token;
    },

    /** Gives what an access token stands for, or `undefined` when it is unknown, revoked or expired. */
    findAccessToken(token: string): AccessToken | undefined {
      const found = accessTokens.get(token);
      return found && found.expires > now() ? found : undefined;
    },

    /** Revokes a token of this app, whichever of the two kinds it is; anything else is left alone. */
    revoke(token: string, clientId: string): void {
      if (refreshTokens.get(token)?.clientId === clientId) revokeRefreshToken(token);
      if (accessTokens.get(token)?.clientId === clientId) {
        accessTokens.delete(token);
        save();
      }
    },

    expireAccessTokens: () => expireAll(accessTokens),
    expireRefreshTokens: () => expireAll(refreshTokens),
  };
}

export type Grants = ReturnType<typeof openGrants>;

/** Whether the verifier is the one that the challenge was made from (RFC 7636, 4.6). */
export function verifierFits(verifier: string, { value, method }: Challenge): boolean {
  const made = method === "plain" ? verifier : createHash("sha256").update(verifier).digest("base64url");
  return made === value;
}

/** ArcGIS's tokens are base64 with `-`, `_` and, for the padding, dots. */
export function randomToken(bytes: number): string {
  return randomBytes(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ".");
}

interface Tokens {
  refreshTokens: Map<string, RefreshToken>;
  accessTokens: Map<string, AccessToken>;
}

function noTokens(): Tokens {
  return { refreshTokens: new Map(), accessTokens: new Map() };
}

function load(file: string, now: number): Tokens {
  let content: z.infer<typeof State>;
  try {
    content = State.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return noTokens();
  }
  const alive = ([, { expires }]: [string, { expires: number }]) => expires > now;
  return {
    refreshTokens: new Map(Object.entries(content.refreshTokens).filter(alive)),
    accessTokens: new Map(Object.entries(content.accessTokens).filter(alive)),
  };
}

function write(file: string, { refreshTokens, accessTokens }: Tokens): void {
  const content = {
    refreshTokens: Object.fromEntries(refreshTokens),
    accessTokens: Object.fromEntries(accessTokens),
  };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

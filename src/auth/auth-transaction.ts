import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import { AuthError } from "./errors.ts";
import type { KeyRing } from "./session/seal.ts";

/** A sign-in in progress. It has only a digest of the state, so a stolen cookie is not enough to complete it. */
export interface AuthTransaction {
  stateDigest: string;
  codeVerifier: string;
  /** Empty for the start page. */
  returnTo: string;
  startedAt: number;
}

const lifetimeMs = 10 * 60_000;
/** All transactions together may take this much of the Cookie header: servers limit the headers of a request. */
const maxBytes = 4_000;

/**
 * Keeps auth transactions in sealed cookies of the browser; the server stores nothing until the user has signed in. Each
 * has a cookie of its own, so that several tabs can sign in at the same time. A cookie opens only for the portal, client
 * ID and redirect URI that it was sealed for (`boundTo`).
 */
export function authTransactions(
  keys: KeyRing,
  { cookiePrefix, isSecure, boundTo }: { cookiePrefix: string; isSecure: boolean; boundTo: string },
) {
  const options = { httpOnly: true, sameSite: "lax", path: "/", secure: isSecure } as const;
  /** State digests of the transactions whose callback came within the last ten minutes. */
  const claimed = new Set<string>();
  // Not a closure of `claim`, which would keep all that a callback has used.
  const forget = (stateDigest: string) => claimed.delete(stateDigest);
  const nameOf = ({ stateDigest }: AuthTransaction) => cookiePrefix + stateDigest.slice(0, 8);
  // An array, without the property names: more of them fit into the header.
  const seal = ({ stateDigest, codeVerifier, returnTo, startedAt }: AuthTransaction) =>
    keys.seal(JSON.stringify([stateDigest, codeVerifier, returnTo, startedAt]), "transaction", boundTo);

  /** Oldest first. */
  function read(req: Request): AuthTransaction[] {
    const transactions: AuthTransaction[] = [];
    for (const [name, value = ""] of Object.entries(parseCookie(req.headers.cookie ?? ""))) {
      if (!name.startsWith(cookiePrefix)) continue;
      const text = keys.open(value, "transaction", boundTo);
      if (text === undefined) continue;
      const [stateDigest, codeVerifier, returnTo, startedAt] = JSON.parse(text);
      transactions.push({ stateDigest, codeVerifier, returnTo, startedAt });
    }
    return transactions.sort((a, b) => a.startedAt - b.startedAt);
  }

  function write(res: Response, transaction: AuthTransaction): void {
    // Express rounds down to seconds.
    const maxAge = Math.ceil((transaction.startedAt + lifetimeMs - Date.now()) / 1000) * 1000;
    res.cookie(nameOf(transaction), seal(transaction), { ...options, maxAge });
  }

  /** Makes room for `own`: the others lose their `returnTo`, oldest first; if that is not enough, the oldest are removed. */
  function shrinkOthers(res: Response, others: AuthTransaction[], own: AuthTransaction): void {
    const bytes = (each: AuthTransaction) => nameOf(each).length + seal(each).length + "=; ".length;
    const isTooMuch = () => [...others, own].reduce((sum, each) => sum + bytes(each), 0) > maxBytes;
    for (const other of others.filter(({ returnTo }) => returnTo !== "")) {
      if (!isTooMuch()) return;
      other.returnTo = "";
      write(res, other);
    }
    while (others[0] && isTooMuch()) {
      res.clearCookie(nameOf(others[0]), options);
      others.shift();
    }
  }

  return {
    begin(req: Request, res: Response, returnTo: string): { state: string; codeChallenge: string } {
      const state = randomBytes(32).toString("base64url");
      const codeVerifier = randomBytes(32).toString("base64url");
      const own = { stateDigest: digest(state), codeVerifier, returnTo, startedAt: Date.now() };
      shrinkOthers(res, read(req), own);
      write(res, own);
      return { state, codeChallenge: digest(codeVerifier) };
    },

    /** The transaction of this state, for one use: it is claimed before its code goes to the portal. */
    claim(req: Request, res: Response, state: string): AuthTransaction {
      const transactions = read(req);
      if (transactions.length === 0) throw new AuthError("transaction_missing");
      const wanted = Buffer.from(digest(state));
      const own = transactions.find(({ stateDigest }) => timingSafeEqual(Buffer.from(stateDigest), wanted));
      if (!own) throw new AuthError("state_mismatch");
      res.clearCookie(nameOf(own), options);
      if (Math.abs(Date.now() - own.startedAt) >= lifetimeMs) throw new AuthError("transaction_expired");
      // A copy of the cookie may come back. (Other processes do not know; there the portal rejects the used code.)
      if (claimed.has(own.stateDigest)) throw new AuthError("transaction_used");
      claimed.add(own.stateDigest);
      setTimeout(forget, lifetimeMs, own.stateDigest).unref();
      return own;
    },
  };
}

/** base64url(SHA-256(text)): the PKCE challenge of a code verifier (RFC 7636, 4.2), and what we store of a state. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

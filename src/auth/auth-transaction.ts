import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import { AuthError } from "./errors.ts";
import type { KeyRing } from "./session/seal.ts";

/** A sign-in in progress, as its cookie keeps it. Of the state it keeps a digest: the cookie alone completes nothing. */
export interface AuthTransaction {
  stateDigest: string;
  codeVerifier: string;
  /** Empty for the start page. */
  returnTo: string;
  startedAt: number;
}

const lifeMs = 10 * 60_000;
/** Servers limit the headers of a request: all sign-ins in progress together get this much of the Cookie header. */
const maxBytes = 4_000;

/**
 * Keeps each sign-in in progress in a sealed cookie of the browser that started it; the server stores nothing. One
 * cookie each, so that sign-ins of several tabs, begun at the same moment, do not overwrite each other.
 */
export function authTransactions(
  keys: KeyRing,
  { cookiePrefix, isSecure, boundTo }: { cookiePrefix: string; isSecure: boolean; boundTo: string },
) {
  const options = { httpOnly: true, sameSite: "lax", path: "/", secure: isSecure } as const;
  const claimed = new Set<string>();
  const nameOf = ({ stateDigest }: AuthTransaction) => cookiePrefix + stateDigest.slice(0, 8);
  // As a list: six of them fit without the names.
  const seal = ({ stateDigest, codeVerifier, returnTo, startedAt }: AuthTransaction) =>
    keys.seal(JSON.stringify([stateDigest, codeVerifier, returnTo, startedAt]), "transaction", boundTo);

  /** Oldest first. */
  function read(req: Request): AuthTransaction[] {
    const transactions: AuthTransaction[] = [];
    for (const [name, value = ""] of Object.entries(parseCookie(req.headers.cookie ?? ""))) {
      const text = name.startsWith(cookiePrefix) && keys.open(value, "transaction", boundTo);
      const [stateDigest, codeVerifier, returnTo, startedAt] = text ? JSON.parse(text) : [];
      if (text) transactions.push({ stateDigest, codeVerifier, returnTo, startedAt });
    }
    return transactions.sort((a, b) => a.startedAt - b.startedAt);
  }

  function write(res: Response, transaction: AuthTransaction): void {
    // In whole seconds, or the milliseconds that pass here would cost one.
    const maxAge = Math.ceil((transaction.startedAt + lifeMs - Date.now()) / 1000) * 1000;
    res.cookie(nameOf(transaction), seal(transaction), { ...options, maxAge });
  }

  /** When not all fit, the oldest lose their `returnTo`, then themselves. */
  function shrinkOthers(res: Response, others: AuthTransaction[], own: AuthTransaction): void {
    const bytes = (one: AuthTransaction) => nameOf(one).length + seal(one).length + "=; ".length;
    const isTooMuch = () => [...others, own].reduce((sum, one) => sum + bytes(one), 0) > maxBytes;
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

    /** Takes the transaction of this state out of its cookie: it is used up, whatever comes next. */
    complete(req: Request, res: Response, state: string): AuthTransaction {
      const transactions = read(req);
      if (transactions.length === 0) throw new AuthError("transaction_missing");
      const wanted = Buffer.from(digest(state));
      const own = transactions.find(({ stateDigest }) => timingSafeEqual(Buffer.from(stateDigest), wanted));
      if (!own) throw new AuthError("state_mismatch");
      res.clearCookie(nameOf(own), options);
      if (Math.abs(Date.now() - own.startedAt) >= lifeMs) throw new AuthError("transaction_expired");
      // A copy of the cookie comes back unused, but the portal takes a code once. Other processes do not know of this.
      if (claimed.has(own.stateDigest)) throw new AuthError("transaction_used");
      claimed.add(own.stateDigest);
      setTimeout(() => claimed.delete(own.stateDigest), lifeMs).unref();
      return own;
    },
  };
}

/** base64url(SHA-256(text)): a PKCE challenge of a code verifier (RFC 7636, 4.2), and what we keep of a state. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import { AppError } from "../errors.ts";
import { type CookieNaming, cookieNames } from "./cookie-names.ts";
import type { KeyRing } from "./seal.ts";

/** What is remembered of a sign-in between the redirect to the portal and the way back. */
export interface Flow {
  /** The PKCE code verifier (RFC 7636, 4.1). */
  codeVerifier: string;
  /** The local path to land on afterwards. */
  returnTo: string;
}

/** A flow as the cookie keeps it. Of the state it keeps a digest: the cookie alone does not complete a sign-in. */
interface PendingFlow extends Flow {
  stateDigest: string;
  startedAt: number;
}

/** A person has ten minutes to sign in (RFC 6749, 4.1.2 recommends the same for the code). */
const lifeMs = 10 * 60_000;
/** Three sign-ins side by side, so that tabs work. */
const mostFlows = 3;
/** Browsers drop a cookie whose name and value exceed 4,096 bytes (RFC 6265bis, 5.6). */
const largestCookie = 3_800;

/**
 * Keeps sign-ins under way in a sealed cookie of the browser that started them, and nowhere else: a stranger
 * costs the server no memory and no file, and an answer of the portal counts only in the right browser.
 */
export function flowCookie(keys: KeyRing, config: CookieNaming) {
  const { secure } = config;
  // Each portal has a cookie of its own, too: another portal's response does not end a sign-in (OA-7).
  const { transaction: name } = cookieNames(config);
  const claimed = new Map<string, number>();

  function read(req: Request): PendingFlow[] {
    const sealed = parseCookie(req.headers.cookie ?? "")[name];
    const text = sealed && keys.open(sealed, "flow", name);
    return text ? JSON.parse(text) : [];
  }

  function write(res: Response, flows: PendingFlow[]): void {
    const options = { httpOnly: true, sameSite: "lax", path: "/", secure } as const;
    if (flows.length === 0) res.clearCookie(name, options);
    else res.cookie(name, keys.seal(JSON.stringify(flows), "flow", name), { ...options, maxAge: lifeMs });
  }

  /** True for the first caller only. The cookie cannot tell: a copy of it comes back unspent. */
  function claim(stateDigest: string, now: number): boolean {
    // They stand in the order of their time: the first that is alive ends the search.
    for (const [digest, end] of claimed) {
      if (end >= now) break;
      claimed.delete(digest);
    }
    if (claimed.has(stateDigest)) return false;
    claimed.set(stateDigest, now + lifeMs);
    return true;
  }

  return {
    /** Remembers a new sign-in in the browser; gives what the authorize request needs (RFC 7636, 4.2). */
    start(req: Request, res: Response, returnTo: string): { state: string; codeChallenge: string } {
      const random = randomBytes(64);
      const state = random.toString("base64url", 0, 32);
      const codeVerifier = random.toString("base64url", 32);
      const now = Date.now();
      const flows = read(req).filter(({ startedAt }) => now < startedAt + lifeMs);
      flows.push({ stateDigest: digestOf(state), codeVerifier, returnTo, startedAt: now });
      while (flows.length > mostFlows || JSON.stringify(flows).length * (4 / 3) > largestCookie)
        flows.shift();
      write(res, flows);
      return { state, codeChallenge: digestOf(codeVerifier) };
    },

    /**
     * Takes the flow of this state out of the browser's cookie: it is spent, whatever comes next.
     * @throws AppError flow_missing, state_mismatch, flow_expired or flow_used.
     */
    finish(req: Request, res: Response, state: string): Flow {
      const flows = read(req);
      if (flows.length === 0) throw new AppError("flow_missing");
      const digest = digestOf(state);
      const flow = flows.find(({ stateDigest }) =>
        timingSafeEqual(Buffer.from(stateDigest), Buffer.from(digest)),
      );
      if (!flow) throw new AppError("state_mismatch");
      write(
        res,
        flows.filter((other) => other !== flow),
      );
      const now = Date.now();
      if (now >= flow.startedAt + lifeMs || now < flow.startedAt - lifeMs) throw new AppError("flow_expired");
      if (!claim(digest, now)) throw new AppError("flow_used");
      return flow;
    },
  };
}

export type FlowCookie = ReturnType<typeof flowCookie>;

/** base64url(SHA-256(text)): of a code verifier, its S256 challenge. Always 43 characters. */
function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

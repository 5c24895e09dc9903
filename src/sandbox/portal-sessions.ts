import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import type { RequestParams } from "./request-params.ts";
import { randomToken } from "./token-store.ts";

/** A browser at the portal, until the sandbox closes. */
export interface PortalSession {
  /** `undefined` while no user has signed in. */
  username?: string;
  /** Sign-ins at the organization's identity provider that are in progress, by their state. */
  logins: Map<string, PendingLogin>;
}

export interface PendingLogin {
  /** The authorize request that continues afterwards. */
  params: RequestParams;
  /** What the response of the provider is checked against. */
  checks: { expectedState: string; expectedNonce: string; pkceCodeVerifier: string };
}

/** ArcGIS's own cookie of this name holds a token; here it is a random number that stands for a session. */
const name = "esri_auth";
const options = { httpOnly: true, sameSite: "lax", path: "/portal" } as const;

export function portalSessions() {
  const sessions = new Map<string, PortalSession>();
  const idOf = (req: Request) => parseCookie(req.get("Cookie") ?? "")[name] ?? "";

  return {
    find: (req: Request): PortalSession | undefined => sessions.get(idOf(req)),

    start(res: Response, username?: string): PortalSession {
      const id = randomToken(32);
      const session: PortalSession = { ...(username && { username }), logins: new Map() };
      sessions.set(id, session);
      res.cookie(name, id, options);
      return session;
    },

    end(req: Request, res: Response): void {
      sessions.delete(idOf(req));
      res.clearCookie(name, options);
    },
  };
}

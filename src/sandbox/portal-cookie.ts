import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import { randomToken } from "./token-store.ts";

/** ArcGIS's own cookie of this name holds a token; here it is a random number that stands for a user. */
const name = "esri_auth";
const options = { httpOnly: true, sameSite: "lax", path: "/portal" } as const;

/** The portal's own sessions: the user of each browser, until the sandbox closes. */
export function portalSessions() {
  const usernames = new Map<string, string>();
  const idOf = (req: Request) => parseCookie(req.get("Cookie") ?? "")[name] ?? "";

  return {
    usernameOf: (req: Request): string | undefined => usernames.get(idOf(req)),

    start(res: Response, username: string): void {
      const id = randomToken(32);
      usernames.set(id, username);
      res.cookie(name, id, options);
    },

    end(req: Request, res: Response): void {
      usernames.delete(idOf(req));
      res.clearCookie(name, options);
    },
  };
}

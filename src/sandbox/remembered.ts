import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import { randomToken } from "./grants.ts";

/** ArcGIS's own cookie of this name holds a token; here it is a random number that means a person. */
const name = "esri_auth";
const options = { httpOnly: true, sameSite: "lax", path: "/portal" } as const;

/** The portal's own sessions: whom it remembers in which browser, until it stops. */
export function rememberedPeople() {
  const usernames = new Map<string, string>();
  const idOf = (req: Request) => parseCookie(req.get("Cookie") ?? "")[name] ?? "";

  return {
    usernameOf: (req: Request): string | undefined => usernames.get(idOf(req)),

    remember(res: Response, username: string): void {
      const id = randomToken(32);
      usernames.set(id, username);
      res.cookie(name, id, options);
    },

    forget(req: Request, res: Response): void {
      usernames.delete(idOf(req));
      res.clearCookie(name, options);
    },
  };
}

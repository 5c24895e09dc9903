import { createHash, randomBytes } from "node:crypto";

const lifeMs = 10 * 60_000;
const cookie = { httpOnly: true, sameSite: "lax", path: "/" };
const digest = (text) => createHash("sha256").update(text).digest("base64url");

/** Keeps a sign-in in progress in a cookie of the browser that started it. */
export function flowCookie() {
  return {
    /** Starts a sign-in; returns what the portal gets. */
    start(res) {
      const state = randomBytes(32).toString("base64url");
      res.cookie("flow", digest(state), { ...cookie, maxAge: lifeMs });
      return { state };
    },

    /** Whether this browser started the sign-in that this callback completes. */
    finish(req, res) {
      res.clearCookie("flow", cookie);
      const [, expected = ""] = /(?:^|; )flow=([\w-]+)/.exec(req.headers.cookie ?? "") ?? [];
      const { state } = req.query;
      return typeof state === "string" && expected === digest(state);
    },
  };
}

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const lifeMs = 10 * 60_000;
const cookie = { httpOnly: true, sameSite: "lax", path: "/" };
const digest = (text) => createHash("sha256").update(text).digest("base64url");

/** Keeps a sign-in in progress in a sealed cookie of the browser that started it. */
export function flowCookie({ seal, open }) {
  return {
    /** Starts a sign-in; returns what the portal gets. */
    start(res) {
      const state = randomBytes(32).toString("base64url");
      const codeVerifier = randomBytes(32).toString("base64url");
      const flow = { stateDigest: digest(state), codeVerifier, startedAt: Date.now() };
      res.cookie("flow", seal(JSON.stringify(flow), "flow"), { ...cookie, maxAge: lifeMs });
      return { state, codeChallenge: digest(codeVerifier) };
    },

    /** Returns the sign-in that this callback completes, or `undefined` if this browser has not started it. */
    finish(req, res) {
      res.clearCookie("flow", cookie);
      const [, sealed = ""] = /(?:^|; )flow=([\w-]+)/.exec(req.headers.cookie ?? "") ?? [];
      const flow = JSON.parse(open(sealed, "flow") ?? "null");
      const { state } = req.query;
      if (!flow || typeof state !== "string" || Date.now() > flow.startedAt + lifeMs) return undefined;
      const isOurs = timingSafeEqual(Buffer.from(flow.stateDigest), Buffer.from(digest(state)));
      return isOurs ? flow : undefined;
    },
  };
}

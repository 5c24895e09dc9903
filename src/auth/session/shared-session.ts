import { promisify } from "node:util";
import type { Request, Response } from "express";
import { endsOf } from "./expiry.ts";
import { type Properties, type RequestSession, type SessionPlace, takeOrUndo } from "./request-session.ts";
import { propertiesOf } from "./serializer.ts";

/** The app's own session, kept in our store: its other data stays through sign-in and sign-out. */
export function sharedSession(req: Request, res: Response, { store, cookie }: SessionPlace): RequestSession {
  const properties = req.session as unknown as Properties;
  const keepCookie = (maxAgeMs: number) => {
    req.session.cookie.maxAge = Math.max(maxAgeMs, req.session.cookie.originalMaxAge ?? 0);
  };
  return {
    id: req.sessionID,
    ends: endsOf({ createdAt: Date.now(), lastAccess: Date.now(), maxAgeMs: Infinity }, store.lifetimes),
    get: (name) => properties[name],
    async replace(data, maxAgeMs) {
      const kept = propertiesOf(req.session).filter(([name]) => name !== "cookie");
      const [oldId, oldSession] = [req.sessionID, req.session];
      // Not session.regenerate(): it ends the old session before the new one is stored.
      store.generate(req);
      keepCookie(maxAgeMs);
      Object.assign(req.session, Object.fromEntries(kept), data);
      try {
        await promisify(req.session.save.bind(req.session))();
        return await takeOrUndo(store, oldId, req.sessionID);
      } catch (error) {
        [req.sessionID, req.session] = [oldId, oldSession];
        throw error;
      }
    },
    async prolong(name, value, maxAgeMs) {
      // express-session sends the cookie again when something that it sees has changed: a new property.
      delete properties[name];
      properties[name] = value;
      keepCookie(maxAgeMs);
    },
    async end(names) {
      let last: Properties | undefined;
      const remove = (data: object) => {
        last = Object.fromEntries(propertiesOf(data));
        for (const name of names) delete (data as Properties)[name];
      };
      const isEmpty = propertiesOf(properties).every(([name]) => name === "cookie" || names.includes(name));
      // A full disk cannot be written, but a session can be removed all the same, the app's data with it.
      const stays = !isEmpty && (await store.update(req.sessionID, remove).catch(() => false));
      // Before anything is changed here: express-session would save it, and fail once more.
      if (!stays) last = (await store.take(req.sessionID)) as Properties | undefined;
      for (const name of names) delete properties[name];
      if (stays) return last;
      await promisify(req.session.destroy.bind(req.session))().catch(() => {});
      res.clearCookie(cookie.name, cookie.options);
      return last;
    },
  };
}

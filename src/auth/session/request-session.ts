import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import type { Request, Response } from "express";
import type { SessionData } from "express-session";
import type { SealedStore } from "./sealed-store.ts";
import { parse } from "./serializer.ts";
import type { SessionCookie } from "./session-cookie.ts";

type Properties = Record<string, unknown>;

/** The session of one request, as the sign-in needs it. */
export interface RequestSession {
  /** Undefined when there is none. */
  readonly id: string | undefined;
  /** When the session ends, however often it is used (ms since 1970). */
  readonly endsAt: number;
  has(name: string): boolean;
  get(name: string): unknown;
  /** Replaces the session by one under a new id, for a new user; returns what the old one held last. */
  replace(data: Properties, maxAgeMs: number): Promise<Properties | undefined>;
  /** Stores one property and lets the browser keep its cookie for so long: an exchange has prolonged the sign-in. */
  prolong(name: string, value: unknown, maxAgeMs: number): Promise<void>;
  /** Ends the sign-in, of which these are the properties; returns what was stored last. */
  end(names: readonly string[]): Promise<Properties | undefined>;
}

export interface SessionOptions {
  store: SealedStore;
  cookie: SessionCookie;
}

/**
 * A session of our own, in a cookie of express-session's format; nothing is patched, and nothing is saved behind your
 * back. Also the quick way to read a session that is shared.
 */
export async function ownSession(
  req: IncomingMessage,
  res: Response | undefined,
  { store, cookie }: SessionOptions,
): Promise<RequestSession> {
  const id = cookie.idIn(req);
  const found = id === undefined ? undefined : await store.readParts(id);
  const send = (sessionId: string, maxAgeMs: number) =>
    res?.cookie(cookie.name, cookie.sign(sessionId), { ...cookie.options, maxAge: maxAgeMs });
  return {
    id: found && id,
    endsAt: found?.endsAt ?? 0,
    has: (name) => found?.parts[name] !== undefined,
    get: (name) => found?.parts[name] && parse(found.parts[name]),
    async replace(data, maxAgeMs) {
      const newId = randomBytes(24).toString("base64url");
      const expires = new Date(Date.now() + maxAgeMs);
      const stored = { ...data, cookie: { ...cookie.options, originalMaxAge: maxAgeMs, expires } };
      await promisify(store.set.bind(store))(newId, stored as unknown as SessionData);
      const last = await takeOrUndo(store, id, newId);
      send(newId, maxAgeMs);
      return last;
    },
    async prolong(name, value, maxAgeMs) {
      if (id === undefined || !res) return;
      await store.update(id, (data) => void Object.assign(data, { [name]: value }));
      send(id, maxAgeMs);
    },
    async end() {
      const last = id === undefined ? undefined : await store.take(id);
      res?.clearCookie(cookie.name, cookie.options);
      return last as Properties | undefined;
    },
  };
}

/** The app's own session, kept in our store: its other data stays through sign-in and sign-out. */
export function sharedSession(
  req: Request,
  res: Response,
  { store, cookie }: SessionOptions,
): RequestSession {
  const propertiesOf = () => req.session as unknown as Properties;
  return {
    id: req.sessionID,
    endsAt: Date.now() + store.lifetimes.maxSeconds * 1000,
    has: (name) => propertiesOf()[name] !== undefined,
    get: (name) => propertiesOf()[name],
    async replace(data, maxAgeMs) {
      const { cookie: _, ...kept } = req.session;
      const [oldId, oldSession] = [req.sessionID, req.session];
      // Not session.regenerate(): it ends the old session before the new one is stored.
      store.generate(req);
      req.session.cookie.maxAge = Math.max(maxAgeMs, req.session.cookie.originalMaxAge ?? 0);
      Object.assign(req.session, kept, data);
      try {
        await promisify(req.session.save.bind(req.session))();
        return await takeOrUndo(store, oldId, req.sessionID);
      } catch (error) {
        [req.sessionID, req.session] = [oldId, oldSession];
        throw error;
      }
    },
    async prolong(name, value, maxAgeMs) {
      // express-session sends the cookie again when something in the session has changed.
      Object.assign(req.session, { [name]: value });
      req.session.cookie.maxAge = Math.max(maxAgeMs, req.session.cookie.originalMaxAge ?? 0);
    },
    async end(names) {
      let last: Properties | undefined;
      const remove = (data: object) => {
        last = { ...data };
        for (const name of names) delete (data as Properties)[name];
      };
      // A full disk cannot be written, but a session can be removed all the same, the app's data with it.
      const isFull = await store.update(req.sessionID, remove).then(
        () => false,
        () => true,
      );
      for (const name of names) delete propertiesOf()[name];
      const isEmpty = Object.keys(req.session).every((name) => name === "cookie");
      if (isFull || isEmpty) {
        const taken = await store.take(req.sessionID);
        await promisify(req.session.destroy.bind(req.session))();
        res.clearCookie(cookie.name, cookie.options);
        last ??= taken as Properties | undefined;
      }
      return last;
    },
  };
}

/** Ends the session that a new one replaces. If that fails, both users would be signed in: the new one goes again. */
async function takeOrUndo(store: SealedStore, oldId: string | undefined, newId: string) {
  try {
    return oldId === undefined ? undefined : ((await store.take(oldId)) as Properties | undefined);
  } catch (error) {
    await store.take(newId).catch(() => {});
    throw error;
  }
}

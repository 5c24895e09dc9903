import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import type { Response } from "express";
import type { SessionData } from "express-session";
import type { SealedStore } from "./sealed-store.ts";
import { parse } from "./serializer.ts";
import type { SessionCookie } from "./session-cookie.ts";

export type Properties = Record<string, unknown>;

/** The session of one request, as the sign-in needs it; in shared-session.ts, that of the app. */
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

export interface SessionPlace {
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
  { store, cookie }: SessionPlace,
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
      const settings = { ...cookie.options, originalMaxAge: maxAgeMs };
      await promisify(store.set.bind(store))(newId, { ...data, cookie: settings } as unknown as SessionData);
      const last = await takeOrUndo(store, id, newId);
      send(newId, maxAgeMs);
      return last;
    },
    async prolong(name, value, maxAgeMs) {
      if (id === undefined) return;
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

/** Ends the session that a new one replaces. If that fails, the new one goes again: one browser, one user. */
export async function takeOrUndo(store: SealedStore, oldId: string | undefined, newId: string) {
  try {
    return oldId === undefined ? undefined : ((await store.take(oldId)) as Properties | undefined);
  } catch (error) {
    await store.take(newId).catch(() => {});
    throw error;
  }
}

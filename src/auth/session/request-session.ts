import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import type { Response } from "express";
import type { SessionData } from "express-session";
import type { SealedStore } from "./sealed-store.ts";
import { parse } from "./serializer.ts";
import type { SessionCookie } from "./session-cookie.ts";

export type Properties = Record<string, unknown>;

/** What the sign-in needs of a request's session: of its own (below), or of the app's (shared-session.ts). */
export interface RequestSession {
  /** Undefined when there is none. */
  readonly id: string | undefined;
  /** When the session ends (ms since 1970): `latest` in any case, `idle` if it is not used before. */
  readonly ends: { latest: number; idle: number };
  get(name: string): unknown;
  /** Starts a session under a new id for the user who has signed in, and ends this one; returns what it held last. */
  replace(data: Properties, maxAgeMs: number): Promise<Properties | undefined>;
  /** Stores one property and sends the cookie again with a new maxAge, after an exchange has moved the sign-in's end. */
  prolong(name: string, value: unknown, maxAgeMs: number): Promise<void>;
  /** Removes these properties, and the session unless the app has data in it; returns what was stored last. */
  end(names: readonly string[]): Promise<Properties | undefined>;
}

/** The two places of a session: its record on the server, and its id in the browser. */
export interface SessionPlace {
  store: SealedStore;
  cookie: SessionCookie;
}

/**
 * A session without express-session, in a cookie of its format. Routes that only read use it for shared sessions, too:
 * it is faster.
 */
export async function ownSession(
  req: IncomingMessage,
  res: Response | undefined,
  { store, cookie, touch }: SessionPlace & { touch: boolean },
): Promise<RequestSession> {
  const id = cookie.idIn(req);
  const found = id === undefined ? undefined : await store.readParts(id, touch);
  const send = (sessionId: string, maxAgeMs: number) =>
    res?.cookie(cookie.name, cookie.sign(sessionId), { ...cookie.options, maxAge: maxAgeMs });
  return {
    id: found && id,
    ends: found?.ends ?? { latest: 0, idle: 0 },
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
      // It counts from the last access, and this request may not count as one.
      const originalMaxAge = maxAgeMs + Date.now() - (found?.lastAccess ?? 0);
      await store.update(id, (data) => {
        Object.assign(data, { [name]: value, cookie: { ...data.cookie, originalMaxAge } });
      });
      send(id, maxAgeMs);
    },
    async end() {
      const last = id === undefined ? undefined : await store.take(id);
      res?.clearCookie(cookie.name, cookie.options);
      return last as Properties | undefined;
    },
  };
}

/** Ends the session that a new one replaces. If that fails, removes the new one and throws: there must not be two. */
export async function takeOrUndo(store: SealedStore, oldId: string | undefined, newId: string) {
  try {
    return oldId === undefined ? undefined : ((await store.take(oldId)) as Properties | undefined);
  } catch (error) {
    await store.take(newId).catch(() => {});
    throw error;
  }
}

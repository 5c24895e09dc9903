import { createHash, randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Request } from "express";
import session, { type SessionData } from "express-session";
import {
  fileBackend,
  SealedStore,
  type SealedStoreOptions,
  type SessionBackend,
} from "#src/session-store.ts";
import { folder, secret } from "./temporary.ts";

export const day = 24 * 60 * 60_000;

export interface StoreOptions extends Partial<Omit<SealedStoreOptions, "encryptionKey" | "backend">> {
  /** Gets the identities of expired sessions. */
  onExpired?: (identities: ArcGISIdentityManager[]) => void;
  /** A folder of an earlier store, to go on with its sessions. */
  dir?: string;
  keys?: string[];
  /** Puts something between the sealed store and the files. */
  backend?: (files: SessionBackend) => SessionBackend;
}

export interface TestStore {
  store: SealedStore;
  dir: string;
  keys: string[];
  /** What the store reported to `onUnreadable` and `onError`. */
  warnings: Record<string, unknown>[];
  /** A new session as a sign-in makes it, not kept yet. */
  generate(data?: object): Request;
  /** Keeps a new session as a sign-in does, and gives its id. */
  keep(data?: object): Promise<string>;
  /** What the next request finds in `req.session`; `undefined` when it is anonymous. */
  load(id: string): Promise<(session.Session & Partial<SessionData>) | undefined>;
  set(id: string, data: SessionData): Promise<void>;
  destroy(id: string): Promise<void>;
  /** The path of a session's file. */
  file(id: string): string;
  /** The names in the folder. */
  files(): string[];
}

/** Opens the sealed store on files, as the server does, in a folder of its own. */
export function openTestStore(t: Pick<TestContext, "after">, options: StoreOptions = {}): TestStore {
  const { dir = join(folder(t), "sessions"), keys = [secret()], backend, onExpired, ...others } = options;
  const warnings: Record<string, unknown>[] = [];
  const files = fileBackend(dir);
  const store = new SealedStore({
    onUnreadable: (record, problem) => void warnings.push({ record, problem }),
    onError: (error) => void warnings.push({ error: String(error) }),
    ...others,
    backend: backend?.(files) ?? files,
    encryptionKey: keys,
  });
  if (onExpired) store.on("expired", onExpired);
  t.after(() => store.close());
  // It gives the store its `generate`.
  session({ store, secret: secret(), resave: false, saveUninitialized: false });

  const get = promisify(store.get.bind(store));
  const set = promisify<string, SessionData>(store.set.bind(store));

  function generate(data: object = {}): Request {
    const req = {} as Request;
    store.generate(req);
    Object.assign(req.session, data);
    return req;
  }

  return {
    store,
    dir,
    keys,
    warnings,
    generate,
    async keep(data = { arcgis: identityFor("sandy_admin") }) {
      const req = generate(data);
      await set(req.sessionID, req.session as SessionData);
      return req.sessionID;
    },
    async load(id) {
      const data = await get(id);
      const req = { sessionID: id, sessionStore: store } as unknown as Request;
      return data ? store.createSession(req, data) : undefined;
    },
    set,
    destroy: promisify<string>(store.destroy.bind(store)),
    file: (id) => join(dir, `${recordOf(id)}.session`),
    files: () => readdirSync(dir),
  };
}

/** The name of a session's record. */
export function recordOf(id: string): string {
  return createHash("sha256").update(`session-name/v1|${id}`).digest("hex");
}

const newToken = (): string => randomUUID();

/** A user with new tokens, as after a sign-in. */
export function identityFor(
  username: string,
  {
    token = newToken(),
    refreshToken = newToken(),
    refreshTokenExpires = new Date(Date.now() + 14 * day),
    portal = "https://portal.example/sharing/rest",
  }: { token?: string; refreshToken?: string; refreshTokenExpires?: Date; portal?: string | undefined } = {},
): ArcGISIdentityManager {
  return new ArcGISIdentityManager({
    clientId: "test-app",
    portal,
    redirectUri: "https://app.example/authenticate",
    username,
    token,
    tokenExpires: new Date(Date.now() + 25 * 60_000),
    refreshToken,
    refreshTokenExpires,
  });
}

import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { SealedStoreOptions } from "arcgis-sign-in/session-store";
import {
  fileBackend,
  type LegacyFileStoreOptions,
  legacyFileStore,
  SealedStore,
} from "arcgis-sign-in/session-store";
import session, { type SessionData } from "express-session";
import sessionFileStore from "session-file-store";
import { folder, secret } from "./site.ts";
import { day } from "./store.ts";

/** Where apps put what they like; the tutorial's readers have `userSession`, others `arcgis`. */
export type Stored = Partial<SessionData> & { arcgis?: ArcGISIdentityManager; count?: number };

export interface Warning {
  record?: string;
  problem: string;
}

export interface StoreOptions
  extends Partial<Omit<SealedStoreOptions, "backend" | "encryptionKey" | "legacy">> {
  path?: string;
  keys?: string | string[];
  legacy?: Partial<LegacyFileStoreOptions>;
}

export const encryptionKey = "the tutorial says any random text will do";

/** What the tutorial's own server keeps: its store, with its encoder and decoder. */
export function tutorialStore(path: string, options: object = {}) {
  const FileStore = sessionFileStore(session);
  const store = new FileStore({
    path,
    retries: 0,
    ttl: 30 * 86_400,
    secret: encryptionKey,
    reapInterval: -1,
    logFn: () => {},
    encoder: (data: Stored) => JSON.stringify({ ...data, arcgis: data.arcgis?.serialize() }),
    ...options,
  } as object);
  return promisify<string, SessionData>(store.set.bind(store));
}

/** What `UserSession.serialize()` of @esri/arcgis-rest-auth 3 writes: these members in this order, without a type. */
export function userSession(fields: object): string {
  const none = undefined;
  return JSON.stringify({
    clientId: "test-app",
    refreshToken: "old refresh token",
    refreshTokenExpires: new Date(Date.now() + 10 * day),
    username: "una_publisher",
    password: none,
    token: "old token",
    tokenExpires: new Date(Date.now() + 20 * 60_000),
    portal: "https://www.arcgis.com/sharing/rest",
    ssl: true,
    tokenDuration: 20160,
    redirectUri: "http://localhost:3000/authenticate",
    refreshTokenTTL: 20160,
    ...fields,
  });
}

/** A session with the cookie of the tutorial. */
export function oldSession(data: object): SessionData {
  const cookie = {
    originalMaxAge: 30 * day,
    expires: new Date(Date.now() + 30 * day),
    httpOnly: true,
    path: "/",
  };
  return { cookie, ...data } as unknown as SessionData;
}

/** Opens the store, with the tutorial's files in the same folder unless `legacy` says otherwise. */
export function openStore(
  t: TestContext,
  { path = folder(t), keys = secret(), legacy, ...others }: StoreOptions = {},
) {
  const warnings: Warning[] = [];
  const store = new SealedStore({
    backend: fileBackend(path),
    encryptionKey: keys,
    onUnreadable: (record, problem) => void warnings.push({ record, problem }),
    legacy:
      legacy &&
      legacyFileStore({ path, onUnreadable: (problem) => void warnings.push({ problem }), ...legacy }),
    ...others,
  });
  t.after(() => store.close());
  return { store, path, keys, warnings };
}

export const manager = (username: string) => ArcGISIdentityManager.deserialize(userSession({ username }));

export const oldId = () => secret().slice(0, 32);

/** A store that takes over what is in `path`, and what it warned of. */
export function takingOver(t: TestContext, path: string, legacy: Partial<LegacyFileStoreOptions> = {}) {
  const { store, warnings } = openStore(t, { path, legacy });
  // It gives the store its `generate`.
  session({ store, secret: "x", resave: false, saveUninitialized: false });
  const get = promisify(store.get.bind(store)) as (id: string) => Promise<Stored | null>;
  return { store, get, warnings, destroy: promisify<string>(store.destroy.bind(store)) };
}

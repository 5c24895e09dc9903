import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Request } from "express";
import session, { type SessionData } from "express-session";
import { createClient } from "redis";
import {
  type RedisClient,
  SealedStore,
  type SealedStoreOptions,
  type SessionBackend,
} from "#src/session-store.ts";
import { startRedis } from "./redis.ts";
import { secret } from "./temporary.ts";

export const day = 86_400_000;
export const portal = "https://gis.example.com/portal/sharing/rest";

export function identity(options: Partial<ConstructorParameters<typeof ArcGISIdentityManager>[0]> = {}) {
  return new ArcGISIdentityManager({
    portal,
    clientId: "test-app",
    redirectUri: "http://localhost:9/authenticate",
    username: "sandy_admin",
    token: "access",
    tokenExpires: new Date(Date.now() + 1_800_000),
    refreshToken: "refresh",
    refreshTokenExpires: new Date(Date.now() + 14 * day),
    ...options,
  });
}

export type Data = Partial<SessionData> & Record<string, unknown>;

export const plainCookie = { originalMaxAge: null, path: "/", httpOnly: true };

export function openStore(
  t: Pick<TestContext, "after">,
  backend: SessionBackend,
  options: Partial<SealedStoreOptions> = {},
) {
  const store = new SealedStore({ backend, encryptionKey: secret(), ...options });
  t.after(() => store.close());
  // What express-session does when the store meets its middleware.
  session({ store, secret: "x", resave: false, saveUninitialized: false });
  const set = promisify(store.set.bind(store)) as (id: string, data: object) => Promise<void>;
  const get = promisify(store.get.bind(store)) as (id: string) => Promise<Data | null>;
  /** A session as a request has it. */
  const load = async (id: string) => {
    const data = await get(id);
    const req = { sessionID: id } as Request;
    return data && (store.createSession(req, data as SessionData) as unknown as Data);
  };
  const touch = promisify(store.touch.bind(store)) as (id: string, data: object) => Promise<void>;
  return { store, set, get, load, touch };
}

export async function connect(t: Pick<TestContext, "after">) {
  const server = await startRedis(t);
  const raw = createClient({ url: server.url }) as unknown as RedisClient & {
    connect(): Promise<unknown>;
    destroy(): void;
    on(event: "error", listener: () => void): void;
  };
  raw.on("error", () => {});
  await raw.connect();
  t.after(() => raw.destroy());
  return { server, client: raw as RedisClient };
}

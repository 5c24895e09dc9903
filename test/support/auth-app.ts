import { readdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import express, { type ErrorRequestHandler, type Express } from "express";
import session from "express-session";
import {
  type ArcGISAuth,
  type ArcGISAuthOptions,
  type AuthEvent,
  arcgisAuth,
  authErrorHandler,
} from "#src/index.ts";
import { type Sandbox, startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./browser.ts";
import { casesOf } from "./rounds.ts";
import { folder, secret } from "./temporary.ts";

const allModes = ["own", "shared"] as const;
export type Mode = (typeof allModes)[number];
export const modes = casesOf(allModes, 1);

export interface AuthApp {
  url: string;
  server: Server;
  auth: ArcGISAuth;
  options: ArcGISAuthOptions;
  sandbox: Sandbox;
  /** The folder of the sessions. */
  dir: string;
  events: AuthEvent[];
  /** What reached the app's own error handler. */
  errors: unknown[];
  browser: () => Browser;
  files: () => string[];
  /** How often the token endpoint was asked for this grant. */
  grants: (type: string) => number;
}

export interface AuthAppOptions {
  mode?: Mode;
  /** Path where `auth` is mounted; it is in front of the callback's path, too. */
  mount?: string;
  auth?: Partial<ArcGISAuthOptions>;
  /** In front of session() and `auth`. */
  before?: (app: Express, auth: ArcGISAuth) => void;
  routes?: (app: Express, auth: ArcGISAuth) => void;
  sandbox?: Sandbox;
  dir?: string;
}

/** A small app of another user with the library in it, against a sandbox portal. */
export async function openAuthApp(
  t: Pick<TestContext, "after">,
  options: AuthAppOptions = {},
): Promise<AuthApp> {
  const { mode = "own", mount = "", dir = join(folder(t), "sessions") } = options;
  const app = express().set("env", "test"); // neither Express nor the library logs errors
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close().closeAllConnections());
  // The portal is 127.0.0.1, the app is localhost: two sites, as in real life.
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const redirectUri = options.auth?.redirectUri ?? `${url}${mount}/authenticate`;
  const clientId = "test-app";
  const sandbox =
    options.sandbox ?? (await startSandbox({ clients: [{ clientId, redirectUris: [redirectUri] }] }));
  if (options.sandbox)
    sandbox.clients.find((one) => one.clientId === clientId)?.redirectUris.push(redirectUri);
  else t.after(() => sandbox.close());

  const events: AuthEvent[] = [];
  const authOptions: ArcGISAuthOptions = {
    clientId,
    portal: sandbox.url,
    redirectUri,
    sessionSecret: secret(),
    encryptionKey: secret(),
    ...(!options.auth?.store && { sessionDir: dir }),
    shareSession: mode === "shared",
    onEvent: (event) => void events.push(event),
    ...options.auth,
  };
  const auth = arcgisAuth(authOptions);
  t.after(() => auth.close());
  const errors: unknown[] = [];
  options.before?.(app, auth);
  if (authOptions.shareSession) app.use(session(auth.sessionOptions));
  app.use(mount || "/", auth);
  app.get("/", (req, res) => void res.json({ user: req.arcgis.user, form: req.arcgis.csrfToken }));
  app.get(
    "/reports",
    auth.requireSignIn(),
    (req, res) => void res.send(`reports for ${req.arcgis.user?.username}`),
  );
  app.get("/token", async (req, res) => {
    const { token, tokenExpires } = await req.arcgis.identity();
    res.json({ token, tokenExpires });
  });
  options.routes?.(app, auth);
  const remember: ErrorRequestHandler = (error, _req, _res, next) => {
    errors.push(error);
    next(error);
  };
  const last: ErrorRequestHandler = (error, _req, res, _next) => {
    res.status(error.status ?? 500).send(`host: ${error.message}`);
  };
  app.use(remember, authErrorHandler(), last);

  return {
    url,
    server,
    auth,
    options: authOptions,
    sandbox,
    dir,
    events,
    errors,
    browser: () => new Browser(url),
    files: () => readdirSync(dir).filter((name) => name.endsWith(".session")),
    grants: (type) => sandbox.log.filter(({ params }) => params.grant_type === type).length,
  };
}

/** The session id in this browser's cookie. */
export function idOf(browser: Browser, name = "arcgis.sid"): string {
  return /^s:([^.]+)\./.exec(decodeURIComponent(browser.cookies.get(name) ?? ""))?.[1] ?? "";
}

/** The identity that is stored for this browser. */
export async function storedIdentity({ auth }: Pick<AuthApp, "auth">, browser: Browser) {
  const { arcgis } = (await auth.store.read(idOf(browser))) ?? {};
  if (!arcgis) throw new Error("no identity is stored");
  return arcgis;
}

/** Lets the stored access token expire, as time would. */
export async function expireStoredToken({ auth }: Pick<AuthApp, "auth">, browser: Browser): Promise<void> {
  await auth.store.update(idOf(browser), ({ arcgis }) => {
    if (!arcgis) throw new Error("no identity is stored");
    arcgis.updateToken(arcgis.token, new Date(Date.now() - 1_000));
    Object.assign(arcgis, { tokenEndsAt: new Date(Date.now() - 1_000) });
  });
}

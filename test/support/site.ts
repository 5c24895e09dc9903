import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import express, { type Express } from "express";
import { type Config, parseConfig } from "#src/app/config/config.ts";
import { type AppOptions, createApp } from "#src/app/create-app.ts";
import { createHttpServer, type HttpLimits } from "#src/app/http-server.ts";
import { openLog } from "#src/app/log.ts";
import { openStore } from "#src/app/store.ts";
import { type Sandbox, startSandbox } from "#src/sandbox/index.ts";
import { SealedStore, type SessionBackend } from "#src/session-store.ts";
import { Browser } from "./browser.ts";
import { folder, secret } from "./temporary.ts";

export { callbackFor, choose, signIn } from "./sign-in.ts";
export { folder, secret };

export interface Site {
  /** Where the app listens, such as http://localhost:43210. */
  url: string;
  config: Config;
  store: SealedStore;
  sandbox: Sandbox;
  /** What the app logged, one object a line, and the same as text. */
  log: { lines: Record<string, unknown>[]; text: () => string };
  /** The names of the files in the session folder, but for locks, temp files and what waits for the log. */
  files: () => string[];
  browser: () => Browser;
  /** Finishes, as at the end of the process, what the portal is still to be told and the store still to keep. */
  close: () => Promise<void>;
}

export interface SiteOptions {
  /** Keys of config.json beside those that every site has. */
  settings?: Record<string, unknown>;
  /** Mounts the app under this path of another app. */
  mount?: string;
  /** A folder of an earlier site, to go on with its sessions. */
  sessionDir?: string;
  /** Adds routes to the app itself. */
  routes?: AppOptions["routes"];
  /** Adds routes to the app around ours. */
  host?: (host: Express, site: Site) => void;
  /** Adds to the app around us what comes after us. */
  after?: (host: Express) => void;
  sandbox?: Sandbox;
  /** Of the HTTP server, in place of the usual ones. */
  limits?: HttpLimits;
  /** Keeps the sessions in another place than the folder. */
  backend?: SessionBackend;
}

/** Starts the real server and a sandbox portal, on free ports, with a session folder of their own. */
export async function openSite(t: Pick<TestContext, "after">, options: SiteOptions = {}): Promise<Site> {
  const { settings = {}, mount = "", sessionDir = join(folder(t), "sessions"), host } = options;
  const written: string[] = [];
  const log = await openLog(String(settings.LOG_LEVEL ?? "trace") as Config["logLevel"], {
    write: (line: string) => void written.push(line),
  });
  let handler: RequestListener = () => assert.fail("the app is there before the first request");
  const server = createHttpServer((req, res) => handler(req, res), { log, limits: options.limits });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close().closeAllConnections());
  // The portal is 127.0.0.1, the app is localhost: two sites, as in real life.
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const redirectUri = String(settings.REDIRECT_URI ?? `${url}${mount}/authenticate`);
  const clientId = "test-app";
  const sandbox =
    options.sandbox ?? (await startSandbox({ clients: [{ clientId, redirectUris: [redirectUri] }] }));
  if (!options.sandbox) t.after(() => sandbox.close());
  else sandbox.clients.find((client) => client.clientId === clientId)?.redirectUris.push(redirectUri);

  const config = parseConfig({
    CLIENT_ID: clientId,
    PORTAL_URL: sandbox.url,
    REDIRECT_URI: redirectUri,
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    SESSION_DIR: sessionDir,
    RATE_LIMIT: "off",
    LOG_LEVEL: "trace",
    ...settings,
  });
  const { sessionIdleSeconds: idleSeconds, sessionMaxSeconds: maxSeconds, encryptionKeys } = config;
  const { backend } = options;
  const opened = backend
    ? { store: new SealedStore({ backend, encryptionKey: encryptionKeys, idleSeconds, maxSeconds }) }
    : await openStore(config, log);
  const { store } = opened;
  const app = await createApp({ config, shareSession: !mount && !host, store, log, routes: options.routes });
  t.after(async () => {
    await app.close();
    if ("close" in opened) await opened.close();
    else store.close();
  });

  const site: Site = {
    url,
    config,
    store,
    sandbox,
    log: {
      get lines() {
        return written.map((line) => JSON.parse(line));
      },
      text: () => written.join(""),
    },
    files: () =>
      readdirSync(sessionDir).filter((name) => !/\.(lock|refresh|temp)$|^pending-actions$/.test(name)),
    browser: () => new Browser(url),
    close: () => app.close(),
  };
  if (mount || host) {
    const outer = express();
    host?.(outer, site);
    outer.use(mount || "/", app);
    options.after?.(outer);
    handler = outer;
  } else {
    handler = app.listener;
  }
  return site;
}

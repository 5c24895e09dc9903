import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import express, { type Express } from "express";
import { type Config, parseConfig } from "#src/app/config/config.ts";
import { type AppParts, createApp } from "#src/app.ts";
import { createHttpServer, type HttpLimits } from "#src/http-server.ts";
import { openLog } from "#src/log.ts";
import { type Sandbox, startSandbox } from "#src/sandbox/index.ts";
import { openStore } from "#src/session/open-store.ts";
import type { RecordStore } from "#src/session/record-store.ts";
import { keyRing } from "#src/session/seal.ts";
import { SealedStore } from "#src/session/sealed-store.ts";
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
  /** The names of the files in the session folder, but for locks and temp files: those are there for milliseconds. */
  files: () => string[];
  browser: () => Browser;
}

export interface SiteOptions {
  /** Keys of config.json beside those that every site has. */
  settings?: Record<string, unknown>;
  /** Mounts the app under this path of another app. */
  mount?: string;
  /** A folder of an earlier site, to go on with its sessions. */
  sessionDir?: string;
  /** Adds routes to the app itself. */
  routes?: AppParts["routes"];
  /** Adds routes to the app around ours. */
  host?: (host: Express, site: Site) => void;
  /** Adds to the app around us what comes after us. */
  after?: (host: Express) => void;
  sandbox?: Sandbox;
  /** Of the HTTP server, in place of the usual ones. */
  limits?: HttpLimits;
  /** Keeps the sessions in another place than the folder. */
  records?: RecordStore;
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
  const store = options.records ? storeOn(options.records, config) : await openStore(config, log);
  t.after(() => store.close());
  const app = createApp({ config, store, log, routes: options.routes });

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
    files: () => readdirSync(sessionDir).filter((name) => !/\.(lock|refresh|temp)$/.test(name)),
    browser: () => new Browser(url),
  };
  if (mount || host) {
    const outer = express();
    host?.(outer, site);
    outer.use(mount || "/", app);
    options.after?.(outer);
    handler = outer;
  } else {
    handler = app;
  }
  return site;
}

function storeOn(records: RecordStore, config: Config): SealedStore {
  const { sessionIdleSeconds: idleSeconds, sessionMaxSeconds: maxSeconds } = config;
  return new SealedStore({ records, keys: keyRing(config.encryptionKeys), idleSeconds, maxSeconds });
}

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { keyRing } from "#src/auth/session/seal.ts";
import { sealRecord } from "#src/auth/session/sealed-record.ts";
import { serialize } from "#src/auth/session/serializer.ts";
import type { Browser } from "./browser.ts";
import { callCli } from "./cli.ts";
import { whoIs } from "./expect.ts";
import { folder, openSite, type Site, type SiteOptions, signIn } from "./site.ts";
import { identityFor } from "./store.ts";

/** The settings of a site as its command would find them in the environment. */
export function settingsOf({ config }: Site, more: Record<string, string> = {}): Record<string, string> {
  return {
    CLIENT_ID: config.clientId,
    PORTAL_URL: config.portal,
    REDIRECT_URI: config.redirectUri,
    SESSION_SECRET: config.sessionSecrets.join(","),
    ENCRYPTION_KEY: config.encryptionKeys.join(","),
    SESSION_DIR: config.sessionDir,
    ...more,
  };
}

/** Runs a subcommand in this process, beside whatever else uses the store. */
export const run = (
  t: TestContext,
  env: Record<string, string>,
  args: string[],
  terminal: { isTTY?: boolean } = {},
) => callCli(["sessions", ...args], { cwd: folder(t), env, ...terminal });

/** Writes sessions into a folder faster than sign-ins could. */
export function lay(
  dir: string,
  key: string,
  count: number,
  userOf: (index: number) => string,
  portal?: string,
): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const createdAt = Date.now();
  for (let index = 0; index < count; index++) {
    const name = index.toString(16).padStart(64, "0");
    const parts = serialize({ cookie: {}, arcgis: identityFor(userOf(index), { portal }) });
    const text = sealRecord(keyRing([key]), name, { createdAt, parts });
    writeFileSync(join(dir, `${name}.session`), text, { mode: 0o600 });
  }
}

/** Signs these users in, each in a browser of their own. */
export async function openWith(t: TestContext, users: string[], options: SiteOptions = {}) {
  const site = await openSite(t, options);
  const browsers: Browser[] = [];
  for (const user of users) {
    const browser = site.browser();
    await signIn(browser, user);
    browsers.push(browser);
  }
  return { site, browsers };
}

export const signedIn = (browsers: Browser[]) => Promise.all(browsers.map((browser) => whoIs(browser)));

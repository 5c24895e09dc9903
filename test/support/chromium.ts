import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { after, type TestContext } from "node:test";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";

export interface Window {
  page: Page;
  context: BrowserContext;
  /**
   * What went wrong inside: violations of a Content Security Policy, errors of scripts, dialogs. There must be
   * nothing in it at the end of the test; a test that provokes something takes it out and looks at it.
   */
  problems: string[];
}

export interface Chromium {
  /** For the `skip` option of a test: false, or why there is no browser and what to install. */
  skip: string | false;
  /**
   * Opens a window with a profile of its own. The test fails when anything in it asks for an address beyond
   * this machine; the browser would not find it either.
   */
  open(t: Pick<TestContext, "after">, options?: BrowserContextOptions): Promise<Window>;
}

let launched: ReturnType<typeof launchAny> | undefined;

/**
 * Starts one Chromium for a test file, or for all the files that run in this process, and ends it after them.
 * @throws with REQUIRE_ALL=1, when there is none that starts.
 */
export async function startChromium(): Promise<Chromium> {
  launched ??= launchAny();
  const { browser, failures } = await launched;
  if (!browser) {
    const reason = `no Chromium starts: install Debian's package "chromium-headless-shell", or name one in CHROMIUM_PATH (${failures.join("; ")})`;
    if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
    return { skip: reason, open: () => Promise.reject(new Error(reason)) };
  }
  if (!process.env.TEST_QUEUE) after(closeChromium);
  return { skip: false, open: (t, options) => openWindow(t, browser, options) };
}

/** Ends the Chromium of this process, if there is one. */
export async function closeChromium(): Promise<void> {
  await (await launched)?.browser?.close();
}

/** Chooses a user at the sandbox portal, or "Cancel". */
export async function choose(page: Page, name: string): Promise<void> {
  await page.locator("form button", { hasText: name }).click();
}

/** Signs a user of the sandbox portal in to the app at `url`, the whole way, and waits for `returnTo`. */
export async function signInAs(page: Page, url: string, name: string, returnTo = "/"): Promise<void> {
  await page.goto(`${url}/sign-in?returnTo=${encodeURIComponent(returnTo)}`);
  await choose(page, name);
  await page.waitForURL(`${url}${returnTo}`);
}

/** The session's id, of a browser that is signed in. */
export async function sessionOf(context: BrowserContext): Promise<string> {
  const cookie = (await context.cookies()).find(({ name }) => name === "arcgis.sid");
  return /^s:([^.]+)\./.exec(decodeURIComponent(cookie?.value ?? ""))?.[1] ?? assert.fail("no session");
}

/** Waits for a page with this heading, letter by letter. */
export async function assertHeading(page: Page, text: string): Promise<void> {
  const isThere = page.locator("h1", { hasText: text }).waitFor();
  // What stands there instead says more than that the time is over.
  await isThere.catch(async () => assert.equal(await page.locator("h1").textContent(), text));
  assert.equal(await page.locator("h1").textContent(), text);
}

async function openWindow(
  t: Pick<TestContext, "after">,
  browser: Browser,
  options?: BrowserContextOptions,
): Promise<Window> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(60_000);
  const problems: string[] = [];
  const elsewhere: string[] = [];

  context.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (/^https?:$/.test(protocol) && !loopback.includes(hostname)) elsewhere.push(request.url());
  });
  context.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) problems.push(message.text());
  });
  context.on("weberror", (error) => void problems.push(String(error.error())));
  context.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual({ problems, elsewhere }, { problems: [], elsewhere: [] });
  });
  return { page: await context.newPage(), context, problems };
}

const loopback = ["localhost", "127.0.0.1", "[::1]"];

const args = [
  // Not by intercepting requests: that would switch the browser's cache off, and Back is tested here.
  `--host-resolver-rules=MAP * ~NOTFOUND, ${loopback.map((host) => `EXCLUDE ${host}`).join(", ")}`,
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // As root, as in most containers, Chromium does not start with its sandbox.
  ...(userInfo().uid === 0 ? ["--no-sandbox"] : []),
];

async function launchAny(): Promise<{ browser?: Browser; failures: string[] }> {
  const failures: string[] = [];
  for (const find of candidates()) {
    try {
      const executablePath = await find();
      // People's browsers keep whole pages for Back and Forward; playwright's would not.
      const ignoreDefaultArgs = ["--disable-back-forward-cache"];
      return { browser: await chromium.launch({ executablePath, args, ignoreDefaultArgs }), failures };
    } catch (error) {
      failures.push(
        String((error as Error).message)
          .split("\n", 1)
          .join(),
      );
    }
  }
  return { failures };
}

/** Where a Chromium may be, best first. */
function candidates(): (() => string | Promise<string>)[] {
  const { CHROMIUM_PATH, PATH = "" } = process.env;
  if (CHROMIUM_PATH) return [() => CHROMIUM_PATH];
  // The shell is the same engine without a window, and takes half the time.
  const names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
  const onPath = names.flatMap((name) =>
    PATH.split(delimiter)
      .map((folder) => join(folder, name))
      .filter(existsSync),
  );
  return [...onPath.map((path) => () => path), packedChromium];
}

/** Unpacks the Chromium that came by npm, unless it was already; gives its path. */
export async function packedChromium(): Promise<string> {
  const { default: packed } = await import("@sparticuz/chromium");
  const require = createRequire(createRequire(import.meta.url).resolve("@sparticuz/chromium"));
  const { version } = require("../../package.json") as { version: string };
  const cache = join(import.meta.dirname, "../../node_modules/.cache");
  const folder = join(cache, `chromium-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    // Aside, because several processes may want it at once.
    const fresh = mkdtempSync(`${folder}-`);
    // It unpacks into TMPDIR.
    const { TMPDIR } = process.env;
    process.env.TMPDIR = fresh;
    try {
      await packed.executablePath();
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    }
    try {
      renameSync(fresh, folder);
    } catch {
      // Another process was faster.
      rmSync(fresh, { recursive: true });
    }
  }
  return join(folder, "chromium");
}

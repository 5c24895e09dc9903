import assert from "node:assert/strict";
import { type Browser, typed } from "./browser.ts";
import { callbackFor, type Site } from "./site.ts";
import { recordOf } from "./store.ts";
import { csrfTokenOf, sessionIdOf } from "./user.ts";
export const safari =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
export const edge =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0";

export interface Shown {
  browser: string;
  isHere: boolean;
  /** What its button sends. */
  name: string | undefined;
}

/** What the page lists. */
export function listIn(body: string): Shown[] {
  return [...body.matchAll(/<li>.*?<\/li>/gs)].map(([item]) => ({
    browser: /<strong>([^<]*)</.exec(item)?.[1] ?? "",
    isHere: item.includes("This browser"),
    name: /name="session" value="([^"]*)"/.exec(item)?.[1],
  }));
}

export const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/** Signs a user in with a browser that says what it is. */
export async function signedIn(
  site: Pick<Site, "browser">,
  userAgent: string,
  username?: string,
): Promise<Browser> {
  const browser = site.browser();
  const callback = await callbackFor(browser, username ?? "sandy_admin");
  await browser.get(callback, { ...typed, "User-Agent": userAgent });
  return browser;
}

export async function listOf(browser: Browser): Promise<Shown[]> {
  const { status, body } = await browser.get("/sign-ins");
  assert.equal(status, 200, body);
  return listIn(body);
}

export async function end(browser: Browser, session: string): Promise<void> {
  const page = await browser.get("/sign-ins");
  const { status, headers } = await browser.post("/sign-ins", { csrf_token: csrfTokenOf(page), session });
  assert.deepEqual([status, headers.location], [303, "/sign-ins"]);
}

export const nameOf = (browser: Browser) => recordOf(sessionIdOf(browser));

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "./browser.ts";
import { callbackFor } from "./sign-in.ts";
import { until } from "./user.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/two-hosts.md"), "utf8");

/** What docs/two-hosts.md says between `pattern`'s parentheses. */
export function inPage(pattern: RegExp): string {
  return pattern.exec(page)?.[1] ?? assert.fail(`docs/two-hosts.md has ${pattern}`);
}

/** The user of Redis: its name, and its rules. */
export const redisUser = inPage(/^user (\S+ on .+)$/m).split(" ");

/** The site of deploy/ with the `upstream` of the page, in which `nginx` puts other addresses. */
export function withUpstream(site: string): string {
  const upstream = inPage(/^```nginx\n(upstream .*?)^```/ms);
  assert.match(upstream, /^ +server 10\.0\.0\.12:3000;$/m);
  const ours = upstream
    .replace("10.0.0.11:3000", "127.0.0.1:3000")
    .replace(/^ +server 10\.0\.0\.12:3000;\n/m, "");
  return site.replace(/^upstream .*?^}\n/ms, ours);
}

/** Signs a user in at the hosts; gives the status of the callback. */
export async function signIn(browser: Browser): Promise<number> {
  const { pathname, search } = new URL(await callbackFor(browser, "sandy_admin"));
  return (await browser.get(pathname + search)).status;
}

export interface Seen {
  user: number;
  status: number;
  /** When it was sent, and how long the response took (ms). */
  at: number;
  ms: number;
}

/** Signed-in users who keep asking for their session until `end`. */
export function load(users: Browser[]) {
  const seen: Seen[] = [];
  let isOver = false;
  const all = users.map(async (browser, user) => {
    while (!isOver) {
      const at = performance.now();
      const { status } = await browser.get("/api/session");
      seen.push({ user, status, at, ms: performance.now() - at });
      await sleep(20);
    }
  });
  return {
    seen,
    /** Waits until every user's latest response is a 200 to a request after this call. */
    allServed(): Promise<void> {
      const from = performance.now();
      const isServed = (_: Browser, user: number) =>
        seen.findLast((each) => each.user === user && each.at > from)?.status === 200;
      return until(() => users.every(isServed), "all are served");
    },
    async end(): Promise<void> {
      isOver = true;
      await Promise.all(all);
    },
  };
}

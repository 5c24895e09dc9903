import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { Browser, TestResponse } from "./browser.ts";
import { patienceMs } from "./rounds.ts";
import type { Site } from "./site.ts";

/** Signs out as a user does: by the button of the start page. */
export async function signOut(browser: Browser, base = "", page = "/"): Promise<TestResponse> {
  const home = await browser.get(base + page);
  return browser.post(`${base}/sign-out`, { csrf_token: csrfTokenOf(home) });
}

/** The token in the sign-out form of a page. */
export function csrfTokenOf({ body }: Pick<TestResponse, "body">): string {
  return /name="csrf_token" value="([^"]+)"/.exec(body)?.[1] ?? assert.fail(`no sign-out form in ${body}`);
}

/** The name of the cookie that keeps the latest sign-in in progress of a browser. */
export function transactionCookie({ cookies }: Pick<Browser, "cookies">): string {
  const names = [...cookies.keys()].filter((name) => name.includes(".tx."));
  return names.at(-1) ?? assert.fail("no sign-in in progress");
}

/** The session id in this browser's cookie. */
export function sessionIdOf(browser: Browser): string {
  const cookie = browser.cookies.get("arcgis.sid") ?? browser.cookies.get("__Host-arcgis.sid") ?? "";
  return /^s:([^.]+)\./.exec(decodeURIComponent(cookie))?.[1] ?? assert.fail("no session cookie");
}

/** The identity that the store keeps for this browser, tokens and all. */
export async function identityOf(site: Site, browser: Browser): Promise<ArcGISIdentityManager> {
  let identity: ArcGISIdentityManager | undefined;
  await site.store.update(sessionIdOf(browser), (data) => {
    identity = data.arcgis;
  });
  return identity ?? assert.fail("this browser has no session");
}

/** Lets the stored access token of this browser expire, as time would. */
export async function expireToken({ store }: Pick<Site, "store">, browser: Browser): Promise<void> {
  const past = new Date(Date.now() - 1_000);
  const isStored = await store.update(sessionIdOf(browser), ({ arcgis }) => {
    arcgis?.updateToken(arcgis.token, past);
    Object.assign(arcgis ?? {}, { tokenEndsAt: past });
  });
  assert.ok(isStored, "this browser has a session");
}

/** Waits for something that happens beside the response, such as a revocation. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + patienceMs; !condition(); await sleep(5)) {
    assert.ok(performance.now() < end, `in time: ${what}`);
  }
}

/** A session id with its signature, as express-session has it. */
export function signedId(id: string, key: string): string {
  return `s:${id}.${createHmac("sha256", key).update(id).digest("base64").replace(/=+$/, "")}`;
}

/** The cookie's value for a session id. */
export function signed(id: string, key: string): string {
  return encodeURIComponent(signedId(id, key));
}

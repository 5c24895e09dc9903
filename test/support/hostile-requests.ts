import assert from "node:assert/strict";
import { whoIs } from "./expect.ts";
import { type Site, signIn } from "./site.ts";

/** Asserts that the server goes on serving. */
export async function assertAlive(site: Site): Promise<void> {
  const browser = site.browser();
  assert.equal((await signIn(browser)).status, 303);
  assert.equal(await whoIs(browser), "sandy_admin");
}

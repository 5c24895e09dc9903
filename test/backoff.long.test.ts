import assert from "node:assert/strict";
import { test } from "node:test";
import { accessSeconds, credential, open, people, type User } from "./support/backoff.ts";
import { click } from "./support/browser.ts";
import { openSite } from "./support/site.ts";
import { until } from "./support/user.ts";

test("TK-9 users whose refreshes go on failing do not keep those of other users from being the probe", async (t) => {
  const { trouble, goOn, user } = await open(t);
  const sick: User[] = [];
  for (const name of people.slice(0, 4)) sick.push(await user(name));
  const ned = await user("ned_county");
  trouble.sick = new Set(sick.map(({ refreshToken }) => refreshToken));
  goOn(accessSeconds * 1000);
  const statuses: number[] = [];
  for (let round = 0; round < 12; round++) {
    for (const { browser } of sick) assert.equal(await credential(browser), 502);
    statuses.push(await credential(ned.browser));
    goOn(500);
  }
  assert.equal(statuses[0], 502, "it is paused");
  assert.equal(statuses.at(-1), 200, String(statuses));
});

test("TK-9 tokens of one user that the portal cannot revoke keep no other user's waiting", async (t) => {
  const { site, trouble, user } = await open(t);
  const sick: User[] = [];
  for (let index = 0; index < 10; index++) sick.push(await user("sandy_admin"));
  const bob = await user("vik_viewer");
  trouble.sick = new Set([...sick, bob].map(({ refreshToken }) => refreshToken));
  for (const { browser } of [...sick, bob]) assert.equal((await browser.get("/sign-out", click)).status, 303);
  assert.equal(trouble.met.length, 11);

  trouble.sick.delete(bob.refreshToken);
  const { sessionSecrets, encryptionKeys, sessionDir, redirectUri, portal } = site.config;
  await openSite(t, {
    sandbox: site.sandbox,
    sessionDir,
    settings: {
      SESSION_SECRET: sessionSecrets,
      ENCRYPTION_KEY: encryptionKeys,
      REDIRECT_URI: redirectUri,
      PORTAL_URL: portal,
    },
  });
  await until(
    () => site.sandbox.revoked.includes(bob.refreshToken),
    "the token of the other user is revoked",
  );
});

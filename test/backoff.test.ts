import assert from "node:assert/strict";
import { test } from "node:test";
import { accessSeconds, credential, open, people, program, type User } from "./support/backoff.ts";
import type { Browser } from "./support/browser.ts";
import { casesOf } from "./support/rounds.ts";

for (const kind of casesOf(["500", "reset", "json"] as const, 1)) {
  test(`TK-9 a portal that cannot refresh one user's token (${kind}) refreshes everybody else's`, async (t) => {
    const { trouble, goOn, user } = await open(t);
    const alice = await user("sandy_admin");
    const others = [await user("pia_publisher"), await user("vik_viewer")];
    Object.assign(trouble, { kind, sick: new Set([alice.refreshToken]) });
    for (let round = 0; round < 5; round++) {
      goOn(accessSeconds * 1000);
      for (let times = 0; times < 3; times++) assert.equal(await credential(alice.browser), 502);
      for (const { browser } of others) assert.equal(await credential(browser), 200);
    }
    assert.equal(trouble.met.length, 5, "and of the one it is not asked all the time");
  });
}

test("TK-9 many sessions of one user that fail do not pause the portal for others", async (t) => {
  const { trouble, goOn, user } = await open(t);
  const sessions: User[] = [];
  for (let index = 0; index < 8; index++) sessions.push(await user("sandy_admin"));
  const bob = await user("vik_viewer");
  trouble.sick = new Set(sessions.map(({ refreshToken }) => refreshToken));
  goOn(accessSeconds * 1000);
  for (const { browser } of sessions) assert.equal(await credential(browser), 502);
  assert.equal(trouble.met.length, sessions.length);
  assert.equal(await credential(bob.browser), 200);
});

test("TK-9 errors that the portal reports about their own tokens pause no other user, however many they are", async (t) => {
  const { trouble, goOn, user } = await open(t);
  const sick: User[] = [];
  for (const name of people.slice(0, 4)) sick.push(await user(name));
  const ned = await user("ned_county");
  Object.assign(trouble, { kind: "json", sick: new Set(sick.map(({ refreshToken }) => refreshToken)) });
  goOn(accessSeconds * 1000);
  for (const { browser } of sick) assert.equal(await credential(browser), 502);
  assert.equal(await credential(ned.browser), 200);
});

test("TK-9 a portal that cannot be reached for several users is paused for everybody, shortly, and then gets one probe", async (t) => {
  const { trouble, goOn, user } = await open(t);
  const users: User[] = [];
  for (const name of people) users.push(await user(name));
  trouble.sick = new Set(users.map(({ refreshToken }) => refreshToken));
  goOn(accessSeconds * 1000);
  const askAll = () => Promise.all(users.map(({ browser }) => credential(browser)));
  for (const { browser } of users) assert.equal(await credential(browser), 502);
  assert.equal(trouble.met.length, 3, "the others were spared");

  trouble.sick.clear();
  assert.deepEqual(new Set(await askAll()), new Set([502]), "it is paused");
  assert.equal(trouble.passed.length, people.length, "nothing but the profiles of the sign-ins");
  goOn(2_500);
  trouble.sick = new Set(users.map(({ refreshToken }) => refreshToken));
  await askAll();
  assert.equal(trouble.met.length, 4, "one probe of all who asked");
  goOn(2_500);
  trouble.sick.clear();
  assert.ok((await askAll()).includes(200));
  assert.deepEqual(new Set(await askAll()), new Set([200]), "and the probe that succeeds ends the pause");
});

test("TK-9 a portal that cannot tell one user's profile tells everybody else's", async (t) => {
  const { trouble, goOn, site, user } = await open(t);
  site.sandbox.settings.accessTokenSeconds = 24 * 60 * 60;
  const alice = await user("sandy_admin");
  const bob = await user("vik_viewer");
  trouble.sick.add(alice.accessToken);
  const fetchedAt = async (browser: Browser) => Number((await browser.get("/rights", program)).json());
  const first = await fetchedAt(alice.browser);
  for (let round = 0; round < 3; round++) {
    goOn(11 * 60_000);
    for (let times = 0; times < 3; times++) assert.equal(await fetchedAt(alice.browser), first);
    // The first request gets the new profile stored, the next one sees it.
    await fetchedAt(bob.browser);
    assert.equal(await fetchedAt(bob.browser), Date.now());
  }
  assert.equal(trouble.met.length, 3);
});

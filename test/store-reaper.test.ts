import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { onRemoval } from "./support/removal.ts";
import { openSite, signIn } from "./support/site.ts";
import { day, openTestStore } from "./support/store.ts";
import { open } from "./support/store-reaper.ts";
import { secret } from "./support/temporary.ts";
import { until } from "./support/user.ts";

describe("the reaper", () => {
  test("ST-8 removes an expired session, hands over its identities, and leaves the others alone", async (t) => {
    const { keepFor, wait, age, store, file, load, revoked } = open(t);
    const expired = await keepFor("token of an expired session");
    wait(3_700);
    const used = await keepFor("token of a session in use");
    age(expired, 3_700);
    await store.admin.reap();
    assert.deepEqual(revoked, ["token of an expired session"]);
    assert.equal(existsSync(file(expired)), false);
    assert.equal((await load(used))?.arcgis?.refreshToken, "token of a session in use");
  });

  test("ST-8 does not ask the portal about tokens that have ended by themselves", async (t) => {
    const { keepFor, wait, age, store, files, revoked } = open(t);
    const over = await keepFor("ended", new Date(Date.now() + 1_000_000));
    wait(3_700);
    age(over, 3_700);
    await store.admin.reap();
    assert.deepEqual(files(), []);
    assert.deepEqual(revoked, []);
  });

  test("ST-5 ST-8 a file whose key is absent stays for the idle time, and longer it could not be used", async (t) => {
    const { keep, wait, age, files, dir, revoked } = open(t);
    const id = await keep();
    const without = openTestStore(t, { dir, keys: [secret()], idleSeconds: 3_600 });
    wait(3_500);
    age(id, 3_500);
    await without.store.admin.reap();
    assert.equal(files().length, 1);
    wait(200);
    age(id, 3_700);
    await without.store.admin.reap();
    assert.deepEqual(files(), []);
    assert.deepEqual(revoked, []);
  });

  test("ST-8 goes on after a file that cannot be removed, and says so", async (t) => {
    const { keepFor, wait, age, store, file, warnings, revoked } = open(t);
    const [stuck, other] = [await keepFor("1"), await keepFor("2")];
    wait(3_700);
    for (const id of [stuck, other]) age(id, 3_700);
    onRemoval(t, (path) => {
      if (path === file(stuck)) throw Object.assign(new Error("EPERM: it is in use"), { code: "EPERM" });
    });
    await store.admin.reap();
    assert.equal(existsSync(file(other)), false);
    assert.deepEqual(revoked, ["2"]);
    assert.deepEqual(warnings, [{ error: "Error: EPERM: it is in use" }]);
  });

  test("ST-8 stops with the store: a session whose tokens could not be revoked anymore stays", async (t) => {
    const { keepFor, wait, age, store, files } = open(t);
    const id = await keepFor("1");
    wait(3_700);
    age(id, 3_700);
    store.close();
    await store.admin.reap();
    assert.equal(files().length, 1);
  });

  test("ST-8 SE-11 works a minute after the start and then every hour, but not while the clock is jumping", async (t) => {
    const clock = { wall: Date.now(), steady: performance.now() };
    t.mock.method(Date, "now", () => clock.wall);
    t.mock.method(performance, "now", () => clock.steady);
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    let times = 0;
    openTestStore(t, {
      backend: (files) => ({
        ...files,
        names: async () => {
          times++;
          return [];
        },
      }),
    });
    const pass = (ms: number) => {
      clock.wall += ms;
      clock.steady += ms;
      t.mock.timers.tick(ms);
    };
    pass(59_000);
    assert.equal(times, 0);
    pass(1_000);
    assert.equal(times, 1);
    pass(3_540_000);
    assert.equal(times, 2);
    for (let hour = 3; hour < 5; hour++) {
      pass(3_600_000);
      assert.equal(times, hour);
    }
    clock.wall += 40 * day;
    pass(3_600_000);
    assert.equal(times, 4, "the clock may be wrong now");
    pass(3_600_000);
    assert.equal(times, 5, "it still says so");
    clock.wall -= 40 * day;
    pass(3_600_000);
    assert.equal(times, 5);
  });
});

test("ST-8 the app revokes the tokens of an expired session at the portal", async (t) => {
  const site = await openSite(t, { settings: { SESSION_IDLE_SECONDS: 600 } });
  await signIn(site.browser());
  await site.store.admin.reap();
  assert.deepEqual([site.files().length, site.sandbox.revoked.length], [1, 0]);
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 3_600_000 });
  await site.store.admin.reap();
  await until(() => site.sandbox.revoked.length > 0, "it is revoked");
  assert.deepEqual([site.files().length, site.sandbox.revoked.length], [0, 1]);
});

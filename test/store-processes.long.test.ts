import assert from "node:assert/strict";
import { execFileSync, fork } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { memoryFolder } from "./support/disks.ts";
import { needsPosix } from "./support/posix.ts";
import { day, openTestStore } from "./support/store.ts";
import { type StoreProcess, startStoreProcess } from "./support/store-process.ts";
import { folder, secret } from "./support/temporary.ts";

/** FULL=1 runs these tests on a real disk, which takes minutes; else they are in memory. */
const full = process.env.FULL === "1";
const place = (t: TestContext) => join(full ? folder(t) : memoryFolder(t), "sessions");

/** What a process finds of a session: its token counts its refreshes. */
type Found = { value: unknown; token: number } | undefined;

function pick<T>(list: readonly T[]): T {
  return list[randomInt(list.length)] as T;
}

describe("two processes on one folder", () => {
  test("SE-9 what one process changes or ends is what the other one finds at its next request", async (t) => {
    const site = openTestStore(t);
    const other = await startStoreProcess(t, { dir: site.dir, keys: site.keys });
    const id = await other.ask<string>({ kind: "create" });
    for (let round = 1; round <= 10; round++) {
      // So long, that both have the session in their memory for certain.
      for (let look = 0; look < 3; look++) {
        assert.ok(await site.load(id));
        assert.ok(await other.ask({ kind: "get", id }));
        await sleep(60);
      }
      await other.ask({ kind: "refresh", id });
      assert.equal((await site.load(id))?.arcgis?.token, String(2 * round - 1));
      await site.store.update(id, ({ arcgis }) => void arcgis?.updateToken(String(2 * round), new Date()));
      assert.equal((await other.ask<Found>({ kind: "get", id }))?.token, 2 * round);
    }
    await other.ask({ kind: "destroy", id });
    assert.equal(await site.load(id), undefined);
    assert.deepEqual(site.files(), []);
  });

  test("TK-1 three processes lose none of 600 updates", async (t) => {
    const site = openTestStore(t);
    const id = await site.keep({ count: 0 });
    const script = fileURLToPath(new URL("support/auth-process.js", import.meta.url));
    const children = [1, 2, 3].map(() => fork(script, [site.dir, String(site.keys[0]), "update", id, "200"]));
    for (const child of children) t.after(() => void child.kill("SIGKILL"));
    await Promise.all(children.map((child) => once(child, "exit")));
    assert.equal(((await site.load(id)) as { count?: number } | undefined)?.count, 600);
  });

  const operations = 10_000;

  test(`SE-9 ${operations} sign-ins, refreshes, changes and sign-outs at once: no change is lost, no session comes back or disappears`, async (t) => {
    const site = openTestStore(t, { dir: place(t) });
    const processes = await Promise.all(
      [1, 2].map(() => startStoreProcess(t, { dir: site.dir, keys: site.keys })),
    );
    const ended: string[] = [];
    const alive = new Map<string, number>();
    let done = 0;
    const ask = <T>(kind: Parameters<StoreProcess["ask"]>[0]["kind"], id?: string): Promise<T> => {
      done++;
      return pick(processes).ask<T>({ kind, id, value: done });
    };

    /** One user: signs in, is busy in both processes at once, and now and then signs out in the middle of it. */
    async function life(): Promise<void> {
      const id = await ask<string>("create");
      let token = 0;
      while (done < operations) {
        const signsOut = randomInt(6) === 0;
        const refreshes = Array.from({ length: randomInt(1, 4) }, () => ask<boolean>("refresh", id));
        const changes = Array.from({ length: randomInt(3) }, () => ask<boolean>("set", id));
        const looks = Array.from({ length: randomInt(1, 4) }, () => ask<Found>("get", id));
        const signOut = signsOut ? ask("destroy", id) : undefined;
        const late = signOut?.then(() => Promise.all([ask("refresh", id), ask("set", id), ask("get", id)]));

        for (const found of await Promise.all(looks)) {
          if (!signsOut) assert.ok(found, "no user is signed out who did not sign out");
          if (found) assert.ok(found.token >= token && found.token <= token + refreshes.length);
        }
        const kept = (await Promise.all(refreshes)).filter(Boolean).length;
        const saved = await Promise.all(changes);
        if (late) {
          assert.deepEqual(await late, [false, false, undefined], "after the sign-out there is nothing");
          ended.push(id);
          return life();
        }
        assert.equal(kept, refreshes.length, "every refresh is kept");
        assert.ok(saved.every(Boolean));
        token += kept;
        for (const process of processes) {
          done++;
          assert.equal((await process.ask<Found>({ kind: "get", id }))?.token, token, "no refresh is lost");
        }
      }
      alive.set(id, token);
    }
    await Promise.all(Array.from({ length: 12 }, life));

    for (const [id, token] of alive) assert.equal((await site.load(id))?.arcgis?.token, String(token));
    for (const id of ended) assert.equal(await site.load(id), undefined);
    assert.ok(ended.length >= operations / 100);
    const names = [...alive.keys()].map((id) => site.file(id)).sort();
    await until(() => site.files().every((name) => name.endsWith(".session")));
    assert.deepEqual(
      site
        .files()
        .map((name) => join(site.dir, name))
        .sort(),
      names,
    );
    for (const process of processes) assert.deepEqual(await process.ask({ kind: "warnings" }), []);
  });

  test("SE-9 a process that is stopped in the middle of a change cannot bring a session back when it goes on", {
    skip: needsPosix("SIGSTOP"),
  }, async (t) => {
    const site = openTestStore(t);
    const other = await startStoreProcess(t, { dir: site.dir, keys: site.keys });
    let inTheMiddle = 0;
    for (let round = 0; round < (full ? 100 : 15) || inTheMiddle < 3; round++) {
      const id = await site.keep();
      const refreshes = [1, 2, 3].map(() => other.ask<boolean>({ kind: "refresh", id }));
      await sleep(randomInt(8));
      other.signal("SIGSTOP");
      if (site.files().some((name) => name.endsWith(".lock"))) inTheMiddle++;
      const start = performance.now();
      await site.destroy(id);
      // It would be waited for ten seconds.
      assert.ok(performance.now() - start < 8_000, "a sign-out does not wait for it");
      other.signal("SIGCONT");
      await Promise.all(refreshes);
      assert.equal(await site.load(id), undefined);
      assert.deepEqual(site.files(), [], `round ${round}`);
    }
  });
});

describe("a process that is killed", () => {
  // Windows is where a lock or a session could get lost.
  const kills = full || process.platform === "win32" ? 50 : 8;
  const writesAKill = 2_000 / kills;

  test(`ST-7 kill -9 ${kills} times in the middle of ${kills * writesAKill} writes: every session is there, whole, as it was last or was to be`, async (t) => {
    const site = openTestStore(t, { dir: place(t) });
    /** Of each session: what was confirmed, and what was asked for since. */
    const model = new Map<string, { confirmed: number; asked: number }>();
    let writes = 0;
    for (let round = 0; round < kills; round++) {
      const process = await startStoreProcess(t, { dir: site.dir, keys: site.keys });
      const ids: string[] = [];
      for (let index = 0; index < 5; index++) {
        const id = await process.ask<string>({ kind: "create", value: 0 });
        ids.push(id);
        model.set(id, { confirmed: 0, asked: 0 });
      }
      const work = ids.map(async (id) => {
        const state = model.get(id) as { confirmed: number; asked: number };
        for (;;) {
          state.asked++;
          assert.equal(await process.ask({ kind: "set", id, value: state.asked }), true);
          state.confirmed = state.asked;
          // At any moment of the writes that are under way.
          if (++writes >= (round + 1) * writesAKill) await sleep(randomInt(20)).then(process.kill);
        }
      });
      for (const { reason } of (await Promise.allSettled(work)) as PromiseRejectedResult[]) {
        assert.equal(reason.message, "the process is gone");
      }

      for (const [id, { confirmed, asked }] of model) {
        const session = (await site.load(id)) as { value?: number } | undefined;
        assert.ok(session, "no session is lost");
        const value = Number(session.value);
        assert.ok(value >= confirmed && value <= asked, `${confirmed} <= ${value} <= ${asked}`);
      }
      // It rejects when a lock stays for 20 s.
      for (const id of ids) assert.ok(await site.store.update(id, (data) => Object.assign(data, { round })));
    }
    assert.deepEqual(site.warnings, []);

    // What it left behind holds up no other who signs out, and goes with the reaper.
    for (const id of model.keys()) await site.destroy(id);
    for (const name of readdirSync(site.dir)) utimesSync(join(site.dir, name), 0, 0);
    await site.store.admin.reap();
    assert.deepEqual(site.files(), []);
  });
});

describe("the clock", { skip: faketimeIsMissing() }, () => {
  const clocked = async (t: Parameters<typeof startStoreProcess>[0], dir: string, keys: string[]) => ({
    at: (clock: string) => startStoreProcess(t, { dir, keys, clock, idleSeconds: (14 * day) / 1000 }),
  });

  test("SE-6 SE-7 SE-11 13 days on every session is there, 40 days on none, 2 days back none is believed, and nothing is lost by it", async (t) => {
    const keys = [secret()];
    const site = openTestStore(t, { keys });
    const id = await site.keep();
    const { at } = await clocked(t, site.dir, keys);
    const [soon, late, before] = await Promise.all(["+13d", "+40d", "-2d"].map(at));
    const look = async (process?: StoreProcess) =>
      (await process?.ask<Found>({ kind: "get", id })) !== undefined;

    assert.equal(await look(before), false);
    await before?.ask({ kind: "reap" });
    assert.equal(await look(late), false);
    assert.equal(await look(soon), true);
    await until(() => statSync(site.file(id)).mtimeMs > Date.now() + 12 * day);
    assert.ok(await site.load(id), "a use that was noted 13 days ahead does no harm");
    await soon?.ask({ kind: "reap" });
    assert.ok(await site.load(id));
    // Again, as the use that was found last may be noted at that very moment: that puts the file in place again.
    await until(async () => {
      await late?.ask({ kind: "reap" });
      return site.files().length === 0;
    });
  });

  test("SE-11 a session made 2 days ahead of time does not live 2 days longer", async (t) => {
    const keys = [secret()];
    const site = openTestStore(t, { keys });
    const { at } = await clocked(t, site.dir, keys);
    const [ahead, later] = await Promise.all(["+2d", "+33d"].map(at));
    const id = String(await ahead?.ask({ kind: "create" }));
    assert.equal(await site.load(id), undefined);
    assert.equal(await later?.ask({ kind: "get", id }), undefined);
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await condition()); await sleep(10)) {
    assert.ok(performance.now() < end, "within a minute");
  }
}

/** Why the tests of the clock cannot run here, if so. */
function faketimeIsMissing(): string | false {
  try {
    execFileSync("faketime", ["-f", "+1d", "true"]);
    return false;
  } catch {
    const reason = 'faketime is missing: install Debian\'s package "faketime"';
    if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
    return reason;
  }
}

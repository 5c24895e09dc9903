import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs, { writeFileSync } from "node:fs";
import fsPromises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { SessionData } from "express-session";
import { memory } from "#src/session/memory.ts";
import { identityFor, openTestStore } from "./support/store.ts";

/** Counts the calls of functions that Node brings, from here to the end of the test. */
function count(t: TestContext, of: Record<string, object>): () => Record<string, number> {
  const mocks = Object.entries(of).map(
    ([name, module]) => [name, t.mock.method(module as Record<string, () => void>, name).mock] as const,
  );
  syncBuiltinESMExports();
  t.after(syncBuiltinESMExports);
  return () => Object.fromEntries(mocks.map(([name, { calls }]) => [name, calls.length]));
}

/** Looks at a session so often and so long that the store has it in its memory for certain. */
async function warm(load: () => Promise<unknown>): Promise<void> {
  for (let look = 0; look < 3; look++) {
    assert.ok(await load());
    await sleep(60);
  }
}

describe("the memory of opened sessions", () => {
  test("gives what was made of a version once it was read a while after that version was first seen", async () => {
    const { recall, remember } = memory<string>(10);
    assert.equal(recall("a", "1"), undefined);
    remember("a", "1", "early", performance.now());
    assert.equal(recall("a", "1"), undefined, "another state may still get the same times");
    const readAt = performance.now();
    await sleep(110);
    remember("a", "1", "read early, remembered late", readAt);
    assert.equal(recall("a", "1"), undefined);
    remember("a", "1", "settled", performance.now());
    assert.equal(recall("a", "1"), "settled");
    assert.equal(recall("a", "2"), undefined);
    assert.equal(recall("b", "1"), undefined);
    remember("a", "2", "changed", performance.now());
    assert.equal(recall("a", "2"), undefined, "a new version begins anew");
    assert.equal(recall("a", "1"), undefined);
  });

  test("holds so many and no more, and lets the oldest go", () => {
    const { recall, remember, forget } = memory<number>(3);
    const long = () => performance.now() + 1_000;
    for (const name of ["a", "b", "c", "a", "d"]) remember(name, "1", 1, long());
    const known = () => ["a", "b", "c", "d"].filter((name) => recall(name, "1") !== undefined);
    assert.deepEqual(known(), ["a", "c", "d"]);
    forget("c");
    assert.deepEqual(known(), ["a", "d"]);
  });
});

describe("what a request costs", () => {
  test("ST-9 a session that was opened before costs no key, no cipher and no file: one look at its file's state", async (t) => {
    const { keep, load, store } = openTestStore(t);
    const id = await keep({ identity: identityFor("sandy_admin") });
    await warm(() => load(id));
    const calls = count(t, {
      createDecipheriv: crypto,
      createCipheriv: crypto,
      createHmac: crypto,
      hkdfSync: crypto,
      scryptSync: crypto,
      open: fsPromises,
      readFile: fsPromises,
      writeFile: fsPromises,
      lstatSync: fs,
    });
    for (let request = 0; request < 100; request++) {
      let given: SessionData | null | undefined;
      store.get(id, (_error, data) => {
        given = data;
      });
      assert.ok(given, "it does not even wait");
    }
    const none = { createDecipheriv: 0, createCipheriv: 0, createHmac: 0, hkdfSync: 0, scryptSync: 0 };
    assert.deepEqual(calls(), { ...none, open: 0, readFile: 0, writeFile: 0, lstatSync: 100 });
  });

  test("ST-9 the cookie of a session that is gone costs one look, no file and no wait", async (t) => {
    const { keep, load, destroy, store } = openTestStore(t);
    const id = await keep();
    await warm(() => load(id));
    await destroy(id);
    const calls = count(t, { open: fsPromises, lstatSync: fs });
    for (const each of [id, "never-there"]) {
      let answered = false;
      store.get(each, (error, data) => {
        assert.deepEqual([error, data], [null, null]);
        answered = true;
      });
      assert.ok(answered);
    }
    assert.deepEqual(calls(), { open: 0, lstatSync: 2 });
  });

  test("no request sees what another one did to its session without saving it", async (t) => {
    const { keep, load } = openTestStore(t);
    const id = await keep({
      identity: identityFor("sandy_admin"),
      profile: { fullName: "Sandy" },
      list: [1],
    });
    await warm(() => load(id));
    type Session = { identity: ArcGISIdentityManager; profile: { fullName: string }; list: number[] };
    const look = async () => (await load(id)) as never as Session;
    const [one, other] = [await look(), await look()];
    one.profile.fullName = "Mallory";
    one.list.push(2);
    one.identity.updateToken("another", new Date());
    for (const { profile, list, identity } of [other, await look()]) {
      assert.deepEqual([profile, list], [{ fullName: "Sandy" }, [1]]);
      assert.notEqual(identity.token, "another");
    }
  });

  test("ST-4 a file that is damaged after it was opened counts from the next request on", async (t) => {
    const { keep, load, file, warnings } = openTestStore(t);
    const id = await keep();
    await warm(() => load(id));
    writeFileSync(file(id), "x", { flag: "r+" });
    assert.equal(await load(id), undefined);
    assert.equal(warnings.length, 1);
  });

  test("a use that cannot be noted is tried again after a minute, not at every request", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    let notes = 0;
    const { keep, load, warnings } = openTestStore(t, {
      records: (files) => ({
        ...files,
        change: () => {
          notes++;
          return Promise.reject(new Error("EROFS: read-only file system"));
        },
      }),
    });
    const id = await keep();
    await warm(() => load(id));
    for (let minute = 1; minute <= 3; minute++) {
      t.mock.timers.tick(60_000);
      for (let request = 0; request < 10; request++) assert.ok(await load(id));
      assert.equal(notes, minute);
    }
    const warning = {
      message: "the use of a session could not be noted",
      reason: "EROFS: read-only file system",
    };
    assert.deepEqual(warnings, [warning, warning, warning]);
  });
});

import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs, { writeFileSync } from "node:fs";
import fsPromises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { cachedReader } from "#src/auth/session/record-cache.ts";
import type { Opened } from "#src/auth/session/sealed-record.ts";
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

describe("the cache of opened records", () => {
  /** Reads records whose versions the test sets, and tells how often one was opened. */
  function open() {
    const versions = new Map<string, string>();
    const record = { text: "", lastAccess: 0 };
    let opened = 0;
    const read = cachedReader(
      {
        version: (name) => versions.get(name),
        // A version in parentheses is too new to be told from another state of the same moment.
        read: async (name) => ({ ...record, version: versions.get(name)?.match(/^\w+$/)?.[0] }),
      },
      (_name, { text, lastAccess }) => ({
        ...({} as Opened),
        ...{ createdAt: ++opened, lastAccess, isOnNewestKey: text !== "on an older key" },
      }),
    );
    return { versions, record, read, opened: () => opened };
  }

  test("returns what was opened as long as the version is the same, and nothing that had none", async () => {
    const { versions, record, read, opened } = open();
    assert.equal(await read("a"), undefined);
    versions.set("a", "1").set("b", "1");
    const first = await read("a");
    assert.equal(await read("a"), first);
    await read("b");
    assert.equal(opened(), 2);
    versions.set("a", "(2)");
    for (const times of [3, 4]) {
      record.text = `changed in the same moment: ${times}`;
      await read("a");
      assert.equal(opened(), times);
    }
    versions.delete("a");
    assert.equal(await read("a"), undefined);
  });

  test("opens no text twice: a touch changes the last access only", async () => {
    const { versions, record, read, opened } = open();
    for (const [moment, version] of ["1", "(2)", "(2)", "3"].entries()) {
      versions.set("a", version);
      record.lastAccess = moment;
      assert.deepEqual([(await read("a"))?.lastAccess, opened()], [moment, 1]);
    }
    record.text = "on an older key";
    for (const times of [2, 3]) {
      versions.set("a", `older ${times}`);
      await read("a");
      assert.equal(opened(), times, "until it is sealed with the newest");
    }
  });

  test("a backend without versions is read every time, and opened when the text has changed", async () => {
    const reads = ["one", "one", "two", undefined, "two"];
    const opened: string[] = [];
    const read = cachedReader(
      {
        async read() {
          const text = reads.shift();
          return text === undefined ? undefined : { text, lastAccess: 0 };
        },
      },
      (_name, { text }) => {
        opened.push(text);
        return { ...({} as Opened), isOnNewestKey: true };
      },
    );
    const found = [];
    while (reads.length > 0) found.push((await read("a")) !== undefined);
    assert.deepEqual(
      [found, opened],
      [
        [true, true, true, false, true],
        ["one", "two", "two"],
      ],
    );
  });

  test("holds 2,000 records and no more, and lets the oldest go", async () => {
    const { versions, read, opened } = open();
    for (let index = 0; index < 2_001; index++) {
      versions.set(String(index), "1");
      await read(String(index));
    }
    for (const [name, times] of [
      ["2000", 2_001],
      ["1", 2_001],
      ["0", 2_002],
      ["1", 2_003],
    ] as const) {
      await read(name);
      assert.equal(opened(), times, name);
    }
  });
});

describe("what a request costs", () => {
  test("ST-9 a session that was opened before costs no key, no cipher and no file: one look at its file's state", async (t) => {
    const { keep, load } = openTestStore(t);
    const id = await keep({ arcgis: identityFor("sandy_admin") });
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
    for (let request = 0; request < 100; request++) assert.ok(await load(id));
    const none = { createDecipheriv: 0, createCipheriv: 0, createHmac: 0, hkdfSync: 0, scryptSync: 0 };
    assert.deepEqual(calls(), { ...none, open: 0, readFile: 0, writeFile: 0, lstatSync: 100 });
  });

  test("ST-9 the cookie of a session that is gone costs one look, no file", async (t) => {
    const { keep, load, destroy } = openTestStore(t);
    const id = await keep();
    await warm(() => load(id));
    await destroy(id);
    const calls = count(t, { open: fsPromises, lstatSync: fs });
    for (const each of [id, "never-there"]) assert.equal(await load(each), undefined);
    assert.deepEqual(calls(), { open: 0, lstatSync: 2 });
  });

  test("no request sees what another one did to its session without saving it", async (t) => {
    const { keep, load } = openTestStore(t);
    const id = await keep({
      arcgis: identityFor("sandy_admin"),
      profile: { fullName: "Sandy" },
      list: [1],
    });
    await warm(() => load(id));
    type Session = { arcgis: ArcGISIdentityManager; profile: { fullName: string }; list: number[] };
    const look = async () => (await load(id)) as never as Session;
    const [one, other] = [await look(), await look()];
    one.profile.fullName = "Mallory";
    one.list.push(2);
    one.arcgis.updateToken("another", new Date());
    for (const { profile, list, arcgis } of [other, await look()]) {
      assert.deepEqual([profile, list], [{ fullName: "Sandy" }, [1]]);
      assert.notEqual(arcgis.token, "another");
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

  test("an access that cannot be noted is tried again after a minute, not at every request", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    let touches = 0;
    const { keep, load, store, warnings } = openTestStore(t, {
      backend: (files) => ({
        ...files,
        touch: () => {
          touches++;
          return Promise.reject(new Error("EROFS: read-only file system"));
        },
      }),
    });
    const id = await keep();
    await warm(() => load(id));
    for (let minute = 1; minute <= 3; minute++) {
      t.mock.timers.tick(60_000);
      for (let request = 0; request < 10; request++) assert.ok(await store.readParts(id));
      await sleep(5);
      assert.equal(touches, minute);
      assert.equal(warnings.length, minute);
    }
  });
});

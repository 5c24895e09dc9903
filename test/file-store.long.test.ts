import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stopClock } from "./support/clock.ts";
import { openFiles } from "./support/file-store.ts";
import { needsPosix } from "./support/posix.ts";
import { folder } from "./support/site.ts";

const newName = (): string => randomBytes(32).toString("hex");
const text = "c".repeat(160);

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("the folder", () => {
  test("ST-1 with an umask that hides nothing the folder is 0700, and each file 0600 from its first moment", {
    skip: needsPosix("modes of files"),
  }, async (t) => {
    const before = process.umask(0);
    t.after(() => process.umask(before));
    const { store, path, file, repairs } = openFiles(t, { path: join(folder(t), "deep", "sessions") });
    assert.deepEqual(repairs, [], "the folder is made so");
    const name = newName();
    await store.create(name, text);
    assert.deepEqual([modeOf(path), modeOf(file(name))], ["700", "600"]);

    const seen = new Set<string>();
    const writing = Promise.all(Array.from({ length: 50 }, () => store.update(name, () => randomUUID())));
    let busy = true;
    void writing.finally(() => {
      busy = false;
    });
    while (busy) {
      for (const each of treeOf(path)) {
        const about = statSync(each, { throwIfNoEntry: false });
        if (about) seen.add(`${about.isDirectory() ? "folder" : "file"} ${(about.mode & 0o777).toString(8)}`);
      }
      await new Promise(setImmediate);
    }
    await writing;
    assert.deepEqual([...seen].sort(), ["file 600"]);
    assert.equal(modeOf(file(name)), "600", "a change does not widen it");
  });
});

describe("writing", () => {
  test("ST-7 a reader finds the old record or the new one, whole", async (t) => {
    const { store, path, file } = openFiles(t);
    const name = newName();
    const versions = ["a", "b"].map((letter) => letter.repeat(60_000));
    await store.create(name, versions[0] ?? "");
    let writing = true;
    const writer = (async () => {
      for (let round = 0; round < 60; round++) await store.update(name, () => versions[round % 2]);
      writing = false;
    })();
    let reads = 0;
    for (; writing; reads++) {
      const found = readFileSync(file(name), "utf8");
      assert.deepEqual([found.length, new Set(found).size], [60_000, 1]);
      await new Promise(setImmediate);
    }
    await writer;
    assert.ok(reads > 60);
    assert.deepEqual(readdirSync(path), [`${name}.session`]);
  });
});

describe("one record, many at once", () => {
  test("ST-14 no change is lost when a hundred are made at once", async (t) => {
    const { store, textOf } = openFiles(t);
    const name = newName();
    await store.create(name, "0");
    const add = () => store.update(name, (old) => String(Number(old.text) + 1));
    stopClock(t);
    await Promise.all(Array.from({ length: 100 }, add));
    assert.equal(await textOf(name), "100");
  });
});

/** All paths in a folder; what vanishes meanwhile is left out. */
function treeOf(folder: string): string[] {
  let names: string[] = [];
  try {
    names = readdirSync(folder);
  } catch {
    // It was a file, or it is gone.
  }
  return names.map((name) => join(folder, name)).flatMap((path) => [path, ...treeOf(path)]);
}

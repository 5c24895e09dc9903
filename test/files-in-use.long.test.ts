import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileBackend } from "#src/session-store.ts";
import { folder } from "./support/temporary.ts";

/** On Windows, a file that any program has open cannot be replaced or removed. Elsewhere these tests are easy. */

const newName = (): string => randomBytes(32).toString("hex");

/** On Windows, libuv lets no other program open the file (UV_FS_O_EXLOCK), as an editor or a backup does. */
const exclusive = process.platform === "win32" ? 0x1000_0000 : 0;

test("ST-15 two processes read a record 500 times each while it is replaced all the while: no error, and no half of it", async (t) => {
  const path = join(folder(t), "sessions");
  const store = fileBackend(path);
  const name = newName();
  await store.create(name, "a".repeat(3_000));
  const script = `
    const { fileBackend } = await import(${JSON.stringify(import.meta.resolve("#src/session-store.ts"))});
    const store = fileBackend(${JSON.stringify(path)});
    for (let read = 0; read < 500; read++) {
      // Wine is so slow that a reader without a pause has the file open nearly all the time.
      if (process.platform === "win32") await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      store.version(${JSON.stringify(name)});
      const { text = "", problem } = (await store.read(${JSON.stringify(name)})) ?? {};
      if (!/^(a{3000}|b{3000})$/.test(text)) throw new Error(problem ?? "half of it, or nothing");
    }
    console.log("500 reads");
  `;
  const readers = [1, 2].map(async () => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script]);
    return Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  });
  let isReading = true;
  const done = Promise.all(readers).finally(() => {
    isReading = false;
  });
  let replaced = 0;
  while (isReading) {
    assert.equal(await store.update(name, () => (replaced % 2 ? "a" : "b").repeat(3_000)), true);
    replaced++;
  }
  assert.deepEqual(await done, Array(2).fill(["500 reads\n", ""]));
  assert.ok(replaced >= 20, `${replaced} times`);
});

for (const [how, flags] of Object.entries({ "for reading": 0, "for itself alone": exclusive })) {
  test(`ST-15 a session that another program has open ${how} for a second is changed, read, and then removed`, async (t) => {
    const path = join(folder(t), "sessions");
    const store = fileBackend(path);
    const name = newName();
    await store.create(name, "old");
    const open = () => {
      const file = openSync(join(path, `${name}.session`), constants.O_RDONLY | flags);
      setTimeout(() => closeSync(file), 1_000);
    };
    const start = performance.now();
    open();
    assert.equal(await store.update(name, ({ text }) => `${text}, then new`), true);
    open();
    assert.equal((await store.read(name))?.text, "old, then new");
    open();
    assert.equal((await store.take(name))?.text, "old, then new");
    assert.ok(performance.now() - start < 15_000);
    assert.equal(await store.read(name), undefined);
    // What Windows has removed keeps a name until it is closed.
    while (readdirSync(path).length > 0) await sleep(20);
    await store.create(name, "again");
    assert.equal((await store.read(name))?.text, "again");
  });
}

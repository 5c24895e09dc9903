import assert from "node:assert/strict";
import { copyFileSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { describe, test } from "node:test";
import { recordOf } from "./support/store.ts";
import { open } from "./support/store-reaper.ts";

/** FULL=1 runs the fault tests at full size; the usual size keeps the whole suite short. */
const full = process.env.FULL === "1";

describe("the reaper", () => {
  const many = full ? 100_000 : 2_000;

  test(`ST-8 goes through ${many} sessions that live without opening one, and then removes those that do not`, async (t) => {
    const { keep, wait, store, file, files, dir, load, revoked } = open(t);
    const id = await keep();
    for (let index = 1; index < many; index++) {
      copyFileSync(file(id), join(dir, `${index.toString(16).padStart(64, "0")}.session`));
    }
    let opened = 0;
    const { open: realOpen } = fs;
    t.mock.method(fs, "open", (...args: Parameters<typeof realOpen>) => {
      opened++;
      return realOpen(...args);
    });
    syncBuiltinESMExports();
    t.after(syncBuiltinESMExports);

    const goThrough = async (what: string) => {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      const start = performance.now();
      delay.enable();
      await store.admin.reap();
      delay.disable();
      const ms = Math.round(performance.now() - start);
      t.diagnostic(`${what}: ${ms} ms, longest stall ${Math.round(delay.max / 1e6)} ms`);
    };
    await goThrough(`${many} alive`);
    assert.equal(opened, 0);
    assert.equal(files().length, many);
    assert.ok(await load(id), "one among many is found");
    const late = await keep();
    assert.ok(await load(late), "and one more is kept");

    wait(7_300);
    writeFileSync(file(late), readFileSync(file(late)));
    utimesSync(file(late), Date.now() / 1000, Date.now() / 1000);
    await goThrough(`${many} over`);
    assert.deepEqual(files(), [`${recordOf(late)}.session`]);
    assert.equal(revoked.length, 1, "the copies do not open: they are not for their names");
  });
});

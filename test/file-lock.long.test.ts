import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { lock } from "#src/auth/session/file-lock.ts";
import { neverMs, otherProcess, path, timed } from "./support/file-lock.ts";
import { casesOf } from "./support/rounds.ts";
import { folder } from "./support/temporary.ts";

/** Linux refuses to replace or remove what is mounted, with a code that Windows gives for a file that is open. */
const windows: [what: string, script: string, output: string][] = [
  [
    "is replaced and removed when it is closed",
    `
    busy(500);
    console.log(await writeDurably(file, "new"), readFileSync(file, "latin1"));
    busy(500);
    console.log(await removeDurably(file));
    await writeDurably(file, "old");
    `,
    "true new\ntrue\n",
  ],
  [
    "is given up after 5 s",
    `
    execFileSync("mount", ["--bind", file, file]);
    console.log(await writeDurably(file, "new").catch(({ code }) => code), readFileSync(file, "latin1"));
    execFileSync("umount", [file]);
    `,
    "EBUSY old\n",
  ],
];

for (const [what, steps, expected] of casesOf(windows, 1))
  test(`ST-15 on Windows, a file that another program has open ${what}`, (t) => {
    const dir = folder(t);
    const file = join(dir, "record.session");
    writeFileSync(file, "old");
    try {
      execFileSync("mount", ["--bind", file, file], { stdio: "ignore" });
      execFileSync("umount", [file]);
    } catch {
      const reason = "a file cannot be mounted: run the tests as root, where mounting is permitted";
      if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
      t.skip(reason);
      return;
    }
    const script = `
    import { execFileSync } from "node:child_process";
    import { readFileSync } from "node:fs";
    Object.defineProperty(process, "platform", { value: "win32" });
    const { removeDurably, writeDurably } = await import(${JSON.stringify(import.meta.resolve("#src/auth/session/safe-file.ts"))});
    const file = ${JSON.stringify(file)};
    const busy = (ms) => {
      execFileSync("mount", ["--bind", file, file]);
      setTimeout(() => execFileSync("umount", [file]), ms);
    };
    ${steps}
  `;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
    });
    assert.equal(output, expected);
    assert.deepEqual(readdirSync(dir), ["record.session"]);
  });

describe("a lock that was left behind", () => {
  test("ST-14 that of an unknown host is broken when it has not changed for its time, whatever its date", async (t) => {
    for (const date of [0, Date.now() / 1000, Date.now() / 1000 + 86_400 * 365]) {
      const place = path(t);
      const held = await lock(place, neverMs);
      const token = readFileSync(place, "latin1");
      await held.unlock();
      // Here, no process has that ID.
      writeFileSync(place, token.replace(/^\S+ \d+/, "elsewhere 4194305"));
      utimesSync(place, date, date);
      await assert.rejects(lock(place, 30_000, 200), /not free in time/);
      const { result, ms } = await timed(lock(place, 200));
      assert.ok(ms >= 200, "not before its time");
      await result.unlock();
    }
  });

  test("ST-14 that of another namespace of process IDs, such as a container of the same host name, is not taken for a dead one", {
    skip: process.platform !== "linux" && "only Linux has namespaces",
  }, async (t) => {
    const place = path(t);
    const script = `
      const { lock } = await import(${JSON.stringify(import.meta.resolve("#src/auth/session/file-lock.ts"))});
      await lock(${JSON.stringify(place)}, ${neverMs});
      console.log("locked");
      setInterval(() => {}, 1000);
    `;
    // Under an ID that no process has here.
    let id = 20_000;
    while (existsSync(`/proc/${id}`)) id++;
    const start = `echo ${id - 1} > /proc/sys/kernel/ns_last_pid; "$0" --input-type=module --eval "$1"; true`;
    const namespace = ["--pid", "--fork", "--kill-child", "--mount-proc"];
    const child = spawn("unshare", [...namespace, "sh", "-c", start, process.execPath, script]);
    t.after(() => child.kill("SIGKILL"));
    const outcome = await Promise.race([
      once(child.stdout, "data"),
      once(child, "exit"),
      once(child, "error"),
    ]);
    if (!Buffer.isBuffer(outcome[0])) {
      const reason = "namespaces cannot be made: run the tests as root, where that is permitted";
      if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
      t.skip(reason);
      return;
    }
    assert.match(readFileSync(place, "latin1"), new RegExp(` ${id} `));
    await assert.rejects(lock(place, neverMs, 300), /not free in time/);
  });
});

describe("one holder at a time", () => {
  test("ST-14 a hundred requests of one process each get the lock, one after the other", async (t) => {
    const place = path(t);
    let holders = 0;
    const work = async () => {
      const held = await lock(place, neverMs, neverMs);
      assert.equal(++holders, 1);
      await sleep(1);
      holders--;
      await held.unlock();
    };
    await Promise.all(Array.from({ length: 100 }, work));
    assert.deepEqual(readdirSync(join(place, "..")), []);
  });

  test("ST-14 a lock of a living process is waited for, until the time is up; then it is an error", async (t) => {
    const place = path(t);
    const child = await otherProcess(t, place);
    const late = lock(place, neverMs, 300);
    // It stands in the queue behind the first one.
    const later = lock(place, neverMs, 100);
    for (const outcome of await Promise.allSettled([late, later])) {
      assert.match(String(Object(outcome).reason), /not free in time/);
    }
    assert.equal(readdirSync(join(place, "..")).filter((name) => name.endsWith(".lock")).length, 1);

    const next = lock(place, neverMs);
    child.kill("SIGKILL");
    const { result, ms } = await timed(next);
    assert.ok(ms < 5_000);
    await result.unlock();
  });
});

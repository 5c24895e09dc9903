import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import fs, {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { lock, preventCommit } from "#src/auth/session/file-lock.ts";
import { writeDurably } from "#src/auth/session/safe-file.ts";
import { neverMs, otherProcess, path, timed } from "./support/file-lock.ts";
import { needsPosix } from "./support/posix.ts";
import { folder } from "./support/temporary.ts";

describe("a lock that was left behind", () => {
  test("ST-14 a killed process's lock is broken at once", async (t) => {
    const place = path(t);
    const child = await otherProcess(t, place);
    child.kill("SIGKILL");
    await once(child, "exit");
    const { result, ms } = await timed(lock(place, neverMs));
    assert.ok(ms < 5_000);
    await result.unlock();
    assert.deepEqual(readdirSync(join(place, "..")), []);
  });

  test("ST-14 so is that of an earlier life of the same host and process id", async (t) => {
    const place = path(t);
    const held = await lock(place, neverMs);
    const token = readFileSync(place, "latin1");
    await held.unlock();
    writeFileSync(place, token.replace(/ \d+ (\S+)$/, " 1700000000000 $1"));
    const { result, ms } = await timed(lock(place, neverMs));
    assert.ok(ms < 5_000);
    await result.unlock();
  });

  test("ST-14 one that could not be taken to the end is removed at once: others do not wait for this process", async (t) => {
    const place = path(t);
    const { openSync } = fs;
    let failures = 1;
    t.mock.method(fs, "openSync", (...args: Parameters<typeof openSync>) => {
      if (args[0] === place && failures-- > 0)
        throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
      return openSync(...args);
    });
    syncBuiltinESMExports();
    t.after(syncBuiltinESMExports);
    await assert.rejects(lock(place, neverMs), { code: "EMFILE" });
    assert.deepEqual(readdirSync(join(place, "..")), []);
    await (await lock(place, neverMs, 1_000)).unlock();
  });

  test("ST-14 a holder that has lost its lock commits nothing, and leaves the next one's lock alone", async (t) => {
    const place = path(t);
    const file = place.replace(".lock", ".session");
    await writeDurably(file, "old");
    const lost = await lock(place, neverMs);
    // To another process, this holder looks like one that has stopped.
    const other = await otherProcess(t, place, 200);
    assert.equal(await lost.isHeld(), false);
    assert.equal(await writeDurably(file, "new", { temp: lost.temp }), false);
    await lost.unlock();
    assert.equal(readFileSync(file, "latin1"), "old");
    assert.ok(readFileSync(place, "latin1").includes(` ${other.pid} `));
  });

  test("SE-9 ST-14 a removal need not wait for the holder: it keeps it from its commit", async (t) => {
    const place = path(t);
    const file = place.replace(".lock", ".session");
    assert.equal(await preventCommit(place), false);
    const held = await lock(place, neverMs);
    assert.equal(await preventCommit(place), true);
    assert.equal(await held.isHeld(), true);
    assert.equal(await writeDurably(file, "new", { temp: held.temp }), false);
    await held.unlock();
    assert.deepEqual(readdirSync(join(place, "..")), []);
  });
});

const uuid = "11111111-2222-4333-8444-555555555555";
/** Each may give what must still hold afterwards. */
const odd: Record<string, (path: string, t: TestContext) => unknown> = {
  "a pipe": (path) => execFileSync("mkfifo", [path]),
  "a folder": (path) => mkdirSync(path),
  "a folder with something in it": (path) => mkdirSync(join(path, "deep", "er"), { recursive: true }),
  "a link": (path, t) => {
    const target = join(folder(t), "outside");
    writeFileSync(target, "outside");
    symlinkSync(target, path);
    return () => assert.equal(readFileSync(target, "utf8"), "outside");
  },
  "a link to nowhere": (path) => symlinkSync("/nowhere", path),
  "a link to itself": (path) => symlinkSync(path, path),
  "a link to a device": (path) => symlinkSync("/dev/zero", path),
  "a socket": async (path, t) => {
    const short = join(folder(t), "socket");
    const server = createServer().listen(short).unref();
    await once(server, "listening");
    renameSync(short, path);
  },
  "an empty file": (path) => writeFileSync(path, ""),
  "a huge file": (path) => {
    writeFileSync(path, "");
    truncateSync(path, 2 ** 40);
  },
  "a text": (path) => writeFileSync(path, "x"),
  "a token that leads elsewhere": (path) => writeFileSync(path, `h 1 1 ../../${uuid}`),
  "a token with an absurd process id": (path) => writeFileSync(path, `h 99999999999999999999 1 ${uuid}`),
  "a token of process 0": (path) => writeFileSync(path, `h 0 0 ${uuid}`),
};

const posixOnly = ["a pipe", "a socket", "a link to a device"];

for (const [what, make] of Object.entries(odd)) {
  const skip = posixOnly.includes(what) && needsPosix(`${what} in the file system`);
  test(`ST-15 ${what} in the place of a lock is moved away, and does no harm`, { skip }, async (t) => {
    const place = path(t);
    const check = await make(place, t);
    const { result, ms } = await timed(lock(place, 200));
    assert.ok(ms < 5_000);
    assert.equal(await writeDurably(place.replace(".lock", ".session"), "new", { temp: result.temp }), true);
    await result.unlock();
    assert.deepEqual(readdirSync(join(place, "..")), ["record.session"]);
    if (typeof check === "function") check();
  });
}

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lock } from "#src/auth/session/file-lock.ts";
import { writeDurably } from "#src/auth/session/safe-file.ts";
import { smallDisk } from "./support/disks.ts";
import { openFiles } from "./support/file-store.ts";
import { slowness } from "./support/pace.ts";
import { asPlainUser } from "./support/plain-user.ts";
import { needsPosix } from "./support/posix.ts";
import { rounds } from "./support/rounds.ts";
import { folder } from "./support/site.ts";

const newName = (): string => randomBytes(32).toString("hex");
const text = "c".repeat(160);
const isRoot = process.getuid?.() === 0;

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("the folder", () => {
  test("ST-1 a folder that others could open is put right, loudly; one that is right is left alone", {
    skip: needsPosix("modes of files"),
  }, (t) => {
    const path = join(folder(t), "sessions");
    for (const mode of [0o755, 0o777, 0o701]) {
      mkdirSync(path);
      chmodSync(path, mode);
      const { repairs } = openFiles(t, { path });
      assert.equal(modeOf(path), "700");
      assert.deepEqual(repairs, [`other users could open the folder ${path}; its mode is 0700 now`]);
      rmSync(path, { recursive: true });
    }
    openFiles(t, { path });
    assert.deepEqual(openFiles(t, { path }).repairs, []);
  });

  test("ST-1 a symbolic link or a file in place of the folder stops the start", {
    skip: needsPosix("symbolic links for every user"),
  }, (t) => {
    const place = folder(t);
    mkdirSync(join(place, "elsewhere"));
    symlinkSync(join(place, "elsewhere"), join(place, "link"));
    for (const path of [join(place, "link"), `${join(place, "link")}/`]) {
      assert.throws(() => openFiles(t, { path }), {
        message: `${join(place, "link")} is not a folder (a symbolic link is not accepted)`,
      });
    }
    writeFileSync(join(place, "file"), "");
    assert.throws(() => openFiles(t, { path: join(place, "file") }), { code: "EEXIST" });
    assert.equal(modeOf(join(place, "elsewhere")), "755", "what the link leads to is not touched");
  });

  test("ST-1 another user's folder stops the start", { skip: !isRoot && "only root can make one" }, (t) => {
    const path = join(folder(t), "sessions");
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, 65534, 65534);
    assert.throws(() => openFiles(t, { path }), { message: `${path} belongs to another user` });
  });
});

describe("records", () => {
  test("what was stored is read again, changed and taken; what is not there is no failure", async (t) => {
    const { store, files, textOf } = openFiles(t);
    const name = newName();
    assert.equal(await store.read(name), undefined);
    assert.equal(await store.update(name, () => "new"), false);
    assert.equal(await store.take(name), undefined);
    await store.touch(name, Date.now());
    assert.deepEqual(files(), []);

    await store.create(name, text);
    assert.equal(await textOf(name), text);
    assert.deepEqual(files(), [`${name}.session`]);
    assert.deepEqual(await store.names(), [name]);
    await store.touch(name, 1_700_000_000_000);
    assert.equal(await store.update(name, (old) => `${old.text} and more`), true);
    const { text: changed, lastAccess } = (await store.read(name)) ?? {};
    assert.deepEqual([changed, lastAccess], [`${text} and more`, 1_700_000_000_000]);
    assert.equal(await store.update(name, () => undefined), false);
    assert.equal((await store.take(name))?.text, `${text} and more`);
    assert.equal(await store.read(name), undefined);
    assert.deepEqual(files(), []);
  });

  test("ST-6 a name that is not a record's is rejected before anything is opened", async (t) => {
    const { store, files } = openFiles(t);
    const good = newName();
    for (const name of [
      "",
      "../evil/x",
      `../${good}`,
      `${good}/../${good}`,
      `${good}\n`,
      `${good}\0`,
      ".",
      "a.b",
    ]) {
      const rejected = new TypeError("not the name of a record");
      await assert.rejects(async () => store.read(name), rejected);
      await assert.rejects(async () => store.create(name, text), rejected);
      await assert.rejects(async () => store.update(name, () => text), rejected);
      await assert.rejects(async () => store.take(name), rejected);
      await assert.rejects(async () => store.lock(name, 1), rejected);
    }
    assert.deepEqual(files(), []);
  });

  test("ST-4 what is in a record's place and cannot be one is a problem that can be reported, not an error", {
    skip: needsPosix("pipes in the file system"),
  }, async (t) => {
    const { store, file } = openFiles(t);
    const outside = join(folder(t), "outside");
    writeFileSync(outside, text);
    const odd: Record<string, (path: string) => unknown> = {
      "it is far too large": (path) => {
        writeFileSync(path, "");
        truncateSync(path, 50 * 1024 * 1024);
      },
      "it is not a regular file": (path) => mkdirSync(path),
      "it is not a regular file ": (path) => execFileSync("mkfifo", [path]),
      "it cannot be opened (ELOOP)": (path) => symlinkSync(outside, path),
      "it cannot be opened (ELOOP) ": (path) => symlinkSync(path, path),
      "it cannot be opened (ENXIO)": async (path) => {
        // A socket's path has 107 characters at most when it is made.
        const short = join(folder(t), "socket");
        const server = createServer().listen(short).unref();
        await once(server, "listening");
        renameSync(short, path);
      },
    };
    for (const [reason, make] of Object.entries(odd)) {
      const name = newName();
      await make(file(name));
      const start = performance.now();
      const found = await store.read(name);
      assert.deepEqual([found?.text, found?.problem], ["", reason.trim()]);
      assert.ok(performance.now() - start < 1_000 * slowness(), "nothing waits for the other end of a pipe");
    }
    assert.equal(readFileSync(outside, "utf8"), text);
  });

  test("ST-4 a file that this user may not read is a problem; a folder that they may not enter is an error", {
    skip: needsPosix("modes of files"),
  }, async (t) => {
    const { store, path, file, textOf } = openFiles(t);
    const name = newName();
    await store.create(name, text);
    chmodSync(file(name), 0);
    chmodSync(join(path, ".."), 0o755);
    await asPlainUser([path, file(name)], async () => {
      assert.equal((await store.read(name))?.problem, "it cannot be opened (EACCES)");
      chmodSync(path, 0);
      const denied = { code: "EACCES" };
      await assert.rejects(store.read(name), denied);
      await assert.rejects(store.create(newName(), text), denied);
      await assert.rejects(
        store.update(name, () => "new"),
        denied,
      );
      await assert.rejects(store.take(name), denied);
      chmodSync(path, 0o700);
      chmodSync(file(name), 0o600);
      assert.equal(await textOf(name), text);
    });
  });
});

describe("writing", () => {
  test("ST-7 a record's place that is taken by a link is not written through", {
    skip: needsPosix("symbolic links for every user"),
  }, async (t) => {
    const { store, path, file, textOf } = openFiles(t);
    const outside = join(folder(t), "outside");
    writeFileSync(outside, "untouched");
    const name = newName();
    symlinkSync(outside, file(name));
    await store.create(name, text);
    assert.equal(readFileSync(outside, "utf8"), "untouched");
    assert.equal(await textOf(name), text, "the link was replaced");
    assert.deepEqual(readdirSync(path), [`${name}.session`]);
  });

  test("ST-7 ST-8 ST-15 locks and temp files that were left behind, whatever they are, are removed after a minute", {
    skip: needsPosix("pipes in the file system"),
  }, async (t) => {
    const { store, path } = openFiles(t);
    const now = Date.now() / 1000;
    const pipes = Array.from({ length: 25 }, () => `${path}-${randomUUID()}`);
    execFileSync("mkfifo", pipes);
    const makers: ((path: string) => unknown)[] = [
      (each) => writeFileSync(each, "half a rec"),
      (each) => mkdirSync(each),
      (each) => {
        mkdirSync(each);
        writeFileSync(join(each, randomUUID()), "half a rec");
      },
      (each) => renameSync(pipes.pop() ?? "", each),
      (each) => symlinkSync("/etc/hostname", each),
      (each) => symlinkSync("/nowhere", each),
    ];
    const fresh: string[] = [];
    for (const ending of [".session.lock", ".refresh", ".temp"]) {
      for (const make of makers) {
        for (const age of [61, 86_400 * 365, -3_600, -86_400 * 365, 30]) {
          const name = newName() + ending;
          make(join(path, name));
          lutimesSync(join(path, name), now - age, now - age);
          if (age === 30) fresh.push(name);
        }
      }
    }
    await store.names(0);
    assert.deepEqual(readdirSync(path).sort(), fresh.sort());
  });

  test("ST-15 whatever is in the place of the pending revocations does no harm and gives way to them", {
    skip: needsPosix("pipes in the file system"),
  }, async (t) => {
    const outside = join(folder(t), "outside");
    writeFileSync(outside, "outside");
    for (const make of [
      (each: string) => execFileSync("mkfifo", [each]),
      (each: string) => mkdirSync(each),
      (each: string) => mkdirSync(join(each, "deep"), { recursive: true }),
      (each: string) => symlinkSync(outside, each),
      (each: string) => symlinkSync("/dev/zero", each),
      (each: string) => {
        writeFileSync(each, "");
        truncateSync(each, 2 ** 40);
      },
    ]) {
      const { store, path, files } = openFiles(t);
      make(join(path, "pending-revocations"));
      await store.replace("pending-revocations", (text) => void assert.equal(text, undefined));
      await store.replace("pending-revocations", () => "waiting");
      await store.replace("pending-revocations", (text) => {
        assert.equal(text, "waiting");
        return undefined;
      });
      assert.deepEqual(files(), []);
    }
    assert.equal(readFileSync(outside, "utf8"), "outside");
  });

  test("ST-8 names the records that were not accessed, whatever else is in the folder, and removes none", {
    skip: needsPosix("symbolic links for every user"),
  }, async (t) => {
    const { store, path, file } = openFiles(t);
    const age = (each: string, seconds: number) =>
      utimesSync(each, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
    const [used, idle, future] = [newName(), newName(), newName()];
    for (const name of [used, idle, future]) await store.create(name, text);
    age(file(used), 3_500);
    age(file(idle), 3_700);
    age(file(future), -86_400);
    const others = ["README", ".gitignore", "a.session.txt", "notes.json"];
    for (const other of others) {
      writeFileSync(join(path, other), "not ours");
      age(join(path, other), 365 * 86_400);
    }
    const [directory, link] = [newName(), newName()];
    mkdirSync(file(directory));
    age(file(directory), 365 * 86_400);
    symlinkSync("/etc/hostname", file(link));
    lutimesSync(file(link), 0, 0);
    const before = readdirSync(path);
    assert.deepEqual(await store.names(Date.now() - 3_600_000), [idle]);
    assert.deepEqual((await store.names()).sort(), [used, idle, future, directory, link].sort());
    assert.deepEqual(readdirSync(path), before);
  });

  test("ST-13 a full disk fails the write, keeps what was there, and leaves nothing half-written behind", async (t) => {
    const path = smallDisk(t, 64);
    if (!path) return;
    const { store, textOf } = openFiles(t, { path });
    const names: string[] = [];
    const fill = async () => {
      for (;;) {
        const name = newName();
        await store.create(name, text);
        names.push(name);
      }
    };
    await assert.rejects(fill(), { code: "ENOSPC" });
    assert.ok(names.length > 5);
    const [first = "", second = ""] = names;
    const larger = "d".repeat(8_000);
    await assert.rejects(
      store.update(first, () => larger),
      { code: "ENOSPC" },
    );
    assert.equal(await textOf(first), text);
    assert.deepEqual(readdirSync(path).sort(), names.map((name) => `${name}.session`).sort());
    await assert.rejects(
      store.update(first, () => larger),
      { code: "ENOSPC" },
    );

    for (const name of names.slice(1, 4)) assert.equal((await store.take(name))?.text, text);
    assert.equal(await store.update(first, () => larger), true, "with room again it goes on");
    assert.equal(await store.read(second), undefined);
    assert.equal(await textOf(first), larger);
  });

  test("ST-13 a folder that became read-only is still read, and rejects writing", {
    skip: needsPosix("modes of files"),
  }, async (t) => {
    const { store, path, file, textOf } = openFiles(t);
    const name = newName();
    await store.create(name, text);
    chmodSync(join(path, ".."), 0o755);
    await asPlainUser([path, file(name)], async () => {
      chmodSync(path, 0o500);
      const denied = { code: "EACCES" };
      assert.equal(await textOf(name), text);
      await assert.rejects(store.create(newName(), text), denied);
      await assert.rejects(
        store.update(name, () => "new"),
        denied,
      );
      await assert.rejects(store.take(name), denied);
      chmodSync(path, 0o700);
      assert.equal(await store.update(name, () => "new"), true);
      assert.equal((await store.take(name))?.text, "new");
    });
  });
});

describe("one record, many at once", () => {
  test("SE-9 no order of changes and removals brings a record back, and a removal returns what was stored last", async (t) => {
    const { store, files } = openFiles(t);
    for (let round = 0; round < rounds(20, 100); round++) {
      const name = newName();
      await store.create(name, "0");
      let last = "0";
      const taken: string[] = [];
      const change = async (next: string) => {
        if (await store.update(name, () => next)) last = next;
      };
      const take = async () => {
        const record = await store.take(name);
        if (record) taken.push(record.text);
      };
      // Removals do not wait for changes: which of them comes first is open.
      await Promise.all([change("1"), change("2"), take(), change("3"), take(), change("4")]);
      assert.deepEqual([...new Set(taken)], [last]);
      assert.equal(await store.update(name, () => assert.fail("there is nothing to change")), false);
      assert.equal(await store.read(name), undefined);
      assert.deepEqual(files(), []);
    }
  });

  test("a change that throws writes nothing, is reported, and holds up no other", async (t) => {
    const { store, files, textOf } = openFiles(t);
    const name = newName();
    await store.create(name, text);
    const broken = new Error("no");
    const results = await Promise.allSettled([
      store.update(name, () => {
        throw broken;
      }),
      store.update(name, () => "after"),
    ]);
    assert.deepEqual(results, [
      { status: "rejected", reason: broken },
      { status: "fulfilled", value: true },
    ]);
    assert.equal(await textOf(name), "after");
    assert.deepEqual(files(), [`${name}.session`]);
  });

  test("SE-9 ST-14 a removal waits for no lock, and its holder cannot bring the record back", async (t) => {
    const { store, file, files } = openFiles(t);
    const name = newName();
    await store.create(name, text);
    const held = await lock(`${file(name)}.lock`, 60_000);
    const start = performance.now();
    assert.equal((await store.take(name))?.text, text);
    // A lock is waited for for 20 s.
    assert.ok(performance.now() - start < 15_000);
    assert.equal(await writeDurably(file(name), "late", { temp: held.temp }), false);
    await held.unlock();
    assert.deepEqual(files(), []);
  });
});

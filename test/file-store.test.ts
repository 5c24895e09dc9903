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
import { describe, type TestContext, test } from "node:test";
import { fileStore } from "#src/session/file-store.ts";
import { smallDisk } from "./support/disks.ts";
import { asPlainUser } from "./support/plain-user.ts";
import { folder } from "./support/site.ts";
import { day } from "./support/store.ts";

const newName = (): string => randomBytes(32).toString("hex");
const record = { content: "c".repeat(100), seen: "s".repeat(60) };
const isRoot = process.getuid?.() === 0;

function openFiles(t: TestContext, { idleSeconds = 3_600, path = join(folder(t), "sessions") } = {}) {
  const warnings: object[] = [];
  const repairs: string[] = [];
  const store = fileStore({
    path,
    idleSeconds,
    repaired: (message) => void repairs.push(message),
    warn: (message, details) => void warnings.push({ message, ...details }),
  });
  t.after(() => store.close());
  const file = (name: string) => join(path, `${name}.session`);
  return { store, path, file, files: () => readdirSync(path), warnings, repairs };
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("the folder", () => {
  test("ST-1 with an umask that hides nothing the folder is 0700, and each file 0600 from its first moment", async (t) => {
    const before = process.umask(0);
    t.after(() => process.umask(before));
    const { store, path, file } = openFiles(t, { path: join(folder(t), "deep", "sessions") });
    const name = newName();
    await store.create(name, record);
    assert.deepEqual([modeOf(path), modeOf(file(name))], ["700", "600"]);

    const seen = new Set<string>();
    const writing = Promise.all(
      Array.from({ length: 50 }, () => store.change(name, (old) => ({ ...old, content: randomUUID() }))),
    );
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

  test("ST-1 a folder that others could open is put right, loudly; one that is right is left alone", (t) => {
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

  test("ST-1 a symbolic link or a file in place of the folder stops the start", (t) => {
    const place = folder(t);
    mkdirSync(join(place, "elsewhere"));
    symlinkSync(join(place, "elsewhere"), join(place, "link"));
    for (const path of [join(place, "link"), `${join(place, "link")}/`]) {
      assert.throws(() => openFiles(t, { path }), {
        message: `${join(place, "link")} is not a folder (a symbolic link will not do)`,
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
  test("what was kept is read again, changed and removed; what is not there is no failure", async (t) => {
    const { store, files } = openFiles(t);
    const name = newName();
    assert.equal(await store.read(name), undefined);
    assert.equal(await store.change(name, (old) => old), false);
    assert.equal(await store.remove(name), false);

    await store.create(name, record);
    assert.deepEqual({ ...(await store.read(name)), version: undefined }, { ...record, version: undefined });
    assert.deepEqual(files(), [`${name}.session`]);
    assert.deepEqual(await store.names(), [name]);
    assert.equal(await store.change(name, (old) => ({ ...old, seen: "later" })), true);
    assert.deepEqual(
      { ...(await store.read(name)), version: undefined },
      { ...record, seen: "later", version: undefined },
    );
    assert.equal(await store.change(name, () => undefined), false);
    assert.equal((await store.read(name))?.seen, "later");
    assert.equal(await store.remove(name), true);
    assert.equal(await store.read(name), undefined);
    assert.deepEqual(files(), []);
    await store.ping();
    assert.deepEqual(files(), []);
  });

  test("ST-6 a name that is not 64 hexadecimal digits is refused before anything is opened", async (t) => {
    const { store, files } = openFiles(t);
    const good = newName();
    for (const name of [
      "",
      "../evil/x",
      `../${good}`,
      `${good}/../${good}`,
      good.toUpperCase(),
      good.slice(1),
      `${good}0`,
      `${good}\n`,
      `${good.slice(1)}\0`,
    ]) {
      const refused = new TypeError("a record's name has 64 hexadecimal digits");
      await assert.rejects(async () => store.read(name), refused);
      await assert.rejects(async () => store.create(name, record), refused);
      await assert.rejects(async () => store.change(name, (old) => old), refused);
      await assert.rejects(async () => store.remove(name), refused);
    }
    assert.deepEqual(files(), []);
  });

  test("ST-4 what lies in a record's place and cannot be one is no record, and one line in the log", async (t) => {
    const { store, file, warnings } = openFiles(t);
    const outside = join(folder(t), "outside");
    writeFileSync(outside, `${record.content}\n${record.seen}`);
    const odd: Record<string, (path: string) => unknown> = {
      "it is damaged": (path) => writeFileSync(path, ""),
      "it is damaged ": (path) => writeFileSync(path, "\n"),
      "it is damaged  ": (path) => writeFileSync(path, `${record.content}\n${record.seen}\nmore`),
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
      assert.equal(await store.read(name), undefined, reason);
      assert.ok(performance.now() - start < 1_000, "nothing waits for the other end of a pipe");
      const warning = {
        message: "a session file cannot be used",
        record: name.slice(0, 8),
        reason: reason.trim(),
      };
      assert.deepEqual(warnings.splice(0), [warning]);
      assert.equal(await store.change(name, () => record), false, reason);
      warnings.length = 0;
    }
    assert.equal(readFileSync(outside, "utf8"), `${record.content}\n${record.seen}`);
  });

  test("ST-4 a file that this user may not read is no record; a folder that they may not enter is a failure", async (t) => {
    const { store, path, file, warnings } = openFiles(t);
    const name = newName();
    await store.create(name, record);
    chmodSync(file(name), 0);
    chmodSync(join(path, ".."), 0o755);
    await asPlainUser([path, file(name)], async () => {
      assert.equal(await store.read(name), undefined);
      assert.equal(warnings.length, 1);
      chmodSync(path, 0);
      await assert.rejects(store.read(name), { code: "EACCES" });
      await assert.rejects(store.create(newName(), record), { code: "EACCES" });
      await assert.rejects(
        store.change(name, (old) => old),
        { code: "EACCES" },
      );
      await assert.rejects(store.remove(name), { code: "EACCES" });
      await assert.rejects(store.ping(), { code: "EACCES" });
      chmodSync(path, 0o700);
      chmodSync(file(name), 0o600);
      assert.equal((await store.read(name))?.content, record.content);
    });
  });
});

describe("writing", () => {
  test("ST-7 somebody who reads all the while finds the old record or the new one, whole", async (t) => {
    const { store, path, file } = openFiles(t);
    const name = newName();
    const versions = ["a", "b"].map((letter) => ({ content: letter.repeat(60_000), seen: letter }));
    await store.create(name, versions[0] as typeof record);
    let writing = true;
    const writer = (async () => {
      for (let round = 0; round < 60; round++) await store.change(name, () => versions[round % 2]);
      writing = false;
    })();
    let reads = 0;
    for (; writing; reads++) {
      const text = readFileSync(file(name), "utf8");
      assert.equal(text.length, 60_002);
      assert.equal(new Set(text).size, 2, "one letter and a newline");
      await new Promise(setImmediate);
    }
    await writer;
    assert.ok(reads > 60);
    assert.deepEqual(readdirSync(path), [`${name}.session`]);
  });

  test("ST-7 a record's place that is taken by a link is not written through", async (t) => {
    const { store, path, file } = openFiles(t);
    const outside = join(folder(t), "outside");
    writeFileSync(outside, "untouched");
    const name = newName();
    symlinkSync(outside, file(name));
    await store.create(name, record);
    assert.equal(readFileSync(outside, "utf8"), "untouched");
    assert.equal((await store.read(name))?.content, record.content, "the link was replaced");
    assert.deepEqual(readdirSync(path), [`${name}.session`]);
  });

  test("ST-7 ST-8 ST-15 locks and temp files that were left behind, whatever they are, are removed after a minute", async (t) => {
    const { store, path, warnings } = openFiles(t);
    const now = Date.now() / 1000;
    const makers: ((path: string) => unknown)[] = [
      (each) => writeFileSync(each, "half a rec"),
      (each) => mkdirSync(each),
      (each) => {
        mkdirSync(each);
        writeFileSync(join(each, randomUUID()), "half a rec");
      },
      (each) => execFileSync("mkfifo", [each]),
      (each) => symlinkSync("/etc/hostname", each),
      (each) => symlinkSync("/nowhere", each),
    ];
    const fresh: string[] = [];
    for (const ending of [".session.lock", ".refresh", ".temp", ".session.draft", ".lease"]) {
      for (const make of makers) {
        for (const age of [61, 86_400 * 365, -3_600, -86_400 * 365, 30]) {
          const name = newName() + ending;
          make(join(path, name));
          lutimesSync(join(path, name), now - age, now - age);
          if (age === 30) fresh.push(name);
        }
      }
    }
    await store.reap();
    assert.deepEqual(readdirSync(path).sort(), fresh.sort());
    assert.deepEqual(warnings, []);
  });

  test("ST-15 whatever is in the place of the pending revocations does no harm and gives way to them", async (t) => {
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
      await store.changePending((text) => void assert.equal(text, undefined));
      await store.changePending(() => "waiting");
      await store.changePending((text) => {
        assert.equal(text, "waiting");
        return undefined;
      });
      assert.deepEqual(files(), []);
    }
    assert.equal(readFileSync(outside, "utf8"), "outside");
  });

  test("ST-8 the reaper removes what nobody used for the idle time, and nothing else, whatever lies there", async (t) => {
    const { store, path, file } = openFiles(t, { idleSeconds: 3_600 });
    const age = (each: string, seconds: number) =>
      utimesSync(each, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
    const [live, over, garbage, future] = [newName(), newName(), newName(), newName()];
    for (const name of [live, over, future]) await store.create(name, record);
    age(file(live), 3_600);
    age(file(over), 3_700);
    age(file(future), -day / 1000);
    writeFileSync(file(garbage), randomBytes(500));
    const others = ["README", ".gitignore", "a.session.txt", "notes.json"];
    for (const other of others) {
      writeFileSync(join(path, other), "somebody else's");
      age(join(path, other), 365 * 86_400);
    }
    const directory = newName();
    mkdirSync(file(directory));
    age(file(directory), 365 * 86_400);
    const link = newName();
    symlinkSync("/etc/hostname", file(link));

    await store.reap();

    const kept = [live, future, garbage, directory, link].map((name) => `${name}.session`);
    assert.deepEqual(readdirSync(path).sort(), [...kept, ...others].sort());
  });

  test("ST-13 a full disk fails the write, keeps what was there, and leaves nothing half-written behind", async (t) => {
    const path = smallDisk(t, 64);
    if (!path) return;
    const { store } = openFiles(t, { path });
    const names: string[] = [];
    const fill = async () => {
      for (;;) {
        const name = newName();
        await store.create(name, record);
        names.push(name);
      }
    };
    await assert.rejects(fill(), { code: "ENOSPC" });
    assert.ok(names.length > 5);
    const [first = "", second = ""] = names;
    const larger = { ...record, content: "d".repeat(8_000) };
    await assert.rejects(
      store.change(first, () => larger),
      { code: "ENOSPC" },
    );
    assert.equal((await store.read(first))?.content, record.content);
    assert.deepEqual(readdirSync(path).sort(), names.map((name) => `${name}.session`).sort());
    await assert.rejects(
      store.change(first, () => larger),
      { code: "ENOSPC" },
    );

    for (const name of names.slice(1, 4)) assert.equal(await store.remove(name), true);
    assert.equal(await store.change(first, () => larger), true, "with room again it goes on");
    assert.equal(await store.read(second), undefined);
    assert.equal((await store.read(first))?.content, larger.content);
  });

  test("ST-13 a folder that became read-only still answers, and refuses to write", async (t) => {
    const { store, path, file } = openFiles(t);
    const name = newName();
    await store.create(name, record);
    chmodSync(join(path, ".."), 0o755);
    await asPlainUser([path, file(name)], async () => {
      chmodSync(path, 0o500);
      assert.equal((await store.read(name))?.content, record.content);
      await assert.rejects(store.create(newName(), record), { code: "EACCES" });
      await assert.rejects(
        store.change(name, (old) => ({ ...old, seen: "x" })),
        { code: "EACCES" },
      );
      await assert.rejects(store.remove(name), { code: "EACCES" });
      await assert.rejects(store.ping(), { code: "EACCES" });
      chmodSync(path, 0o700);
      assert.equal(await store.change(name, (old) => ({ ...old, seen: "x" })), true);
      assert.equal(await store.remove(name), true);
    });
  });
});

describe("one record, many at once", () => {
  test("SE-9 no order of changes and removals brings a record back", async (t) => {
    const { store, files } = openFiles(t);
    for (let round = 0; round < 50; round++) {
      const name = newName();
      await store.create(name, record);
      const change = (seen: string) => store.change(name, (old) => ({ ...old, seen }));
      const work = [
        change("1"),
        change("2"),
        store.remove(name),
        change("3"),
        store.remove(name),
        change("4"),
      ];
      // Removals do not wait for changes: which of them comes first is open.
      const [, , first, , second] = await Promise.all(work);
      assert.ok(first || second);
      assert.equal(await store.read(name), undefined);
      assert.deepEqual(files(), []);
    }
  });

  test("no change is lost when a hundred are made at once", async (t) => {
    const { store } = openFiles(t);
    const name = newName();
    await store.create(name, { content: "0", seen: "s" });
    await Promise.all(
      Array.from({ length: 100 }, () =>
        store.change(name, ({ content, seen }) => ({ content: String(Number(content) + 1), seen })),
      ),
    );
    assert.equal((await store.read(name))?.content, "100");
  });

  test("a change that throws writes nothing, is reported, and holds up nobody", async (t) => {
    const { store, files } = openFiles(t);
    const name = newName();
    await store.create(name, record);
    const broken = new Error("no");
    const results = await Promise.allSettled([
      store.change(name, () => {
        throw broken;
      }),
      store.change(name, (old) => ({ ...old, seen: "after" })),
    ]);
    assert.deepEqual(results, [
      { status: "rejected", reason: broken },
      { status: "fulfilled", value: true },
    ]);
    assert.equal((await store.read(name))?.seen, "after");
    assert.deepEqual(files(), [`${name}.session`]);
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

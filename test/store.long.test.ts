import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import crypto, { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import type { SessionData } from "express-session";
import { Browser } from "./support/browser.ts";
import { memoryFolder } from "./support/disks.ts";
import { whoIs } from "./support/expect.ts";
import { needsPosix } from "./support/posix.ts";
import { rounds } from "./support/rounds.ts";
import { folder, openSite, type Site, secret, signIn } from "./support/site.ts";
import { openTestStore } from "./support/store.ts";

const minute = 60_000;

const warningsOf = ({ log }: Site) => log.lines.filter(({ level }) => level === 40);

describe("a file that is not what it should be", () => {
  test("ST-4 every one means signed out: a clean page, one line in the log, and a new sign-in works", async (t) => {
    const site = await openSite(t);
    const good = site.browser();
    await signIn(good, "vik_viewer");
    const odd: Record<string, (path: string) => unknown> = {
      empty: (path) => writeFileSync(path, ""),
      "one byte": (path) => writeFileSync(path, "A"),
      "half of it": (path) => truncateSync(path, statSync(path).size >> 1),
      "without its last byte": (path) => truncateSync(path, statSync(path).size - 1),
      "one byte more": (path) => writeFileSync(path, "A", { flag: "a" }),
      zeros: (path) => writeFileSync(path, Buffer.alloc(statSync(path).size)),
      noise: (path) => writeFileSync(path, randomBytes(3_000)),
      "lines of noise": (path) =>
        writeFileSync(path, randomBytes(3_000).toString("base64").replaceAll("a", "\n")),
      "UTF-16": (path) => writeFileSync(path, readFileSync(path, "latin1"), "utf16le"),
      "a byte order mark": (path) => writeFileSync(path, `\ufeff${readFileSync(path, "latin1")}`),
      "line ends of Windows": (path) => writeFileSync(path, `${readFileSync(path, "latin1")}\r\n`),
      "session-file-store": (path) =>
        writeFileSync(
          path,
          '{"cookie":{"path":"/"},"__lastAccess":1700000000000,"identity":{"username":"eve"}}',
        ),
      kruptein: (path) =>
        writeFileSync(
          path,
          '"{\\"hmac\\":\\"Zm9v\\",\\"ct\\":\\"YmFy\\",\\"iv\\":\\"YmF6\\",\\"salt\\":\\"c2FsdA\\",\\"at\\":\\"dGFn\\"}"',
        ),
      "50 MB": (path) => truncateSync(path, 50 * 1024 * 1024),
      "a folder": (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      "a pipe": (path) => {
        rmSync(path);
        execFileSync("mkfifo", [path]);
      },
      "a link to another session": (path) => {
        const [other = ""] = site.files().filter((name) => !path.endsWith(name));
        rmSync(path);
        symlinkSync(other, path);
      },
      "a link into nothing": (path) => {
        rmSync(path);
        symlinkSync("nothing", path);
      },
    };
    const isPossible = (what: string) => !/pipe|link/.test(what) || !needsPosix(what);
    for (const [what, make] of Object.entries(odd).filter(([what]) => isPossible(what))) {
      const before = new Set(site.files());
      const browser = site.browser();
      await signIn(browser, "sandy_admin");
      const path = join(site.config.sessionDir, site.files().find((name) => !before.has(name)) ?? "");
      assert.equal(await whoIs(browser), "sandy_admin");
      make(path);
      const lines = warningsOf(site).length;
      const size = site.log.lines.length;

      const page = await browser.get("/");
      assert.equal(page.status, 200, what);
      assert.match(page.body, /href="\/sign-in\?returnTo=%2F"/, what);
      const [warning] = warningsOf(site).slice(lines);
      assert.equal(warning?.msg, "a session could not be opened", what);
      assert.equal(site.log.lines.length, size + 2, `${what}: one line for the file, one for the request`);

      await signIn(browser, "sandy_admin");
      assert.equal(await whoIs(browser), "sandy_admin", `${what}: a new sign-in`);
      assert.equal(await whoIs(good), "vik_viewer", `${what}: no other session is affected`);
      rmSync(path, { recursive: true, force: true });
    }
  });

  test("ST-4 every truncation, every flipped byte and 64 flipped bits of a file mean signed out", async (t) => {
    const site = openTestStore(t, { dir: join(memoryFolder(t), "sessions") });
    const id = await site.keep();
    const path = site.file(id);
    const whole = readFileSync(path);
    const loadsAs = async (bytes: Buffer) => {
      writeFileSync(path, bytes);
      return site.load(id);
    };
    for (let length = 0; length < whole.length; length++) {
      assert.equal(await loadsAs(whole.subarray(0, length)), undefined, `cut to ${length}`);
    }
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ 0xff;
      assert.equal(await loadsAs(changed), undefined, `byte ${at}`);
    }
    for (let round = 0; round < 64; round++) {
      const changed = Buffer.from(whole);
      const bit = crypto.randomInt(whole.length * 8);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      assert.equal(await loadsAs(changed), undefined, `bit ${bit}`);
    }
    assert.ok(site.warnings.length >= 2 * whole.length);
    assert.equal((await loadsAs(whole))?.arcgis?.username, "sandy_admin");
  });
});

describe("keys", () => {
  test("ST-5 the server itself: rotate, drop the old key, bring it back", async (t) => {
    const [older, newer] = [secret(), secret()];
    const settings = { SESSION_SECRET: secret() };
    const sessionDir = join(folder(t), "sessions");
    const first = await openSite(t, { sessionDir, settings: { ...settings, ENCRYPTION_KEY: older } });
    const [early, idle] = [first.browser(), first.browser()];
    await signIn(early, "vik_viewer");
    await signIn(idle, "zoe_editor");
    const restart = async (ENCRYPTION_KEY: string[]) => {
      const site = await openSite(t, {
        sessionDir,
        sandbox: first.sandbox,
        settings: { ...settings, ENCRYPTION_KEY },
      });
      return { site, who: async (browser: Browser) => whoIs(new Browser(site.url, browser.cookies)) };
    };

    const rotated = await restart([newer, older]);
    assert.equal(await rotated.who(early), "vik_viewer");
    const late = rotated.site.browser();
    await signIn(late, "sandy_admin");
    const dropped = await restart([newer]);
    assert.equal(await dropped.who(idle), undefined);
    assert.equal(await dropped.who(early), "vik_viewer", "sealed with the newest key when it was used");
    assert.equal(await dropped.who(late), "sandy_admin");
    assert.equal(dropped.site.files().length, 3);
    const returned = await restart([newer, older]);
    assert.equal(await returned.who(idle), "zoe_editor");
  });
});

describe("who may make a session", () => {
  test("SE-9 updates, saves and notes of use that meet a sign-out leave nothing, in any order", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const site = openTestStore(t);
    const touch = promisify(site.store.touch.bind(site.store)) as (
      id: string,
      data: unknown,
    ) => Promise<void>;
    for (let round = 0; round < rounds(20, 60); round++) {
      const id = await site.keep();
      t.mock.timers.tick(2 * minute);
      const loaded = await Promise.all([site.load(id), site.load(id), site.load(id), site.load(id)]);
      let destroyed = false;
      const work: (() => Promise<unknown>)[] = [
        () => site.store.update(id, ({ arcgis }) => arcgis?.updateToken(secret(), new Date())),
        () => site.store.readParts(id),
        () => touch(id, loaded[0]),
        ...loaded.slice(1).map((session, index) => () => {
          return site.set(id, Object.assign(session as never, { index }) as SessionData);
        }),
        async () => {
          await site.destroy(id);
          destroyed = true;
        },
      ];
      for (let index = work.length - 1; index > 0; index--) {
        const other = crypto.randomInt(index + 1);
        [work[index], work[other]] = [work[other] as never, work[index] as never];
      }
      await Promise.all(work.map((task) => task()));
      assert.ok(destroyed);
      assert.equal(await site.load(id), undefined);
      assert.equal(await site.store.update(id, () => assert.fail("there is nothing to change")), false);
      const sessions = site.files().filter((name) => name.endsWith(".session"));
      assert.deepEqual(sessions, [], `round ${round}`);
    }
    // What is under way in the background takes its temp files with it.
    while (site.files().length > 0) await new Promise(setImmediate);
  });
});

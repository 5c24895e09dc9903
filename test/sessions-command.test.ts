import assert from "node:assert/strict";
import { chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { iso, minute, table } from "#src/cli/terminal.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import type { Outcome } from "./support/cli.ts";
import { smallDisk } from "./support/disks.ts";
import { whoIs } from "./support/expect.ts";
import { onRemoval } from "./support/removal.ts";
import { patienceMs } from "./support/rounds.ts";
import { lay, openWith, run, settingsOf, signedIn } from "./support/sessions-command.ts";
import { folder, openSite, type Site, secret, signIn } from "./support/site.ts";
import { day, identityFor, openTestStore, recordOf } from "./support/store.ts";

/** What of a site must not be on a screen: session ids, their signatures and all tokens. */
async function secretsOf(site: Site, browsers: Browser[]): Promise<string[]> {
  const ids = browsers.map(({ cookies }) =>
    String(decodeURIComponent([...cookies.values()].join(" "))).match(/s:([^.]+)\.([\w+/]+)/),
  );
  const found: string[] = [];
  for (const [, id = "", signature = ""] of ids as RegExpMatchArray[]) {
    const { arcgis } = (await site.store.read(id)) ?? {};
    found.push(id, signature, String(arcgis?.token), String(arcgis?.refreshToken), recordOf(id).slice(8));
  }
  assert.equal(found.filter((each) => each.length >= 16).length, browsers.length * 5);
  return found;
}

describe("arcgis-sign-in sessions, beside a running server", () => {
  test("SE-12 revoke USER: every session of that user is anonymous at the next request, no other user's is, the tokens are revoked", async (t) => {
    const { site, browsers } = await openWith(t, ["sandy_admin", "vik_viewer", "sandy_admin"]);
    assert.deepEqual(await signedIn(browsers), ["sandy_admin", "vik_viewer", "sandy_admin"]);
    const tokens = await secretsOf(site, browsers);

    const { code, output, error } = await run(t, settingsOf(site), ["revoke", "sandy_admin"]);

    assert.deepEqual(
      { code, output, error },
      { code: 0, output: "Ended 2 sessions of sandy_admin.\n", error: "" },
    );
    assert.deepEqual(await signedIn(browsers), [undefined, "vik_viewer", undefined]);
    assert.deepEqual([...site.sandbox.revoked].sort(), [tokens[3], tokens[13]].sort());
    assert.equal(site.files().length, 1, "the others' session, and no queue");
  });

  test("SE-12 a portal that is down keeps no user signed in: the tokens wait, and the next user's request revokes them", async (t) => {
    const { site, browsers } = await openWith(t, ["sandy_admin", "vik_viewer"]);
    site.sandbox.faults.set("revokeToken", { kind: "status", status: 503 });

    const { code, output, error } = await run(t, settingsOf(site), ["revoke", "sandy_admin"]);

    assert.equal(code, 75);
    assert.equal(output, "Ended 1 session of sandy_admin.\n");
    assert.equal(
      error,
      "1 token could not be revoked yet (portal_unreachable (HTTP 503)). A running server tries again within a minute.\n",
    );
    assert.deepEqual(await signedIn(browsers), [undefined, "vik_viewer"]);
    const stats = await run(t, settingsOf(site), ["stats"]);
    assert.match(stats.output, /^pending revocations +1$/m);
    assert.deepEqual(site.sandbox.revoked, []);

    site.sandbox.faults.clear("revokeToken");
    assert.equal((await run(t, settingsOf(site), ["revoke", "vik_viewer"])).code, 0);
    assert.equal(site.sandbox.revoked.length, 2);
    assert.match((await run(t, settingsOf(site), ["stats"])).output, /^pending revocations +0$/m);
  });

  test("SE-12 a server takes up what another process has put into the queue", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { site, browsers } = await openWith(t, ["sandy_admin"]);
    const [, , , token = ""] = await secretsOf(site, browsers);
    const { portal, clientId } = site.config;
    await site.store.admin.changePending(() => [
      { portal, clientId, username: "sandy_admin", token, until: Date.now() + day },
    ]);
    assert.deepEqual(site.sandbox.revoked, []);
    for (const end = performance.now() + patienceMs; performance.now() < end; ) {
      t.mock.timers.tick(60_000);
      await new Promise((resolve) => setImmediate(resolve));
      if (site.sandbox.revoked.length > 0) break;
    }
    assert.deepEqual(site.sandbox.revoked, [token]);
  });

  test("SE-12 a token that is refreshed while its session is being ended does not stay behind", async (t) => {
    const { keep, store, dir } = openTestStore(t);
    const id = await keep({ arcgis: identityFor("sandy_admin", { refreshToken: "old" }) });
    const name = recordOf(id);
    const found = await store.admin.inspect(name);
    assert.ok(found && "data" in found, "it is found");
    await store.update(id, (data) => {
      data.arcgis = identityFor("sandy_admin", { refreshToken: "new" });
    });
    assert.equal((await store.admin.end(name))?.arcgis?.refreshToken, "new");
    // And the refresh that comes too late finds nothing to compare its token with.
    assert.equal(await store.update(id, () => assert.fail("there is nothing to change")), false);
    assert.deepEqual(readdirSync(dir), []);
  });

  test("SE-12 a stop half-way leaves no token behind: all wait in the queue before the first session ends", async (t) => {
    const { site } = await openWith(t, ["sandy_admin", "sandy_admin", "sandy_admin"]);
    const plugIn = onRemoval(t, (path) => {
      if (path.endsWith(".session"))
        throw Object.assign(new Error("EIO: the plug was pulled"), { code: "EIO" });
    });
    const outcome = await run(t, settingsOf(site), ["revoke", "sandy_admin"]);
    plugIn();
    assert.equal(outcome.code, 69, outcome.error);
    assert.match((await run(t, settingsOf(site), ["stats"])).output, /^pending revocations +3$/m);
    assert.equal((await run(t, settingsOf(site), ["revoke", "--all"])).code, 0);
    assert.equal(new Set(site.sandbox.revoked).size, 3);
    assert.deepEqual(site.files(), []);
  });

  test("SE-12 ST-13 a full disk does not stop it: the sessions end, the tokens are revoked at once", async (t) => {
    const disk = smallDisk(t, 256);
    if (!disk) return;
    const { site, browsers } = await openWith(t, ["sandy_admin", "vik_viewer"], {
      sessionDir: join(disk, "sessions"),
    });
    const ballast = join(disk, "ballast");
    assert.throws(() => writeFileSync(ballast, Buffer.alloc(1024 * 1024)), { code: "ENOSPC" });

    const first = await run(t, settingsOf(site), ["revoke", "sandy_admin"]);
    const error = "The server's log will not mention this, because the store is not writable.\n";
    assert.deepEqual(first, { code: 0, output: "Ended 1 session of sandy_admin.\n", error });
    assert.equal(site.sandbox.revoked.length, 1);
    site.sandbox.faults.set("revokeToken", { kind: "status", status: 503 });
    const second = await run(t, settingsOf(site), ["revoke", "vik_viewer"]);
    assert.equal(second.code, 75);
    assert.match(second.error, /^1 token could not be revoked yet \(portal_unreachable \(HTTP 503\)\)\./m);
    assert.deepEqual(await signedIn(browsers), [undefined, undefined]);
    assert.deepEqual(site.files(), ["pending-revocations"], "its session has made room for it");
  });

  test("SE-12 revoke --all means those, too, that cannot be opened; revoke USER says that they may be theirs", async (t) => {
    const { site, browsers } = await openWith(t, ["sandy_admin", "vik_viewer"]);
    const [, other = ""] = site.files();
    const key = secret();
    const settings = { ...settingsOf(site), ENCRYPTION_KEY: key };
    lay(site.config.sessionDir, key, 1, () => "una_publisher");

    const one = await run(t, settings, ["revoke", "una_publisher"]);
    assert.equal(one.code, 75, "that portal is not there");
    assert.match(one.output, /^Ended 1 session of una_publisher\.$/m);
    assert.match(one.error, /^2 sessions could not be opened: damaged, or sealed with an unknown key\.$/m);
    assert.deepEqual(await signedIn(browsers), ["sandy_admin", "vik_viewer"]);
    assert.ok(site.files().includes(other), "it waits for its key");

    const all = await run(t, settings, ["revoke", "--all"]);
    assert.match(all.output, /^Ended 2 sessions of 0 users\.$/m);
    assert.deepEqual(await signedIn(browsers), [undefined, undefined]);
  });
});

describe("the output of arcgis-sign-in sessions", () => {
  test("list, show and stats, for users and for programs, and no token and no session id in any of them", async (t) => {
    const today = () => new Date().toISOString().slice(0, 10);
    const begun = today();
    const { site, browsers } = await openWith(t, ["sandy_admin", "vik_viewer", "sandy_admin"]);
    const hidden = await secretsOf(site, browsers);
    const settings = settingsOf(site);
    const outcomes: Outcome[] = [];
    const told = async (...args: string[]) => {
      const outcome = await run(t, settings, args);
      outcomes.push(outcome);
      assert.equal(outcome.code, 0, outcome.error);
      return outcome.output;
    };

    const list = await told("list");
    assert.match(list, /^USER +SESSIONS {2}LAST USED \(UTC\) {3}ENDS \(UTC\)$/m);
    const when = `(?:${begun}|${today()})`;
    assert.match(list, new RegExp(`^sandy_admin +2 {2}${when} \\d\\d:\\d\\d {2}\\d{4}-`, "m"));
    assert.match(list, /^2 users, 3 sessions\.$/m);
    const users = JSON.parse(await told("list", "--json"));
    assert.deepEqual(users.map(({ user, sessions }: never) => [user, sessions]).sort(), [
      ["sandy_admin", 2],
      ["vik_viewer", 1],
    ]);
    assert.ok(Date.parse(users[0].ends) > Date.now() + 13 * day, "in ISO 8601");

    const show = await told("show", "sandy_admin");
    assert.match(show, /^sandy_admin · Sandy .+ · http:.+\/sharing\/rest$/m);
    assert.match(show, /^RECORD +SIGNED IN +LAST USED +TOKEN UNTIL +ENDS \(UTC\)$/m);
    assert.equal(show.match(/^[0-9a-f]{8} {2}/gm)?.length, 2);
    const [shown] = JSON.parse(await told("show", "sandy_admin", "--json")).sessions;
    assert.deepEqual(Object.keys(shown), [
      "record",
      "portal",
      "signedIn",
      "lastUsed",
      "ends",
      "tokenUntil",
      "refreshTokenUntil",
    ]);

    const stats = await told("stats");
    assert.match(stats, /^Files in \//);
    assert.match(stats, /^sessions +3$/m);
    assert.match(stats, /^users +2$/m);
    assert.match(stats, /^used in the last hour +3$/m);
    const { sessions: alive, users: count, unopened, onOlderKey } = JSON.parse(await told("stats", "--json"));
    assert.deepEqual(
      { alive, count, unopened, onOlderKey },
      { alive: 3, count: 2, unopened: 0, onOlderKey: 0 },
    );

    for (const { output, error } of outcomes) {
      assert.equal(error, "");
      for (const line of output.split("\n")) assert.ok(line.length <= 80 || line.includes("/"), line);
      for (const each of hidden) assert.equal(output.includes(each), false, output);
    }
  });

  test("no session is a sentence, not an empty table; a name that is nearly right is suggested", async (t) => {
    const { site } = await openWith(t, []);
    const settings = settingsOf(site);
    assert.equal((await run(t, settings, ["list"])).output, "No users are signed in.\n");
    assert.deepEqual(JSON.parse((await run(t, settings, ["list", "--json"])).output), []);
    assert.deepEqual(await run(t, settings, ["revoke", "--all"]), {
      code: 0,
      output: "No session to end.\n",
      error: "",
    });
    await signIn(site.browser(), "sandy_admin");
    for (const command of ["show", "revoke"]) {
      assert.deepEqual(await run(t, settings, [command, "Sandy_Admin"]), {
        code: 1,
        output: "",
        error: "Sandy_Admin has no session. Did you mean sandy_admin?\n",
      });
    }
    assert.equal(site.files().length, 1);
  });

  test("sessions that are over are not listed, bad files are told, and nothing is changed by looking", async (t) => {
    const { keep, load, dir, keys, file } = openTestStore(t);
    const [alive, damaged] = [await keep(), await keep()];
    await keep({ arcgis: identityFor("una_publisher", { refreshTokenExpires: new Date(0) }) });
    writeFileSync(file(damaged), readFileSync(file(damaged), "latin1").replace(/.{8}$/, "AAAAAAAA"));
    mkdirSync(join(dir, `${"a".repeat(64)}.session`));
    const before = readdirSync(dir).sort();
    const settings = {
      CLIENT_ID: "test-app",
      REDIRECT_URI: "http://localhost:3000/authenticate",
      SESSION_SECRET: secret(),
      ENCRYPTION_KEY: keys.join(","),
      SESSION_DIR: dir,
    };
    const { output, error } = await run(t, settings, ["list"]);
    assert.match(output, /^1 user, 1 session\.$/m);
    assert.doesNotMatch(output, /una_publisher/);
    assert.deepEqual(error.trim().split("\n").sort(), [
      "1 session could not be opened: damaged or forged.",
      "1 session could not be opened: it is not a regular file.",
    ]);
    const stats = JSON.parse((await run(t, settings, ["stats", "--json"])).output);
    assert.deepEqual([stats.sessions, stats.expired, stats.unopened], [1, 1, 2]);
    assert.deepEqual(readdirSync(dir).sort(), before);
    assert.ok(await load(alive), "it is as it was");
  });

  test("OA-14 SE-12 with several portals a name at one is not the same name at another", async (t) => {
    const county = await startSandbox({ clients: [] });
    t.after(() => county.close());
    const PORTALS = [{ id: "county", title: "County", url: county.url, clientId: "county-app" }];
    const site = await openSite(t, { settings: { PORTALS } });
    const redirectUris = [`${site.url}/portals/county/authenticate`];
    county.clients.push({ clientId: "county-app", redirectUris });
    const [here, there] = [site.browser(), site.browser()];
    await signIn(here, "sandy_admin", "/sign-in?portal=main");
    await signIn(there, "sandy_admin", "/portals/county/sign-in");
    const settings = settingsOf(site, { PORTALS: JSON.stringify(PORTALS) });

    const list = await run(t, settings, ["list"]);
    assert.match(list.output, /^USER +PORTAL +SESSIONS/m);
    assert.match(list.output, /^sandy_admin +county +1 /m);
    assert.match(list.output, /^sandy_admin +main +1 /m);
    assert.match(list.output, /^2 users, 2 sessions\.$/m);
    const programs = JSON.parse((await run(t, settings, ["list", "--json", "--portal", "county"])).output);
    assert.deepEqual(
      programs.map(({ portal }: { portal: string }) => portal),
      [county.url],
    );
    const shown = await run(t, settings, ["show", "sandy_admin", "--portal=main"]);
    assert.match(shown.output, /^1 session\.$/m);
    const visitor = await run(t, settings, ["revoke", "vik_viewer", "--portal", "county"]);
    assert.equal(visitor.code, 1);

    const revoked = await run(t, settings, ["revoke", "sandy_admin", "--portal", "county"]);

    assert.equal(revoked.output, "Ended 1 session of sandy_admin at county.\n");
    assert.equal(await whoIs(there, "/portals/county/"), undefined);
    assert.equal(await whoIs(here), "sandy_admin");
    assert.deepEqual([county.revoked.length, site.sandbox.revoked.length], [1, 0]);
    const { code, error } = await run(t, settings, ["list", "--portal", "town"]);
    assert.deepEqual(
      [code, error.split("\n")[0]],
      [64, 'Unknown portal "town". Known portals: main, county.'],
    );

    await signIn(there, "sandy_admin", "/portals/county/sign-in");
    const all = await run(t, settings, ["revoke", "--all", "--portal", "main"]);
    assert.equal(all.output, "Ended 1 session of 1 user at main.\n");
    assert.equal(await whoIs(there, "/portals/county/"), "sandy_admin");
    await signIn(here, "sandy_admin", "/sign-in?portal=main");
    const both = await run(t, settings, ["revoke", "sandy_admin"]);
    assert.equal(both.output, "Ended 2 sessions of sandy_admin at county, main.\n");
  });

  test("OU-2 LG-3 no name draws on the terminal, as JSON neither, and programs get it letter by letter", async (t) => {
    const fullName = "Sandy \u009b2J\u202eevil\u2028\u{e0041}\x7f ☺";
    const site = await openSite(t);
    const user = site.sandbox.users.find(({ username }) => username === "sandy_admin");
    Object.assign(user ?? {}, { fullName });
    await signIn(site.browser(), "sandy_admin");

    const users = await run(t, settingsOf(site), ["show", "sandy_admin"]);
    const programs = await run(t, settingsOf(site), ["show", "sandy_admin", "--json"]);

    for (const { output } of [users, programs])
      assert.doesNotMatch(output.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.match(users.output, /Sandy \?2J\?evil\?\?\? ☺/);
    assert.equal(JSON.parse(programs.output).fullName, fullName);
  });

  test("in a table, names are whole, numbers to the right, and no name can write anywhere else on the screen", () => {
    const times = [12_345, minute(iso(0))];
    const name = "x".repeat(128);
    const text = table([
      ["USER", "SESSIONS", "ENDS"],
      [name, ...times],
      ["\x1b[2J\u202eevil", ...times],
    ]);
    const lines = text.trimEnd().split("\n");
    assert.equal(lines[1], `${name}    12,345  1970-01-01 00:00`);
    assert.match(lines[2] ?? "", /^\?\[2J\?evil /);
    assert.equal(minute(iso(undefined)), "-");
  });
});

describe("arcgis-sign-in sessions rekey", () => {
  test("ST-5 seals everything with the newest key: the old one can be dropped at once, and no user is signed out", async (t) => {
    const [older, newer] = [secret(), secret()];
    const users = ["sandy_admin", "vik_viewer"];
    const first = await openWith(t, users, { settings: { ENCRYPTION_KEY: older } });
    const { config, sandbox } = first.site;
    first.site.sandbox.faults.set("revokeToken", { kind: "status", status: 503 });
    await run(t, settingsOf(first.site), ["revoke", "vik_viewer"]);
    const lost = join(config.sessionDir, `${"b".repeat(64)}.session`);
    copyFileSync(
      join(config.sessionDir, first.site.files().find((name) => /session$/.test(name)) ?? ""),
      lost,
    );
    const sharing = { SESSION_SECRET: config.sessionSecrets.join(","), REDIRECT_URI: config.redirectUri };
    const both = { ...sharing, ENCRYPTION_KEY: `${newer},${older}` };
    const reopen = (settings: Record<string, string>) =>
      openSite(t, { settings, sessionDir: config.sessionDir, sandbox });
    const running = await reopen(both);

    const stats = await run(t, settingsOf(running), ["stats"]);
    assert.match(stats.output, /^on an older key +1$/m);
    const { code, output, error } = await run(t, settingsOf(running), ["rekey"]);
    assert.equal(code, 0, error);
    assert.equal(output, "Encrypted 1 session with the newest key.\n");
    assert.equal(
      error,
      "Restart every server with the new key first: without it, a server cannot open what this encrypts, and signs those users out.\n" +
        "1 session could not be opened: damaged, or encrypted with a key that is not in ENCRYPTION_KEY. They were not changed.\n" +
        "When every server runs with the newest key in front, you can remove the older ones from ENCRYPTION_KEY.\n",
    );
    const again = await run(t, settingsOf(running), ["rekey", "--json"]);
    assert.deepEqual(JSON.parse(again.output), { resealed: 0, already: 1, unopened: 1 });

    const last = await reopen({ ...sharing, ENCRYPTION_KEY: newer });
    const [sandy] = first.browsers as [Browser];
    assert.equal(await whoIs(new Browser(last.url, sandy.cookies)), "sandy_admin");
    assert.match((await run(t, settingsOf(last), ["stats"])).output, /^pending revocations +1$/m);
    assert.ok(readdirSync(config.sessionDir).includes(`${"b".repeat(64)}.session`), "it was left as it was");
  });

  test("ST-5 a session that is used, changed and ended meanwhile is none the worse for it", async (t) => {
    const keys = [secret(), secret()];
    const old = openTestStore(t, { keys: keys.slice(1) });
    const ids = await Promise.all(Array.from({ length: 40 }, () => old.keep({ value: 0 })));
    const now = openTestStore(t, { keys, dir: old.dir });
    const { admin } = now.store;
    await Promise.all([
      ...ids.map((id) => admin.reseal(recordOf(id))),
      ...ids.map((id, index) =>
        index % 4 === 0
          ? now.destroy(id)
          : now.store.update(id, (data) => void Object.assign(data, { value: index })),
      ),
    ]);
    const newest = openTestStore(t, { keys: keys.slice(0, 1), dir: old.dir });
    for (const [index, id] of ids.entries()) {
      const found = (await newest.load(id)) as { value?: number } | undefined;
      assert.equal(found?.value, index % 4 === 0 ? undefined : index);
    }
    assert.deepEqual(await Promise.all(ids.slice(0, 2).map((id) => admin.reseal(recordOf(id)))), [
      "gone",
      "on newest key",
    ]);
  });
});

describe("arcgis-sign-in sessions that cannot do its work", () => {
  test("says what is wrong and how to put it right, each kind with an exit code of its own", async (t) => {
    const { site } = await openWith(t, []);
    const good = settingsOf(site);
    const wrongFile = join(folder(t), "file");
    writeFileSync(wrongFile, "");
    const seeHelp = "\nUse --help to see the commands and options.\n";
    const folderFix =
      "Run this with the server's configuration and as its user. If you already do, make that user the owner (chown), check whether the disk is full, or set another SESSION_DIR.";
    const cases: [string[], Record<string, string>, number, string | RegExp][] = [
      [["lst"], good, 64, `error: unknown command 'lst'\n(Did you mean list?)${seeHelp}`],
      [["show"], good, 64, `error: missing required argument 'user'${seeHelp}`],
      [["revoke"], good, 64, `error: name a user, or use --all${seeHelp}`],
      [["revoke", "x", "--all"], good, 64, `error: name a user, or use --all${seeHelp}`],
      [["revoke", "x", "y"], good, 64, /^error: too many arguments for 'revoke'/],
      [["list", "x"], good, 64, /^error: too many arguments for 'list'/],
      [["list", "--all"], good, 64, `error: unknown option '--all'${seeHelp}`],
      [["stats", "--portal", "main"], good, 64, /^error: unknown option '--portal'/],
      [["--json"], good, 64, /^Usage: arcgis-sign-in sessions /],
      [["list", "--jason"], good, 64, `error: unknown option '--jason'\n(Did you mean --json?)${seeHelp}`],
      [
        ["list"],
        { ...good, ENCRYPTION_KEY: "short" },
        78,
        /^ENCRYPTION_KEY: is shorter than 32 characters\./,
      ],
      [
        ["list"],
        { ...good, SESSION_DIR: "/nowhere/at/all" },
        69,
        `SESSION_DIR: there is no folder /nowhere/at/all, which the server creates. ${folderFix}\n`,
      ],
      [
        ["list"],
        { ...good, SESSION_DIR: wrongFile },
        69,
        `SESSION_DIR: there is no folder ${wrongFile}, which the server creates. ${folderFix}\n`,
      ],
      [
        ["list"],
        { ...good, SESSION_DIR: join(wrongFile, "sessions") },
        69,
        // Windows has no ENOTDIR.
        /^SESSION_DIR(?: cannot be used: ENOTDIR: |: there is no folder ).+\. Run this with the server's configuration /,
      ],
      [
        ["list"],
        { ...good, REDIS_URL: "redis://127.0.0.1:9" },
        69,
        /^Redis is away: ECONNREFUSED\. Start Redis, or correct REDIS_URL: its address, its password and its rights /,
      ],
    ];
    if (process.getuid?.() === 0) {
      const theirs = folder(t);
      chownSync(theirs, 65534, 65534);
      const message = `SESSION_DIR: ${theirs} belongs to another user. ${folderFix}\n`;
      cases.push([["list"], { ...good, SESSION_DIR: theirs }, 69, message]);
    }
    for (const [args, env, code, error] of cases) {
      const outcome = await run(t, env, args);
      const about = JSON.stringify([args, outcome]);
      assert.equal(outcome.code, code, about);
      assert.equal(outcome.output, "", about);
      if (typeof error === "string") assert.equal(outcome.error, error);
      else assert.match(outcome.error, error);
    }
    for (const args of [[], ["--help"]]) {
      const { code, output } = await run(t, {}, args);
      assert.equal(code, 0);
      assert.match(
        output,
        /^ {2}revoke .+ends the sessions of a user, and revokes the tokens at the portal$/m,
      );
      for (const line of output.split("\n")) assert.ok(line.length <= 110, line);
    }
  });
});

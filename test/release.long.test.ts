import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { freePort, startProgram } from "./support/program.ts";
import { signIn } from "./support/sign-in.ts";
import { folder, secret } from "./support/temporary.ts";
import { signOut } from "./support/user.ts";

const root = join(import.meta.dirname, "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const name = `arcgis-sign-in-${version}.zip`;

function release(t: TestContext): string {
  const target = folder(t);
  execFileSync(process.execPath, [join(root, "scripts/release.js"), target], { stdio: "ignore" });
  return target;
}

/** Windows and macOS have a tar that reads zip archives. */
function unpack(archive: string, target: string): string | undefined {
  for (const [program, ...args] of [
    ["unzip", "-q", archive, "-d", target],
    ["tar", "-xf", archive, "-C", target],
  ] as const)
    if (spawnSync(program, args, { stdio: "ignore" }).status === 0) return undefined;
  const reason = 'no program unpacks zip archives: install Debian\'s package "unzip"';
  if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
  return reason;
}

test("the release archive, unpacked into an empty folder, is a server where users sign in", async (t) => {
  const archive = join(release(t), name);
  const target = folder(t);
  const problem = unpack(archive, target);
  if (problem) return t.skip(problem);
  assert.deepEqual(readdirSync(target), ["arcgis-sign-in"]);
  const program = join(target, "arcgis-sign-in");

  const port = await freePort();
  const url = `http://localhost:${port}`;
  const redirectUris = [`${url}/authenticate`];
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris }] });
  t.after(() => sandbox.close());
  const env = {
    CLIENT_ID: "test-app",
    PORTAL_URL: sandbox.url,
    REDIRECT_URI: `${url}/authenticate`,
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    PORT: String(port),
    NODE_ENV: "production",
  };
  // Elsewhere, as on a server: nothing is found by its place beside the repository.
  await startProgram(t, { file: join(program, "dist/server.js"), cwd: folder(t), url, env });
  const browser = new Browser(url);
  assert.equal((await signIn(browser)).status, 303);
  assert.equal((await browser.get("/api/session")).status, 200);
  assert.equal((await browser.get("/map")).status, 200);
  assert.equal((await signOut(browser)).status, 303);

  const redis = `await import("redis"); console.log("there")`;
  const options = { cwd: program, encoding: "utf8" } as const;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", redis], options);
  assert.equal(stdout, "there\n", "REDIS_URL works, too");
});

test("its SHA-256 is beside it, the same files make the same archive, and nothing in it is native or secret", async (t) => {
  const [one, other] = [release(t), release(t)];
  const archive = readFileSync(join(one, name));
  const hash = createHash("sha256").update(archive).digest("hex");
  assert.equal(readFileSync(join(one, `${name}.sha256`), "utf8"), `${hash}  ${name}\n`);
  assert.ok(archive.equals(readFileSync(join(other, name))));
  // The names are stored as they are.
  const text = archive.toString("latin1");
  assert.doesNotMatch(text, /arcgis-sign-in\/[\w./@-]+\.(?:node|exe|dll)PK/);
  assert.doesNotMatch(
    text,
    /arcgis-sign-in\/(?:config\.json|\.env|\.demo|sessions|test|node_modules\/typescript)/,
  );
  assert.ok(text.includes("arcgis-sign-in/deploy/iis/web.config"));
});

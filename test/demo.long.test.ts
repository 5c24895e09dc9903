import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { explain } from "#src/app/serve.ts";
import { Browser, click, crossSite } from "./support/browser.ts";
import { bin, spawnCli, withoutPackage } from "./support/cli.ts";
import { asPlainUser } from "./support/plain-user.ts";
import { needsPosix } from "./support/posix.ts";
import { freePort, startProgram } from "./support/program.ts";
import { folder, signIn } from "./support/site.ts";

test("a demo that cannot have a port names all options to change, and leaves with exit code 78", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;

  const refusals = await Promise.all([
    runDemo(folder(t), { PORT: String(port), SANDBOX_PORT: "0" }),
    runDemo(folder(t), { PORT: "0" }, { flags: ["--sandbox-port", String(port)] }),
    runDemo(folder(t), {}, { flags: ["port", "sandbox-port"].map((name) => `--${name}=${port}`) }),
  ]);
  const line = (option: string) =>
    `${option}: 127.0.0.1:${port} is taken by another program. Stop that one, or set another ${option}.\n`;
  assert.deepEqual(refusals, [
    { code: 78, stderr: line("--port") },
    { code: 78, stderr: line("--sandbox-port") },
    { code: 78, stderr: line("--port") + line("--sandbox-port") },
  ]);
});

test("a port that is none is refused in the same words as any other setting", () => {
  try {
    createServer().listen(Number("3001a"));
    assert.fail("Node has listened");
  } catch (error) {
    assert.deepEqual(explain(error, "SANDBOX_PORT"), {
      message: "SANDBOX_PORT: must be a whole number from 0 to 65535. Write it in digits.",
      exitCode: 78,
    });
  }
});

test("the demo refuses to run in production, and leaves nothing there", async (t) => {
  const cwd = folder(t);
  assert.deepEqual(await runDemo(cwd, { NODE_ENV: "production", PORT: "0", SANDBOX_PORT: "0" }), {
    code: 1,
    stderr: "The sandbox portal has no passwords: it does not start with NODE_ENV=production.\n",
  });
  assert.deepEqual(readdirSync(cwd), []);
});

test("a demo in a folder that cannot be written names the folder, and what to do", {
  skip: needsPosix("modes of files"),
}, async (t) => {
  const cwd = folder(t);
  const message = (code: string) =>
    `${join(cwd, ".demo")} cannot be used (${code}). Start the demo in a folder that you may write to.\n`;
  const free = { PORT: "0", SANDBOX_PORT: "0" };
  writeFileSync(join(cwd, ".demo"), "");
  assert.deepEqual(await runDemo(cwd, free), { code: 78, stderr: message("EEXIST") });
  rmSync(join(cwd, ".demo"));
  chmodSync(cwd, 0o555);
  await asPlainUser([cwd], async () => {
    assert.deepEqual(await runDemo(cwd, free), { code: 78, stderr: message("EACCES") });
  });
});

test("a demo whose secrets are damaged says which file to delete", async (t) => {
  const cwd = folder(t);
  const file = join(cwd, ".demo", "secrets.json");
  mkdirSync(join(cwd, ".demo"));
  for (const content of ["", '{"SESSION_SECRET":"x"']) {
    writeFileSync(file, content);
    const stderr = `${file} is damaged. Delete it: the demo makes new secrets, and you sign in again.\n`;
    assert.deepEqual(await runDemo(cwd, { PORT: "0", SANDBOX_PORT: "0" }), { code: 78, stderr });
  }
});

test("the demo of an organization says what to install where its identity provider is not, and that it knows no other flags", async (t) => {
  const ports = { PORT: "0", SANDBOX_PORT: "0", PROVIDER_PORT: "0" };
  for (const flag of ["--organization", "--organisation"]) {
    // As if it had been installed with --omit=dev.
    const options = { nodeFlags: withoutPackage("oidc-provider"), flags: [flag] };
    const { code, stderr } = await runDemo(folder(t), ports, options);
    assert.equal(code, 1);
    assert.match(stderr, /^The package oidc-provider is not installed, .*: run `npm ci` without --omit=dev/);
  }
  const mistyped = await runDemo(folder(t), ports, { flags: ["--organizaton"] });
  assert.equal(mistyped.code, 64);
  assert.match(mistyped.stderr, /^error: unknown option '--organizaton'\n\(Did you mean --organization\?\)/);
});

test("the demo's portal remembers the user, as ArcGIS does, until the app asks for another account", async (t) => {
  const [PORT, SANDBOX_PORT] = [String(await freePort()), String(await freePort())];
  const url = `http://localhost:${PORT}`;
  await startProgram(t, { file: bin, args: ["demo"], cwd: folder(t), url, env: { PORT, SANDBOX_PORT } });
  const [app, portal] = [new Browser(url), new Browser(`http://127.0.0.1:${SANDBOX_PORT}`)];
  const authorizeUrl = async (path: string) => new URL(String((await app.get(path, click)).headers.location));

  const { pathname, searchParams } = await authorizeUrl("/sign-in");
  await portal.post(pathname, { ...Object.fromEntries(searchParams), username: "vik_viewer" });
  const again = await authorizeUrl("/sign-in");
  const silent = await portal.get(again.pathname + again.search, crossSite);
  assert.match(String(silent.headers.location), /^http:.*\/authenticate\?code=/);
  const another = await authorizeUrl("/sign-in?force_login=true");
  assert.equal((await portal.get(another.pathname + another.search, crossSite)).status, 200);
});

test("the demo puts the sign-in in front of a folder, and says what is wrong with another one", async (t) => {
  const cwd = folder(t);
  mkdirSync(join(cwd, "dist"));
  writeFileSync(join(cwd, "dist/index.html"), "<h1>My app</h1>");
  const [PORT, SANDBOX_PORT] = [String(await freePort()), String(await freePort())];
  const url = `http://localhost:${PORT}`;
  const env = { PORT, SANDBOX_PORT, SITE_FALLBACK: "true" };
  await startProgram(t, { file: bin, args: ["demo", "--site", "./dist"], cwd, url, env });
  const app = new Browser(url);
  assert.equal((await app.get("/")).headers.location, "/sign-in?returnTo=%2F");
  await signIn(app);
  for (const path of ["/", "/any/page"]) assert.equal((await app.get(path)).body, "<h1>My app</h1>");
  assert.match((await app.get("/content")).body, /My content/);

  const free = { PORT: "0", SANDBOX_PORT: "0" };
  const refused = await runDemo(cwd, free, { flags: ["--site", "."] });
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /^--site \.: contains the folder of SESSION_DIR\. /);
});

/** Runs a demo that stops by itself. */
async function runDemo(
  cwd: string,
  env: Record<string, string>,
  { nodeFlags = [], flags = [] }: { nodeFlags?: string[]; flags?: string[] } = {},
): Promise<{ code: number; stderr: string }> {
  const { code, error } = await spawnCli(["demo", ...flags], { cwd, env, nodeFlags });
  return { code, stderr: error };
}

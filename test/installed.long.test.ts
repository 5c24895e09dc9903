import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { redirectUri, sharedSettings, startServer } from "./support/server-process.ts";
import { callbackFor, folder, secret } from "./support/site.ts";
import { until } from "./support/user.ts";

/** A copy of the program, as in /opt/arcgis-sign-in. */
function install(t: TestContext, path = folder(t)): string {
  for (const name of ["dist", "src", "views", "scripts", "package.json", "tsconfig.json"])
    cpSync(name, join(path, name), { recursive: true });
  symlinkSync(join(process.cwd(), "node_modules"), join(path, "node_modules"), "junction");
  return path;
}

test("a dist/ that was built from another src/ is noticed by the start and by the doctor, whatever the times of the files say", async (t) => {
  const app = install(t);
  const node = async (...args: string[]) => {
    const child = spawn(process.execPath, args, { cwd: app, stdio: ["ignore", "pipe", "inherit"] });
    const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
    return output;
  };
  const isStale = () =>
    node("-p", `import("./dist/app/source-hash.js").then((it) => console.log(it.isStale())); ""`);
  // A checkout or a copy gives files the time of the moment.
  const later = new Date(Date.now() + 60_000);
  utimesSync(join(app, "src/server.ts"), later, later);
  assert.equal(await node("scripts/build.js", "--if-needed"), "", "nothing to compile");
  assert.equal((await isStale()).trim(), "false");

  const source = join(app, "src/app/reason.ts");
  const { atime, mtime } = statSync(source);
  appendFileSync(source, "// the next version\n");
  utimesSync(source, atime, mtime);
  assert.equal((await isStale()).trim(), "true");
  const url = pathToFileURL(join(app, "dist/server.js")).href;
  const server = startServer(t, sharedSettings(t, "http://127.0.0.1:9/portal"), url);
  const findings = await node("dist/cli/arcgis-sign-in.js", "doctor");
  assert.match(findings, /^WARNING +program +dist\/ was built from another src\/\. Run npm run build/m);
  assert.match((await server).output(), /"event":"stale-build".*npm run build/);

  renameSync(join(app, "scripts"), join(app, "not-scripts"));
  assert.equal((await isStale()).trim(), "false", "sources that cannot be read stop no server");
  renameSync(join(app, "not-scripts"), join(app, "scripts"));
  assert.equal((await isStale()).trim(), "true");
  // An image and a package have no src/.
  rmSync(join(app, "src"), { recursive: true });
  assert.equal((await isStale()).trim(), "false");
});

test("npm run sessions works as docs/deploy.md lays a server out: root's program, the service's user, its state and its credentials", {
  skip: process.getuid?.() !== 0 && "needs root, to run programs as another user",
}, async (t) => {
  const root = folder(t);
  chmodSync(root, 0o755);
  const service = { uid: 65534, gid: 65534 };
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const at = (path: string) => join(root, path);
  mkdirSync(at("opt/arcgis-sign-in"), { recursive: true });
  const cwd = install(t, at("opt/arcgis-sign-in"));
  const own = (path: string, mode: number) => {
    chmodSync(at(path), mode);
    chownSync(at(path), service.uid, service.gid);
  };
  // StateDirectory=, LoadCredential= and the configuration, each as systemd or install(1) makes it.
  mkdirSync(at("var/lib/arcgis-sign-in"), { recursive: true });
  own("var/lib/arcgis-sign-in", 0o700);
  const credentials = "run/credentials/arcgis-sign-in.service";
  mkdirSync(at(credentials), { recursive: true });
  for (const name of ["session-secret", "encryption-key"]) {
    writeFileSync(at(`${credentials}/${name}`), `${secret()}\n`);
    own(`${credentials}/${name}`, 0o400);
  }
  own(credentials, 0o500);
  mkdirSync(at("etc/arcgis-sign-in"), { recursive: true });
  const config = {
    CLIENT_ID: "test-app",
    PORTAL_URL: sandbox.url,
    REDIRECT_URI: redirectUri,
    SESSION_SECRET_FILE: at(`${credentials}/session-secret`),
    ENCRYPTION_KEY_FILE: at(`${credentials}/encryption-key`),
    SESSION_DIR: at("var/lib/arcgis-sign-in/sessions"),
    PORT: 0,
  };
  writeFileSync(at("etc/arcgis-sign-in/config.json"), JSON.stringify(config));
  own("etc/arcgis-sign-in/config.json", 0o600);

  const file = at("etc/arcgis-sign-in/config.json");
  const env = { PATH: process.env.PATH, NODE_ENV: "production", CONFIG_FILE: file };
  const options = { cwd, ...service, stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"] };
  const server = spawn(process.execPath, ["dist/server.js"], { ...options, env });
  t.after(() => void server.kill("SIGKILL"));
  const lines: Record<string, unknown>[] = [];
  createInterface(server.stdout).on("line", (line) => lines.push(JSON.parse(line)));
  await until(() => lines.some(({ msg }) => msg === "listening"), "the server listens");
  const browser = new Browser(String(lines.find(({ url }) => url)?.url));
  const { pathname, search } = new URL(await callbackFor(browser, "sandy_admin"));
  assert.equal((await browser.get(pathname + search)).status, 303);

  // runuser keeps root's environment, and so root's home.
  const operator = { PATH: process.env.PATH, HOME: "/root", USER: "root" };
  const run = async (...args: string[]) => {
    const child = spawn("npm", ["run", "-s", "sessions", "--", ...args], { ...options, env: operator });
    const [output, error, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "exit"),
    ]);
    return { code, output, error };
  };
  const listed = await run("list", "--config", file);
  assert.deepEqual([listed.code, listed.error], [0, ""]);
  assert.match(listed.output, /^sandy_admin +1 /m);
  // After an upgrade without a build it says so, and goes on.
  appendFileSync(join(cwd, "src/app/reason.ts"), "// the next version\n");
  const revoked = await run("revoke", "sandy_admin", "--config", file);
  assert.deepEqual([revoked.code, revoked.output], [0, "Ended 1 session of sandy_admin.\n"]);
  assert.match(revoked.error, /^dist\/ was built from another src\/: run `npm run build` as the user/);
  assert.equal((await browser.get("/api/session", { Accept: "*/*" })).status, 401);
});

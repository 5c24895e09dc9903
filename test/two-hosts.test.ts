import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { whoIs } from "./support/expect.ts";
import { signOut } from "./support/person.ts";
import { freePort } from "./support/program.ts";
import { redisIsMissing, startRedis } from "./support/redis.ts";
import { sharedSettings, startServer } from "./support/server-process.ts";
import { callbackFor, folder } from "./support/site.ts";

const paths = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
const nginx = paths.map((path) => join(path, "nginx")).find(existsSync);

function nginxIsMissing(): string | false {
  if (nginx) return false;
  const reason = `there is no nginx on the PATH: install Debian's package "nginx"`;
  if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
  return reason;
}

const page = readFileSync(join(import.meta.dirname, "../docs/two-hosts.md"), "utf8");

/**
 * Starts nginx with the configuration of the page; what is different is where it listens, and that it has no TLS.
 * Gives what reads its log.
 */
async function startNginx(t: TestContext, port: number, hosts: string[]): Promise<() => string> {
  const dir = folder(t);
  const [one, two] = hosts;
  const block = /^```nginx\n(.*?)^```/ms.exec(page)?.[1] ?? assert.fail("the configuration is there");
  const site = block
    .replace("10.0.0.11:3000", new URL(String(one)).host)
    .replace("10.0.0.12:3000", new URL(String(two)).host)
    .replace("listen 443 ssl", `listen 127.0.0.1:${port}`)
    .replace("server_name app.example.com", "server_name localhost")
    .replace(/^ *ssl_certificate.*\n/gm, "")
    .replace("/var/log/nginx/app.log", join(dir, "access.log"))
    .replace("$host;", "$host:$server_port;");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(dir, name)};`)
    .join("\n");
  const file = join(dir, "nginx.conf");
  writeFileSync(
    file,
    `daemon off;\nmaster_process off;\npid ${join(dir, "pid")};\nerror_log stderr error;\nevents {}\nhttp {\n${temporary}\n${site}\n}\n`,
  );
  const child = spawn(String(nginx), ["-p", dir, "-c", file, "-e", "stderr"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let told = "";
  child.stderr.on("data", (text) => {
    told += text;
  });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const probe = new Browser(`http://localhost:${port}`);
  while (!(await probe.get("/").catch(() => undefined))) {
    assert.equal(child.exitCode, null, `nginx runs: ${told}`);
    await sleep(20);
  }
  return () => readFileSync(join(dir, "access.log"), "utf8");
}

test("two hosts behind nginx share one Redis, as docs/two-hosts.md has it: any request may go to any host, and one may fail", {
  skip: redisIsMissing() || nginxIsMissing(),
}, async (t) => {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const redirectUri = `${url}/authenticate`;
  const redis = await startRedis(t);
  const [name = "", ...rules] =
    /^user (.+)$/m.exec(page)?.[1]?.split(" ") ?? assert.fail("the user is there");
  await redis.send("ACL", "SETUSER", name, ...rules);
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [redirectUri] }] });
  t.after(() => sandbox.close());
  const settings = {
    ...sharedSettings(t, sandbox.url),
    REDIRECT_URI: redirectUri,
    TRUST_PROXY: "1",
    REDIS_URL: `redis://arcgis-sign-in:the-password@127.0.0.1:${redis.port}/0`,
  };
  const hosts = await Promise.all([startServer(t, settings), startServer(t, settings)]);
  const nginxLog = await startNginx(
    t,
    port,
    hosts.map((host) => host.url),
  );

  // nginx takes turns, so each of these begins at one host and ends at the other.
  const browsers = [new Browser(url), new Browser(url), new Browser(url)];
  for (const browser of browsers) {
    const { pathname, search } = new URL(await callbackFor(browser, "sandy_admin"));
    assert.equal((await browser.get(pathname + search)).status, 303);
    for (let turn = 0; turn < 4; turn++) assert.equal(await whoIs(browser), "sandy_admin");
  }
  for (const { output } of hosts)
    assert.match(output(), /"path":"\/",.*"user":"sandy_admin"/, "both know her");

  const [one, two] = browsers as [Browser, Browser];
  assert.equal((await signOut(one)).status, 303);
  for (let turn = 0; turn < 4; turn++) assert.equal(await whoIs(one), undefined);
  await hosts[0]?.end("SIGKILL");
  for (let turn = 0; turn < 4; turn++) assert.equal(await whoIs(two), "sandy_admin");

  assert.match(nginxLog(), /"GET \/authenticate" 303/);
  assert.doesNotMatch(nginxLog(), /code=|\?/, "no query is in nginx's log");
});

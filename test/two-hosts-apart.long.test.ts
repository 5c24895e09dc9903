import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { recordName } from "#src/auth/session/sealed-record.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import type { Browser } from "./support/browser.ts";
import { selfSigned } from "./support/certificate.ts";
import { whoIs } from "./support/expect.ts";
import { type Network, networkIsMissing, openNetwork } from "./support/network.ts";
import { nginx, nginxIsMissing } from "./support/nginx.ts";
import { slowness } from "./support/pace.ts";
import { redisIsMissing, redisProgram } from "./support/redis.ts";
import { sharedSettings, startServer } from "./support/server-process.ts";
import { folder } from "./support/temporary.ts";
import { inPage, load, redisUser, type Seen, signIn, withUpstream } from "./support/two-hosts.ts";
import { sessionIdOf } from "./support/user.ts";

const hosts = { a: "10.0.0.11", b: "10.0.0.12" };
const masters = { r1: "10.0.0.21", r2: "10.0.0.22", r3: "10.0.0.23" };
const password = "of-the-administrator";

/** A cluster that other machines reach with TLS and a password only. Gives a command line of redis-cli on the first machine. */
async function startCluster(t: TestContext, { on }: Network, ca: string) {
  const certificates = Object.values(masters).map((host) => selfSigned({ host }));
  writeFileSync(ca, certificates.map(({ cert }) => cert).join(""));
  for (const [index, [machine, host]] of Object.entries(masters).entries()) {
    const dir = folder(t);
    const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
    writeFileSync(key, String(certificates[index]?.key), { mode: 0o600 });
    writeFileSync(cert, String(certificates[index]?.cert));
    const [command = "", ...args] = [...on(machine), String(redisProgram), "-"];
    const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    server.stdin.end(`
      port 0
      tls-port 6379
      tls-cluster yes
      tls-auth-clients no
      tls-ca-cert-file ${ca}
      tls-cert-file ${cert}
      tls-key-file ${key}
      bind ${host}
      dir ${dir}
      save ""
      cluster-enabled yes
      cluster-require-full-coverage no
      cluster-node-timeout 1000
      requirepass ${password}
      user ${redisUser.join(" ")} +cluster|slots
    `);
    t.after(() => void server.kill("SIGKILL"));
    let text = "";
    for await (const chunk of server.stdout) {
      text += chunk;
      if (text.includes("Ready to accept connections")) break;
    }
    assert.match(text, /Ready to accept connections/);
  }
  const cli = (...args: string[]) => {
    const program = String(redisProgram).replace(/server$/, "cli");
    const [command = "", ...all] = [...on("front"), program, "--tls", "--cacert", ca, ...args];
    return execFileSync(command, all, { encoding: "utf8", env: { REDISCLI_AUTH: password } });
  };
  const nodes = Object.values(masters).map((host) => `${host}:6379`);
  cli("--cluster", "create", ...nodes, "--cluster-yes");
  return cli;
}

/** Lets a machine reach a port of this one as if it were its own. */
async function lead(t: TestContext, [command = "", ...args]: string[], port: string) {
  // A socket stays in the namespace in which it was made.
  const script = `const server = require("net").createServer().listen(${port}, "127.0.0.1",
    () => process.send("", server, () => process.exit()))`;
  const child = spawn(command, [...args, process.execPath, "-e", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [, server] = (await once(child, "message")) as [unknown, Server];
  t.after(() => server.close());
  server.on("connection", (socket: Socket) => {
    const portal = connect(Number(port), "127.0.0.1");
    socket.pipe(portal).pipe(socket);
    socket.on("error", () => portal.destroy());
    portal.on("error", () => socket.destroy());
  });
}

test("two hosts and three masters on machines of their own, as docs/two-hosts.md has it: a master and a host vanish under load, and no user is signed out", {
  skip: redisIsMissing() || nginxIsMissing() || networkIsMissing(),
}, async (t) => {
  const network = openNetwork(t, { front: "10.0.0.1", ...hosts, ...masters });
  const { on, cut, mend } = network;
  const ca = join(folder(t), "ca.pem");
  const cli = await startCluster(t, network, ca);
  const front = await nginx(t, withUpstream, on("front"));
  const [command = "", ...args] = [...on("front"), "sysctl", "-p", "-"];
  execFileSync(command, args, { input: inPage(/^```ini\n(net\..*?)^```/ms) });
  const REDIRECT_URI = `${front.url}/authenticate`;
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [REDIRECT_URI] }] });
  t.after(() => sandbox.close());
  const settings = {
    ...sharedSettings(t, sandbox.url),
    REDIRECT_URI,
    PORT: "3000",
    TRUST_PROXY: "1",
    NODE_EXTRA_CA_CERTS: ca,
    REDIS_URL: [masters.r1, masters.r2]
      .map((host) => `rediss://${redisUser[0]}:the-password@${host}:6379`)
      .join(),
  };
  const servers = await Promise.all(
    Object.entries(hosts).map(async ([machine, HOST]) => {
      await lead(t, on(machine), new URL(sandbox.url).port);
      return startServer(t, { ...settings, HOST }, undefined, [...on(machine), process.execPath]);
    }),
  );
  await front.start(...servers.map(({ url }) => url));

  const users = Array.from({ length: 18 }, () => front.browser());
  for (const browser of users) assert.equal(await signIn(browser), 303);
  const sessions = users.map(sessionIdOf);
  const keys = cli("-h", masters.r2, "--scan", "--pattern", "*:session:*");
  const isLost = sessions.map((id) => keys.includes(recordName(id)));
  const { seen, allServed, end } = load(users);
  await allServed();

  /** The responses since `from`, and a line about them in the output of the test. */
  function since(from: number, phase: string): { others: Seen[]; lost: Seen[] } {
    const all = seen.filter(({ at, ms }) => at + ms > from);
    const [others = [], lost = []] = [false, true].map((is) => all.filter(({ user }) => isLost[user] === is));
    for (const [who, part] of Object.entries({ others, lost })) {
      const waits = part.map(({ ms }) => Math.round(ms)).sort((a, b) => a - b);
      const served = part.filter(({ status }) => status === 200).length;
      const times = `p50 ${waits[waits.length >> 1]} ms, longest ${waits.at(-1)} ms`;
      t.diagnostic(`${phase}, ${who}: ${served} of ${part.length} requests are served, ${times}`);
    }
    return { others, lost };
  }
  const late: Browser[] = [];
  const signInSome = () =>
    Promise.all(
      Array.from({ length: 4 }, async () => {
        const browser = front.browser();
        const status = await signIn(browser);
        if (status === 303) late.push(browser);
        else assert.equal(status, 503);
      }),
    );

  cut("r2");
  let from = performance.now();
  await Promise.all([sleep(6_000), signInSome()]);
  const { others, lost } = since(from, "without the master");
  for (const { at, status } of lost) if (at > from) assert.equal(status, 503);
  const slow = slowness();
  for (const { ms } of lost) assert.ok(ms < 3_000 + 2_000 * slow, `${ms} ms`);
  for (const { ms } of others) assert.ok(ms < 3_000 * slow, `${ms} ms`);

  // It has received some requests, and responds no more.
  servers[0]?.child.kill("SIGSTOP");
  await sleep(30);
  cut("a");
  servers[0]?.child.kill("SIGCONT");
  from = performance.now();
  await Promise.all([sleep(20_000), signInSome()]);
  const { others: served } = since(from, "without the host, too");
  assert.equal(new Set(served.map(({ user }) => user)).size, isLost.filter((is) => !is).length);
  for (const { status } of [...others, ...served]) assert.equal(status, 200);

  mend("a");
  mend("r2");
  const back = performance.now();
  await allServed();
  t.diagnostic(`both are back: all are served after ${Math.round(performance.now() - back)} ms`);
  await end();
  for (const { at, ms } of seen) if (at + ms > from) assert.ok(ms < 15_000 + 4_000 * slow, `${ms} ms`);
  for (const { status } of seen) assert.ok([200, 502, 503, 504].includes(status), String(status));
  for (const browser of [...users, ...late]) assert.equal(await whoIs(browser), "sandy_admin");
  assert.deepEqual(users.map(sessionIdOf), sessions);
});

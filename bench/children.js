import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const probe = new URL("./probe.js", import.meta.url).href;
/** What a program needs of our environment. The rest stays out, or a setting of yours would change a result. */
const passedOn = ["PATH", "HOME", "TMPDIR", "SystemRoot", "TEMP"];
const patienceMs = 60_000;

const running = new Set();

/** Everything the benchmark writes while it runs: logs, sessions. On the same disk as the checkout, not on a tmpfs. */
export const workFolder = join(import.meta.dirname, ".run");

/** A folder of its own below the work folder. */
export function folder(name) {
  const path = join(workFolder, name);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/**
 * Starts a Node program that listens on a port of its choice, in a folder of its own, its output going to a
 * file: a pipe without a reader would stop a server with a synchronous log, and flatter one with another.
 *
 * @param {string} name of its folder and of its log
 * @param {string} file the program
 * @param {Record<string, string>} env
 * @param {string[]} options of Node
 * @throws Error with the end of its output when it does not come to listening
 */
export async function start(name, file, env = {}, options = []) {
  const cwd = folder(name);
  const log = join(cwd, "output.log");
  const output = openSync(log, "a", 0o600);
  const startedAt = performance.now();
  const child = spawn(process.execPath, ["--import", probe, ...options, file], {
    cwd,
    env: { ...ownEnvironment(), NODE_ENV: "production", ...env },
    stdio: ["ignore", output, output, "ipc"],
  });
  closeSync(output);
  keep(child);

  const port = await new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message.port));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}: ${endOf(log)}`)));
    setTimeout(reject, patienceMs, new Error(`${name} does not listen: ${endOf(log)}`)).unref();
  });
  const startMs = performance.now() - startedAt;

  let questions = 0;
  function ask(measure) {
    const question = ++questions;
    return new Promise((resolve, reject) => {
      const received = (message) => {
        if (message.question !== question) return;
        child.off("message", received).off("exit", ended);
        resolve(message);
      };
      const ended = (code) => reject(new Error(`${name} ended with ${code}: ${endOf(log)}`));
      child.on("message", received).once("exit", ended);
      child.send({ question, measure });
    });
  }

  return {
    name,
    startMs,
    url: `http://127.0.0.1:${port}`,
    log,
    /** CPU time since its start (us, user and system) and memory (bytes). */
    usage: () => ask("usage"),
    /** Memory in use after a garbage collection (bytes). */
    heap: async () => (await ask("heap")).heap,
    /** The longest stall of its event loop (ms) since the last call. */
    stall: async () => (await ask("stall")).stallMs,
    /** Tells the program itself something. */
    tell: (message) => child.send(message),
    stop: () => stop(child),
  };
}

/** Runs a Node program to its end and gives what it reports by `process.send`. */
export function run(name, file, env = {}) {
  const cwd = folder(name);
  const log = join(cwd, "output.log");
  const output = openSync(log, "a", 0o600);
  const child = spawn(process.execPath, [file], {
    cwd,
    env: { ...ownEnvironment(), ...env },
    stdio: ["ignore", output, output, "ipc"],
  });
  closeSync(output);
  keep(child);
  return new Promise((resolve, reject) => {
    let report;
    child.once("message", (message) => {
      report = message;
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      if (report) resolve(report);
      else reject(new Error(`${name} ended with ${code}: ${endOf(log)}`));
    });
  });
}

/**
 * Starts a real redis-server without persistence.
 * @throws Error that names the package when it is not on the PATH
 */
export async function startRedis() {
  const port = await freePort();
  const cwd = folder("redis");
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", cwd],
    { stdio: "ignore" },
  );
  keep(child);
  const failure = new Promise((_, reject) => {
    child.once("error", () => reject(new Error("redis-server is missing; Debian's package has that name")));
    child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)));
  });
  failure.catch(() => {});
  await Promise.race([failure, accepts(port)]);
  return { url: `redis://127.0.0.1:${port}`, cpuUs: () => cpuOfRedis(port) };
}

/** CPU time of a Redis since its start (us, user and system). */
async function cpuOfRedis(port) {
  const socket = connect(port, "127.0.0.1");
  socket.write("INFO cpu\r\n");
  const [text] = await once(socket, "data");
  socket.destroy();
  const seconds = ["user", "sys"].map((kind) =>
    Number(new RegExp(`^used_cpu_${kind}:(.+)\r$`, "m").exec(text)[1]),
  );
  return (seconds[0] + seconds[1]) * 1e6;
}

// Whatever ends the benchmark, it leaves nothing running behind.
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Ends whatever is still running. */
export async function stopAll() {
  await Promise.all([...running].map(stop));
}

function keep(child) {
  running.add(child);
  child.once("exit", () => running.delete(child));
}

async function stop(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await ended;
  clearTimeout(late);
}

function ownEnvironment() {
  return Object.fromEntries(passedOn.flatMap((key) => (process.env[key] ? [[key, process.env[key]]] : [])));
}

function endOf(log) {
  return readFileSync(log, "utf8").trim().split("\n").slice(-12).join("\n");
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function accepts(port) {
  for (const end = performance.now() + patienceMs; performance.now() < end; await wait(20)) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
  }
  throw new Error("redis-server does not accept connections");
}

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { freePort } from "./program.ts";
import { folder } from "./site.ts";

export interface RedisServer {
  port: number;
  /** redis://127.0.0.1:{port} */
  url: string;
  /** Its folder, for a socket or certificates. */
  dir: string;
  /** Sends a command over a connection of its own, and gives the response. */
  send(...command: (string | Buffer)[]): Promise<unknown>;
  /** Sends a command that takes its time, and resolves when it is on its way. */
  begin(...command: string[]): Promise<void>;
  /** The same as `send`, while this whole process stands still. */
  sendNow(...command: string[]): string;
  /** Every command that the server carries out from now on, with all its arguments, until the test ends. */
  monitor(): Promise<string[]>;
  /** Stops the whole process, as a server that hangs; `thaw` lets it go on. */
  freeze(): void;
  thaw(): void;
  /** Ends the process at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again at the same port. Only when it is `durable` it knows what it knew. */
  start(): Promise<void>;
}

/**
 * Options of a Redis that has written down whatever it has sent, for `kill`. With its usual "everysec" it may
 * put the writing off while the disk is busy.
 */
export const durable = ["--appendonly", "yes", "--appendfsync", "no"];

/** What of node-redis is used here: its own types are a burden to the compiler. */
interface Client {
  readonly isOpen: boolean;
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  sendCommand(command: (string | Buffer)[]): Promise<unknown>;
  monitor(listener: (line: string) => void): Promise<unknown>;
  destroy(): void;
  duplicate(options: object): Client;
}

/** node-redis builds a class of hundreds of commands for every new set of options, but not for a duplicate. */
const anyClient = createClient() as unknown as Client;

const names = ["redis-server", "valkey-server"];
export const redisProgram = names
  .flatMap((name) => (process.env.PATH ?? "").split(delimiter).map((path) => join(path, name)))
  .find(existsSync);

/**
 * For the `skip` option of a test: false, or what to install.
 * @throws with REQUIRE_ALL=1, when there is neither Redis nor Valkey on the PATH.
 */
export function redisIsMissing(): string | false {
  if (redisProgram) return false;
  const reason = `there is no redis-server on the PATH: install Debian's package "redis-server"`;
  if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
  return reason;
}

/** Starts a Redis that listens on this machine alone, keeps nothing on the disk, and ends with the test. */
export async function startRedis(t: Pick<TestContext, "after">, ...options: string[]): Promise<RedisServer> {
  const dir = folder(t);
  const port = await freePort();
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", ""];
  let server: ChildProcess;

  async function start(): Promise<void> {
    server = spawn(String(redisProgram), [...place, "--enable-debug-command", "local", ...options], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve, reject) => {
      let text = "";
      server.stdout?.on("data", (chunk) => {
        text += chunk;
        if (text.includes("Ready to accept connections")) resolve();
      });
      server.once("exit", () => reject(new Error(`Redis did not start: ${text}`)));
    });
  }

  async function kill(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exit = once(server, "exit");
    server.kill("SIGKILL");
    await exit;
  }

  async function connection(): Promise<Client> {
    const socket = { host: "127.0.0.1", port, reconnectStrategy: false as const };
    const client = anyClient.duplicate({ socket });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  await start();
  t.after(kill);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    dir,
    async send(...command) {
      const client = await connection();
      try {
        return await client.sendCommand(command);
      } finally {
        client.destroy();
      }
    },
    async begin(...command) {
      const client = await connection();
      const end = () => void (client.isOpen && client.destroy());
      client.sendCommand(command).then(end, end);
    },
    sendNow: (...command) =>
      execFileSync(String(redisProgram).replace(/server$/, "cli"), ["-p", String(port), ...command], {
        encoding: "utf8",
      }),
    async monitor() {
      const seen: string[] = [];
      const client = await connection();
      t.after(() => client.isOpen && client.destroy());
      await client.monitor((line) => void seen.push(line));
      return seen;
    },
    freeze: () => void server.kill("SIGSTOP"),
    thaw: () => void server.kill("SIGCONT"),
    kill,
    start,
  };
}

/** Three masters, so that two are a majority without the third. */
export async function startRedisCluster(
  t: Pick<TestContext, "after">,
): Promise<[RedisServer, RedisServer, RedisServer]> {
  const options = [
    "--cluster-enabled",
    "yes",
    "--cluster-require-full-coverage",
    "no",
    "--cluster-node-timeout",
    "1000",
    ...durable,
    "--cluster-port",
  ];
  const nodes: RedisServer[] = [];
  const share = Math.ceil(16_384 / 3);
  for (let first = 0; first < 16_384; first += share) {
    const bus = String(await freePort());
    const node = await startRedis(t, ...options, bus);
    const last = Math.min(first + share, 16_384) - 1;
    await node.send("CLUSTER", "ADDSLOTSRANGE", String(first), String(last));
    await nodes[0]?.send("CLUSTER", "MEET", "127.0.0.1", String(node.port), bus);
    nodes.push(node);
  }
  for (const node of nodes) {
    const isWhole = async () => {
      const slots = (await node.send("CLUSTER", "SLOTS")) as unknown[];
      return slots.length === 3 && /cluster_state:ok/.test(String(await node.send("CLUSTER", "INFO")));
    };
    for (const end = performance.now() + 60_000; !(await isWhole()); await sleep(10))
      assert.ok(performance.now() < end, "the cluster is whole within a minute");
  }
  return nodes as [RedisServer, RedisServer, RedisServer];
}

import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { createClient, createCluster, ErrorReply, TimeoutError } from "redis";
import type { RedisClient } from "../session-store.ts";
import type { RedisAddress } from "./config/redis-url.ts";

const maxPauseMs = 2_000;

/**
 * Opens a connection, and a new one whenever it is lost, until it is closed. Resolves after the first attempt, successful
 * or not, but after `timeoutMs` at most.
 *
 * It does not use node-redis's own reconnection, which does not notice a silent server (its time limits restart with every
 * further command), and which replaces a lost cluster node only when another node redirects it.
 *
 * While Redis is away, the client's commands fail at once. Their errors are safe to log, unlike those of node-redis, which
 * contain hosts and repeat what was sent. `code` is the first word of Redis's refusal, such as READONLY.
 *
 * @param timeoutMs a command fails after this silence, and Redis counts as away
 */
export async function connectToRedis(
  address: RedisAddress,
  { timeoutMs = 2_000, log }: { timeoutMs?: number | undefined; log?: Pick<Logger, "info" | "warn"> },
): Promise<{ client: RedisClient; close(): Promise<void> }> {
  // Not connected, so its commands fail.
  let connection = newConnection(address, timeoutMs);
  let isHere = false;
  let isClosed = false;
  let reason: string | undefined;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let attempt = open();

  /** Until there is a new connection the old one is used: other nodes of the cluster may still respond. */
  async function open(): Promise<void> {
    const opened = newConnection(address, timeoutMs);
    let first: unknown;
    opened.client.on("error", (error) => {
      // A cluster emits the error of each node here, and rejects with one that contains nothing.
      first ??= error;
      // A refused ping is a response, too.
      if (!(error instanceof ErrorReply)) lose(opened, error);
    });
    try {
      await opened.client.connect();
      if (isClosed) return end(opened);
      // What is under way there may still get its response, from the other nodes of a cluster.
      setTimeout(end, timeoutMs, connection).unref();
      connection = opened;
      await inTime(ping(opened));
    } catch (error) {
      return tryAgain(first ?? error);
    }
    isHere = !isClosed;
    failures = 0;
    if (reason) log?.info("Redis is back");
    reason = undefined;
  }

  function lose(lost: Connection, error: unknown): void {
    if (!isHere || lost !== connection) return;
    isHere = false;
    tryAgain(error);
  }

  /** Exponential backoff with jitter. */
  function tryAgain(error: unknown): void {
    if (isClosed) return;
    const latest = reasonOf(error) + missingRight(error);
    if (latest !== reason) log?.warn({ reason: latest }, "Redis is away");
    reason = latest;
    const pauseMs = Math.min(maxPauseMs, 50 * 2 ** failures) * (0.5 + Math.random() / 2);
    failures += 1;
    timer = setTimeout(() => {
      attempt = open();
    }, pauseMs);
  }

  /** One turn later than `timeoutMs`: after a suspension of this process, timers run before what has arrived is read. */
  function inTime<T>(task: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => setImmediate(reject, new TimeoutError()), timeoutMs);
      task.then(resolve, reject).finally(() => clearTimeout(late));
    });
  }

  async function send<T>(command: string, call: (connection: Connection) => Promise<T>): Promise<T> {
    const asked = connection;
    try {
      return await inTime(call(asked));
    } catch (error) {
      const code = reasonOf(error);
      const isRefusal = error instanceof ErrorReply;
      // READONLY: a failover has made this server a replica; its name may already lead to the new master.
      if (!isRefusal || code === "READONLY") lose(asked, error);
      // Nothing that waits there will get a response. Another node of a cluster may give one.
      if (error instanceof TimeoutError && !address.cluster) end(asked);
      if (!isRefusal) throw new Error(`Redis is away: ${reason ?? code}`);
      throw Object.assign(new Error(`Redis refused ${command}: ${code}`), { code });
    }
  }

  async function* scanIterator(options: ScanOptions) {
    for (const server of await send("SCAN", ({ masters }) => masters())) {
      const keys = server.scanIterator(options)[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await send("SCAN", () => keys.next());
        if (done) break;
        yield value;
      }
    }
  }

  const soon = (task: Promise<void>) => Promise.race([task, sleep(timeoutMs, undefined, { ref: false })]);
  await soon(attempt);
  return {
    client: {
      eval: (script, options) => send("EVAL", ({ client }) => client.eval(script, options)),
      scanIterator,
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      end(connection);
      await soon(attempt);
    },
  };
}

// The parts of node-redis that are used here. Its own types, with every command of every module, cost the compiler ten
// seconds and a gigabyte.
interface Client {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  on(event: "error", listener: (error: unknown) => void): unknown;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  ping(): Promise<unknown>;
  scanIterator(options: ScanOptions): AsyncIterable<string[]>;
  destroy(): void;
}

interface ClusterClient extends Client {
  masters: Node[];
  nodeByAddress: Map<string, Node>;
  nodeClient(node: Node): Promise<Client>;
}

interface Node {
  client?: Client;
}

type ScanOptions = { MATCH: string; COUNT: number };
type Connection = ReturnType<typeof newConnection>;

/** A client of a server or a cluster, not connected yet. It does not reconnect. */
function newConnection(address: RedisAddress, timeoutMs: number) {
  const { nodes, socketPath, cluster, tls, username, password, database } = address;
  // Without pings, an idle connection would end by `socketTimeout`.
  const options = { username, password, disableOfflineQueue: true, pingInterval: timeoutMs };
  const socket = {
    connectTimeout: timeoutMs,
    socketTimeout: 2 * timeoutMs,
    reconnectStrategy: false as const,
    ...(tls && { tls }),
  };
  if (!cluster) {
    const place = socketPath === undefined ? nodes[0] : { path: socketPath };
    const client = createClient({
      ...{ ...options, database },
      socket: { ...socket, ...place },
    }) as unknown as Client;
    return { client, all: () => [client], masters: async () => [client] };
  }
  const client = createCluster({
    rootNodes: nodes.map((node) => ({ socket: node })),
    defaults: { ...options, socket },
    // Connects to each node when it is needed, so that a node that is away does not delay the others.
    minimizeConnections: true,
  }) as unknown as ClusterClient;
  return {
    client,
    all: () => [...client.nodeByAddress.values()].flatMap((node) => node.client ?? []),
    masters: () => Promise.all(client.masters.map((node) => client.nodeClient(node))),
  };
}

async function ping({ masters }: Connection): Promise<void> {
  await Promise.all((await masters()).map((server) => server.ping()));
}

/** One by one: the cluster's own `destroy` stops at the first node that is already closed. */
function end({ all }: Connection): void {
  for (const server of all()) if (server.isOpen) server.destroy();
}

/** A short reason without host, record name or password. */
function reasonOf(error: unknown): string {
  // The first word of an error is its code (Redis serialization protocol, "Simple errors").
  if (error instanceof ErrorReply) return /^[A-Z]+/.exec(error.message)?.[0] ?? "ERR";
  const { code } = Object(error) as { code?: unknown };
  return typeof code === "string" ? code : "no response";
}

/** The command that the user may not use, if it is in Redis's own words: there is nothing else between the quotes. */
function missingRight(error: unknown): string {
  const [, command] =
    /^NOPERM .*'([a-z|]{1,40})'/.exec(error instanceof ErrorReply ? error.message : "") ?? [];
  return command ? ` (${command})` : "";
}

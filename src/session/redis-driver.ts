import { createClient, createCluster } from "redis";
import type { RedisAddress } from "../app/config/redis-url.ts";

/**
 * What of node-redis is used here. Its own types, which know every command of every module, cost the compiler ten
 * seconds and a gigabyte.
 */
export interface RedisClient {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: "error", listener: (error: unknown) => void): unknown;
  ping(): Promise<string>;
  get(key: string): Promise<string | null>;
  set(key: string, value: string, options: SetOptions): Promise<string | null>;
  del(key: string): Promise<number>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** The options of SET: seconds (EX) or milliseconds (PX) to live, and NX for "only when there is none". */
interface SetOptions {
  expiration: { type: "EX" | "PX"; value: number };
  condition?: "NX";
}

/** One connection to Redis, or to all nodes of a cluster. It is not mended: for a new one make a new driver. */
export interface RedisDriver {
  client: RedisClient;
  /** Resolves when every server has answered. */
  ping(): Promise<unknown>;
  /** Ends the connections to servers that have not answered: the commands that wait for them fail. */
  cut(): void;
  /** Ends all connections. */
  end(): void;
}

/** Makes a driver that is not connected yet. Its commands fail until it is, and for ever once it is lost. */
export function driverFor(address: RedisAddress, patienceMs: number): RedisDriver {
  const { nodes, socketPath, cluster, tls, username, password, database } = address;
  const options = { username, password, disableOfflineQueue: true };
  const socket = {
    connectTimeout: patienceMs,
    // For a greeting without an answer. Later the beats notice sooner.
    socketTimeout: 2 * patienceMs,
    reconnectStrategy: false as const,
    ...(tls && { tls }),
  };
  if (cluster) {
    const rootNodes = nodes.map((node) => ({ socket: node }));
    // Nodes are connected to one by one when they are needed, so that a node that is away holds up no other.
    return clusterDriver({ rootNodes, defaults: { ...options, socket }, minimizeConnections: true });
  }
  const place = socketPath === undefined ? nodes[0] : { path: socketPath };
  return serverDriver({ ...options, database, socket: { ...socket, ...place } });
}

function serverDriver(options: Parameters<typeof createClient>[0]): RedisDriver {
  const client = createClient(options) as unknown as RedisClient;
  return { client, ping: () => client.ping(), cut: () => end(client), end: () => end(client) };
}

interface ClusterClient extends RedisClient {
  masters: ClusterNode[];
  nodeByAddress: Map<string, ClusterNode>;
  nodeClient(node: ClusterNode): Promise<RedisClient>;
}

interface ClusterNode {
  client: RedisClient | undefined;
}

function clusterDriver(options: Parameters<typeof createCluster>[0]): RedisDriver {
  const client = createCluster(options) as unknown as ClusterClient;
  const silent = new Set<ClusterNode>();

  async function ping(node: ClusterNode): Promise<void> {
    silent.add(node);
    const server = await client.nodeClient(node);
    await server.ping();
    silent.delete(node);
  }

  return {
    client,
    async ping() {
      const answers = await Promise.allSettled(client.masters.map(ping));
      for (const answer of answers) if (answer.status === "rejected") throw answer.reason;
    },
    cut() {
      for (const node of silent) end(node.client);
    },
    // Its own `destroy` stops half-way at the first node that is closed already.
    end() {
      for (const node of client.nodeByAddress.values()) end(node.client);
    },
  };
}

function end(client: RedisClient | undefined): void {
  if (client?.isOpen) client.destroy();
}

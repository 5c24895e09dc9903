import { createClient, createCluster } from "redis";
import type { RedisAddress } from "./config/redis-url.ts";

/**
 * What of node-redis is used here. Its own types, which know every command of every module, cost the compiler ten
 * seconds and a gigabyte.
 */
export interface RedisServer {
  readonly isOpen: boolean;
  ping(): Promise<string>;
  destroy(): void;
  scanIterator(options: { MATCH: string; COUNT: number }): AsyncIterable<string[]>;
}

interface RedisClient {
  connect(): Promise<unknown>;
  on(event: "error", listener: (error: unknown) => void): unknown;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A connection to Redis, or to all nodes of a cluster. It does not reconnect: make a new driver for that. */
export interface RedisDriver {
  client: RedisClient;
  /** The server, or the nodes that have keys. */
  servers(): Promise<RedisServer[]>;
  /** Resolves when every server has responded. */
  ping(): Promise<unknown>;
  /** Ends the connections to servers that have not responded: the commands that wait for them fail. */
  cut(): void;
  /** Ends all connections. */
  end(): void;
}

/** A driver that is not connected yet. Its commands fail until it is, and again once it is lost. */
export function driverFor(address: RedisAddress, patienceMs: number): RedisDriver {
  const { nodes, socketPath, cluster, tls, username, password, database } = address;
  const options = { username, password, disableOfflineQueue: true };
  const socket = {
    connectTimeout: patienceMs,
    // For a greeting without a response. Later the beats notice sooner.
    socketTimeout: 2 * patienceMs,
    reconnectStrategy: false as const,
    ...(tls && { tls }),
  };
  if (cluster) {
    const rootNodes = nodes.map((node) => ({ socket: node }));
    // Each node is connected to when it is needed, so that a node that is away holds up no other.
    return clusterDriver({ rootNodes, defaults: { ...options, socket }, minimizeConnections: true });
  }
  const place = socketPath === undefined ? nodes[0] : { path: socketPath };
  return serverDriver({ ...options, database, socket: { ...socket, ...place } });
}

function serverDriver(options: Parameters<typeof createClient>[0]): RedisDriver {
  const client = createClient(options) as unknown as RedisClient & RedisServer;
  return {
    client,
    servers: async () => [client],
    ping: () => client.ping(),
    cut: () => end(client),
    end: () => end(client),
  };
}

interface ClusterClient extends RedisClient {
  masters: ClusterNode[];
  nodeByAddress: Map<string, ClusterNode>;
  nodeClient(node: ClusterNode): Promise<RedisServer>;
}

interface ClusterNode {
  client: RedisServer | undefined;
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
    servers: () => Promise.all(client.masters.map((node) => client.nodeClient(node))),
    async ping() {
      const responses = await Promise.allSettled(client.masters.map(ping));
      for (const response of responses) if (response.status === "rejected") throw response.reason;
    },
    cut() {
      for (const node of silent) end(node.client);
    },
    // Its own `destroy` stops at the first node that is closed already.
    end() {
      for (const node of client.nodeByAddress.values()) end(node.client);
    },
  };
}

function end(client: RedisServer | undefined): void {
  if (client?.isOpen) client.destroy();
}

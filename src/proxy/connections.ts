import type { Agent, RequestOptions } from "node:http";
import type { Duplex } from "node:stream";

/**
 * Lets an agent keep connections for one session each. A server that misreads where a request ends can then mix up
 * the requests of one user, but never hand one user's token or response to another. A connection on which the
 * server sends something between two requests is closed.
 *
 * It overrides methods that node:http documents for that purpose.
 */
export function perSession<T extends Agent>(agent: T): T {
  const { getName, keepSocketAlive, reuseSocket } = agent;
  return Object.assign(agent, {
    getName: (options?: RequestOptions & { owner?: string }) =>
      `${getName.call(agent, options)}:${options?.owner}`,
    keepSocketAlive: (socket: Duplex) => {
      socket.once("data", hangUp);
      return keepSocketAlive.call(agent, socket);
    },
    reuseSocket: (socket: Duplex, request: Parameters<Agent["reuseSocket"]>[1]) => {
      socket.off("data", hangUp);
      reuseSocket.call(agent, socket, request);
    },
  });
}

function hangUp(this: Duplex): void {
  this.destroy();
}

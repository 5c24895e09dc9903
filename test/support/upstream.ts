import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** A request as it arrived. */
export interface Seen {
  method: string;
  /** As it was asked for, undecoded. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Behaviour = (seen: Seen, res: ServerResponse, req: IncomingMessage) => void;

export interface Upstream {
  /** Such as http://127.0.0.1:43210. */
  origin: string;
  server: Server;
  /** Every request, in order, once its body has come. */
  seen: Seen[];
  /** How many connections were opened, asked anything or not. */
  connections: () => number;
  /** Responses from now on; set it at any time. */
  behave: Behaviour;
}

/** Tells what it was sent, as JSON. */
export const echo: Behaviour = (seen, res) => {
  res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(seen));
};

/** Starts a server that a test has in its hands: a service, or a server that must never get a request from us. */
export async function startUpstream(
  t: Pick<TestContext, "after">,
  behave: Behaviour = echo,
): Promise<Upstream> {
  let connections = 0;
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk) => chunks.push(chunk));
    req.on("end", () => {
      const { method = "", url = "", headers } = req;
      const seen = { method, url, headers, body: Buffer.concat(chunks).toString("latin1") };
      upstream.seen.push(seen);
      upstream.behave(seen, res, req);
    });
  });
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const upstream: Upstream = {
    origin: `http://127.0.0.1:${port}`,
    server,
    seen: [],
    connections: () => connections,
    behave,
  };
  return upstream;
}

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import type { Logger } from "pino";

/**
 * Limits of a connection, in milliseconds unless the name says otherwise. Node's own limits (60 s for headers, any number
 * of connections) let one client hold thousands of connections.
 */
export const httpLimits = {
  /** For all headers of a request, from the start of the connection or the end of the previous request. */
  headersMs: 10_000,
  /** How often the time limits are checked. */
  checkMs: 1_000,
  /**
   * For a whole request. The usual limit of 30 s would end every large upload through /proxy: 256 MB take four minutes
   * at 10 Mbit/s. So a body is judged by its pace, and may take as long as /proxy lets a request live.
   */
  requestMs: 15 * 60_000,
  /** A body has this time, and more as it arrives. */
  bodyMs: 10_000,
  /** The pace that a body must keep after that. */
  bodyBytesPerSecond: 4_096,
  /** A client that reads nothing of its response for this long is disconnected, after two and a half times as long at the latest. */
  stalledMs: 60_000,
  /** Pipelined requests that wait on one connection behind the request in progress. */
  waiting: 10,
  /** The same on all connections together. */
  waitingInTotal: 1_000,
  /** Connections at once; the server closes any more. */
  connections: 5_000,
  /** Log lines a minute about requests that never reach the app. */
  logLines: 60,
};

/** Limits of connections, in milliseconds unless the name says otherwise. @useDeclaredType */
export type HttpLimits = typeof httpLimits;

export interface HttpServerOptions {
  /** For requests that never reach the app; no log by default. */
  log?: Logger;
  /** Of connections; meant for tests. */
  limits?: HttpLimits;
  /** How long a connection without a request stays open (5 s). */
  keepAliveSeconds?: number;
}

/** How long a client has to read a refusal. Closing at once would reset the connection and lose the refusal. */
const lingerMs = 1_000;

/** The state of one connection. */
interface Connection {
  inProgress?: { req: IncomingMessage; res: ServerResponse };
  waiting: (() => void)[];
  isRefused: boolean;
}

/**
 * Makes an HTTP server for an app. It does not listen yet. It handles one request at a time per connection, closes
 * connections that are too slow, and responds to what Node's parser rejects with a line of text and a line in the log.
 */
export function createHttpServer(
  app: RequestListener,
  { log, limits = httpLimits, keepAliveSeconds = 5 }: HttpServerOptions = {},
): Server {
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: keepAliveSeconds * 1000,
    // `handle` checks this: Node would respond without a body.
    requireHostHeader: false,
  });
  server.maxConnections = limits.connections;
  // Their size is limited. By default, Node drops those after the first 1,000, such as what a reverse proxy has added.
  server.maxHeadersCount = 0;
  // Node waits as long once more if a part of a write was sent in the meantime.
  server.timeout = limits.stalledMs;
  const connections = new Map<Socket, Connection>();
  const waiting = new Set<IncomingMessage>();
  const report = sparseLog(log, limits.logLines);

  server.on("request", (req, res) => inTurn(req, res, handle));
  server.on("checkExpectation", (req, res) =>
    inTurn(req, res, () => reject(res, 417, "Expect asks for something other than 100-continue")),
  );
  server.on("connect", ({ socket }: IncomingMessage) => {
    // Node has removed its own listeners.
    socket.on("error", () => {}).resume();
    refuse(socket, 405, "CONNECT");
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const status = statusOf(error.code);
    if (status) refuse(socket, status, error.code);
    else socket.destroy();
  });
  server.on("timeout", (socket: Socket) => {
    const isStalled = socket.writableLength > 0;
    // Otherwise the client has read everything so far and is waiting for the app.
    if (!isStalled && connections.get(socket)?.inProgress) return;
    if (isStalled) report(socket, { reason: "the client does not read the response" });
    socket.destroy();
  });
  server.on("drop", (data) => report(data, { reason: "too many connections" }));
  server.on("connection", (socket: Socket) => {
    connections.set(socket, { waiting: [], isRefused: false });
    socket.once("close", () => connections.delete(socket));
  });
  const pauses = setInterval(pauseBlocked, server.timeout / 2).unref();
  server.on("close", () => clearInterval(pauses));
  return server;

  /** Reads no more from a client whose response has not been sent: whatever it sends would postpone the timeout. */
  function pauseBlocked(): void {
    for (const [socket, { inProgress }] of connections)
      if (socket.writableLength > 0 && inProgress?.req.complete) socket.pause();
  }

  /** Node parses pipelined requests all at once. Handled together, each would hold a file and a buffer. */
  function inTurn(req: IncomingMessage, res: ServerResponse, next: RequestListener): void {
    const { socket } = req;
    const connection = connections.get(socket);
    if (!connection) return;
    const start = () => {
      waiting.delete(req);
      connection.inProgress = { req, res };
      res.once("close", () => startNext(socket, connection));
      next(req, res);
    };
    if (!connection.inProgress) start();
    else if (connection.waiting.length < limits.waiting && waiting.size < limits.waitingInTotal) {
      connection.waiting.push(start);
      waiting.add(req);
      req.once("close", () => waiting.delete(req));
      socket.pause();
    } else if (!socket.destroyed) {
      report(socket, { reason: "too many pipelined requests" });
      socket.destroy();
    }
  }

  function startNext(socket: Socket, connection: Connection): void {
    delete connection.inProgress;
    const start = connection.waiting.shift();
    if (connection.waiting.length === 0) socket.resume();
    if (!socket.destroyed) start?.();
  }

  function handle(req: IncomingMessage, res: ServerResponse): void {
    const { headers, socket, httpVersion } = req;
    // Most requests have no body and cost nothing here.
    if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined)
      watch(req, limits, () => refuse(socket, 408, "slow body"));
    if (headers.host === undefined && httpVersion === "1.1") reject(res, 400, "no Host");
    else app(req, res);
  }

  /** Responds in place of the app. */
  function reject({ req: { socket } }: ServerResponse, status: number, reason: string): void {
    delete connections.get(socket)?.inProgress;
    refuse(socket, status, reason);
  }

  /** Responds to an invalid or incomplete request, and closes the connection. */
  function refuse(socket: Socket, status: number, reason?: string): void {
    const connection = connections.get(socket);
    if (!connection || connection.isRefused) return;
    connection.isRefused = true;
    // Browsers open connections in advance, and may never use them.
    if (socket.bytesRead > 0) report(socket, { status, reason });

    const { inProgress, waiting } = connection;
    const respond = () => {
      socket.end(refusal(status));
      setTimeout(() => socket.destroy(), lingerMs).unref();
    };
    // The error is in a later request: the responses to those before come first.
    if (inProgress?.req.complete) waiting.push(respond);
    else if (inProgress?.res.headersSent) socket.destroy();
    else respond();
  }
}

/** By Node's codes of what it rejects; none for a connection that broke or that the client closed. */
function statusOf(code = ""): number | undefined {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return 413;
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  return code.startsWith("HPE_") && code !== "HPE_INVALID_EOF_STATE" ? 400 : undefined;
}

/** The text of a complete response. */
function refusal(status: number): string {
  const reason = STATUS_CODES[status];
  return [
    `HTTP/1.1 ${status} ${reason}`,
    ...(status === 405 ? ["Allow: GET, HEAD, POST"] : []),
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(`${reason}\n`)}`,
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
    "",
    `${reason}\n`,
  ].join("\r\n");
}

/** Limits the log lines per minute, because visitors can cause them without a sign-in. */
function sparseLog(log: Logger | undefined, most: number) {
  let count = 0;
  let since = 0;
  return (from: { remoteAddress?: string } | undefined, what: { status?: number; reason?: string }) => {
    const now = performance.now();
    if (now - since > 60_000) {
      if (count > most) log?.warn({ event: "refused", omitted: count - most }, "refused");
      [count, since] = [0, now];
    }
    count += 1;
    if (count <= most) log?.warn({ event: "refused", ...what, address: from?.remoteAddress }, "refused");
  };
}

/** Calls `onSlow` when the body arrives too slowly. */
function watch(req: IncomingMessage, limits: HttpLimits, onSlow: () => void): void {
  const { bodyMs, bodyBytesPerSecond, checkMs } = limits;
  const { socket } = req;
  let deadline = performance.now() + bodyMs;
  let before = socket.bytesRead;
  // After a stall of this process, timers run before the data that has arrived in the meantime.
  const timer = setInterval(() => setImmediate(look), checkMs).unref();
  req.once("close", () => clearInterval(timer));

  function look(): void {
    if (req.complete || socket.destroyed) return;
    const now = performance.now();
    // Received data is not read yet: the app is slow, not the client.
    if (req.readableLength > 0) deadline = now + bodyMs;
    else deadline += ((socket.bytesRead - before) / bodyBytesPerSecond) * 1000;
    before = socket.bytesRead;
    if (now > deadline) onSlow();
  }
}

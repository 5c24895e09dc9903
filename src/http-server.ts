import { createServer, type IncomingMessage, type Server } from "node:http";

/** What a connection may take, in milliseconds where nothing else is said. */
export interface HttpLimits {
  /** For all headers of a request, from the connection's first moment or the end of the request before. */
  headersMs: number;
  /** How often the time limits are looked at. */
  checkMs: number;
  /** For a whole request with its body, however lively. */
  requestMs: number;
  /** A body has this long, and longer the more of it comes. */
  bodyMs: number;
  /** What a body has to bring in a second after that. */
  bodyBytesPerSecond: number;
  /** Connections at once; more are hung up on. */
  connections: number;
}

/**
 * Node's own limits (60 s for headers, any number of connections) let a single visitor hold thousands of connections.
 *
 * A limit of 30 s for a whole request, the usual advice, would end every large upload through /proxy: 256 MB take
 * four minutes on a line of 10 Mbit/s. So a body is not judged by its age but by its pace: who drips is cut off after
 * ten seconds, and who sends may go on for as long as /proxy itself lets a request live.
 */
export const httpLimits: HttpLimits = {
  headersMs: 10_000,
  checkMs: 1_000,
  requestMs: 15 * 60_000,
  bodyMs: 10_000,
  bodyBytesPerSecond: 4_096,
  connections: 5_000,
};

/** Makes a server, which does not listen yet. Give it an app by `server.on("request", app)`. */
export function createHttpServer(limits: HttpLimits = httpLimits): Server {
  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkMs,
  });
  server.maxConnections = limits.connections;
  server.on("request", (req) => {
    const { headers } = req;
    // All others, that is nearly all, cost nothing.
    if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined)
      watch(req, limits);
  });
  return server;
}

/** Hangs up on who sends a body too slowly. */
function watch(req: IncomingMessage, { bodyMs, bodyBytesPerSecond, checkMs }: HttpLimits): void {
  const { socket } = req;
  let since = performance.now();
  let before = socket.bytesRead;
  let timer = setTimeout(look, bodyMs).unref();
  req.once("close", () => clearTimeout(timer));

  function look(isSecondLook = false): void {
    if (req.complete || socket.destroyed) return;
    const now = performance.now();
    // What has come waits to be read: it is not the client who is slow, but where the body goes.
    const isOurTurn = req.readableLength > 0;
    if (isOurTurn) [since, before] = [now, socket.bytesRead];
    const earnedMs = ((socket.bytesRead - before) / bodyBytesPerSecond) * 1000;
    const leftMs = since + bodyMs + earnedMs - now;
    if (leftMs > 0) timer = setTimeout(look, isOurTurn ? checkMs : leftMs).unref();
    // When this process stood still, timers come before what has arrived meanwhile.
    else if (!isSecondLook) setImmediate(look, true);
    else socket.destroy();
  }
}

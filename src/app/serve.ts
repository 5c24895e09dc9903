import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { promisify } from "node:util";
import { type Config, ConfigError, commandLine } from "./config/config.ts";
import { type AppOptions, createApp } from "./create-app.ts";
import { createHttpServer } from "./http-server.ts";
import { openLog } from "./log.ts";
import { reasonOf } from "./reason.ts";

/** A listening server. */
export type Running = Awaited<ReturnType<typeof serve>>;

/** How long a stop waits for requests in flight, and for everything (ms). */
const patience = { requestsMs: 8_000, allMs: 10_000 };

/**
 * Opens the store and listens.
 * @throws ConfigError when the session folder cannot be used; Error when the port is taken (`code` EADDRINUSE).
 */
export async function serve(config: Config, options: Pick<AppOptions, "notice" | "links" | "routes"> = {}) {
  const log = await openLog(config.logLevel);
  const stopping = new AbortController();
  const app = await createApp({ ...options, config, shareSession: true, log, stopping: stopping.signal });
  const server = createHttpServer(app.listener, { log, keepAliveSeconds: config.keepAliveSeconds });
  /** Connections without a request so far: browsers open some in advance, and Node counts them as busy. */
  const unused = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  server.on("request", ({ socket }) => unused.delete(socket));
  server.listen(config.port, config.host);
  await once(server, "listening");
  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  if (config.secure && config.trustProxy === false)
    log.warn(
      { event: "trust-proxy" },
      `REDIRECT_URI is https, but TRUST_PROXY is not set: every sign-in will be refused (${commandLine("doctor")})`,
    );
  return {
    /** Where it listens, such as http://127.0.0.1:3000. */
    url,
    log,
    /** Stops listening, finishes requests in flight (8 s at most), and closes the store. */
    async stop({ patienceMs = patience.requestsMs } = {}) {
      stopping.abort();
      const closed = once(server.close(), "close");
      for (const socket of unused) socket.destroy();
      // Without this, a connection whose response has just ended would stay open for another request.
      const sweep = setInterval(() => server.closeIdleConnections(), 100);
      const late = setTimeout(() => server.closeAllConnections(), patienceMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(late);
      await app.close();
      log.info("stopped");
    },
  };
}

/**
 * Ends the process: at a signal, or PM2's message, with exit code 0; after an uncaught error with exit code 1, for a supervisor to
 * start it again. Requests in flight are finished first, for 10 s at most. A second signal or error does not wait.
 */
export function endInOrder({ url, stop, log }: Running): void {
  let ending = false;
  const end = async (exitCode: number) => {
    if (ending) process.exit(1);
    ending = true;
    setTimeout(() => process.exit(1), patience.allMs).unref();
    await stop();
    // At exit, pino would try forever to write to a closed pipe. An error here makes it give up.
    await promisify(log.flush.bind(log))().catch(() => {});
    process.exit(exitCode);
  };
  const stopFor = (signal: string) => {
    log.info({ signal }, "stopping");
    void end(0);
  };
  // Windows has no SIGTERM: Ctrl+Break and services end as SIGBREAK, a closed window as SIGHUP, and PM2 sends a message.
  for (const signal of ["SIGTERM", "SIGINT", "SIGBREAK", "SIGHUP"]) process.on(signal, () => stopFor(signal));
  process.on("message", (message) => message === "shutdown" && stopFor(message));
  // An unhandled rejection comes here, too.
  process.on("uncaughtException", (error) => {
    log.fatal({ event: "crash", reason: reasonOf(error), at: placeOf(error) }, "an uncaught error");
    void end(1);
  });
  // Programs that wait for this line may send a signal at once.
  log.info({ url }, "listening");
}

/** Where it happened. A stack begins with the message, which may contain anything. */
function placeOf({ stack = "" }: Partial<Error>): string[] {
  return stack
    .split("\n")
    .filter((line) => /^ +at /.test(line))
    .map((line) => line.trim());
}

/** EX_CONFIG of sysexits.h: a restart is useless until the configuration has changed. */
const badConfiguration = 78;

/**
 * Says why the server could not start, and with which exit code to leave.
 * @param key the setting that names the port
 */
export function explain(error: unknown, key = "PORT"): { message: string; exitCode: number } {
  if (error instanceof ConfigError) return { message: error.message, exitCode: badConfiguration };
  const { code = "", message, address, port } = Object(error) as Partial<ListenError>;
  const fixes: Record<string, string | undefined> = {
    EADDRINUSE: `${address}:${port} is taken by another program. Stop that one, or set another ${key}.`,
    EACCES: port === undefined ? undefined : `${port} needs special rights. Set one above 1023.`,
    ERR_SOCKET_BAD_PORT: "must be a whole number from 0 to 65535. Write it in digits.",
  };
  const fix = fixes[code];
  if (fix) return { message: `${key}: ${fix}`, exitCode: badConfiguration };
  return { message: message ?? "The server could not start.", exitCode: 1 };
}

type ListenError = NodeJS.ErrnoException & { address: string; port: number };

import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import {
  ClientClosedError,
  ConnectionTimeoutError,
  ErrorReply,
  SocketTimeoutError,
  TimeoutError,
} from "redis";
import type { RedisClient } from "../session-store.ts";
import type { RedisAddress } from "./config/redis-url.ts";
import { driverFor, type RedisDriver } from "./redis-driver.ts";

export interface RedisConnectionOptions {
  /** A Redis that is silent for so long is away (ms). A command fails after one and a half times that at most. */
  timeoutMs?: number;
  /** Told when Redis is lost, why, and when it is back. */
  log?: Pick<Logger, "info" | "warn"> | undefined;
}

export interface RedisConnection {
  /**
   * For `redisBackend`. While Redis is away its commands fail at once. Their errors may be logged: those of node-redis
   * contain addresses and repeat what was sent. `code` is the first word of Redis's refusal, such as READONLY, and
   * `undefined` when Redis is away.
   */
  client: RedisClient;
  /** Ends all connections. */
  close(): Promise<void>;
}

const maxPauseMs = 2_000;

/**
 * Opens a connection, and a new one whenever it is lost, until it is closed. Resolves after the first attempt, whether
 * or not it was successful, and waits for it for `timeoutMs` at most.
 *
 * The reconnection of node-redis is not used: it does not notice a server that has become silent (its time limits end
 * when a command is written, or start again with every further command), and it looks for the successor of a lost
 * cluster node only when another node redirects it.
 */
export async function connectToRedis(
  address: RedisAddress,
  { timeoutMs = 2_000, log }: RedisConnectionOptions,
): Promise<RedisConnection> {
  // Not connected: its commands fail.
  let driver = driverFor(address, timeoutMs);
  let state: "away" | "here" | "closed" = "away";
  let reason: string | undefined;
  let failures = 0;
  let silentBeats = 0;
  let timer: NodeJS.Timeout | undefined;
  let attempt: Promise<void>;

  /** The old connection is used until there is a new one: other nodes of the cluster may still respond. */
  async function open(): Promise<void> {
    const fresh = driverFor(address, timeoutMs);
    let first: unknown;
    fresh.client.on("error", (error) => {
      // A cluster emits the error of each node here, and rejects with one that contains nothing.
      first ??= error;
      lose(fresh, error);
    });
    try {
      await fresh.client.connect();
    } catch (error) {
      tryAgain(first ?? error);
      return;
    }
    if (state === "closed") {
      fresh.end();
      return;
    }
    driver.end();
    driver = fresh;
    state = "here";
    silentBeats = 0;
    timer = setInterval(beat, timeoutMs / 2);
    beat();
  }

  /** Counts beats, not time: if this process was suspended, the responses are there when it resumes. */
  function beat(): void {
    const asked = driver;
    if (silentBeats === 2) {
      lose(asked, new TimeoutError());
      asked.cut();
      return;
    }
    silentBeats += 1;
    asked.ping().then(
      () => alive(asked),
      // A refusal is a response, too.
      (error) => (error instanceof ErrorReply ? alive(asked) : lose(asked, error)),
    );
  }

  function alive(asked: RedisDriver): void {
    if (state !== "here" || asked !== driver) return;
    silentBeats = 0;
    failures = 0;
    if (reason) log?.info("Redis is back");
    reason = undefined;
  }

  function lose(lost: RedisDriver, error: unknown): void {
    if (state !== "here" || lost !== driver) return;
    state = "away";
    clearInterval(timer);
    tryAgain(error);
  }

  function tryAgain(error: unknown): void {
    if (state === "closed") return;
    const latest = reasonOf(error);
    if (latest !== reason) log?.warn({ reason: latest }, "Redis is away");
    reason = latest;
    // Exponential backoff with jitter.
    const pauseMs = Math.min(maxPauseMs, 50 * 2 ** failures) * (0.5 + Math.random() / 2);
    failures += 1;
    timer = setTimeout(() => {
      attempt = open();
    }, pauseMs);
  }

  const soon = (task: Promise<void>) => Promise.race([task, sleep(timeoutMs, undefined, { ref: false })]);

  attempt = open();
  await soon(attempt);

  async function ask<T>(command: string, send: (driver: RedisDriver) => Promise<T>): Promise<T> {
    const asked = driver;
    try {
      return await send(asked);
    } catch (error) {
      if (!(error instanceof ErrorReply)) throw new Error(`Redis is away: ${reason ?? reasonOf(error)}`);
      const code = reasonOf(error);
      // A failover has made this server a replica; its name may lead to the new master by now.
      if (code === "READONLY") lose(asked, error);
      throw Object.assign(new Error(`Redis refused ${command}: ${code}`), { code });
    }
  }

  async function* scanIterator(options: { MATCH: string; COUNT: number }) {
    for (const server of await ask("SCAN", ({ servers }) => servers())) {
      const keys = server.scanIterator(options)[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await ask("SCAN", () => keys.next());
        if (done) break;
        yield value;
      }
    }
  }

  return {
    client: {
      eval: (script, options) => ask("EVAL", ({ client }) => client.eval(script, options)),
      scanIterator,
    },
    async close() {
      state = "closed";
      clearTimeout(timer);
      driver.end();
      await soon(attempt);
    },
  };
}

/** A few words without an address, a name of a record or a password. */
function reasonOf(error: unknown): string {
  // The first word of an error is its code (Redis serialization protocol, "Simple errors").
  if (error instanceof ErrorReply) return /^[A-Z]+/.exec(error.message)?.[0] ?? "ERR";
  const { code } = Object(error) as { code?: unknown };
  if (typeof code === "string") return code;
  const late = [ClientClosedError, ConnectionTimeoutError, SocketTimeoutError, TimeoutError];
  const isLate = late.some((each) => error instanceof each);
  return isLate ? "no response" : "the connection was closed";
}

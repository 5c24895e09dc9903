import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import {
  ClientClosedError,
  ConnectionTimeoutError,
  ErrorReply,
  SocketTimeoutError,
  TimeoutError,
} from "redis";
import type { RedisAddress } from "../app/config/redis-url.ts";
import { driverFor, type RedisClient, type RedisDriver } from "./redis-driver.ts";

export interface RedisConnectionOptions {
  /** A Redis that is silent for so long is away (ms). A command fails after one and a half times that at most. */
  patienceMs: number;
  /** Told when Redis is lost, why, and when it is back. */
  log?: Pick<Logger, "info" | "warn"> | undefined;
}

export interface RedisConnection {
  /**
   * Sends a command and gives its answer. While Redis is away it fails at once.
   * @throws Error that may be logged: those of the driver name addresses and repeat what was sent. Its `code` is
   *   the first word of Redis's refusal, such as READONLY, and `undefined` when Redis is away.
   */
  ask<Answer>(command: (client: RedisClient) => Promise<Answer>): Promise<Answer>;
  /** Ends all connections. */
  close(): Promise<void>;
}

const longestPauseMs = 2_000;

/**
 * Opens a connection, and a new one whenever it is lost, until it is closed. Resolves after the first attempt,
 * whether or not it went well, and does not wait for that longer than `patienceMs`.
 *
 * node-redis has a way of its own to reconnect, which is not used: it does not see that a server has fallen
 * silent (its time limits end when a command is written, or begin anew with every further command), and of a
 * cluster it looks for the successor of a lost node only when another node happens to send it there.
 */
export async function connectToRedis(
  address: RedisAddress,
  { patienceMs, log }: RedisConnectionOptions,
): Promise<RedisConnection> {
  // Not connected: its commands fail.
  let driver = driverFor(address, patienceMs);
  let state: "away" | "here" | "closed" = "away";
  let reason: string | undefined;
  let failures = 0;
  let silentBeats = 0;
  let timer: NodeJS.Timeout | undefined;
  let attempt: Promise<void>;

  /** What is left of the old connection serves until there is a new one: the nodes of a cluster that are well. */
  async function open(): Promise<void> {
    const fresh = driverFor(address, patienceMs);
    let first: unknown;
    fresh.client.on("error", (error) => {
      // A cluster tells here of each node that fails, and rejects with an error that says nothing.
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
    timer = setInterval(beat, patienceMs / 2);
    beat();
  }

  /** Counts beats, not time: when it was this process that stood still, the answers have come meanwhile. */
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
      // A refusal is an answer too.
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
    // In growing steps, and not every process at the same moment.
    const pauseMs = Math.min(longestPauseMs, 50 * 2 ** failures) * (0.5 + Math.random() / 2);
    failures += 1;
    timer = setTimeout(() => {
      attempt = open();
    }, pauseMs);
  }

  const soon = (task: Promise<void>) => Promise.race([task, sleep(patienceMs, undefined, { ref: false })]);

  attempt = open();
  await soon(attempt);

  return {
    async ask(command) {
      const asked = driver;
      try {
        return await command(asked.client);
      } catch (error) {
        if (!(error instanceof ErrorReply)) throw new Error(`Redis is away: ${reason ?? reasonOf(error)}`);
        const code = reasonOf(error);
        // A failover has made a replica of this server; its name may lead to the new one by now.
        if (code === "READONLY") lose(asked, error);
        throw Object.assign(new Error(`Redis refused a command: ${code}`), { code });
      }
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
  return isLate ? "no answer" : "the connection was closed";
}

import type { Logger } from "pino";
import { redisBackend, SealedStore } from "../session-store.ts";
import { type Config, ConfigError } from "./config/config.ts";
import { reasonOf } from "./reason.ts";
import { openSessionFolder } from "./session-folder.ts";

type StoreLog = Pick<Logger, "info" | "warn">;
type StoreConfig = Pick<
  Config,
  "encryptionKeys" | "redisUrl" | "sessionDir" | "sessionIdleSeconds" | "sessionMaxSeconds"
>;

/**
 * Opens the store that the configuration asks for: files, or Redis with REDIS_URL. The start does not wait for a Redis
 * that is away; users with a session get a 503 until it is back.
 *
 * @param timeoutMs as in `connectToRedis`
 * @throws ConfigError when the session folder cannot be used, or REDIS_URL is set without the package `redis`
 * @throws Error when the session folder cannot be used now, such as on a full disk
 */
export async function openStore(config: StoreConfig, log: StoreLog, timeoutMs?: number) {
  const { encryptionKeys: encryptionKey, sessionIdleSeconds: idleSeconds, sessionMaxSeconds } = config;
  const { backend, close } = await openBackend(config, log, timeoutMs);
  const store = new SealedStore({
    backend,
    encryptionKey,
    idleSeconds,
    maxSeconds: sessionMaxSeconds,
    onUnreadable: (record, reason) =>
      log.warn({ event: "unreadable", record, reason }, "a session could not be opened"),
    onError: (error) =>
      log.warn({ event: "store", reason: reasonOf(error) }, "the session store failed in the background"),
  });
  const closeAll = async () => {
    store.close();
    await close();
  };
  return { store, close: closeAll };
}

/** `close` ends timers and connections. */
export type OpenStore = Awaited<ReturnType<typeof openStore>>;

async function openBackend(config: StoreConfig, log: StoreLog, timeoutMs?: number) {
  const { redisUrl, sessionDir, sessionIdleSeconds: idleSeconds } = config;
  // Not worth a warning: the folder of a new clone is open.
  const onRepaired = (message: string) => log.info(message);
  if (!redisUrl) return { backend: openSessionFolder(sessionDir, { onRepaired }), close: async () => {} };
  // Loaded only if needed: it is an optional peer dependency.
  await import("redis").catch(() => {
    throw new ConfigError(["REDIS_URL: needs the package redis. Run: npm install redis@6"]);
  });
  const { connectToRedis } = await import("./redis-connection.ts");
  const { client, close } = await connectToRedis(redisUrl, { log, timeoutMs });
  return { backend: redisBackend(client, { idleSeconds }), close };
}

import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { fileStore } from "./file-store.ts";
import type { RecordStore } from "./record-store.ts";
import { keyRing } from "./seal.ts";
import { SealedStore } from "./sealed-store.ts";

/**
 * Opens the store that the configuration asks for: files, or Redis with REDIS_URL. A Redis that is away does not
 * hold up the start; until it is back, whoever has a session is told so.
 *
 * @throws Error when the session folder cannot be used; its message says why.
 */
export async function openStore(config: Config, log: Logger): Promise<SealedStore> {
  const { sessionIdleSeconds: idleSeconds, sessionMaxSeconds: maxSeconds } = config;
  const warn = (message: string, details: object) => log.warn(details, message);
  const records = config.redisUrl
    ? await openRedis(config.redisUrl, maxSeconds, log)
    : fileStore({
        path: config.sessionDir,
        idleSeconds,
        warn,
        // Not worth a warning: a fresh clone's folder is like that.
        repaired: (message) => log.info(message),
      });
  const keys = keyRing(config.encryptionKeys);
  return new SealedStore({ records, keys, idleSeconds, maxSeconds, wholes: ["profile"], warn });
}

/** Loads the driver only where it is needed. */
async function openRedis(url: string, maxSeconds: number, log: Logger): Promise<RecordStore> {
  const { redisStore } = await import("./redis-store.ts");
  return redisStore({ url, maxSeconds, log });
}

import type { Logger } from "pino";
import type { Config } from "../app/config/config.ts";
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
  const records = await openRecords(config, log);
  const keys = keyRing(config.encryptionKeys);
  return new SealedStore({ records, keys, idleSeconds, maxSeconds, wholes: ["profile"], warn });
}

/** Opens the place of the sealed records alone; as `openStore`. */
export async function openRecords(config: Config, log: Pick<Logger, "info" | "warn">): Promise<RecordStore> {
  const { redisUrl: url, sessionMaxSeconds: maxSeconds } = config;
  if (url) {
    // The driver is loaded only where it is needed.
    const { redisStore } = await import("./redis-store.ts");
    return redisStore({ url, maxSeconds, log });
  }
  return fileStore({
    path: config.sessionDir,
    idleSeconds: config.sessionIdleSeconds,
    warn: (message, details) => log.warn(details, message),
    // Not worth a warning: a fresh clone's folder is like that.
    repaired: (message) => log.info(message),
  });
}

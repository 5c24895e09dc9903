import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { fileStore } from "./file-store.ts";
import { keyRing } from "./seal.ts";
import { SealedStore } from "./sealed-store.ts";

/**
 * Opens the store that the configuration asks for.
 * @throws Error when the session folder cannot be used; its message says why.
 */
export function openStore(config: Config, log: Logger): SealedStore {
  const { sessionIdleSeconds: idleSeconds, sessionMaxSeconds: maxSeconds } = config;
  const warn = (message: string, details: object) => log.warn(details, message);
  // Not worth a warning: a fresh clone's folder is like that.
  const repaired = (message: string) => log.info(message);
  const records = fileStore({ path: config.sessionDir, idleSeconds, repaired, warn });
  return new SealedStore({ records, keys: keyRing(config.encryptionKeys), idleSeconds, maxSeconds, warn });
}

/**
 * The session store by itself: an express-session store that encrypts its records, in files or in Redis.
 *
 * @module arcgis-sign-in/session-store
 */
export { type PendingRevocation, toPending } from "./auth/arcgis/revocation.ts";
export type { Lifetimes } from "./auth/session/expiry.ts";
export {
  type FileBackendOptions,
  fileBackend,
  type SessionBackend,
  type StoredRecord,
} from "./auth/session/file-backend.ts";
export {
  type LegacyFileStoreOptions,
  type LegacySessions,
  legacyFileStore,
} from "./auth/session/legacy-file-store.ts";
export { type RedisBackendOptions, type RedisClient, redisBackend } from "./auth/session/redis-backend.ts";
export { SealedStore, type SealedStoreOptions } from "./auth/session/sealed-store.ts";
export type { SessionInfo, StoreAdmin } from "./auth/session/store-admin.ts";
export { isOpenOnWindows, restrictOnWindows, rightsFor } from "./auth/session/windows-rights.ts";

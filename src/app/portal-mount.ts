import type { Router } from "express";
import type { Logger } from "pino";
import type { ArcGISAuth } from "../index.ts";
import type { SealedStore } from "../session-store.ts";
import type { Access } from "./access.ts";
import type { autoSignIn } from "./auto-sign-in.ts";
import type { Config } from "./config/config.ts";
import type { Metrics } from "./metrics.ts";

/** One portal in this app: that of PORTAL_URL, or one of PORTALS below its own path. */
export interface PortalMount {
  /** The portal's own configuration. */
  config: Config;
  auth: ArcGISAuth;
  /** See AppOptions. */
  shareSession: boolean;
  store: SealedStore;
  /** The rules of ACCESS. */
  access: Access;
  auto: ReturnType<typeof autoSignIn>;
  /** All portals. A browser has a separate session for each. */
  mounts: readonly PortalMount[];
  assets: Router;
  log: Logger;
  count(change: (metrics: Metrics) => void): void;
}

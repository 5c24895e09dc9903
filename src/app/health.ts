import { setTimeout as sleep } from "node:timers/promises";
import type { Request, Router } from "express";
import type { Logger } from "pino";
import type { SealedStore } from "../session-store.ts";
import { allowOnly } from "./allow-only.ts";
import { isLoopback } from "./config/urls.ts";
import { AppError } from "./errors.ts";
import type { Metrics } from "./metrics.ts";
import type { PortalMount } from "./portal-mount.ts";
import { reasonOf } from "./reason.ts";

/** The result of a probe is reused for this time (ms), because each probe writes files. */
const probeEveryMs = 1_000;
/** The store is unavailable if a probe takes longer (ms). */
const probeTimeoutMs = 2_000;

/**
 * Adds the routes for supervisors, load balancers and Prometheus. They need no session.
 * @param stopping aborted when the server begins to stop
 */
export function addHealth(
  router: Router,
  { config, store, log }: PortalMount,
  metrics: () => Promise<Metrics>,
  stopping?: AbortSignal,
): void {
  const isStoreReady = storeProbe(store, log);
  // A right that the user of Redis lacks is in the log at once.
  if (config.redisUrl) void isStoreReady();
  const paths = ["/healthz", "/readyz", "/metrics"];

  router.use(paths, (_req, res, next) => {
    // They are requested every few seconds, and would fill the log.
    res.locals.quiet = true;
    next();
  });

  /** GET /healthz - 200 while this process responds. Store and portal don't count: a restart would not fix them. */
  router.get("/healthz", (_req, res) => void res.json({ status: "ok" }));

  /** GET /readyz - 200 if the store works and the server is not stopping, otherwise 503. */
  router.get("/readyz", async (_req, res) => {
    if (stopping?.aborted) res.status(503).json({ status: "stopping" });
    else if (await isStoreReady()) res.json({ status: "ok" });
    else res.status(503).json({ status: "store_unavailable" });
  });

  /** GET /metrics - Prometheus text. */
  router.get("/metrics", async (req, res) => {
    if (config.metrics !== "public" && !isFromThisMachine(req)) throw new AppError("not_found");
    const { registry } = await metrics();
    res.type(registry.contentType).send(await registry.metrics());
  });

  router.all(paths, allowOnly("GET, HEAD"));
}

/** Whether the store works; the log has one line when that changes. */
function storeProbe(store: SealedStore, log: Logger): () => Promise<boolean> {
  let latest = { isReady: Promise.resolve(true), at: Number.NEGATIVE_INFINITY };
  let wasReady = true;

  async function probe(): Promise<boolean> {
    const late = sleep(probeTimeoutMs, "no response", { ref: false });
    const problem = await Promise.race([store.admin.probe(), late]).catch(reasonOf);
    const isReady = problem === undefined;
    if (wasReady && !isReady) log.warn({ event: "not-ready", reason: problem }, "the session store is away");
    if (isReady && !wasReady) log.info({ event: "ready" }, "the session store is back");
    wasReady = isReady;
    return isReady;
  }

  return () => {
    const now = performance.now();
    if (now > latest.at + probeEveryMs) latest = { isReady: probe(), at: now };
    return latest.isReady;
  };
}

/** Headers of reverse proxies; each proxy sends some of them. */
const forwarding = /^(?:x-forwarded|forwarded|x-real-ip|via|x-original-url|x-arr)(?:-|$)/;

/**
 * Whether the request comes from a program on this machine, and not through a reverse proxy on it. The socket counts, not
 * `req.ip`, which a header can change. A reverse proxy shows in its headers or in a public host name; the latter also
 * reveals a web page that lets its own name point to this machine (DNS rebinding).
 */
function isFromThisMachine({ headers, socket }: Request): boolean {
  if (Object.keys(headers).some((name) => forwarding.test(name))) return false;
  const host = (headers.host ?? "").replace(/:\d*$/, "").toLowerCase();
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:/i, "");
  return isLoopback(address) && isLoopback(host);
}

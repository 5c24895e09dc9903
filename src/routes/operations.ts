import { isIP } from "node:net";
import express, { type Request, type Router } from "express";
import type { Logger } from "pino";
import type { Config } from "../app/config/config.ts";
import { AppError } from "../errors.ts";
import type { metricsText } from "../metrics/text.ts";
import { reasonOf } from "../reason.ts";
import type { SealedStore } from "../session/sealed-store.ts";
import { allowOnly } from "../web.ts";

export interface OperationsParts {
  config: Config;
  store: SealedStore;
  /** Aborted when the server begins to stop. */
  stopping?: AbortSignal;
  log: Logger;
}

/** What the store said is good for so long, whoever asks (ms): for files, each answer costs a file. */
const readyForMs = 1_000;
/** A store that takes longer does not answer (ms). */
const patienceMs = 2_000;

/** What supervisors ask: is it alive, should it get visitors, how is it doing. None of it needs a session. */
export function operations({ config, store, stopping, log }: OperationsParts): Router {
  const router = express.Router();
  const storeAnswers = storeProbe(store, log);
  let text: Promise<ReturnType<typeof metricsText>> | undefined;

  router.use(["/healthz", "/readyz", "/metrics"], (_req, res, next) => {
    // Every few seconds, for ever: nothing that the log should be full of.
    res.locals.quiet = true;
    next();
  });

  /** GET /healthz - this process answers. It says nothing of the store or the portal: a restart would not mend them. */
  router.get("/healthz", (_req, res) => void res.json({ status: "ok" }));

  /** GET /readyz - visitors may be sent here: the store answers, and the server is not about to stop. */
  router.get("/readyz", async (_req, res) => {
    if (stopping?.aborted) res.status(503).json({ status: "stopping" });
    else if (await storeAnswers()) res.json({ status: "ok" });
    else res.status(503).json({ status: "store_unavailable" });
  });

  /** GET /metrics - Prometheus text. */
  router.get("/metrics", async (req, res) => {
    if (config.metrics !== "public" && !isFromThisMachine(req)) throw new AppError("not_found");
    text ??= import("../metrics/text.ts").then(({ metricsText }) => metricsText(() => store.count()));
    const { metrics, contentType } = await text;
    res.type(contentType).send(await metrics.call(await text));
  });

  router.all(["/healthz", "/readyz", "/metrics"], allowOnly("GET, HEAD"));
  return router;
}

/** Gives a function that tells whether sessions can be kept; a change for the worse leaves a line in the log. */
function storeProbe(store: SealedStore, log: Logger): () => Promise<boolean> {
  let latest: { answers: Promise<boolean>; at: number } | undefined;
  let wasReady = true;

  async function ask(): Promise<boolean> {
    const isReady = await withinTime(store.ping()).then(
      () => true,
      (error) => {
        if (wasReady) log.warn({ event: "not-ready", reason: reasonOf(error) }, "the session store is away");
        return false;
      },
    );
    if (isReady && !wasReady) log.info({ event: "ready" }, "the session store is back");
    wasReady = isReady;
    return isReady;
  }

  return () => {
    if (!latest || performance.now() > latest.at + readyForMs)
      latest = { answers: ask(), at: performance.now() };
    return latest.answers;
  };
}

async function withinTime(answer: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), patienceMs);
  });
  await Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** Written by reverse proxies, each by some of them. */
const forwarding = /^(?:x-forwarded|forwarded|x-real-ip|via)(?:-|$)/;

/**
 * Whether a program on this machine asks for itself. What counts is the socket, not `req.ip`, which a header can
 * change. A reverse proxy on this machine asks for others: it is known by its headers, or else by the public name in
 * Host; so is a web page that has made its own name point to this machine.
 */
function isFromThisMachine(req: Request): boolean {
  const { headers, socket } = req;
  if (Object.keys(headers).some((name) => forwarding.test(name))) return false;
  const host = (headers.host ?? "").replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  return isLoopback(socket.remoteAddress ?? "") && (host.toLowerCase() === "localhost" || isLoopback(host));
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, "");
  return isIP(plain) === 4 ? plain.startsWith("127.") : plain === "::1";
}

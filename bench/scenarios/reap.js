// One run of the reaper over FOLDER, in a process of its own: how long it takes, and how long it blocks other work.
import { readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { fileBackend, SealedStore } from "../../dist/session-store.js";

const resolutionMs = 1;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
const { FOLDER, IDLE_SECONDS, ENCRYPTION_KEY } = process.env;
const store = new SealedStore({
  backend: fileBackend(FOLDER),
  encryptionKey: ENCRYPTION_KEY,
  idleSeconds: Number(IDLE_SECONDS),
});
const before = readdirSync(FOLDER).length;

delay.enable();
await wait(20);
delay.reset();
const startedAt = performance.now();
await store.admin.reap();
const ms = performance.now() - startedAt;
await wait(20);
delay.disable();

store.close();
process.send({
  ms,
  stallMs: Math.max(0, delay.max / 1e6 - resolutionMs),
  before,
  after: readdirSync(FOLDER).length,
});

// Loaded into every server under test (`node --import`), ours and the peers alike. It tells the benchmark when
// the server listens, and on request what it has used so far. It does nothing between two questions.
import { Server } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const { listen } = Server.prototype;

Server.prototype.listen = function (...args) {
  this.once("listening", () => process.send?.({ port: this.address().port }));
  return listen.apply(this, args);
};

const resolutionMs = 1;
let delay;

/** What the benchmark asks for, by name. */
const measures = {
  usage() {
    const { user, system } = process.cpuUsage();
    return { cpuUs: user + system, rss: process.memoryUsage.rss() };
  },
  /** The heap (bytes) after a full garbage collection. */
  heap() {
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
    return { heap: process.memoryUsage().heapUsed };
  },
  /** The longest stall of the event loop (ms) since the last time this was asked. */
  stall() {
    delay ??= monitorEventLoopDelay({ resolution: resolutionMs });
    const stallMs = Math.max(0, delay.max / 1e6 - resolutionMs);
    delay.reset();
    delay.enable();
    return { stallMs };
  },
};

process.on("message", ({ question, measure }) => {
  if (question !== undefined) process.send?.({ question, ...measures[measure]() });
});

// The benchmark is gone, whatever the reason: no server stays behind.
process.on("disconnect", () => process.exit());

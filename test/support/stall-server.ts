import "#src/no-debug.ts";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "#src/app/config/config.ts";
import { endInOrder, serve } from "#src/app/serve.ts";
import { myContent } from "#src/cli/demo-content.ts";
import { work } from "./pace.ts";

/**
 * A server with two more routes: /longest-stall gives the longest stall of its event loop (ms) since the last time, and
 * /usual-stall causes one. The time in which other programs had the processor does not count: no request causes it.
 */

/** Of the main thread: the time that it has waited for a processor (ns) is the second number. Linux has it. */
const schedule = "/proc/self/schedstat";
const hasSchedule = existsSync(schedule);
const waitedMs = () => (hasSchedule ? Number(readFileSync(schedule, "utf8").split(" ")[1]) / 1e6 : 0);

let longest = 0;
let last = performance.now() - waitedMs();
setInterval(() => {
  const now = performance.now() - waitedMs();
  longest = Math.max(longest, now - last);
  last = now;
}, 1);

endInOrder(
  await serve(loadConfig(), {
    routes: (site) => {
      myContent(site);
      site.router.get("/usual-stall", (_req, res) => {
        work();
        res.end();
      });
      site.router.get("/longest-stall", async (_req, res) => {
        // The stall is recorded when the next timer fires.
        await sleep(5);
        res.json({ ms: longest });
        longest = 0;
      });
    },
  }),
);

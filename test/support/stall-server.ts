import "#src/no-debug.ts";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "#src/app/config/config.ts";
import { endInOrder, serve } from "#src/app/serve.ts";
import { myContent } from "#src/cli/demo-content.ts";

/** A server with one more route: /longest-stall gives the longest stall of its event loop (ms) since the last time. */

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

endInOrder(
  await serve(loadConfig(), {
    routes: (site) => {
      myContent(site);
      site.router.get("/longest-stall", async (_req, res) => {
        // The stall is recorded when the next timer of the histogram fires.
        await sleep(5);
        const ms = delay.max / 1e6;
        delay.reset();
        res.json({ ms });
      });
    },
  }),
);

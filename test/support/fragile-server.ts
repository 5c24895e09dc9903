import "#src/no-debug.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "#src/app/config/config.ts";
import { endInOrder, serve } from "#src/app/serve.ts";

/** A server with routes that no careful user would write: /slow?ms=, /throw and /reject, which are not caught. */

const failure = () =>
  Object.assign(new Error(`refused ${process.env.CANARY}`), { token: process.env.CANARY });

endInOrder(
  await serve(loadConfig(), {
    routes: ({ router }) => {
      router.get("/slow", async (req, res) => {
        console.error("in flight");
        await sleep(Number(req.query.ms));
        res.send("done");
      });
      router.get("/throw", () => {
        setImmediate(() => {
          throw failure();
        });
      });
      router.get("/reject", () => void Promise.reject(failure()));
      router.get("/throw-text", () => {
        setImmediate(() => {
          throw process.env.CANARY;
        });
      });
    },
  }),
);

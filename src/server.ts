import "./no-debug.ts";
import { loadConfig } from "./app/config/config.ts";
import { endInOrder, explain, serve } from "./app/serve.ts";
import { isStale } from "./app/source-hash.ts";

/** `npm start`: the server with your own configuration. */

try {
  const running = await serve(loadConfig({ standalone: true }));
  if (isStale())
    running.log.warn(
      { event: "stale-build" },
      "dist/ was built from another src/: run npm run build, and start again",
    );
  endInOrder(running);
} catch (error) {
  const { message, exitCode } = explain(error);
  console.error(message);
  process.exit(exitCode);
}

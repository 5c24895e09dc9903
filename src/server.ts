import "./no-debug.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { serve, stopOnSignal } from "./serve.ts";

/** EX_CONFIG of sysexits.h: a supervisor should not start it again before somebody has changed something. */
const badConfiguration = 78;

try {
  stopOnSignal(await serve(loadConfig()));
} catch (error) {
  if (error instanceof ConfigError) {
    console.error(error.message);
    process.exit(badConfiguration);
  }
  console.error(error instanceof Error ? error.message : "The server could not start.");
  process.exit(1);
}

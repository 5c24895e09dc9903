import "./no-debug.ts";
import { loadConfig } from "./config.ts";
import { explain, serve, stopOnSignal } from "./serve.ts";

/** `npm start`: the server with your own configuration. */

try {
  stopOnSignal(await serve(loadConfig()));
} catch (error) {
  const { message, exitCode } = explain(error);
  console.error(message);
  process.exit(exitCode);
}

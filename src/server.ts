import "./no-debug.ts";
import { loadConfig } from "./app/config/config.ts";
import { endInOrder, explain, serve } from "./app/serve.ts";

/** `npm start`: the server with your own configuration. */

try {
  endInOrder(await serve(loadConfig({ standalone: true })));
} catch (error) {
  const { message, exitCode } = explain(error);
  console.error(message);
  process.exit(exitCode);
}

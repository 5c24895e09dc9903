#!/usr/bin/env node
import "../no-debug.ts";
import { run } from "./run.ts";

/** The command `arcgis-sign-in`. */

const args = process.argv.slice(2);
// The server never opens this stream: its log has its own.
if (args[0] !== "start") {
  // A reader such as `head` may close the pipe early.
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => process.exit(code === "EPIPE" ? 0 : 1));
}
process.exitCode = await run(args, process);

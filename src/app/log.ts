import { isatty } from "node:tty";
import pino, { type Logger } from "pino";
import type { PrettyOptions } from "pino-pretty";
import type { Config } from "./config/config.ts";

/**
 * Opens the log: one JSON object per line, with the time in UTC. At a terminal the lines are readable text, if pino-pretty
 * is installed (it is a development dependency).
 */
export async function openLog(
  level: Config["logLevel"],
  place?: { isTTY?: boolean; write(text: string): unknown },
): Promise<Logger> {
  const options = { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  // Not process.stdout.isTTY, which would open a stream that is not needed.
  const isTerminal = place ? place.isTTY : isatty(1);
  const pretty = isTerminal ? await import("pino-pretty").catch(() => undefined) : undefined;
  if (pretty) {
    const terminal = place ?? process.stdout;
    // Synchronous: a stream would lose the last lines before the end of the process.
    const format = pretty.prettyFactory(prettily);
    return pino(options, { write: (line) => terminal.write(harmless(format(line))) });
  }
  // pino's own destination is the fastest. Without minLength it would not say when a line has been written.
  return pino(options, place ?? pino.destination({ dest: 1, minLength: 1 }));
}

const prettily: PrettyOptions = {
  colorize: true,
  singleLine: true,
  translateTime: "HH:MM:ss",
  // A line for a request has no message of its own.
  messageFormat: (line, messageKey) =>
    line.method ? `${line.method} ${line.path} ${line.status} ${line.ms} ms` : String(line[messageKey]),
  ignore: "method,path,status,ms",
};

/** Removes the control characters that JSON does not escape: terminals interpret them. */
function harmless(text: string): string {
  return text.replace(/[\x80-\x9f\p{Bidi_Control}]/gu, "?");
}

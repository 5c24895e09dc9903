import { isatty } from "node:tty";
import pino, { type Logger } from "pino";
import type { PrettyOptions } from "pino-pretty";
import type { Config } from "./config/config.ts";

/** Where the log goes. */
export interface LogPlace {
  isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Opens the log: one JSON object a line, with the time in UTC. An operator at a terminal gets one readable line instead,
 * where pino-pretty is installed: it is left out of `npm ci --omit=dev`, because its log is read by programs.
 */
export async function openLog(level: Config["logLevel"], place?: LogPlace): Promise<Logger> {
  const options = { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  // Not process.stdout.isTTY: that would open a stream that is not needed otherwise.
  const isTerminal = place ? place.isTTY : isatty(1);
  const pretty = isTerminal ? await import("pino-pretty").catch(() => undefined) : undefined;
  if (pretty) {
    const terminal = place ?? process.stdout;
    // Line by line: as a stream it would be late, and the last lines before the end of the process lost.
    const format = pretty.prettyFactory(prettily);
    return pino(options, { write: (line) => terminal.write(harmless(format(line))) });
  }
  // Its own way to the standard output is the fastest. Without a length it would not tell when it has been written.
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

/** JSON escapes the control characters of ASCII, but not the others, by which a terminal can be told to do things. */
function harmless(text: string): string {
  return text.replace(/[\x80-\x9f\p{Bidi_Control}]/gu, "?");
}

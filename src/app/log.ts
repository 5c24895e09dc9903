import type { Config } from "./config/config.ts";

/** By level: the number that the log has, as pino and the readers of its logs know it, and the color at a terminal. */
const levels = {
  trace: { number: 10, color: 90 },
  debug: { number: 20, color: 34 },
  info: { number: 30, color: 32 },
  warn: { number: 40, color: 33 },
  error: { number: 50, color: 31 },
  fatal: { number: 60, color: 31 },
};

type Level = keyof typeof levels;

interface LogMethod {
  (fields: object, message?: string): void;
  (message: string): void;
}

/** What this server writes its log with. A logger of pino is one, too. */
export interface Logger extends Record<Level, LogMethod> {
  /** A logger with more fields in each of its lines. */
  child(fields: object): Logger;
}

/** Where the log goes. */
export interface LogPlace {
  isTTY?: boolean;
  write(text: string): unknown;
}

interface Line {
  level: Level;
  time: string;
  fields: Record<string, unknown>;
  message: string | undefined;
}

/** Opens the log: one JSON object a line, with the time in UTC, or at a terminal one readable line. */
export function openLog(level: Config["logLevel"], place: LogPlace = standardOutput()): Logger {
  const format = place.isTTY ? readable : json;
  const least = level === "silent" ? Number.POSITIVE_INFINITY : levels[level].number;

  function logger(common: object): Logger {
    const method = (name: Level): LogMethod => {
      if (levels[name].number < least) return () => {};
      return (first: object | string, message?: string) => {
        const fields = typeof first === "string" ? common : { ...common, ...first };
        const text = typeof first === "string" ? first : message;
        const time = new Date().toISOString();
        place.write(`${format({ level: name, time, fields: { ...fields }, message: text })}\n`);
      };
    };
    const methods = Object.keys(levels).map((name) => [name, method(name as Level)]);
    return { ...Object.fromEntries(methods), child: (fields: object) => logger({ ...common, ...fields }) };
  }
  return logger({});
}

function standardOutput(): LogPlace {
  // The reader of the log may go away. The server works without.
  if (process.stdout.listenerCount("error", ignore) === 0) process.stdout.on("error", ignore);
  return process.stdout;
}

function ignore(): void {}

function json({ level, time, fields, message }: Line): string {
  return JSON.stringify({ level: levels[level].number, time, ...fields, msg: message });
}

function readable({ level, time, fields, message }: Line): string {
  const { method, path, status, ms, ...others } = fields;
  // A line for a request has no message of its own.
  const text = method ? `${method} ${path} ${status} ${ms} ms` : `${message}`;
  const label = `\x1b[${levels[level].color}m${level.toUpperCase()}\x1b[39m`;
  const details = JSON.stringify(others);
  const end = details === "{}" ? "" : ` ${details}`;
  return `[${time.slice(11, 19)}] ${label}: ${harmless(JSON.stringify(text).slice(1, -1) + end)}`;
}

/** JSON escapes the control characters of ASCII, but not the others, by which a terminal can be told to do things. */
function harmless(text: string): string {
  return text.replace(/[\x80-\x9f\p{Bidi_Control}]/gu, "?");
}

import type { CommandContext } from "./command-context.ts";

/** The two streams of a command. */
export type Screen = ReturnType<typeof openScreen>;

/** @param isForPrograms whether results are JSON */
export function openScreen({ stdout, stderr }: CommandContext, isForPrograms = false) {
  const clearLine = () => stderr.isTTY && stderr.write("\r\x1b[K");
  return {
    /** Prints the result, as text or as JSON. */
    print(text: string, json: unknown): void {
      clearLine();
      stdout.write(isForPrograms ? `${printableJson(json)}\n` : text);
    },
    /** Prints a line to the standard error. */
    note(text: string): void {
      clearLine();
      stderr.write(`${printable(text)}\n`);
    },
    /** Returns a function that shows one step of `total` more, until the next output. */
    progress(label: string, total: number): () => void {
      let done = 0;
      let shownAt = Number.NEGATIVE_INFINITY;
      return () => {
        done += 1;
        if (!stderr.isTTY || performance.now() - shownAt < 200) return;
        shownAt = performance.now();
        stderr.write(`\r${label}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")} `);
      };
    },
  };
}

/** Formats lines in columns, numbers to the right. */
export function table(lines: readonly (readonly (string | number)[])[]): string {
  const toText = (value: string | number) =>
    typeof value === "number" ? value.toLocaleString("en") : printable(value);
  const texts = lines.map((line) => line.map(toText));
  const widths = texts[0]?.map((_, column) =>
    texts.reduce((width, line) => Math.max(width, line[column]?.length ?? 0), 0),
  );
  const cell = (text: string, column: number) => {
    const width = widths?.[column] ?? 0;
    return typeof lines.at(-1)?.[column] === "number" ? text.padStart(width) : text.padEnd(width);
  };
  return texts.map((line) => `${line.map(cell).join("  ").trimEnd()}\n`).join("");
}

/** Characters that could move the cursor, color the terminal or reverse the line. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text without control characters. */
export function printable(text: string): string {
  return text.replace(unprintable, "?");
}

/** JSON that is safe in a terminal. JSON.stringify escapes only the control characters of ASCII. */
export function printableJson(value: unknown): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, null, 2).replace(unprintable, (character) =>
    character === "\n" ? character : character.split("").map(escaped).join(""),
  );
}

export function iso(ms = Number.NaN): string | null {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null;
}

/** A time to the minute, such as `2026-03-01 14:05`. */
export function minute(time: string | null): string {
  return time?.slice(0, 16).replace("T", " ") ?? "-";
}

/** `1 session`, `100,000 sessions`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

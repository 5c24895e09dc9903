const gap = "  ";

/** Formats lines in columns, numbers to the right. The first column shrinks until a line fits into `width` characters. */
export function table(lines: readonly (readonly (string | number)[])[], width = 80): string {
  const toText = (value: string | number) =>
    typeof value === "number" ? value.toLocaleString("en") : printable(value);
  const texts = lines.map((line) => line.map(toText));
  const widths: number[] = [];
  for (const line of texts)
    for (const [column, text] of line.entries()) widths[column] = Math.max(widths[column] ?? 0, text.length);
  const others = widths.slice(1).reduce((sum, each) => sum + gap.length + each, 0);
  widths[0] = Math.min(widths[0] ?? 0, Math.max(width - others, 8));

  const cell = (text: string, column: number) => {
    const size = widths[column] ?? 0;
    const cut = text.length > size ? `${text.slice(0, size - 1)}…` : text;
    return typeof lines.at(-1)?.[column] === "number" ? cut.padStart(size) : cut.padEnd(size);
  };
  return texts.map((line) => `${line.map(cell).join(gap).trimEnd()}\n`).join("");
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

/** Shows progress in one line that is overwritten, at a terminal only. */
export function progressLine(
  output: NodeJS.WritableStream & { isTTY?: boolean },
  label: string,
  total: number,
) {
  let done = 0;
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    step() {
      done += 1;
      if (!output.isTTY || performance.now() - shownAt < 200) return;
      shownAt = performance.now();
      output.write(`\r${label}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")} `);
    },
    /** Removes the line. */
    end() {
      if (output.isTTY && done > 0) output.write("\r\x1b[K");
    },
  };
}

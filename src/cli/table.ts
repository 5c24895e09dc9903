/** A column of `table`. */
export interface Column<Row> {
  title: string;
  of: (row: Row) => string | number;
}

const gap = "  ";

/**
 * Sets rows in columns; numbers stand to the right. The first column gives way until a line fits into `width`
 * characters.
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ of }) => of(row)))];
  const widths = columns.map((_, index) =>
    lines.reduce((most, line) => Math.max(most, String(line[index]).length), 0),
  );
  const others = widths.slice(1).reduce((sum, each) => sum + gap.length + each, 0);
  widths[0] = Math.min(widths[0] ?? 0, Math.max(width - others, 8));

  const isNumber = (lines[1] ?? []).map((value) => typeof value === "number");
  const cell = (value: string | number, index: number) => {
    const text = shortened(plain(String(value)), widths[index] ?? 0);
    return isNumber[index] ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0);
  };
  return lines.map((line) => `${line.map(cell).join(gap).trimEnd()}\n`).join("");
}

function shortened(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/** What could move the cursor, colour the terminal or turn the line around. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text without what a terminal would obey. */
export function plain(text: string): string {
  return text.replace(unprintable, "?");
}

/** JSON that a terminal shows as it is. By itself JSON escapes no more than the control characters of ASCII. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .split("\n")
    .map((line) => line.replace(unprintable, escaped))
    .join("\n");
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** A moment to the minute in UTC, such as `2026-03-01 14:05`. */
export function minute(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 16).replace("T", " ") : "-";
}

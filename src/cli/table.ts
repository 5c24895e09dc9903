/** A column of `table`. */
export interface Column<Row> {
  title: string;
  of: (row: Row) => string | number;
}

const gap = "  ";

/** Formats rows in columns, numbers to the right. The first column shrinks until a line fits into `width` characters. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ of }) => of(row)))];
  const widths = columns.map((_, index) =>
    lines.reduce((most, line) => Math.max(most, String(line[index]).length), 0),
  );
  const others = widths.slice(1).reduce((sum, each) => sum + gap.length + each, 0);
  widths[0] = Math.min(widths[0] ?? 0, Math.max(width - others, 8));

  const cell = (value: string | number, index: number) => {
    const size = widths[index] ?? 0;
    const text = printable(String(value));
    const cut = text.length > size ? `${text.slice(0, size - 1)}…` : text;
    return typeof lines[1]?.[index] === "number" ? cut.padStart(size) : cut.padEnd(size);
  };
  return lines.map((line) => `${line.map(cell).join(gap).trimEnd()}\n`).join("");
}

/** What could move the cursor, color the terminal or reverse the line. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text without control characters. */
export function printable(text: string): string {
  return text.replace(unprintable, "?");
}

/** JSON that is safe in a terminal. JSON.stringify escapes only the control characters of ASCII. */
export function printableJson(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split("\n");
  return lines.map((line) => line.replace(unprintable, escaped)).join("\n");
}

function escaped(character: string): string {
  const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"));
  return units.map((hex) => `\\u${hex}`).join("");
}

/** A time to the minute in UTC, such as `2026-03-01 14:05`. */
export function minute(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 16).replace("T", " ") : "-";
}

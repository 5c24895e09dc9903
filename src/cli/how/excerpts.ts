import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");

/** A file below src, and a text that it has once: the excerpt begins there. */
export type Marker = readonly [file: string, text: string];

/**
 * The block that begins in the marked line, or that line and the next one, as it is now. `undefined` when there is no
 * source, or the text is not in it exactly once.
 */
export function excerptAt([name, marker]: Marker) {
  const file = `src/${name}`;
  const path = join(root, file);
  const lines = existsSync(path) ? readFileSync(path, "utf8").split(/\r?\n/) : [];
  const [line, ...others] = lines.filter((each) => each.includes(marker));
  if (line === undefined || others.length > 0) return undefined;
  const start = lines.indexOf(line);
  const indent = line.search(/\S/);
  const isEnd = (each: string, index: number) =>
    index > start && each.search(/\S/) === indent && /^[)}\]]+[;,]?$/.test(each.trim());
  const end = /[{(]$/.test(line) ? lines.findIndex(isEnd) : start + 1;
  const text = lines.slice(start, end + 1).map((each) => each.slice(indent));
  return { file, line: start + 1, text: text.join("\n") };
}

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");

/** A file below src, and a text that it has once: the excerpt begins there. */
export type Marker = readonly [file: string, text: string];

/** Lines of source as they are now. */
export interface Excerpt {
  file: string;
  line: number;
  text: string;
}

/**
 * The block that begins at a marker, to the next line that is indented no deeper; a line without a block, with the two
 * before it. `undefined` when there is no source, or the text is not in it exactly once.
 */
export function excerptAt([name, marker]: Marker): Excerpt | undefined {
  const file = `src/${name}`;
  const path = join(root, file);
  const lines = existsSync(path) ? readFileSync(path, "utf8").split(/\r?\n/) : [];
  const isMarked = (line: string) => line.includes(marker);
  const start = lines.findIndex(isMarked);
  if (start < 0 || start !== lines.findLastIndex(isMarked)) return undefined;
  const depth = depthOf(lines[start]);
  // The lines `): Type {` and `} catch {` are as deep as the first one, and the block goes on.
  const isAfter = (line: string, index: number) =>
    index > start && line !== "" && depthOf(line) <= depth && !/^\s*[)}\]].*\{$/.test(line);
  const next = lines.findIndex(isAfter);
  const isClosed = depthOf(lines[next]) === depth && /^\s*[)}\]]/.test(lines[next] ?? "");
  const from = next === start + 1 ? start - 2 : start;
  const text = lines.slice(from, isClosed ? next + 1 : next);
  const indent = Math.min(...text.filter(Boolean).map(depthOf));
  return { file, line: from + 1, text: text.map((line) => line.slice(indent)).join("\n") };
}

function depthOf(line = ""): number {
  return line.search(/\S|$/);
}

import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

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
 * The block that begins at a marker: to the next line that is indented no deeper. `undefined` when there is no source,
 * or the text is not in it exactly once.
 */
export function excerptAt([file, marker]: Marker): Excerpt | undefined {
  const lines = linesOf(join("src", file));
  const found = lines.flatMap((line, index) => (line.includes(marker) ? index : []));
  const [first = 0, second] = found;
  if (found.length === 0 || second !== undefined) return undefined;
  const depth = depthOf(lines[first]);
  const closes = (line = "", pattern: RegExp) => depthOf(line) === depth && pattern.test(line);
  let end = first + 1;
  // The lines `): Type {` and `} catch {` are as deep as the first one, and the block goes on.
  while (
    end < lines.length &&
    (lines[end] === "" || depthOf(lines[end]) > depth || closes(lines[end], /^\s*[)}\]].*\{$/))
  )
    end++;
  if (closes(lines[end], /^\s*[)}\]]/)) end++;
  return excerpt(join("src", file), first, end);
}

/** The line that threw an error, with those around it: by its stack and the source maps of dist. */
export function excerptOf({ stack = "" }: Error): Excerpt | undefined {
  for (const frame of stack.split("\n")) {
    const start = frame.indexOf("file://");
    if (start === -1) continue;
    const parts = frame.slice(start).replace(")", "").split(":");
    const column = Number(parts.pop());
    const line = Number(parts.pop());
    const path = fileURLToPath(parts.join(":"));
    if (!existsSync(`${path}.map`)) continue;
    const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8")));
    const entry = map.findEntry(line - 1, column - 1);
    if (!("originalSource" in entry)) continue;
    const file = relative(root, resolve(dirname(path), entry.originalSource));
    const index = entry.originalLine;
    // A function that only makes the error is not where it was refused.
    if (linesOf(file)[index]?.includes("throw")) return excerpt(file, Math.max(0, index - 2), index + 1);
  }
  return undefined;
}

function excerpt(file: string, from: number, to: number): Excerpt {
  const lines = linesOf(file).slice(from, to);
  const indent = Math.min(...lines.filter(Boolean).map(depthOf));
  const text = lines.map((line) => line.slice(indent)).join("\n");
  return { file: file.split(sep).join("/"), line: from + 1, text };
}

function linesOf(file: string): string[] {
  const path = join(root, file);
  return existsSync(path) ? readFileSync(path, "utf8").split(/\r?\n/) : [];
}

function depthOf(line = ""): number {
  return line.search(/\S|$/);
}

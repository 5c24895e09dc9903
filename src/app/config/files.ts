import { readFileSync, statSync } from "node:fs";
import { parse as parseDotenv } from "dotenv";
import { type ParseError, parse as parseJsonc } from "jsonc-parser";

/** What one place says. Nothing here throws or quotes a file: a problem is a line that begins with the file's name. */
export interface Source {
  name?: string;
  /** Left out when there is no such file, or when its problem hides them. */
  settings?: Record<string, unknown>;
  problem?: string;
}

/** Reads a JSON file that holds one object. */
export function readJsonFile(path: string, name: string): Source {
  const { text, problem } = readText(path, name);
  if (text === undefined) return { name, problem };
  try {
    const settings: unknown = JSON.parse(text);
    if (typeof settings === "object" && settings !== null && !Array.isArray(settings))
      return withPrivacy(path, { name, settings: { ...settings } });
    return { name, problem: `${name}: must hold one JSON object. Begin it with { and end it with }.` };
  } catch {
    const place = placeOfMistake(text);
    return { name, problem: `${name}: is not valid JSON (${place}). Check the quotes and commas there.` };
  }
}

/** JSON.parse gives a position for some mistakes only, and its message quotes the text, which may be a secret. */
function placeOfMistake(json: string): string {
  const errors: ParseError[] = [];
  parseJsonc(json, errors, { disallowComments: true });
  const lines = json.slice(0, errors[0]?.offset).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}

/** Reads a file of KEY=value lines the way dotenv does, but leaves `process.env` as it is. */
export function readDotenvFile(path: string, name: string): Source {
  const { text, problem } = readText(path, name);
  return text === undefined ? { name, problem } : withPrivacy(path, { name, settings: parseDotenv(text) });
}

function readText(path: string, name: string): { text?: string; problem?: string } {
  try {
    return { text: readFileSync(path, "utf8").replace(/^\uFEFF/, "") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return {};
    return { problem: `${name}: cannot be read (${code}). Let the server's user read it, or remove it.` };
  }
}

const secretKeys = ["SESSION_SECRET", "ENCRYPTION_KEY", "CLIENT_SECRET", "PORTALS", "REDIS_URL"];

/** Adds a problem when a file with secrets is not its owner's alone (CF-6). Windows keeps no such mode. */
function withPrivacy(path: string, source: Source): Source {
  const isPrivate = process.platform === "win32" || (statSync(path).mode & 0o077) === 0;
  if (isPrivate || !secretKeys.some((key) => source.settings?.[key])) return source;
  const { name } = source;
  return {
    ...source,
    problem: `${name}: holds secrets, but other users may open it. Run: chmod 600 ${name}`,
  };
}

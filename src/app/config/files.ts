import { readFileSync, statSync } from "node:fs";
import { parse as parseDotenv } from "dotenv";
import { type ParseError, parse as parseJsonc } from "jsonc-parser";

/** The settings of one place. A problem is a line that begins with the file's name and quotes nothing of the file. */
export interface Source {
  name?: string;
  /** Left out when there is no such file, or when it cannot be read. */
  settings?: Record<string, unknown>;
  problem?: string;
}

/** Reads a JSON file that contains one object. */
export function readJsonFile(path: string, name: string): Source {
  return readSettings(path, name, (text) => {
    let settings: unknown;
    const line = lineOfBackslash(text);
    if (line)
      return `${name}: has a single backslash in line ${line}, which begins an escape in JSON. Write / or \\\\ for it, as in C:/sessions.`;
    try {
      settings = JSON.parse(text);
    } catch {
      return `${name}: is not valid JSON (${placeOfMistake(text)}). Check the quotes and commas there.`;
    }
    if (typeof settings === "object" && settings !== null && !Array.isArray(settings)) return { ...settings };
    return `${name}: must contain one JSON object. Begin it with { and end it with }.`;
  });
}

/** Reads a file of KEY=value lines the way dotenv does, but leaves `process.env` as it is. */
export function readDotenvFile(path: string, name: string): Source {
  return readSettings(path, name, (text) => {
    const settings = parseDotenv(text);
    const key = Object.keys(settings).find((key) => /[\r\n]/.test(String(settings[key])));
    // "C:\new" in double quotes.
    return key
      ? `${name}: ${key} contains a line break, which \\n and \\r are in double quotes. Write / for \\, or no quotes.`
      : settings;
  });
}

const secretKeys = ["SESSION_SECRET", "ENCRYPTION_KEY", "CLIENT_SECRET", "PORTALS", "REDIS_URL"];

function readSettings(
  path: string,
  name: string,
  parse: (text: string) => Record<string, unknown> | string,
): Source {
  let settings: Record<string, unknown> | string;
  try {
    const bytes = readFileSync(path);
    // ">" of Windows PowerShell writes it.
    if (bytes.includes(0))
      return {
        name,
        problem: `${name}: is not UTF-8, but probably UTF-16. Run in PowerShell: (Get-Content ${name}) | Set-Content -Encoding UTF8 ${name}`,
      };
    settings = parse(bytes.toString("utf8").replace(/^\uFEFF/, ""));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { name };
    return {
      name,
      problem: `${name}: cannot be read (${code}). Let the server's user read it, or remove it.`,
    };
  }
  if (typeof settings === "string") return { name, problem: settings };
  // Windows has no such mode (CF-6).
  const isPrivate = process.platform === "win32" || (statSync(path).mode & 0o077) === 0;
  if (isPrivate || !secretKeys.some((key) => settings[key])) return { name, settings };
  const problem = `${name}: contains secrets that other users can read. Run: chmod 600 ${name}`;
  return { name, settings, problem };
}

/** The line of a path such as "C:\temp" or "sessions\new", whose backslash begins an escape in JSON. */
function lineOfBackslash(json: string): number | undefined {
  for (const { 0: text, index } of json.matchAll(/"(?:[^"\\\n]|\\.)*"?/g)) {
    const isKey = /^\s*:/.test(json.slice(index + text.length));
    const unescaped = text.replace(/\\[\\/"]/g, "");
    const isPath = /^"(?:[a-z]:|\\\\)/i.test(text);
    const isWrong = isPath
      ? unescaped.includes("\\")
      : /[\w.]\\/.test(unescaped.replace(/\\u[\da-f]{4}/gi, " "));
    if (isWrong && !isKey) return json.slice(0, index).split("\n").length;
  }
  return undefined;
}

/** JSON.parse gives a position for some mistakes only, and its message quotes the text, which may be a secret. */
function placeOfMistake(json: string): string {
  const errors: ParseError[] = [];
  parseJsonc(json, errors, { disallowComments: true });
  const lines = json.slice(0, errors[0]?.offset).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}

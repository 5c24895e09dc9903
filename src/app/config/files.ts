import { readFileSync, statSync } from "node:fs";
import { parse as parseDotenv } from "dotenv";
import { type ParseError, parse as parseJsonc } from "jsonc-parser";
import { fileKeys } from "./secret-files.ts";

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
    try {
      settings = JSON.parse(text);
    } catch {
      return `is not valid JSON (${placeOfMistake(text)}). Check the quotes and commas there, and write / or \\\\ for a backslash.`;
    }
    if (typeof settings === "object" && settings !== null && !Array.isArray(settings)) return { ...settings };
    return "must contain one JSON object. Begin it with { and end it with }.";
  });
}

/** Reads a file of KEY=value lines the way dotenv does, but leaves `process.env` as it is. */
export function readDotenvFile(path: string, name: string): Source {
  return readSettings(path, name, parseDotenv);
}

const secretKeys = [...fileKeys, "PORTALS"];

function readSettings(
  path: string,
  name: string,
  parse: (text: string) => Record<string, unknown> | string,
): Source {
  const failed = (problem: string): Source => ({ name, problem: `${name}: ${problem}` });
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { name };
    return failed(`cannot be read (${code}). Let the server's user read it, or remove it.`);
  }
  // ">" of Windows PowerShell writes it.
  if (bytes.includes(0))
    return failed(
      `is not UTF-8, but probably UTF-16. Run in PowerShell: (Get-Content ${name}) | Set-Content -Encoding UTF8 ${name}`,
    );
  const settings = parse(bytes.toString("utf8").replace(/^\uFEFF/, ""));
  if (typeof settings === "string") return failed(settings);
  const broken = Object.keys(settings).find((key) => hasControls(settings[key]));
  if (broken)
    return failed(
      `${broken} contains a control character, such as the line break that \\n is. Write / for a backslash, as in C:/new.`,
    );
  // Windows has no such mode (CF-6).
  const isPrivate = process.platform === "win32" || (statSync(path).mode & 0o077) === 0;
  if (isPrivate || !secretKeys.some((key) => settings[key])) return { name, settings };
  return {
    settings,
    ...failed(`contains secrets that other users can read. Run: chmod 600 ${name}`),
  };
}

/** Whether any text in it has a control character: JSON has two-letter escapes and \u for these only. */
function hasControls(value: unknown): boolean {
  return /\\[bfnrtu]/.test(JSON.stringify(value).replaceAll("\\\\", ""));
}

/** JSON.parse gives a position for some mistakes only, and its message quotes the text, which may be a secret. */
function placeOfMistake(json: string): string {
  const errors: ParseError[] = [];
  parseJsonc(json, errors, { disallowComments: true });
  const lines = json.slice(0, errors[0]?.offset).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Given } from "./problems.ts";

/** Settings whose value may be in a file that `KEY_FILE` names: Docker, Kubernetes and systemd pass secrets this way. */
export const fileKeys = ["CLIENT_SECRET", "SESSION_SECRET", "ENCRYPTION_KEY", "REDIS_URL"] as const;

/**
 * Replaces the names of these files by their content.
 * @returns the problems by key, without any of the content
 */
export function readSecretFiles(given: Map<string, Given>, cwd: string): Map<string, string> {
  const problems = new Map<string, string>();
  for (const key of fileKeys) {
    const file = given.get(`${key}_FILE`);
    if (typeof file?.value !== "string") continue;
    const place = `the file that ${key}_FILE names`;
    const problem = given.has(key)
      ? `is set, too (in ${given.get(key)?.from ?? "the settings"}). Remove one of the two.`
      : read(resolve(cwd, file.value), (value) => given.set(key, { value, from: place }));
    if (problem) problems.set(key, `${key}_FILE: ${given.has(key) ? `${key} ` : ""}${problem}`);
  }
  return problems;
}

/** What is wrong with the file, if anything is. */
function read(path: string, done: (value: string) => void): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8")
      .replace(/^\uFEFF/, "")
      .replace(/\r?\n$/, "");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return `names a file that cannot be read (${code}). Correct the path, or let the server's user read it.`;
  }
  if (text.trim() === "") return "names an empty file. Write the value into it.";
  // A null byte or U+FFFD: UTF-16, as ">" of Windows PowerShell writes it, or bytes that are not text.
  if (/[\0\uFFFD]/.test(text)) return "names a file that is not UTF-8. Write the value as plain text.";
  if (/[\r\n]/.test(text))
    return "names a file with several lines. Write one line, with commas between several values.";
  done(text);
  return undefined;
}

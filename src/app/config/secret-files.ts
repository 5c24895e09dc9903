import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Given } from "./problems.ts";

/** Settings whose value may be in a file that `KEY_FILE` names: Docker, Kubernetes and systemd pass secrets this way. */
export const fileKeys = ["CLIENT_SECRET", "SESSION_SECRET", "ENCRYPTION_KEY", "REDIS_URL"] as const;

const mistakes: [RegExp, problem: string][] = [
  [/^\s*$/, "names an empty file. Write the value into it."],
  // UTF-16, as ">" of Windows PowerShell writes it, or bytes that are not text.
  [/[\0\uFFFD]/, "names a file that is not UTF-8. Write the value as plain text."],
  [/[\r\n]/, "names a file with several lines. Write one line, with commas between several values."],
];

/**
 * Replaces the names of these files by their content.
 * @returns the problems by key, without any of the content
 */
export function readSecretFiles(given: Map<string, Given>, cwd: string): Map<string, string> {
  const problems = new Map<string, string>();
  for (const key of fileKeys) {
    const file = given.get(`${key}_FILE`);
    if (typeof file?.value !== "string") continue;
    const fail = (problem: string) => problems.set(key, `${key}_FILE: ${problem}`);
    const other = given.get(key);
    if (other) {
      fail(`${key} is set, too (in ${other.from ?? "the settings"}). Remove one of the two.`);
      continue;
    }
    try {
      const value = readFileSync(resolve(cwd, file.value), "utf8").replace(/^\uFEFF|\r?\n$/g, "");
      const [, problem] = mistakes.find(([mistake]) => mistake.test(value)) ?? [];
      if (problem) fail(problem);
      else given.set(key, { value, from: `the file that ${key}_FILE names` });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      fail(`names a file that cannot be read (${code}). Correct the path, or let the server's user read it.`);
    }
  }
  return problems;
}

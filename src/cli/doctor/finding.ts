/** The result of a check. It contains no secret. */
export interface Finding {
  /** A problem prevents sign-in or is not safe; a warning is worth a look; a skipped check has no result. */
  status: "ok" | "warning" | "problem" | "skipped";
  found: string;
  /** For a warning or a problem. */
  fix?: string;
}

export const ok = (found: string): Finding => ({ status: "ok", found });
export const skipped = (found: string): Finding => ({ status: "skipped", found });
export const warning = (found: string, fix: string): Finding => ({ status: "warning", found, fix });
export const problem = (found: string, fix: string): Finding => ({ status: "problem", found, fix });

/** Splits a line of ConfigError: the key and what is wrong, and the fix. */
export function configProblem(line: string): Finding {
  const [, found = line, fix = ""] = /^(.*?[.?]) (?=[A-Z])(.*)$/s.exec(line) ?? [];
  return problem(found, fix);
}

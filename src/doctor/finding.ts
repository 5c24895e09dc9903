/** What one check has found. No text in it holds a secret. */
export interface Finding {
  /** What was looked at, in a few words. */
  check: string;
  /** A problem keeps people from signing in, or is not safe; a warning is worth a look; what was skipped is not known. */
  status: "ok" | "warning" | "problem" | "skipped";
  found: string;
  /** What to do about it. */
  cure?: string;
}

export const ok = (check: string, found: string): Finding => ({ check, status: "ok", found });

export const warning = (check: string, found: string, cure: string): Finding => ({
  check,
  status: "warning",
  found,
  cure,
});

export const problem = (check: string, found: string, cure: string): Finding => ({
  check,
  status: "problem",
  found,
  cure,
});

export const skipped = (check: string, found: string): Finding => ({ check, status: "skipped", found });

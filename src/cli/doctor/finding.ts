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

/** All is well. */
export const ok = (check: string, found: string): Finding => ({ check, status: "ok", found });

/** Worth a look: people can sign in all the same. */
export const warning = (check: string, found: string, cure: string): Finding => ({
  check,
  status: "warning",
  found,
  cure,
});

/** Keeps people from signing in, or is not safe. */
export const problem = (check: string, found: string, cure: string): Finding => ({
  check,
  status: "problem",
  found,
  cure,
});

/** Not known, and why. */
export const skipped = (check: string, found: string): Finding => ({ check, status: "skipped", found });

/** The result of one check. It contains no secret. */
export interface Finding {
  /** What was checked. */
  check: string;
  /** A problem prevents sign-in or is not safe; a warning is worth a look; a skipped check has no result. */
  status: "ok" | "warning" | "problem" | "skipped";
  found: string;
  /** How to repair it: for a warning or a problem. */
  fix?: string;
}

const finding = (status: Finding["status"]) => (check: string, found: string) => ({ check, status, found });
const findingWithFix =
  (status: Finding["status"]) =>
  (check: string, found: string, fix: string): Finding => ({ check, status, found, fix });

export const ok = finding("ok");
export const skipped = finding("skipped");
export const warning = findingWithFix("warning");
export const problem = findingWithFix("problem");

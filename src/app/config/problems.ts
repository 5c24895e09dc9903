import type { z } from "zod";
import { schema } from "./settings.ts";
import { suggestionFor } from "./suggestion.ts";

/** A setting's value, and where it comes from. */
export interface Given {
  value: unknown;
  from?: string;
}

/** One line per issue: the key, what is wrong, the fix, the place. No line contains a value. */
export function problemLines(
  issues: readonly z.core.$ZodIssue[],
  given: ReadonlyMap<string, Given>,
): string[] {
  const lines = issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys" && issue.path.length === 0)
      return issue.keys.map((key) => `${unknownKey(key)}${placeOf(given.get(key))}`);
    const [key, index, field] = issue.path;
    const found = given.get(String(key));
    const entry = typeof index === "number" && isList(found?.value) ? `value ${index + 1} ` : "";
    const part =
      ["PORTALS", "ACCESS"].includes(String(key)) && field !== undefined ? `(${String(field)}) ` : "";
    return `${String(key)}: ${entry}${part}${issue.message}${placeOf(found)}`;
  });
  return [...new Set(lines)];
}

const placeOf = (found?: Given) => (found?.from === undefined ? "" : ` (set in ${found.from})`);

const isList = (value: unknown) => (typeof value === "string" ? value.includes(",") : Array.isArray(value));

function unknownKey(key: string): string {
  const meant = suggestionFor(key, Object.keys(schema.shape));
  if (meant !== undefined && /^[\w.-]{1,31}$/.test(key))
    return `${key}: is not a setting. Did you mean ${meant}?`;
  if (/^NODE_[A-Z_]+$/.test(key))
    return `${key}: is read by Node.js itself. Set it in the environment instead.`;
  // A secret on a line of its own looks like a key. The shortest secret has 32 characters and hardly ever no digits.
  const name = /^[A-Za-z_.-]{1,31}$/.test(key) ? key : "A key that is not shown here";
  return `${name}: is not a setting. Remove it; docs/configuration.md lists the settings.`;
}

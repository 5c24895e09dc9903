import { join } from "node:path";
import { organisations, type Person } from "./people.ts";

/** Where the pages are; the same from `src` and from `dist`. */
export const viewsFolder = join(import.meta.dirname, "../../views/sandbox");

/** No script at all; a form goes to the portal and, by the redirect that answers it, to `formTarget`. */
export function contentSecurityPolicy(formTarget = ""): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    `form-action 'self' ${formTarget}`.trim(),
    "frame-ancestors 'none'",
  ].join("; ");
}

/** What the sign-in page shows of a person. */
export function choiceOf({ username, fullName, roleName, orgId }: Person) {
  return {
    username,
    fullName,
    roleName,
    organisation: organisations.find(({ id }) => id === orgId)?.name ?? orgId,
    initials: initialsOf(fullName),
  };
}

function initialsOf(fullName: string): string {
  const words = fullName.split(/\s+/).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase())
    .join("");
}

import { join } from "node:path";
import { organizations, type SandboxUser } from "./users.ts";

/** The folder of the pages; the path is the same from `src` and from `dist`. */
export const viewsFolder = join(import.meta.dirname, "../../views/sandbox");

/** No scripts. A form goes to the portal and, by the redirect in the response, to `formTarget`. */
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

/** A user on the sign-in page. */
export function userChoice({ username, fullName, roleName, orgId }: SandboxUser) {
  const organization = organizations.find(({ id }) => id === orgId)?.name ?? orgId;
  const words = fullName.split(/\s+/).filter(Boolean).slice(0, 2);
  const initials = words.map((word) => [...word][0]?.toUpperCase()).join("");
  return { username, fullName, roleName, organization, initials };
}

import type { UserProfile } from "../../index.ts";

/** Only this much of a text is read (UTF-16 code units). */
const longest = 12_000;

/**
 * Text of a portal or a visitor, safe to show: without control and bidirectional characters, with a few accents on a
 * letter, on one line, and cut after `limit` code points with an ellipsis. The template escapes it.
 */
export function displayName(text: string, limit = 64): string {
  const clean = text
    .slice(0, longest)
    .replace(/(?!\s)[\p{Cc}\p{Cs}\p{Bidi_Control}]/gu, "")
    .replace(/(\p{M}{6})\p{M}+/gu, "$1")
    .replace(/\s+/g, " ")
    .trim();
  const characters = [...clean];
  return characters.length > limit ? `${characters.slice(0, limit - 1).join("")}…` : clean;
}

/** The first characters of the first and the last word that begin with a letter or a digit, else "?". */
export function initials(name: string): string {
  const words = displayName(name).normalize().split(" ");
  const [first = "?", ...others] = words.flatMap((word) => /^[\p{L}\p{N}]/u.exec(word)?.[0] ?? []);
  return [first, ...others.slice(-1)].join("").toUpperCase();
}

export type UserNames = Pick<UserProfile, "fullName" | "username" | "organization" | "role">;

export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

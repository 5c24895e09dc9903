import type { UserProfile } from "../../index.ts";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Only this much of a text is read (UTF-16 code units). */
const longest = 12_000;

/** The first characters as a reader sees them, each cut to 12 code points: a letter can have any number of marks. */
function graphemes(text: string, most: number): string[] {
  // A shortcut for Latin letters: the segmenter would take a twelfth of the start page's time.
  if (/^[\x20-\x7e\xa0-\u024f]*$/.test(text)) return text.slice(0, most).split("");
  const characters: string[] = [];
  for (const { segment } of segmenter.segment(text)) {
    if (characters.push([...segment].slice(0, 12).join("")) === most) break;
  }
  return characters;
}

/**
 * Text of a portal or a visitor, safe to show: without control and bidirectional characters, on one line, and cut after
 * `limit` characters with an ellipsis. The template escapes it.
 */
export function displayName(text: string, limit = 64): string {
  const clean = text
    .slice(0, longest)
    .replace(/(?!\s)[\p{Cc}\p{Cs}\p{Bidi_Control}]/gu, "")
    .replace(/\s+/g, " ")
    .trim();
  const characters = graphemes(clean, limit + 1);
  return characters.length > limit ? `${characters.slice(0, limit - 1).join("")}…` : characters.join("");
}

/** The first characters of the first and the last word that begin with a letter, a digit or an emoji, else "?". */
export function initials(name: string): string {
  const words = displayName(name)
    .split(" ")
    .map((word) => graphemes(word, 1)[0] ?? "")
    .filter((first) => /^[\p{L}\p{N}\p{Extended_Pictographic}\p{Regional_Indicator}]/u.test(first));
  return [...words.slice(0, 1), ...words.slice(1).slice(-1)].join("").toUpperCase() || "?";
}

export type UserNames = Pick<UserProfile, "fullName" | "username" | "organization" | "role">;

export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

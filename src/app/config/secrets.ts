import { deflateRawSync } from "node:zlib";
import * as z from "zod";
import { missingOr, stop } from "./rule.ts";

/** How to make a secret that `secret` accepts, on any machine that has Node. */
export const makeSecret = `Make one with: node -p "crypto.randomBytes(32).toString('base64url')"`;

// What only marks the place of a real value, like `your-client-id` or `<secret>`. Short words count between
// separators only: a random text of 43 characters holds one by chance now and then.
const placeholder =
  /(?:^|[-_ .])(?:your|todo|fixme|example|sample|dummy|default|insecure)(?:$|[-_ .])|change.?(?:me|this|it)|replace.?(?:me|this|with|it)|placeholder|^<.*>$|^\$?\{.*\}$|\.{3}|^x{4}|x{6}/i;

const guessableWord = /secret|passw|letmein|qwert|keyboard.?cat|session.?key|encryption.?key/i;

// What was drawn at random cannot be compressed: deflate leaves at least 27 bytes of 32 random digits and 28 of
// 32 hex digits. The steps from each character to the next give "abcdef..." away, which deflate itself overlooks.
const fewestBytes = 26;

function isGuessable(text: string): boolean {
  const characters = Buffer.from(text.slice(0, 1024), "latin1");
  const steps = characters.map((character, index) => character - (characters[index - 1] ?? 0));
  return (
    guessableWord.test(text) || [characters, steps].some((it) => deflateRawSync(it).length < fewestBytes)
  );
}

/** One value of SESSION_SECRET or ENCRYPTION_KEY: long, no placeholder, nothing a person would make up (CF-1). */
export const secret = z
  .string({ error: `must be text. ${makeSecret}` })
  .refine((text) => !placeholder.test(text), stop(`is a placeholder. ${makeSecret}`))
  .refine((text) => text.length >= 32, stop(`is shorter than 32 characters. ${makeSecret}`))
  .refine((text) => !isGuessable(text), stop(`is too easy to guess. ${makeSecret}`));

/** A client id or client secret: the portal made it, so all that can be told is a placeholder or a slip of the mouse. */
export const credential = (pattern: RegExp, name: string) => {
  const from = "from the OAuth credentials item at your portal.";
  const error = `is not a ${name}. Copy it ${from}`;
  return z
    .string(missingOr(`is missing. Copy the ${name} ${from}`, error))
    .refine((text) => !placeholder.test(text), stop(`is a placeholder. Copy the real ${name} ${from}`))
    .refine((text) => pattern.test(text), { error });
};

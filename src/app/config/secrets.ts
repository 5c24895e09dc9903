import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { text } from "./setting-types.ts";

/** How to make a secret that `secret` accepts, on any machine that has Node. */
export const makeSecret = `Make one with: node -p "crypto.randomBytes(32).toString('base64url')"`;

// Placeholders, like `your-client-id` or `<secret>`. Short words count only between separators, because a random
// text of 43 characters sometimes contains one by chance.
const placeholder =
  /(?:^|[-_ .])(?:your|todo|fixme|example|sample|dummy|default|insecure)(?:$|[-_ .])|change.?(?:me|this|it)|replace.?(?:me|this|with|it)|placeholder|^<.*>$|^\$?\{.*\}$|\.{3}|^x{4}|x{6}/i;
const isNoPlaceholder = (value: string) => !placeholder.test(value);

const guessableWord = /secret|passw|letmein|qwert|keyboard.?cat|session.?key|encryption.?key/i;

// Random text cannot be compressed: deflate leaves at least 27 bytes of 32 random digits and 28 of 32 hex digits.
// The differences between characters reveal "abcdef...", which deflate does not compress.
const fewestBytes = 26;

function isGuessable(value: string): boolean {
  const characters = Buffer.from(value.slice(0, 1024), "latin1");
  const steps = characters.map((character, index) => character - (characters[index - 1] ?? 0));
  const isRegular = [characters, steps].some((bytes) => deflateRawSync(bytes).length < fewestBytes);
  return isRegular || guessableWord.test(value);
}

/** One value of SESSION_SECRET or ENCRYPTION_KEY (CF-1). */
export const secret = text(
  makeSecret,
  [isNoPlaceholder, "is a placeholder."],
  [(value) => value.length >= 32, "is shorter than 32 characters."],
  [(value) => !isGuessable(value), "is too easy to guess."],
);

/** A new secret. One in 300,000 random ones contains a word that is refused, such as "passw", so it is made again. */
export function newSecret(): string {
  const value = randomBytes(32).toString("base64url");
  return secret.safeParse(value).success ? value : newSecret();
}

/** These come from the portal, so only placeholders and copying mistakes can be detected. */
const credential = (name: string, pattern: RegExp) =>
  text(
    `Copy the ${name} from the OAuth credentials item in your portal.`,
    [isNoPlaceholder, "is a placeholder."],
    [pattern, `is not a ${name}.`],
  );

export const clientId = credential("client ID", /^[\w.-]{1,128}$/);
export const clientSecret = credential("client secret", /^[\x21-\x7e]{1,256}$/);

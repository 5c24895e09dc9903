import { deflateRawSync } from "node:zlib";
import * as z from "zod";
import { missingOr, stop } from "./rule.js";
/** How to make a secret that `secret` accepts, on any machine that has Node. */
export const makeSecret = `Make one with: node -p "crypto.randomBytes(32).toString('base64url')"`;
// What only marks the place of a real value, like `your-client-id` or `<secret>`. Short words count between
// separators only: a random text of 43 characters holds one by chance now and then.
const placeholder = /(?:^|[-_ .])(?:your|todo|fixme|example|sample|dummy|default|insecure)(?:$|[-_ .])|change.?(?:me|this|it)|replace.?(?:me|this|with|it)|placeholder|^<.*>$|^\$?\{.*\}$|\.{3}|^x{4}|x{6}/i;
const guessableWord = /secret|passw|letmein|qwert|keyboard.?cat|session.?key|encryption.?key/i;
// What was drawn at random cannot be compressed: deflate leaves at least 27 bytes of 32 random digits and 28 of
// 32 hex digits. The steps from each character to the next give "abcdef..." away, which deflate itself overlooks.
const fewestBytes = 26;
function isGuessable(text) {
    const characters = Buffer.from(text.slice(0, 1024), "latin1");
    const steps = characters.map((character, index) => character - (characters[index - 1] ?? 0));
    return (guessableWord.test(text) || [characters, steps].some((it) => deflateRawSync(it).length < fewestBytes));
}
/** One value of SESSION_SECRET or ENCRYPTION_KEY: long, no placeholder, nothing a person would make up (CF-1). */
export const secret = z
    .string({ error: `must be text. ${makeSecret}` })
    .refine((text) => !placeholder.test(text), stop(`is a placeholder. ${makeSecret}`))
    .refine((text) => text.length >= 32, stop(`is shorter than 32 characters. ${makeSecret}`))
    .refine((text) => !isGuessable(text), stop(`is too easy to guess. ${makeSecret}`));
/** A client id or client secret: the portal made it, so all that can be told is a placeholder or a slip of the mouse. */
export const credential = (pattern, name) => {
    const from = "from the OAuth credentials item at your portal.";
    const error = `is not a ${name}. Copy it ${from}`;
    return z
        .string(missingOr(`is missing. Copy the ${name} ${from}`, error))
        .refine((text) => !placeholder.test(text), stop(`is a placeholder. Copy the real ${name} ${from}`))
        .refine((text) => pattern.test(text), { error });
};
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoic2VjcmV0cy5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInNlY3JldHMudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFFLGNBQWMsRUFBRSxNQUFNLFdBQVcsQ0FBQztBQUMzQyxPQUFPLEtBQUssQ0FBQyxNQUFNLEtBQUssQ0FBQztBQUN6QixPQUFPLEVBQUUsU0FBUyxFQUFFLElBQUksRUFBRSxNQUFNLFdBQVcsQ0FBQztBQUU1QyxnRkFBZ0Y7QUFDaEYsTUFBTSxDQUFDLE1BQU0sVUFBVSxHQUFHLHVFQUF1RSxDQUFDO0FBRWxHLDRHQUE0RztBQUM1RyxvRkFBb0Y7QUFDcEYsTUFBTSxXQUFXLEdBQ2Ysd0xBQXdMLENBQUM7QUFFM0wsTUFBTSxhQUFhLEdBQUcsd0VBQXdFLENBQUM7QUFFL0YsZ0hBQWdIO0FBQ2hILGtIQUFrSDtBQUNsSCxNQUFNLFdBQVcsR0FBRyxFQUFFLENBQUM7QUFFdkIsU0FBUyxXQUFXLENBQUMsSUFBWTtJQUMvQixNQUFNLFVBQVUsR0FBRyxNQUFNLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxLQUFLLENBQUMsQ0FBQyxFQUFFLElBQUksQ0FBQyxFQUFFLFFBQVEsQ0FBQyxDQUFDO0lBQzlELE1BQU0sS0FBSyxHQUFHLFVBQVUsQ0FBQyxHQUFHLENBQUMsQ0FBQyxTQUFTLEVBQUUsS0FBSyxFQUFFLEVBQUUsQ0FBQyxTQUFTLEdBQUcsQ0FBQyxVQUFVLENBQUMsS0FBSyxHQUFHLENBQUMsQ0FBQyxJQUFJLENBQUMsQ0FBQyxDQUFDLENBQUM7SUFDN0YsT0FBTyxDQUNMLGFBQWEsQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxVQUFVLEVBQUUsS0FBSyxDQUFDLENBQUMsSUFBSSxDQUFDLENBQUMsRUFBRSxFQUFFLEVBQUUsQ0FBQyxjQUFjLENBQUMsRUFBRSxDQUFDLENBQUMsTUFBTSxHQUFHLFdBQVcsQ0FBQyxDQUN0RyxDQUFDO0FBQ0osQ0FBQztBQUVELGtIQUFrSDtBQUNsSCxNQUFNLENBQUMsTUFBTSxNQUFNLEdBQUcsQ0FBQztLQUNwQixNQUFNLENBQUMsRUFBRSxLQUFLLEVBQUUsaUJBQWlCLFVBQVUsRUFBRSxFQUFFLENBQUM7S0FDaEQsTUFBTSxDQUFDLENBQUMsSUFBSSxFQUFFLEVBQUUsQ0FBQyxDQUFDLFdBQVcsQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLEVBQUUsSUFBSSxDQUFDLHFCQUFxQixVQUFVLEVBQUUsQ0FBQyxDQUFDO0tBQ2xGLE1BQU0sQ0FBQyxDQUFDLElBQUksRUFBRSxFQUFFLENBQUMsSUFBSSxDQUFDLE1BQU0sSUFBSSxFQUFFLEVBQUUsSUFBSSxDQUFDLGtDQUFrQyxVQUFVLEVBQUUsQ0FBQyxDQUFDO0tBQ3pGLE1BQU0sQ0FBQyxDQUFDLElBQUksRUFBRSxFQUFFLENBQUMsQ0FBQyxXQUFXLENBQUMsSUFBSSxDQUFDLEVBQUUsSUFBSSxDQUFDLHlCQUF5QixVQUFVLEVBQUUsQ0FBQyxDQUFDLENBQUM7QUFFckYseUhBQXlIO0FBQ3pILE1BQU0sQ0FBQyxNQUFNLFVBQVUsR0FBRyxDQUFDLE9BQWUsRUFBRSxJQUFZLEVBQUUsRUFBRTtJQUMxRCxNQUFNLElBQUksR0FBRyxpREFBaUQsQ0FBQztJQUMvRCxNQUFNLEtBQUssR0FBRyxZQUFZLElBQUksYUFBYSxJQUFJLEVBQUUsQ0FBQztJQUNsRCxPQUFPLENBQUM7U0FDTCxNQUFNLENBQUMsU0FBUyxDQUFDLHdCQUF3QixJQUFJLElBQUksSUFBSSxFQUFFLEVBQUUsS0FBSyxDQUFDLENBQUM7U0FDaEUsTUFBTSxDQUFDLENBQUMsSUFBSSxFQUFFLEVBQUUsQ0FBQyxDQUFDLFdBQVcsQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLEVBQUUsSUFBSSxDQUFDLG1DQUFtQyxJQUFJLElBQUksSUFBSSxFQUFFLENBQUMsQ0FBQztTQUNsRyxNQUFNLENBQUMsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLE9BQU8sQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLEVBQUUsRUFBRSxLQUFLLEVBQUUsQ0FBQyxDQUFDO0FBQ3JELENBQUMsQ0FBQyJ9
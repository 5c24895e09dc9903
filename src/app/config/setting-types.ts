import * as z from "zod";
import { unknownKeyIn } from "./suggestion.ts";

// A problem continues the sentence that begins with its key: what is wrong, then the fix. It never contains the value.

/** What a text must match, what is wrong otherwise, and a fix of its own if there is one. */
export type TextRule = [matches: RegExp | ((text: string) => boolean), problem: string, fix?: string];

/** A string that follows all rules. Only the first broken one is reported. */
export function text(fix: string, ...rules: TextRule[]) {
  const error = ({ input }: { input?: unknown }) =>
    `${input === undefined ? "is missing." : "must be text."} ${fix}`;
  return z.string({ error }).superRefine((value, { addIssue }) => {
    const broken = rules.find(([matches]) =>
      matches instanceof RegExp ? !matches.test(value) : !matches(value),
    );
    if (broken) addIssue(`${broken[1]} ${broken[2] ?? fix}`);
  });
}

/** Runs a rule about several values only if each one is valid. */
export const whenValid = ({ issues }: z.core.ParsePayload) => issues.length === 0;

/** Text in digits becomes its number. */
export const digits = (value: unknown) =>
  typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;

export const wholeNumber = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}. Write it in digits.`;
  return z.preprocess(digits, z.int({ error }).min(least, { error }).max(most, { error }));
};

export const trueOrFalse = () =>
  z.preprocess(
    (value) => (value === "true" ? true : value === "false" ? false : value),
    z.boolean({ error: "is not a boolean. Use true or false." }),
  );

/** An object with no other keys, in a list of a setting. */
export const entryOf = <Shape extends z.core.$ZodLooseShape>(shape: Shape, example: string) =>
  z.strictObject(shape, {
    error: ({ code, keys }) =>
      code === "unrecognized_keys"
        ? unknownKeyIn(keys as string[], Object.keys(shape))
        : `must be an object. Write ${example}.`,
  });

/** An array of objects in config.json, and the same as JSON text in the environment. */
export const entries = <Entry extends z.ZodType>(entry: Entry, what: string) =>
  z.preprocess(
    (value) => {
      try {
        return typeof value === "string" ? JSON.parse(value) : value;
      } catch {
        return value;
      }
    },
    z.array(entry, {
      error: `must be an array of ${what}. Write it in config.json, or as JSON text in the environment.`,
    }),
  );

/** An array, or text with commas between the values. */
export const list = <Entry extends z.ZodType>(entry: Entry, missing?: string) =>
  z.preprocess(
    (value) =>
      typeof value === "string" && !value.startsWith("[")
        ? value.split(",").flatMap((part) => part.trim() || [])
        : value,
    z
      .array(entry, {
        error: ({ input }) =>
          (input === undefined ? missing : undefined) ??
          "must be text with commas between the values. Only config.json can contain an array instead.",
      })
      .min(1, { error: "is an empty list. Give it a value, or remove the key." })
      .refine((entries) => new Set(entries.map((each) => JSON.stringify(each))).size === entries.length, {
        when: whenValid,
        error: "contains the same value twice. Remove one of them.",
      }),
  );

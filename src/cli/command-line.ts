import { parseArgs } from "node:util";
import { suggestionFor } from "../app/config/suggestion.ts";

/** Where a command runs: this process, or the streams of a test. */
export interface CommandContext {
  cwd: string;
  env: NodeJS.ProcessEnv;
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream & { columns?: number };
  error: NodeJS.WritableStream & { isTTY?: boolean };
}

/** A mistake in the command line; the message says which. */
export class UsageError extends Error {}

type OptionTypes = Record<string, "string" | "boolean">;

/** The options that were given. */
export type OptionValues<Types extends OptionTypes> = {
  [Name in keyof Types]?: Types[Name] extends "string" ? string : boolean;
};

/**
 * Parses the options of a command.
 * @throws UsageError that suggests the nearest option for an unknown one
 */
export function readArgs<const Types extends OptionTypes>(
  args: string[],
  types: Types,
  { allowPositionals = false } = {},
): { values: OptionValues<Types>; positionals: string[] } {
  const options = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]));
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "option" && !Object.hasOwn(types, token.name))
      throw new UsageError(unknown("option", token.rawName, token.name, Object.keys(types), "--"));
  }
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals });
    return { values: values as OptionValues<Types>, positionals };
  } catch (cause) {
    throw new UsageError((cause as Error).message);
  }
}

/** Says that there is no such command or option, and which one is the nearest. */
export function unknown(what: string, shown: string, name: string, known: string[], prefix = ""): string {
  const meant = suggestionFor(name, known);
  const advice = meant
    ? `Did you mean ${prefix}${meant}?`
    : `There is: ${prefix}${known.join(`, ${prefix}`)}.`;
  return `Unknown ${what} "${shown}". ${advice}`;
}

/** The environment with the configuration file of `--config`. */
export function withConfigFile(env: NodeJS.ProcessEnv, config: string | undefined): NodeJS.ProcessEnv {
  return config === undefined ? env : { ...env, CONFIG_FILE: config };
}

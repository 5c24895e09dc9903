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

type Options = Record<string, { type: "string" | "boolean" }>;

/**
 * Parses the options of a command.
 * @throws UsageError that suggests the nearest option for an unknown one
 */
export function readArgs<const Known extends Options>(
  args: string[],
  options: Known,
  { allowPositionals = false } = {},
): ReturnType<typeof parseArgs<{ options: Known; allowPositionals: boolean }>> {
  for (const token of parseArgs({ args, options, strict: false, tokens: true }).tokens)
    if (token.kind === "option" && !Object.hasOwn(options, token.name))
      throw new UsageError(unknown("option", token.rawName, Object.keys(options), "--"));
  try {
    return parseArgs({ args, options, allowPositionals });
  } catch (cause) {
    throw new UsageError((cause as Error).message);
  }
}

/** Says that there is no such command or option, and which one is the nearest. */
export function unknown(what: string, name: string, known: string[], prefix = ""): string {
  const meant = suggestionFor(name.replace(/^-+/, ""), known);
  const advice = meant
    ? `Did you mean ${prefix}${meant}?`
    : `There is: ${prefix}${known.join(`, ${prefix}`)}.`;
  return `Unknown ${what} "${name}". ${advice}`;
}

/** The environment with the configuration file of `--config`. */
export function withConfigFile(env: NodeJS.ProcessEnv, config: string | undefined): NodeJS.ProcessEnv {
  return config === undefined ? env : { ...env, CONFIG_FILE: config };
}

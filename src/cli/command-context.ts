/** The streams and settings of a command: those of this process, or of a test. */
export interface CommandContext {
  cwd: string;
  env: NodeJS.ProcessEnv;
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream;
  error: NodeJS.WritableStream & { isTTY?: boolean };
}

/** Follows the list of missing settings. */
export const elsewhere = "Is the configuration elsewhere? Add --config FILE.";

import { type CommandContext, readArgs } from "./command-line.ts";

/** Runs the server, as `node dist/server.js` does. */
export async function start(args: string[], { env }: CommandContext): Promise<number> {
  const { config } = readArgs(args, { config: "string" }).values;
  if (config !== undefined) env.CONFIG_FILE = config;
  await import("../server.ts");
  return 0;
}

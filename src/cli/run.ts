import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandContext, readArgs, UsageError, unknown } from "./command-line.ts";
import { commandHelp, generalHelp } from "./help.ts";

/** EX_USAGE of sysexits.h. */
const usageExitCode = 64;

interface Command {
  /** Exit code after a mistake in the options. */
  usage: number;
  /** A command loads only what it needs. */
  load(): Promise<(args: string[], context: CommandContext) => Promise<number>>;
}

const commands: Record<string, Command> = {
  start: { usage: usageExitCode, load: async () => start },
  demo: { usage: 1, load: async () => (await import("./demo.ts")).demo },
  init: { usage: 1, load: async () => (await import("./init.ts")).init },
  doctor: { usage: 1, load: async () => (await import("./doctor.ts")).doctor },
  sessions: { usage: usageExitCode, load: async () => (await import("./sessions.ts")).sessionsCommand },
};

/** Runs `arcgis-sign-in ARGS` and returns the exit code. */
export async function run([name = "help", ...args]: string[], context: CommandContext): Promise<number> {
  const { env, output, error } = context;
  if (name === "-v" || [name, ...args].includes("--version")) {
    const manifest = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
    output.write(`${JSON.parse(manifest).version}\n`);
    return 0;
  }
  if (["help", "--help", "-h"].includes(name)) {
    output.write(generalHelp);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const message = name.startsWith("-")
      ? unknown("option", name, ["help", "version"], "--")
      : unknown("command", name, Object.keys(commands));
    error.write(`${message}\nSee: arcgis-sign-in --help\n`);
    return usageExitCode;
  }
  // npm sets this variable for the scripts of package.json.
  const call = env.npm_lifecycle_event === name ? `npm run ${name} --` : `arcgis-sign-in ${name}`;
  if (args.includes("--help") || args.includes("-h") || (name === "sessions" && args.length === 0)) {
    output.write(String(commandHelp[name]).replace("COMMAND", call));
    return 0;
  }
  try {
    const runCommand = await command.load();
    return await runCommand(args, context);
  } catch (reason) {
    if (!(reason instanceof UsageError)) throw reason;
    error.write(`${reason.message}\nSee: ${call} --help\n`);
    return command.usage;
  }
}

/** Runs the server, as `node dist/server.js` does. */
async function start(args: string[], { env }: CommandContext): Promise<number> {
  const { config } = readArgs(args, { config: { type: "string" } }).values;
  if (config !== undefined) env.CONFIG_FILE = config;
  await import("../server.ts");
  return 0;
}

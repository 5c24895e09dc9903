import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandContext, UsageError, unknown } from "./command-line.ts";
import { commandHelp, generalHelp } from "./help.ts";

/** EX_USAGE of sysexits.h. */
const usageExitCode = 64;

interface Command {
  /** Exit code after a mistake in the options. */
  usage: number;
  /** A command loads only what it needs. */
  load(): Promise<(args: string[], context: CommandContext) => Promise<number>>;
}

const commands: Record<keyof typeof commandHelp, Command> = {
  start: { usage: usageExitCode, load: async () => (await import("./start.ts")).start },
  demo: { usage: 1, load: async () => (await import("./demo.ts")).demo },
  init: { usage: 1, load: async () => (await import("./init.ts")).init },
  doctor: { usage: 1, load: async () => (await import("./doctor.ts")).doctor },
  sessions: { usage: usageExitCode, load: async () => (await import("./sessions.ts")).sessionsCommand },
};

/** Runs `arcgis-sign-in ARGS` and returns the exit code. */
export async function run([name, ...args]: string[], context: CommandContext): Promise<number> {
  if (name === "-v" || [name, ...args].includes("--version")) {
    context.output.write(`${version()}\n`);
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    context.output.write(generalHelp);
    return 0;
  }
  if (!isCommand(name)) {
    const what = name.startsWith("-") ? "option" : "command";
    const known = what === "option" ? ["--help", "--version"] : Object.keys(commands);
    context.error.write(`${unknown(what, name, name, known)}\nSee: arcgis-sign-in --help\n`);
    return usageExitCode;
  }
  // npm sets this variable for the scripts of package.json.
  const call = context.env.npm_lifecycle_event === name ? `npm run ${name} --` : `arcgis-sign-in ${name}`;
  if (args.includes("--help") || args.includes("-h") || (name === "sessions" && args.length === 0)) {
    context.output.write(commandHelp[name](call));
    return 0;
  }
  const { usage, load } = commands[name];
  try {
    const command = await load();
    return await command(args, context);
  } catch (reason) {
    if (!(reason instanceof UsageError)) throw reason;
    context.error.write(`${reason.message}\nSee: ${call} --help\n`);
    return usage;
  }
}

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name);
}

function version(): string {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")).version;
}

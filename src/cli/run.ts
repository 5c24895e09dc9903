import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import type { CommandContext } from "./command-context.ts";
import type { SubcommandName } from "./sessions.ts";

/** EX_USAGE of sysexits.h. */
const wrongUsage = 64;
const configOption = ["--config <file>", "the configuration file (CONFIG_FILE, or config.json)"] as const;
const jsonOption = ["--json", "output for programs"] as const;
const portalOption = ["--portal <id>", "only sessions of one of several portals"] as const;

/** Runs `arcgis-sign-in ARGS` and returns the exit code. A command loads only what it needs. */
export async function run(args: string[], context: CommandContext): Promise<number> {
  const { env } = context;
  let exitCode = 0;
  // Not the exit code of `CommanderError`, which for help is `process.exitCode`.
  let isWrongUsage = false;
  const exitWith = async (code: Promise<number>) => {
    exitCode = await code;
  };
  const useConfig = (file: string | undefined) => {
    if (file !== undefined) env.CONFIG_FILE = file;
  };
  const program = new Command("arcgis-sign-in")
    .description("Server-side OAuth 2.0 sign-in with ArcGIS Online and ArcGIS Enterprise.")
    .version(version(), "-v, --version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => {
        isWrongUsage = true;
        context.stderr.write(text);
      },
      // Names an unknown option without its value, which may be a secret.
      outputError: (text, write) =>
        write(text.replace(/^(error: unknown option '(?:--[^=]*(?==)|-[^-])).*'/s, "$1'")),
      getOutHelpWidth: () => 100,
    })
    .showHelpAfterError("Use --help to see the commands and options.")
    .addHelpText(
      "after",
      "\nIn a clone of the repository: npm start, npm run demo, npm run doctor -- --help.",
    )
    // Before the arguments are counted: the value of a lost option would be one too many.
    .hook("preSubcommand", (_program, command) => {
      if (command.commands.length === 0) refuseLostOptions(command, args, env);
    })
    .hook("preAction", (_program, command) => refuseLostOptions(command, args, env));

  program
    .command("start")
    .description("runs the server with your configuration")
    .option(...configOption)
    .addHelpText("after", "\nSIGTERM stops it. Exit code 78: wrong configuration, or the port is taken.")
    .action(async ({ config }) => {
      useConfig(config);
      await import("../server.ts");
    });

  program
    .command("demo")
    .description("runs the server with a built-in sandbox portal; you don't need an ArcGIS account")
    .option("--organization", "users sign in at an identity provider of their organization")
    .option("--organisation", "the same")
    .option("--site <folder>", "the sign-in in front of this folder, such as an app that you have built")
    .option("--port <port>", "port of the server (PORT, or 3000)")
    .option("--sandbox-port <port>", "port of the sandbox portal (SANDBOX_PORT, or 3001)")
    .option("--provider-port <port>", "port of the identity provider (PROVIDER_PORT, or 3002)")
    .addHelpText("after", "\nSecrets and sessions are in .demo and sessions, for the next run.")
    .action((flags) => exitWith(import("./demo.ts").then(({ demo }) => demo(flags, context))));

  program
    .command("init")
    .description("writes a configuration with random secrets into a new file that only you can open")
    .option("--client-id <id>", "client ID of your OAuth credentials item")
    .option("--portal <url>", "URL of your portal (https://www.arcgis.com)")
    .option(
      "--redirect-uri <url>",
      "where the portal sends browsers back (http://localhost:3000/authenticate)",
    )
    .option(
      "--trust-proxy <value>",
      "with an https redirect URI: reverse proxies in front, or their addresses (1)",
    )
    .option("--config <file>", "the file to write", "config.json")
    .addHelpText("after", "\nIn a terminal it asks for the values that you don't give.")
    .action((flags) => exitWith(import("./init.ts").then(({ init }) => init(flags, context))));

  program
    .command("doctor")
    .description("checks the configuration, the portal and the session store, as the server's user")
    .option(...configOption)
    .option(...jsonOption)
    .option("--path <path>", "says which rule of ACCESS decides about this path")
    .option("--as <user>", "for this user, who is signed in (a visitor who is not)")
    .addHelpText("after", "\nIt changes nothing. Exit code 1: there is a problem.")
    .action(function (this: Command, { config, ...flags }) {
      if (flags.as !== undefined && flags.path === undefined) this.error("error: --as needs a --path");
      useConfig(config);
      return exitWith(import("./doctor.ts").then(({ doctor }) => doctor(flags, context)));
    });

  const sessions = program
    .command("sessions")
    .description("lists and ends sessions while the server runs, as the server's user")
    .option(...configOption)
    .option(...jsonOption)
    .addHelpText(
      "after",
      `
Exit code: 0 done, 1 the user has no session, 64 wrong usage, 69 the session store cannot be reached,
75 done, but tokens still have to be revoked, 78 the configuration is wrong.`,
    );
  const subcommand = (name: SubcommandName, user: string, description: string) =>
    sessions
      .command(name + user)
      .description(description)
      .action(async function (this: Command, user: unknown) {
        const { all = false, ...flags } = this.optsWithGlobals();
        const isNamed = typeof user === "string";
        // Exactly one of the two: a typing mistake must not end all sessions.
        if (name === "revoke" && isNamed === all) this.error("error: name a user, or use --all");
        useConfig(flags.config);
        const { sessionsCommand } = await import("./sessions.ts");
        await exitWith(sessionsCommand(name, isNamed ? user : undefined, flags, context));
      });
  subcommand("list", "", "users who are signed in").option(...portalOption);
  subcommand("show", " <user>", "the sessions of a user").option(...portalOption);
  subcommand("revoke", " [user]", "ends the sessions of a user, and revokes the tokens at the portal")
    .option("--all", "of all users")
    .option(...portalOption);
  subcommand("stats", "", "the number of sessions, by kind");
  subcommand(
    "rekey",
    "",
    "encrypts all with the newest ENCRYPTION_KEY, so that you can remove the older ones",
  );

  const isComplete = args.length > 1 || (args.length === 1 && args[0] !== "sessions");
  const complete = isComplete ? args : [...args, "--help"];
  try {
    await program.parseAsync(args.includes("--version") ? ["--version"] : complete, { from: "user" });
    return exitCode;
  } catch (reason) {
    if (!(reason instanceof CommanderError)) throw reason;
    return isWrongUsage ? wrongUsage : 0;
  }
}

/**
 * Windows PowerShell removes `--` from `npm run sessions -- revoke USER --portal ID`, up to npm 10.9.2. npm then takes
 * the options for its own and passes them on as variables: without them, the command would end more than it should.
 */
function refuseLostOptions(command: Command, args: string[], env: NodeJS.ProcessEnv): void {
  const options = [...command.options, ...(command.parent?.options ?? [])];
  const lost = options.find(
    (option) =>
      !args.some((arg) => arg.split("=", 1)[0] === option.long) &&
      env[`npm_config_${option.name().replaceAll("-", "_")}`],
  );
  if (lost && env.npm_lifecycle_event === args[0])
    command.error(
      `error: npm has taken ${lost.long} for its own: "--" was lost. Write npm.cmd instead of npm.`,
    );
}

function version(): string {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")).version;
}

import { statSync } from "node:fs";
import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { type OpenStore, openStore } from "../app/store.ts";
import { type CommandContext, readArgs, UsageError, unknown, withConfigFile } from "./command-line.ts";
import { rekey, revoke } from "./sessions-change.ts";
import { list, show, stats } from "./sessions-list.ts";
import type { SessionsContext } from "./sessions-read.ts";
import { printable, printableJson, progressLine } from "./terminal.ts";

/** Most of them are those of sysexits.h. */
const exitCodes = { done: 0, noSession: 1, unavailable: 69, waiting: 75, configuration: 78 } as const;

interface Subcommand {
  run(context: SessionsContext, user?: string): Promise<keyof typeof exitCodes>;
  usage: string;
  takesUser?: boolean;
  allowed?: string[];
}

const subcommands: Record<string, Subcommand> = {
  list: { run: list, usage: "list", allowed: ["portal"] },
  show: { run: show, usage: "show USER", takesUser: true, allowed: ["portal"] },
  revoke: { run: revoke, usage: "revoke USER, or revoke --all", takesUser: true, allowed: ["portal", "all"] },
  stats: { run: stats, usage: "stats" },
  rekey: { run: rekey, usage: "rekey" },
};

/** Runs one subcommand. */
export async function sessionsCommand(args: string[], context: CommandContext): Promise<number> {
  const { cwd, env, output, error } = context;
  const { flags, user, run } = readSubcommand(args);
  let config: Config | undefined;
  let opened: OpenStore | undefined;
  try {
    config = loadConfig({ cwd, env: withConfigFile(env, flags.config) });
    const portals = new Map(
      [config, ...config.furtherPortals].map(({ portal, portalId }) => [portal, portalId]),
    );
    const [portal] = [...portals].find(([, id]) => id === flags.portal) ?? [];
    if (flags.portal !== undefined && portal === undefined)
      throw new UsageError(unknown("portal", flags.portal, [...portals.values()]));
    opened = await openExisting(config);
    return exitCodes[
      await run(
        {
          ...{ config, store: opened.store, portals, portal, width: output.columns },
          users: new Set(),
          unreadable: new Map(),
          print: (text, value) => void output.write(flags.json ? `${printableJson(value)}\n` : text),
          note: (text) => void error.write(`${printable(text)}\n`),
          progress: (label, total) => progressLine(error, label, total),
        },
        user,
      )
    ];
  } catch (reason) {
    if (reason instanceof UsageError) throw reason;
    error.write(`${reason instanceof ConfigError ? reason.message : withFix(reason, config)}\n`);
    return reason instanceof ConfigError ? exitCodes.configuration : exitCodes.unavailable;
  } finally {
    await opened?.close();
  }
}

function readSubcommand(args: string[]) {
  const [on, text] = [{ type: "boolean" }, { type: "string" }] as const;
  const options = { json: on, all: on, portal: text, config: text };
  const { values: flags, positionals } = readArgs(args, options, { allowPositionals: true });
  const [name = "", ...users] = positionals;
  const names = Object.keys(subcommands);
  const subcommand = names.includes(name) ? subcommands[name] : undefined;
  if (name === "") throw new UsageError(`Name a subcommand: ${names.join(", ")}.`);
  if (!subcommand) throw new UsageError(unknown("subcommand", name, names));
  const { allowed = [], takesUser, usage, run } = subcommand;
  for (const option of ["all", "portal"] as const)
    if (flags[option] !== undefined && !allowed.includes(option))
      throw new UsageError(`--${option} is not an option of ${name}.`);
  // Not both a user and --all, and not neither: a typing mistake must not end all sessions.
  if (users.length !== (takesUser && !flags.all ? 1 : 0)) throw new UsageError(`Write: ${usage}`);
  return { flags, user: users[0], run };
}

/** Opens the server's store. A folder that does not exist is the wrong one, so it is not created. */
async function openExisting(config: Config): Promise<OpenStore> {
  const { redisUrl, sessionDir } = config;
  if (!redisUrl && !statSync(sessionDir, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`there is no folder ${sessionDir}`);
  const opened = await openStore(config, { info() {}, warn() {} });
  // The reaper is the server's.
  opened.store.close();
  return opened;
}

/** Why the store cannot be used, with the usual fixes. */
function withFix(reason: unknown, config: Config | undefined): string {
  const message = reason instanceof Error ? reason.message : String(reason);
  return config?.redisUrl
    ? `${message}. Check that Redis runs, and in REDIS_URL the address, the user, the password and the user's rights.`
    : `SESSION_DIR: ${message}. Run this with the server's configuration, as the server's user, and check that the disk is not full.`;
}

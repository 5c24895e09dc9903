import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { SessionDirError } from "../app/session-folder.ts";
import type { OpenStore } from "../app/store.ts";
import type { CommandContext } from "./command-context.ts";
import { folderFix, whyNoStore } from "./doctor/store.ts";
import { rekey, revoke } from "./sessions-change.ts";
import { list, show, stats } from "./sessions-list.ts";
import { openExisting, type SessionsContext } from "./sessions-read.ts";
import { openScreen } from "./terminal.ts";

/** Mostly those of sysexits.h. */
const exitCodes = {
  done: 0,
  noSession: 1,
  usage: 64,
  unavailable: 69,
  waiting: 75,
  configuration: 78,
} as const;

export type SubcommandName = "list" | "show" | "revoke" | "stats" | "rekey";
type Subcommand = (context: SessionsContext, user?: string) => Promise<keyof typeof exitCodes>;
const subcommands: Record<SubcommandName, Subcommand> = { list, show, revoke, stats, rekey };

/** Runs one subcommand. */
export async function sessionsCommand(
  name: SubcommandName,
  user: string | undefined,
  flags: { portal?: string; json?: boolean },
  context: CommandContext,
): Promise<number> {
  const { cwd, env, stderr } = context;
  let config: Config;
  try {
    config = loadConfig({ cwd: cwd(), env });
  } catch (reason) {
    if (!(reason instanceof ConfigError)) throw reason;
    stderr.write(`${reason.message}\n`);
    return exitCodes.configuration;
  }
  const all = [config, ...config.furtherPortals];
  const portals = new Map(all.map(({ portal, portalId }) => [portal, portalId]));
  const portal = all.find(({ portalId }) => portalId === flags.portal)?.portal;
  const screen = openScreen(context, flags.json);
  if (flags.portal !== undefined && portal === undefined) {
    screen.note(`Unknown portal "${flags.portal}". Known portals: ${[...portals.values()].join(", ")}.`);
    return exitCodes.usage;
  }
  let opened: OpenStore | undefined;
  try {
    opened = await openExisting(config);
    const operator = env.SUDO_USER || env.USER || env.USERNAME || "unknown";
    const seen = { users: new Set<string>(), unreadable: new Map<string, string>() };
    const parts = { ...screen, ...seen, config, store: opened.store, portals, portal, operator };
    return exitCodes[await subcommands[name](parts, user)];
  } catch (reason) {
    const { found, fix } = whyNoStore(reason, config);
    // A folder that is right for the server may not be this user's.
    screen.note(`${found}. ${reason instanceof SessionDirError ? folderFix : fix}`);
    return exitCodes.unavailable;
  } finally {
    await opened?.close();
  }
}

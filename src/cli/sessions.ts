import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { SessionDirError } from "../app/session-folder.ts";
import type { OpenStore } from "../app/store.ts";
import type { CommandContext } from "./command-context.ts";
import { rekey, revoke } from "./sessions-change.ts";
import { list, show, stats } from "./sessions-list.ts";
import { openExisting, type SessionsContext } from "./sessions-read.ts";
import { printable, printableJson } from "./terminal.ts";

/** Mostly those of sysexits.h. */
const exitCodes = {
  done: 0,
  noSession: 1,
  usage: 64,
  unavailable: 69,
  waiting: 75,
  configuration: 78,
} as const;

type Subcommand = (context: SessionsContext, user?: string) => Promise<keyof typeof exitCodes>;
const subcommands: Record<string, Subcommand> = { list, show, revoke, stats, rekey };

/** Runs one subcommand. */
export async function sessionsCommand(
  name: string,
  user: string | undefined,
  flags: { portal?: string; json?: boolean },
  { cwd, env, stdout, stderr }: CommandContext,
): Promise<number> {
  let config: Config | undefined;
  let opened: OpenStore | undefined;
  const clearLine = () => stderr.isTTY && stderr.write("\r\x1b[K");
  try {
    config = loadConfig({ cwd: cwd(), env });
    const portals = new Map(
      [config, ...config.furtherPortals].map(({ portal, portalId }) => [portal, portalId]),
    );
    const [portal] = [...portals].find(([, id]) => id === flags.portal) ?? [];
    if (flags.portal !== undefined && portal === undefined) {
      stderr.write(`Unknown portal "${flags.portal}". Known portals: ${[...portals.values()].join(", ")}.\n`);
      return exitCodes.usage;
    }
    opened = await openExisting(config);
    const context: SessionsContext = {
      ...{ config, store: opened.store, portals, portal },
      operator: env.SUDO_USER || env.USER || env.USERNAME || "unknown",
      users: new Set(),
      unreadable: new Map(),
      print(text, value) {
        clearLine();
        stdout.write(flags.json ? `${printableJson(value)}\n` : text);
      },
      note(text) {
        clearLine();
        stderr.write(`${printable(text)}\n`);
      },
      progress(label, total) {
        let done = 0;
        let shownAt = Number.NEGATIVE_INFINITY;
        return () => {
          done += 1;
          if (!stderr.isTTY || performance.now() - shownAt < 200) return;
          shownAt = performance.now();
          stderr.write(`\r${label}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")} `);
        };
      },
    };
    const outcome = await subcommands[name]?.(context, user);
    return exitCodes[outcome ?? "usage"];
  } catch (reason) {
    clearLine();
    // A folder that is right for the server may not be this user's.
    const isWrong = reason instanceof ConfigError && !(reason instanceof SessionDirError);
    stderr.write(`${isWrong ? reason.message : withFix(reason, config)}\n`);
    return isWrong ? exitCodes.configuration : exitCodes.unavailable;
  } finally {
    await opened?.close();
  }
}

/** Why the store cannot be used, with the usual fixes. */
function withFix(reason: unknown, config: Config | undefined): string {
  const message =
    reason instanceof SessionDirError
      ? reason.found
      : String(reason instanceof Error ? reason.message : reason).replace(/^SESSION_DIR: |\.$/g, "");
  return config?.redisUrl
    ? `${message}. Check that Redis runs, and in REDIS_URL the address, the user, the password and the user's rights.`
    : `SESSION_DIR: ${message}. Run this with the server's configuration (--config FILE), as the server's user, and check that the disk is not full.`;
}

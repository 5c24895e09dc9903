import { statSync } from "node:fs";
import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { parseRedisUrl } from "../app/config/redis-url.ts";
import { reasonOf } from "../app/reason.ts";
import { type OpenStore, openStore } from "../app/store.ts";
import { type AuthEvent, arcgisAuth } from "../index.ts";
import { type CommandContext, readArgs, UsageError, unknown, withConfigFile } from "./command-line.ts";
import { rekey, revoke } from "./sessions-change.ts";
import type { SessionsContext } from "./sessions-context.ts";
import { listUsers, show, stats } from "./sessions-list.ts";
import { printable, printableJson } from "./table.ts";

/** Most of them are those of sysexits.h. */
const exitCodes = { done: 0, noSession: 1, unavailable: 69, waiting: 75, configuration: 78 } as const;

type Subcommand = (context: SessionsContext, user?: string) => Promise<keyof typeof exitCodes>;

const subcommands: Record<string, { run: Subcommand; options?: string[]; user?: "required" | "or --all" }> = {
  list: { run: listUsers, options: ["portal"] },
  show: { run: show, options: ["portal"], user: "required" },
  revoke: { run: revoke, options: ["portal", "all"], user: "or --all" },
  stats: { run: stats },
  rekey: { run: rekey },
};

/** Runs one subcommand. */
export async function sessionsCommand(args: string[], context: CommandContext): Promise<number> {
  const { cwd, env, error } = context;
  const { flags, user, run } = readSubcommand(args);
  let config: Config | undefined;
  let opened: OpenStore | undefined;
  try {
    config = loadConfig({ cwd, env: withConfigFile(env, flags.config) });
    opened = await openExisting(config);
    return exitCodes[await run(await sessionsContext(config, opened, flags, context), user)];
  } catch (reason) {
    if (reason instanceof UsageError) throw reason;
    error.write(`${reason instanceof ConfigError ? reason.message : withFix(reason, config)}\n`);
    return reason instanceof ConfigError ? exitCodes.configuration : exitCodes.unavailable;
  } finally {
    await opened?.close();
  }
}

function readSubcommand(args: string[]) {
  const types = { json: "boolean", all: "boolean", portal: "string", config: "string" } as const;
  const { values: flags, positionals } = readArgs(args, types, { allowPositionals: true });
  const [name, user, ...others] = positionals;
  if (name === undefined) throw new UsageError(`Name a subcommand: ${Object.keys(subcommands).join(", ")}.`);
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (!subcommand) throw new UsageError(unknown("subcommand", name, name, Object.keys(subcommands)));

  for (const option of ["all", "portal"] as const) {
    if (flags[option] !== undefined && !subcommand.options?.includes(option))
      throw new UsageError(`--${option} is not an option of ${name}.`);
  }
  if (others.length > 0) throw new UsageError(`Unexpected "${others[0]}". Name one user at a time.`);
  if (!subcommand.user && user !== undefined) throw new UsageError(`${name} takes no user.`);
  if (subcommand.user === "required" && user === undefined) throw new UsageError(`Name a user: ${name} USER`);
  // Not both and not neither: a typing mistake must not end all sessions.
  if (subcommand.user === "or --all" && (user === undefined) !== (flags.all === true))
    throw new UsageError(`Name a user, or use --all: ${name} USER, or ${name} --all`);
  return { flags, user, run: subcommand.run };
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

async function sessionsContext(
  config: Config,
  { store }: OpenStore,
  flags: ReturnType<typeof readSubcommand>["flags"],
  { output, error }: CommandContext,
): Promise<SessionsContext> {
  const all = [config, ...config.furtherPortals];
  const chosen = all.find(({ portalId }) => portalId === flags.portal);
  if (flags.portal !== undefined && !chosen) {
    const ids = all.map(({ portalId }) => portalId);
    throw new UsageError(unknown("portal", flags.portal, flags.portal, ids));
  }
  const revocations = { lost: 0, reasons: new Set<string>(), onDone() {} };
  const onEvent = ({ type, username, error }: AuthEvent) => {
    if (type === "revoke-failed") revocations.reasons.add(reasonOf(error));
    // Without a user, it is the list that could not be written.
    if (type === "revoke-failed" && username === undefined) revocations.lost += 1;
    if (type === "revoke") revocations.onDone();
  };
  const { clientId, redirectUri, portal, sessionSecrets: sessionSecret, encryptionKeys } = config;
  const encryptionKey = encryptionKeys;
  const auth = arcgisAuth({ clientId, redirectUri, portal, sessionSecret, encryptionKey, store, onEvent });
  // Ends its timer: the pending revocations are tried when a subcommand says so.
  await auth.close();
  return {
    auth,
    revocations,
    place: placeOf(config),
    portals: new Map(all.map(({ portal, portalId }) => [portal, portalId])),
    portal: chosen?.portal,
    keys: encryptionKeys.length,
    unreadable: new Map(),
    width: output.columns ?? 80,
    print: (text, value) => void output.write(flags.json ? `${printableJson(value)}\n` : text),
    note: (text) => void error.write(`${printable(text)}\n`),
    progress: (label, total) => progressLine(error, label, total),
  };
}

function placeOf({ redisUrl, sessionDir }: Config): string {
  const address = redisUrl && parseRedisUrl(redisUrl);
  if (!address) return `Files in ${sessionDir}`;
  const { nodes, socketPath, database } = address;
  const hosts = nodes.map(({ host, port }) => `${host}:${port}`);
  return `Redis at ${socketPath ?? hosts.join(", ")}, database ${database}`;
}

/** One line that is written again and again, in a terminal only. */
function progressLine(error: CommandContext["error"], label: string, total: number) {
  let done = 0;
  let shownAt = performance.now();
  let isShown = false;
  return {
    step() {
      done += 1;
      if (!error.isTTY || performance.now() - shownAt < 200) return;
      shownAt = performance.now();
      isShown = true;
      error.write(`\r${label}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")} `);
    },
    end() {
      if (isShown) error.write("\r\x1b[K");
      isShown = false;
    },
  };
}

/** Why the store cannot be used, with the usual fixes. */
function withFix(reason: unknown, config: Config | undefined): string {
  const message = reason instanceof Error ? reason.message : String(reason);
  return config?.redisUrl
    ? `${message}. Check that Redis runs, and in REDIS_URL the address, the user, the password and the user's rights.`
    : `SESSION_DIR: ${message}. Run this with the server's configuration, as the server's user, and check that the disk is not full.`;
}

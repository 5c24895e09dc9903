import "../no-debug.ts";
import { realpathSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { parseRedisUrl } from "../app/config/redis-url.ts";
import { revocationQueue } from "../arcgis/revocation-queue.ts";
import { reasonOf } from "../reason.ts";
import { inventory } from "../session/inventory.ts";
import { openRecords } from "../session/open-store.ts";
import { pendingList } from "../session/pending.ts";
import type { RecordStore } from "../session/record-store.ts";
import { keyRing } from "../session/seal.ts";
import { rekey, revoke } from "./sessions-change.ts";
import { count, type Office } from "./sessions-context.ts";
import { list, show, stats } from "./sessions-look.ts";
import { plainJson } from "./table.ts";

const help = `Shows and ends the sessions of this server, in files or in Redis, while it runs.
It reads the same configuration as the server: run it in the same folder, as the same user.

  npm run sessions -- COMMAND [--json]

  list           who is signed in, and since when
  show USER      every session of a person
  revoke USER    ends a person's sessions and revokes their tokens at the portal
  revoke --all   the same for everybody
  stats          how many sessions there are, of what kind
  rekey          seals all sessions with the newest ENCRYPTION_KEY: older ones can go

  --portal ID    only those at one of several portals (list, show, revoke): the same name at another one is
                 somebody else
  --json         for programs (npm run --silent sessions -- list --json)

Exit code: 0 done, 1 nobody of that name, 64 no such command, 69 the sessions cannot be reached,
75 done, but tokens still wait for the portal, 78 the configuration is wrong.
`;

/** Exit codes, most of them of sysexits.h. */
const exit = { done: 0, nobody: 1, usage: 64, unavailable: 69, waiting: 75, configuration: 78 } as const;

/** Where the command runs: the process itself, or a test's streams. */
export interface Surroundings {
  cwd: string;
  env: NodeJS.ProcessEnv;
  output: NodeJS.WritableStream & { columns?: number };
  error: NodeJS.WritableStream & { isTTY?: boolean };
}

interface Flags {
  json?: boolean | undefined;
  all?: boolean | undefined;
  portal?: string | undefined;
  help?: boolean | undefined;
}

/** A command that makes no sense; the message says why. */
class UsageError extends Error {}

/** Runs one command and gives the exit code; what went wrong is in `error`, with the cure. */
export async function sessions(args: string[], surroundings: Surroundings): Promise<number> {
  const { output, error, cwd, env } = surroundings;
  let records: RecordStore | undefined;
  try {
    const { flags, run } = readArgs(args);
    if (!run) {
      output.write(help);
      return exit.done;
    }
    const config = loadConfig({ cwd, env });
    const troubles = new Map<string, number>();
    records = await openPlace(config, troubles);
    return await run(officeOf(config, records, troubles, flags, surroundings));
  } catch (reason) {
    const { message, code } = explain(reason);
    error.write(`${message}\n`);
    return code;
  } finally {
    await records?.close();
  }
}

function readArgs(args: string[]): { flags: Flags; run?: (office: Office) => Promise<number> } {
  const flag = { type: "boolean" } as const;
  const options = {
    json: flag,
    all: flag,
    portal: { type: "string" },
    help: { ...flag, short: "h" },
  } as const;
  let parsed: { values: Flags; positionals: string[] };
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (cause) {
    throw new UsageError((cause as Error).message);
  }
  const { values: flags, positionals } = parsed;
  const [command, user, ...more] = positionals;
  if (flags.help || (command === undefined && args.length === 0)) return { flags };
  if (more.length > 0) throw new UsageError(`What is "${more[0]}"? One user at a time.`);
  if (flags.all && command !== "revoke") throw new UsageError("--all belongs to revoke.");
  if (flags.portal !== undefined && !["list", "show", "revoke"].includes(String(command)))
    throw new UsageError("--portal belongs to list, show and revoke.");
  const done = (work: Promise<void>) => work.then(() => exit.done);

  switch (command) {
    case "show":
      if (user === undefined) throw new UsageError("Whom? show USER");
      return { flags, run: async (office) => ((await show(office, user)) ? exit.done : exit.nobody) };
    case "revoke":
      // Not both, and not neither: nobody ends all sessions by a slip of the finger.
      if ((user === undefined) !== (flags.all === true))
        throw new UsageError("Whose sessions? revoke USER, or revoke --all");
      return { flags, run: async (office) => exit[await revoke(office, user)] };
  }
  if (user !== undefined) throw new UsageError(`${command} takes no user.`);
  switch (command) {
    case "list":
      return { flags, run: (office) => done(list(office)) };
    case "stats":
      return { flags, run: (office) => done(stats(office)) };
    case "rekey":
      return { flags, run: (office) => done(rekey(office)) };
  }
  throw new UsageError(command === undefined ? "Which command?" : `There is no command "${command}".`);
}

/** Opens what the server uses. It makes no folder: one that is not there is the wrong one. */
async function openPlace(config: Config, troubles: Map<string, number>): Promise<RecordStore> {
  if (!config.redisUrl && !statSync(config.sessionDir, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(
      `SESSION_DIR: there is no folder ${config.sessionDir}. Run this in the folder of the server.`,
    );
  const warn = ({ reason }: { reason?: unknown }) => count(troubles, String(reason));
  return openRecords(config, { info: () => {}, warn } as unknown as Parameters<typeof openRecords>[1]);
}

function officeOf(
  config: Config,
  records: RecordStore,
  troubles: Map<string, number>,
  { json, portal: portalId }: Flags,
  { output, error }: Surroundings,
): Office {
  const portals = new Map(
    [config, ...config.furtherPortals].map(({ portal, portalId }) => [portal, portalId]),
  );
  const portal = [...portals].find(([, id]) => id === portalId)?.[0];
  if (portalId !== undefined && portal === undefined)
    throw new UsageError(`There is no portal "${portalId}". There is: ${[...portals.values()].join(", ")}.`);
  const keys = keyRing(config.encryptionKeys);
  const { sessionIdleSeconds: idleSeconds, sessionMaxSeconds: maxSeconds } = config;
  const pending = pendingList(records, keys);
  const reasons = new Set<string>();
  const log = { warn: ({ reason }: { reason: string }) => void reasons.add(reason) };
  return {
    sessions: inventory({ records, keys, idleSeconds, maxSeconds }),
    queue: revocationQueue({ store: pending, log: log as Parameters<typeof revocationQueue>[0]["log"] }),
    pending,
    place: placeOf(config),
    portals,
    portal,
    keys: config.encryptionKeys.length,
    troubles,
    reasons,
    width: output.columns ?? 80,
    tell: (text, value) => void output.write(json ? `${plainJson(value)}\n` : text),
    note: (text) => void error.write(`${text}\n`),
    progress: (doing, total) => progressIn(error, doing, total),
  };
}

function placeOf({ redisUrl, sessionDir }: Config): string {
  const address = redisUrl && parseRedisUrl(redisUrl);
  if (!address) return `Files in ${sessionDir}`;
  const { nodes, socketPath, database } = address;
  const hosts = nodes.map(({ host, port }) => `${host}:${port}`);
  return `Redis at ${socketPath ?? hosts.join(", ")}, database ${database}`;
}

/** One line that is written over and over, in a terminal only. */
function progressIn(error: Surroundings["error"], doing: string, total: number) {
  let done = 0;
  let shownAt = performance.now();
  let isShown = false;
  return {
    step() {
      done += 1;
      // Work that is over in a moment needs none.
      if (!error.isTTY || performance.now() - shownAt < 200) return;
      shownAt = performance.now();
      isShown = true;
      error.write(`\r${doing}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")} `);
    },
    end() {
      if (isShown) error.write("\r\x1b[K");
      isShown = false;
    },
  };
}

function explain(reason: unknown): { message: string; code: number } {
  if (reason instanceof UsageError)
    return { message: `${reason.message}\nSee: npm run sessions -- --help`, code: exit.usage };
  if (reason instanceof ConfigError) return { message: reason.message, code: exit.configuration };
  return { message: cureFor(reason as NodeJS.ErrnoException), code: exit.unavailable };
}

function cureFor(error: NodeJS.ErrnoException): string {
  if (/^Redis is away/.test(error.message))
    return `${error.message}. Check that it runs, and that REDIS_URL names it.`;
  if (/^Redis refused/.test(error.message))
    return `${error.message}. Check the user and the password in REDIS_URL, and what that user may do.`;
  if (error.code === "EACCES" || error.code === "EPERM" || /another user/.test(error.message))
    return `SESSION_DIR: ${error.message}. Run this as the user whom the server runs as.`;
  if (error.code === "ENOSPC" || error.code === "EROFS")
    return `SESSION_DIR: ${error.message}. Make room, then run this again: nothing is lost.`;
  return error.code || !(error instanceof Error) ? reasonOf(error) : error.message;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename) {
  const { stdout: output, stderr: error, env } = process;
  // Whoever reads it may have seen enough, such as `head`.
  output.on("error", ({ code }: NodeJS.ErrnoException) => process.exit(code === "EPIPE" ? exit.done : 1));
  process.exitCode = await sessions(process.argv.slice(2), { cwd: process.cwd(), env, output, error });
}

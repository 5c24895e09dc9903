import { accessSync, constants, lstatSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../../app/config/config.ts";
import { reasonOf } from "../../app/reason.ts";
import { openStore } from "../../app/store.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** Whether the store works, by writing something and removing it again. */
export async function checkStore(config: Config): Promise<Finding[]> {
  return [await (config.redisUrl ? checkRedis(config) : checkFolder(config))];
}

const check = "session store";
const redisFix =
  "Start Redis, or correct REDIS_URL: its address, its password and its rights " +
  "(+get +set +del +eval +scan +ping on the keys arcgis-sign-in:*).";

async function checkFolder(config: Config): Promise<Finding> {
  const { sessionDir } = config;
  const stats = statsOf(sessionDir);
  // The server creates the folder. The doctor does not, because it may run as another user.
  if (!stats) return checkParent(sessionDir);
  const finding = checkStats(stats, sessionDir);
  if (finding) return finding;
  const reason = await whyNotWritable(config);
  if (reason === undefined) return ok(check, `files in ${sessionDir}, which is writable`);
  return problem(
    check,
    `${sessionDir} is not writable (${reason})`,
    "Check its owner, and whether the disk is full.",
  );
}

/** `undefined` when there is nothing at the path, or something in the way. */
function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

function checkParent(sessionDir: string): Finding {
  let parent = dirname(sessionDir);
  while (!statsOf(parent) && parent !== dirname(parent)) parent = dirname(parent);
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return ok(check, `files in ${sessionDir}, which the server will create`);
  } catch {
    const fix = "Create the folder for the server's user, with mode 0700, or set another SESSION_DIR.";
    return problem(check, `${sessionDir} does not exist, and cannot be created in ${parent}`, fix);
  }
}

function checkStats(stats: Stats, sessionDir: string): Finding | undefined {
  if (!stats.isDirectory()) {
    const found = `${sessionDir} is not a folder (a symbolic link is not accepted)`;
    return problem(check, found, "Set another SESSION_DIR.");
  }
  if (process.platform === "win32") return undefined;
  if (stats.uid !== process.getuid?.()) {
    const fix = "Run this as the server's user; if you do already, make that user the owner (chown).";
    return problem(check, `${sessionDir} belongs to another user`, fix);
  }
  if ((stats.mode & 0o077) !== 0) {
    const fix = `The server corrects that when it starts; or run: chmod 700 ${sessionDir}`;
    return warning(check, `other users can open ${sessionDir}`, fix);
  }
  return undefined;
}

async function checkRedis(config: Config): Promise<Finding> {
  const reason = await whyNotWritable(config);
  return reason === undefined
    ? ok(check, "Redis responds and is writable")
    : problem(check, reason, redisFix);
}

/** `undefined` when the store works. */
async function whyNotWritable(config: Config): Promise<string | undefined> {
  try {
    const { store, close } = await openStore(config, { info() {}, warn() {} });
    await store.admin.probe().finally(close);
    return undefined;
  } catch (error) {
    return reasonOf(rootOf(error)).replace(/^Error: /, "");
  }
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? rootOf(error.cause) : error;
}

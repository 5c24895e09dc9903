import { accessSync, constants, existsSync, lstatSync } from "node:fs";
import { dirname } from "node:path";
import type { Config } from "../../app/config/config.ts";
import { reasonOf } from "../../app/reason.ts";
import { openStore } from "../../app/store.ts";
import { isOpenOnWindows, rightsFor } from "../../session-store.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";

const folderFix =
  "Run this as the server's user. If you already do, make that user the owner (chown), check whether the disk is full, or set another SESSION_DIR.";
const redisFix =
  "Start Redis, or correct REDIS_URL: its address, its password and its rights " +
  "(+get +set +del +eval +scan +ping on the keys arcgis-sign-in:*).";

/** On Windows: whether other users may open files with secrets. On other systems, modes are checked. */
export function checkRights(paths: string[]): Finding | undefined {
  if (process.platform !== "win32") return undefined;
  const rights = paths.filter(existsSync).map((path) => ({ path, isOpen: isOpenOnWindows(path) }));
  const open = rights.find(({ isOpen }) => isOpen)?.path;
  if (!open && rights.some(({ isOpen }) => isOpen === undefined)) return skipped("icacls does not say");
  if (!open) return ok("no group of all users may open the configuration or the sessions");
  const command = rightsFor(open).map((part) => (/[^\w:\\/.-]/.test(part) ? `"${part}"` : part));
  return problem(`every user of this machine may open ${open}`, `Run: icacls ${command.join(" ")}`);
}

/** Whether the store works, by writing something and removing it again. */
export async function checkStore(config: Config): Promise<Finding> {
  const { redisUrl, sessionDir } = config;
  // The server creates the folder. The doctor does not, because it may run as another user.
  if (!redisUrl && !existsSync(sessionDir)) return checkParent(sessionDir);
  const stats = redisUrl ? undefined : lstatSync(sessionDir);
  // Opening the store would correct that, too.
  if (stats?.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o077) !== 0)
    return warning(
      `other users can open ${sessionDir}`,
      `The server corrects that when it starts; or run: chmod 700 ${sessionDir}`,
    );
  const place = redisUrl ? "Redis responds" : `files in ${sessionDir}`;
  try {
    const { store, close } = await openStore(config, { info() {}, warn() {} });
    await store.admin.probe().finally(close);
    return ok(`${place}${redisUrl ? " and" : ", which"} is writable`);
  } catch (error) {
    const reason = reasonOf(rootOf(error)).replace(/^Error: /, "");
    return redisUrl ? problem(reason, redisFix) : problem(`cannot be used: ${reason}`, folderFix);
  }
}

function checkParent(sessionDir: string): Finding {
  let parent = dirname(sessionDir);
  while (!existsSync(parent) && parent !== dirname(parent)) parent = dirname(parent);
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return ok(`files in ${sessionDir}, which the server will create`);
  } catch {
    const fix = "Create the folder for the server's user, with mode 0700, or set another SESSION_DIR.";
    return problem(`${sessionDir} does not exist, and cannot be created in ${parent}`, fix);
  }
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? rootOf(error.cause) : error;
}

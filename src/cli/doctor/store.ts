import { accessSync, constants, existsSync, lstatSync } from "node:fs";
import { dirname } from "node:path";
import { type Config, ConfigError } from "../../app/config/config.ts";
import type { RedisAddress } from "../../app/config/redis-url.ts";
import { reasonOf } from "../../app/reason.ts";
import { createFix, SessionDirError } from "../../app/session-folder.ts";
import { openStore } from "../../app/store.ts";
import { isOpenOnWindows, rightsFor } from "../../session-store.ts";
import { configProblem, type Finding, ok, problem, skipped, warning } from "./finding.ts";
import type { DoctorOptions } from "./probe.ts";

export const folderFix =
  "Run this with the server's configuration and as its user. If you already do, make that user the owner (chown), check whether the disk is full, or set another SESSION_DIR.";
const redisFix = ({ database }: RedisAddress) =>
  "Start Redis, or correct REDIS_URL: its address, its password and its rights " +
  `(+get +set +del +eval +scan +ping${database ? " +select" : ""} on the keys arcgis-sign-in:*).`;

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
export async function checkStore(config: Config, { timeoutMs }: DoctorOptions): Promise<Finding> {
  const { redisUrl, sessionDir } = config;
  // Opening the store would correct them, and the doctor changes nothing.
  if (!redisUrl && isOpenOnWindows(sessionDir)) return skipped("needs the rights above");
  // Nothing keeps root from the folder of another user, but the server runs as that user.
  const owned = nearestExisting(sessionDir);
  if (!redisUrl && process.getuid?.() === 0 && lstatSync(owned).uid !== 0)
    return warning(`${owned} belongs to another user; you are root`, "Run this as that user.");
  // The server creates the folder. The doctor does not, because it may run as another user.
  if (!redisUrl && owned !== sessionDir) return checkParent(sessionDir, owned);
  const stats = redisUrl ? undefined : lstatSync(sessionDir);
  // Opening the store would correct that, too.
  if (stats?.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o077) !== 0)
    return warning(
      `other users can open ${sessionDir}`,
      `The server corrects that when it starts; or run: chmod 700 ${sessionDir}`,
    );
  try {
    const { store, close } = await openStore(config, { info() {}, warn() {} }, timeoutMs);
    await store.admin.probe().finally(close);
    const place = redisUrl ? "Redis responds and" : `files in ${sessionDir}, which`;
    return ok(`${place} is writable`);
  } catch (error) {
    return whyNoStore(error, config);
  }
}

/** Why the store cannot be used, with the usual fixes. */
export function whyNoStore(error: unknown, { redisUrl }: Config): Finding {
  if (error instanceof SessionDirError) return problem(`SESSION_DIR: ${error.found}`, error.fix);
  if (error instanceof ConfigError) return configProblem(error.message);
  const reason = reasonOf(rootOf(error)).replace(/^Error: /, "");
  return redisUrl
    ? problem(reason, redisFix(redisUrl))
    : problem(`SESSION_DIR cannot be used: ${reason}`, folderFix);
}

/** The path, or the nearest one above it that exists. */
function nearestExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));
}

function checkParent(sessionDir: string, parent: string): Finding {
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return ok(`files in ${sessionDir}, which the server will create`);
  } catch {
    return problem(`${sessionDir} does not exist, and cannot be created in ${parent}`, createFix);
  }
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause ? rootOf(error.cause) : error;
}

import { accessSync, constants, lstatSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import pino from "pino";
import type { Config } from "../../app/config/config.ts";
import { reasonOf } from "../../reason.ts";
import { openStore } from "../../session/open-store.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** Whether sessions can be kept: by keeping something there, and taking it away again. */
export async function checkStore(config: Config): Promise<Finding[]> {
  return [await (config.redisUrl ? checkRedis(config) : checkFolder(config))];
}

const check = "session store";
const redisFix =
  "Start Redis, or correct REDIS_URL: its address, its password and its rights " +
  "(+get +set +del +eval +scan +ping on the keys arcgis-sign-in:*).";

async function checkFolder(config: Config): Promise<Finding> {
  const { sessionDir } = config;
  const about = lookAt(sessionDir);
  // The server makes the folder. The doctor does not: it may run as somebody else.
  if (!about) return checkParent(sessionDir);
  const trouble = troubleWith(about, sessionDir);
  if (trouble) return trouble;
  const reason = await tryIt(config);
  if (reason === undefined) return ok(check, `files in ${sessionDir}, which can be written`);
  return problem(
    check,
    `${sessionDir} cannot be written (${reason})`,
    "Look at its owner, and whether the disk is full.",
  );
}

/** What lies there; `undefined` when there is nothing, or something in the way. */
function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

function checkParent(sessionDir: string): Finding {
  let parent = dirname(sessionDir);
  while (!lstatSync(parent, { throwIfNoEntry: false }) && parent !== dirname(parent))
    parent = dirname(parent);
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return ok(check, `files in ${sessionDir}, which will be made`);
  } catch {
    const cure = "Make the folder for the server's user, with mode 0700, or set another SESSION_DIR.";
    return problem(check, `${sessionDir} cannot be found, and cannot be made in ${parent}`, cure);
  }
}

function troubleWith(about: Stats, sessionDir: string): Finding | undefined {
  if (!about.isDirectory()) {
    return problem(
      check,
      `${sessionDir} is not a folder (a symbolic link will not do)`,
      "Set another SESSION_DIR.",
    );
  }
  if (process.platform === "win32") return undefined;
  if (about.uid !== process.getuid?.()) {
    const cure = "Run this as the server's user; if it is that one, let it own the folder (chown).";
    return problem(check, `${sessionDir} belongs to another user`, cure);
  }
  if ((about.mode & 0o077) !== 0) {
    const cure = `The server mends that when it starts; or run: chmod 700 ${sessionDir}`;
    return warning(check, `other users may open ${sessionDir}`, cure);
  }
  return undefined;
}

/** That the way to it is safe was checked when the configuration was read. */
async function checkRedis(config: Config): Promise<Finding> {
  const reason = await tryIt(config);
  return reason === undefined
    ? ok(check, "Redis answers, and can be written")
    : problem(check, reason, redisFix);
}

/** Gives why the store does not work; `undefined` when it does. */
async function tryIt(config: Config): Promise<string | undefined> {
  try {
    const store = await openStore(config, pino({ level: "silent" }));
    try {
      await store.ping();
      return undefined;
    } finally {
      await store.close();
    }
  } catch (error) {
    return reasonOf(error).replace(/^Error: /, "");
  }
}

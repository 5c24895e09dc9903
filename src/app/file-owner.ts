import { lstatSync, readFileSync } from "node:fs";

/** The name of a user by the ID, as in /etc/passwd; otherwise such as "user 1000". */
function userName(uid: number): string {
  let users = "";
  try {
    users = readFileSync("/etc/passwd", "utf8");
  } catch {
    // Not on every system.
  }
  const entries = users.split("\n").map((line) => line.split(":"));
  return entries.find(([, , id]) => id === String(uid))?.[0] || `user ${uid}`;
}

/** The name of the owner of a file or folder; `undefined` if this user owns it, and on Windows. */
export function otherOwner(path: string): string | undefined {
  const { uid } = lstatSync(path);
  return process.getuid === undefined || uid === process.getuid() ? undefined : userName(uid);
}

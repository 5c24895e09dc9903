import { execFileSync } from "node:child_process";
import { lstatSync } from "node:fs";
import { join } from "node:path";

/** By SID, because names depend on the language of Windows: SYSTEM, Administrators, and the owner of the file. */
const allowed = ["S-1-5-18", "S-1-5-32-544", "S-1-3-4"];
/** Everyone, Authenticated Users, Users. */
const others = ["S-1-1-0", "S-1-5-11", "S-1-5-32-545"];

/** The arguments of icacls that keep other users of Windows from a file or folder. Rights given by name stay. */
export function rightsFor(path: string): string[] {
  const inherit = lstatSync(path).isDirectory() ? "(OI)(CI)" : "";
  return [path, "/inheritance:r", "/grant:r", ...allowed.map((sid) => `*${sid}:${inherit}F`)];
}

/** Does on Windows what a mode does elsewhere, if this user may change the rights: the doctor says whether it is so. */
export function restrictOnWindows(path: string): void {
  if (process.platform === "win32") icacls(rightsFor(path));
}

/** Whether every user of this Windows may open a file or folder; `undefined` when icacls does not say. */
export function isOpenOnWindows(path: string): boolean | undefined {
  if (process.platform !== "win32") return false;
  // It prints other letters in a code page that is not known here.
  if (/[^ -~]/.test(path)) return undefined;
  const findings = others.map((sid) => icacls([path, "/findsid", `*${sid}`]));
  // In every language it prints the path of what it finds, and a summary in any case.
  return findings.includes("") ? undefined : findings.some((text) => text.includes(path));
}

/** What it prints; nothing when it fails. */
function icacls(args: string[]): string {
  try {
    const program = join(String(process.env.SystemRoot), "System32", "icacls.exe");
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

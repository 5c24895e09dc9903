import { fileBackend, type SessionBackend } from "../session-store.ts";
import { ConfigError } from "./config/config.ts";

/** SESSION_DIR names a folder that this user cannot use, until the setting or the folder is changed. */
export class SessionDirError extends ConfigError {
  readonly found: string;
  /** For the server's user. */
  readonly fix: string;

  constructor(found: string, fix: string, cause?: unknown) {
    super([`SESSION_DIR: ${found}. ${fix}`], ["SESSION_DIR"]);
    this.name = "SessionDirError";
    this.found = found;
    this.fix = fix;
    this.cause = cause;
  }
}

export const createFix =
  "Create the folder for the server's user, with mode 0700, or set another SESSION_DIR.";
const ownFix = "Set SESSION_DIR to the path of a folder of this user, not of a link.";

/** Not a full disk, or too many open files: those may be over at the next start. */
const lasting = ["EACCES", "EPERM", "EROFS", "EEXIST", "ENOTDIR", "ENOENT", "ELOOP", "ENAMETOOLONG"];

/**
 * Opens the session folder, and creates it if needed.
 * @throws SessionDirError when it cannot be used; Error when the system has a problem that may pass, such as a full disk
 */
export function openSessionFolder(
  folder: string,
  options: { onRepaired(message: string): void },
): SessionBackend {
  try {
    return fileBackend(folder, options);
  } catch (error) {
    const { message, code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined) throw new SessionDirError(message, ownFix, error);
    const [why] = message.split(",");
    const found = `${folder} cannot be ${syscall === "mkdir" ? "created" : "used"} (${why})`;
    if (lasting.includes(code)) throw new SessionDirError(found, createFix, error);
    throw new Error(`SESSION_DIR: ${found}.`, { cause: error });
  }
}

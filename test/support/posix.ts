/** For `skip` of a test: why it cannot run on Windows; `false` elsewhere. */
export function needsPosix(reason: string): string | false {
  return process.platform === "win32" && `needs POSIX: ${reason}`;
}

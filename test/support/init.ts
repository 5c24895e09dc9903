import { spawnCli } from "./cli.ts";

/** Runs the command as npm does, but without a terminal. */
export async function run(cwd: string, ...args: string[]) {
  return spawnCli(["init", ...args], { cwd });
}

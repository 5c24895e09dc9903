import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { secret } from "./site.ts";

export const valid = () => ({
  CLIENT_ID: "test-app",
  SESSION_SECRET: secret(),
  ENCRYPTION_KEY: secret(),
  REDIRECT_URI: "http://localhost:3000/authenticate",
});

/** Runs a script in a process that takes itself for one on Windows. */
export function onWindows(script: string, env: Record<string, string> = {}): string {
  const begin = `Object.defineProperty(process, "platform", { value: "win32" });`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", begin + script], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  assert.equal(stderr, "");
  return stdout;
}

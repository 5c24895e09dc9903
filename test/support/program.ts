import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./browser.ts";

/** A port that was free a moment ago; for programs that have to know theirs before they start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program of ours in a folder of its own, and waits until it answers at `url`; it ends with the test. */
export async function startProgram(
  t: Pick<TestContext, "after">,
  { file, cwd, url, env }: { file: string; cwd: string; url: string; env: Record<string, string> },
): Promise<ChildProcess> {
  const program = spawn(process.execPath, [file], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  t.after(() => void program.kill("SIGKILL"));
  const browser = new Browser(url);
  const end = performance.now() + 20_000;
  while (!(await browser.get("").catch(() => undefined))) {
    assert.equal(program.exitCode, null, "the program runs");
    assert.ok(performance.now() < end, "the program answers within 20 s");
    await sleep(50);
  }
  return program;
}

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./browser.ts";

/**
 * A port for a program that has to know its own before it starts. It is below those that systems hand out to programs that
 * asks for any, and the port before it is held by us until this process ends: so no other program uses it meanwhile,
 * and no other test is given it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const guard = 2 * randomInt(5_000, 8_000);
    const held = await listen(guard);
    const probe = held && (await listen(guard + 1));
    if (!probe) {
      held?.close();
      continue;
    }
    held.unref();
    probe.close();
    await once(probe, "close");
    return guard + 1;
  }
}

/** Gives `undefined` when that port is taken. */
async function listen(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, "127.0.0.1");
  return once(server, "listening").then(
    () => server,
    () => undefined,
  );
}

/** Starts a program of ours in a folder of its own, and waits until it responds at `url`; it ends with the test. */
export async function startProgram(
  t: Pick<TestContext, "after">,
  {
    file,
    args = [],
    cwd,
    url,
    env,
    node = process.execPath,
  }: {
    file: string;
    args?: string[];
    cwd: string;
    url: string;
    env: Record<string, string>;
    /** The Node.js that runs it. */
    node?: string | undefined;
  },
): Promise<ChildProcess> {
  const program = spawn(node, [file, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  t.after(() => void program.kill("SIGKILL"));
  const browser = new Browser(url);
  const end = performance.now() + 60_000;
  while (!(await browser.get("").catch(() => undefined))) {
    assert.equal(program.exitCode, null, "the program runs");
    assert.ok(performance.now() < end, "the program responds within a minute");
    await sleep(50);
  }
  return program;
}

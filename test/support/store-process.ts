import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { StoreOptions } from "./store.ts";

/** What another process may be asked to do with a session. */
export interface Task {
  /** `set` loads the session and saves it with `value`; `refresh` counts the token of its identity up. */
  kind: "create" | "get" | "set" | "refresh" | "destroy" | "reap" | "warnings";
  id?: string;
  value?: unknown;
}

export interface TestResponse {
  number: number;
  result?: unknown;
  error?: string;
}

export interface StoreProcess {
  /** Resolves with what the other process found or made; rejects when it is killed first. */
  ask<T>(task: Task): Promise<T>;
  /** Stops it in the middle of whatever it does, until SIGCONT. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Ends the process at once: no handler runs, no file is closed in order. */
  kill(): Promise<void>;
}

export type ProcessOptions = Pick<StoreOptions, "dir" | "keys" | "idleSeconds" | "maxSeconds"> & {
  /** Moves the process's clock, as `faketime -f` understands it, such as "+13d". */
  clock?: string;
};

/** Starts another process with a sealed store on the same folder. */
export async function startStoreProcess(
  t: Pick<TestContext, "after">,
  { clock, ...options }: ProcessOptions,
): Promise<StoreProcess> {
  const node = [process.execPath];
  const [execPath = "", ...execArgv] = clock ? ["faketime", "-f", clock, ...node] : node;
  const script = fileURLToPath(new URL("store-child.js", import.meta.url));
  const child: ChildProcess = fork(script, [JSON.stringify(options)], { execPath, execArgv });
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let last = 0;
  child.on("message", ({ number, result, error }: TestResponse) => {
    const asked = waiting.get(number);
    waiting.delete(number);
    if (error) asked?.reject(new Error(error));
    else asked?.resolve(result);
  });
  child.on("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the process is gone"));
    waiting.clear();
  });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
    // With faketime, that was the child; without this channel, the grandchild ends itself.
    if (child.connected) child.disconnect();
  };
  t.after(kill);
  await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => Promise.reject(new Error("the other process did not start"))),
  ]);

  return {
    ask: (task) =>
      new Promise((resolve, reject) => {
        if (!child.connected) return reject(new Error("the process is gone"));
        const number = ++last;
        waiting.set(number, { resolve: resolve as (result: unknown) => void, reject });
        child.send({ number, task });
      }),
    signal: (name) => void child.kill(name),
    kill,
  };
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { folder, secret } from "./site.ts";

/** A real server in a process of its own, as `npm start` runs it. */
export interface ServerProcess {
  url: string;
  child: ChildProcess;
  /** Everything it has written so far. */
  output: () => string;
  /** Ends it, and waits for that. */
  end: (signal?: NodeJS.Signals) => Promise<void>;
}

/** Settings that several processes can share: one client, one folder, the same secrets. */
export function sharedSettings(t: Pick<TestContext, "after">, portal: string): Record<string, string> {
  return {
    CLIENT_ID: "test-app",
    PORTAL_URL: portal,
    REDIRECT_URI: redirectUri,
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    SESSION_DIR: join(folder(t), "sessions"),
    RATE_LIMIT: "off",
    PORT: "0",
    LOG_LEVEL: "info",
  };
}

/** No server listens there: tests carry the callback to the process they mean. */
export const redirectUri = "http://localhost:9/authenticate";

/**
 * Starts the server, or another program that begins like it, and waits until it listens. It is ended with the test.
 * @param node the Node.js that runs it, and what comes before it
 */
export async function startServer(
  t: Pick<TestContext, "after">,
  settings: Record<string, string>,
  program = import.meta.resolve("#src/server.ts"),
  node: string | string[] = process.execPath,
): Promise<ServerProcess> {
  const [command = "", ...args] = [node, fileURLToPath(program)].flat();
  const child = spawn(command, args, {
    cwd: folder(t),
    env: { PATH: process.env.PATH, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const end = async (signal: NodeJS.Signals = "SIGTERM") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  t.after(() => end("SIGKILL"));
  child.stderr.on("data", (text) => lines.push(String(text)));
  const url = await new Promise<string>((resolve, reject) => {
    child.once("exit", () => reject(new Error(`the server has ended:\n${lines.join("\n")}`)));
    createInterface(child.stdout).on("line", (line) => {
      lines.push(line);
      const { msg, url } = line.startsWith("{") ? JSON.parse(line) : {};
      if (msg === "listening") resolve(url);
    });
  });
  return { url, child, output: () => lines.join("\n"), end };
}

import { spawn } from "node:child_process";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { run } from "#src/cli/run.ts";

export interface Outcome {
  code: number;
  output: string;
  error: string;
}

/** The file that npm links as `arcgis-sign-in`. */
export const bin = fileURLToPath(import.meta.resolve("#src/cli/arcgis-sign-in.ts"));

/** Runs `arcgis-sign-in ARGS` in this process, which is faster. */
export async function callCli(
  args: string[],
  { cwd, env = {}, isTTY = false }: { cwd: string; env?: NodeJS.ProcessEnv; isTTY?: boolean },
): Promise<Outcome> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = Object.assign(new PassThrough(), { isTTY });
  const [code, ...texts] = await Promise.all([
    run(args, { cwd: () => cwd, env, stdin, stdout, stderr }).finally(() => {
      stdout.end();
      stderr.end();
    }),
    text(stdout),
    text(stderr),
  ]);
  const [output, error] = texts;
  return { code, output, error };
}

/** Runs `arcgis-sign-in ARGS` in a process of its own, without a terminal. */
export async function spawnCli(
  args: string[],
  {
    cwd,
    env = {},
    nodeFlags = [],
    node = process.execPath,
  }: { cwd: string; env?: NodeJS.ProcessEnv; nodeFlags?: string[]; node?: string },
): Promise<Outcome> {
  const child = spawn(node, [...nodeFlags, bin, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
  });
  const exit = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? Number.NaN)));
  const [output, error, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { code, output, error };
}

/** Flags for Node with which a package counts as not installed. */
export function withoutPackage(name: string): string[] {
  const hooks = `export async function resolve(specifier, context, next) {
    if (specifier !== ${JSON.stringify(name)}) return next(specifier, context);
    throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
  }`;
  const urlOf = (script: string) => `data:text/javascript,${encodeURIComponent(script)}`;
  const register = `import { register } from "node:module"; register(${JSON.stringify(urlOf(hooks))});`;
  return ["--disable-warning=DEP0205", "--import", urlOf(register)];
}

import { lstatSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { ConfigError, commandLine, parseConfig } from "../app/config/config.ts";
import { newSecret } from "../app/config/secrets.ts";
import { schema } from "../app/config/settings.ts";
import { restrictOnWindows } from "../session-store.ts";
import type { CommandContext } from "./command-context.ts";

/** What only the user knows, in the order of the questions. */
const questions = [
  ["CLIENT_ID", "--client-id", "Client ID of your OAuth credentials item", undefined],
  ["PORTAL_URL", "--portal", "Portal", "https://www.arcgis.com"],
  ["REDIRECT_URI", "--redirect-uri", "Redirect URI", "http://localhost:3000/authenticate"],
  ["TRUST_PROXY", "--trust-proxy", "Number of reverse proxies in front", "1"],
] as const;

type Key = (typeof questions)[number][0];
type Values = Partial<Record<Key, string | undefined>>;
type InitFlags = Record<"config", string> &
  Partial<Record<"clientId" | "portal" | "redirectUri" | "trustProxy", string>>;

/** Writes the configuration. Exit code 1: nothing was written. */
export async function init({ config: name, ...flags }: InitFlags, context: CommandContext): Promise<number> {
  const { cwd, stdin, stdout, stderr } = context;
  const path = resolve(cwd(), name);
  try {
    // Checked before the first question; the exclusive write below is what protects the file.
    if (lstatSync(path, { throwIfNoEntry: false })) throw new ConfigError([alreadyExists(name)]);
    const values: Values = {
      ...{ CLIENT_ID: flags.clientId, PORTAL_URL: flags.portal },
      ...{ REDIRECT_URI: flags.redirectUri, TRUST_PROXY: flags.trustProxy },
    };
    const problems = questions.flatMap(([key, flag, , usual]) => {
      if (values[key] === undefined && (stdin.isTTY || !isNeeded(key, values))) return [];
      values[key] ??= usual;
      const problem = problemWith(key, values[key]);
      return problem === undefined ? [] : `${flag}: ${problem}`;
    });
    if (problems.length > 0) throw new ConfigError(problems);
    if (stdin.isTTY) await ask(values, context);
    stdout.write(nextSteps(name, writeConfig(path, name, values)));
    return 0;
  } catch (reason) {
    if (!(reason instanceof ConfigError)) throw reason;
    stderr.write(`${reason.message}\n`);
    return 1;
  }
}

/** A reverse proxy is in front if, and only if, the redirect URI is https. */
function isNeeded(key: Key, { REDIRECT_URI = "" }: Values): boolean {
  return key !== "TRUST_PROXY" || /^https:/i.test(REDIRECT_URI);
}

/** What is wrong with a value, by the server's own rules. */
function problemWith(key: Key, value: string | undefined): string | undefined {
  return schema.shape[key].safeParse(value).error?.issues[0]?.message;
}

/** Asks for every missing value until it is valid. Ctrl+C and Ctrl+D end it. */
async function ask(values: Values, { stdin, stdout }: CommandContext): Promise<void> {
  const lines = createInterface({ input: stdin, output: stdout });
  const typed = lines[Symbol.asyncIterator]();
  for (const [key, , prompt, usual] of questions)
    while (values[key] === undefined && isNeeded(key, values)) {
      lines.setPrompt(usual ? `${prompt} (${usual}): ` : `${prompt}: `);
      lines.prompt();
      const { value: line, done } = await typed.next();
      if (done) throw new ConfigError(["\nNothing was written."]);
      const value = line.trim() || usual;
      const problem = problemWith(key, value);
      if (problem === undefined) values[key] = value;
      else stdout.write(`The value ${problem}\n`);
    }
  lines.close();
}

/** Writes the file and returns its redirect URI. */
function writeConfig(path: string, name: string, values: Values): string {
  const secrets = { SESSION_SECRET: newSecret(), ENCRYPTION_KEY: newSecret() };
  const { clientId, portal, redirectUri, secure, trustProxy } = parseConfig({ ...values, ...secrets });
  // Without https there is no proxy in front, so the port in the URL is the port to listen on.
  const port = secure ? 3000 : Number(new URL(redirectUri).port || 80);
  const content = {
    ...{ CLIENT_ID: clientId, ...secrets, REDIRECT_URI: redirectUri, PORTAL_URL: portal },
    ...(port !== 3000 && { PORT: port }),
    ...(trustProxy !== false && { TRUST_PROXY: trustProxy }),
  };
  try {
    // "wx" opens no existing file and, except on Windows, follows no symbolic link.
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { flag: "wx", mode: 0o600 });
    restrictOnWindows(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError([code === "EEXIST" ? alreadyExists(name) : `${name} cannot be written (${code}).`]);
  }
  return redirectUri;
}

const alreadyExists = (name: string) =>
  `${name} already exists and was not changed. Rename it first, or write another file with --config.`;

/** Windows has disks without rights, and its administrators may open everything. */
const isPrivate =
  process.platform === "win32" ? "; the doctor says who can open it" : ", which only you can open";

function commandWith(command: string, name: string): string {
  const line = commandLine(command);
  if (name === "config.json") return line;
  return `${line}${line.startsWith("npm ") ? " --" : ""} --config ${name}`;
}

const nextSteps = (name: string, redirectUri: string) => `Wrote ${name}${isPrivate}.

Next:
  1. In your portal, add exactly this redirect URI to the OAuth credentials item:
     ${redirectUri}
  2. ${commandWith("start", name)}
  3. If something does not work: ${commandWith("doctor", name)}
`;

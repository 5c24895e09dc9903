import { randomBytes } from "node:crypto";
import { existsSync, realpathSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { ConfigError, parseConfig } from "../app/config/config.ts";
import { schema } from "../app/config/settings.ts";

const help = `Writes a configuration with strong random secrets into a file that only you can open.
A file that is there already is never changed.

  npm run init -- [--client-id ID] [--portal URL] [--redirect-uri URL] [--config FILE]

  --client-id     client id of your OAuth credentials item
  --portal        address of your portal               (https://www.arcgis.com)
  --redirect-uri  where the portal sends people back   (http://localhost:3000/authenticate)
  --config        the file to write                    (config.json)

In a terminal it asks for what is not given.
`;

/** What only a person knows, in the order of the questions. */
const questions = [
  { key: "CLIENT_ID", flag: "client-id", asks: "Client id of your OAuth credentials item", usual: undefined },
  { key: "PORTAL_URL", flag: "portal", asks: "Portal", usual: "https://www.arcgis.com" },
  {
    key: "REDIRECT_URI",
    flag: "redirect-uri",
    asks: "Redirect URL",
    usual: "http://localhost:3000/authenticate",
  },
] as const;

type Question = (typeof questions)[number];
type Answers = Partial<Record<Question["key"], string>>;

/** A reason to stop, told to the person who runs the command. */
class Refusal extends Error {}

/** Where the command runs: the process itself, or a test's streams. It asks questions when `input.isTTY`. */
export interface Surroundings {
  cwd: string;
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream;
  error: NodeJS.WritableStream;
}

/** Writes the configuration; gives the exit code: 0, or 1 when nothing was written and `error` says why. */
export async function init(args: string[], { cwd, input, output, error }: Surroundings): Promise<number> {
  try {
    const flags = readFlags(args);
    if (flags.help) {
      output.write(help);
      return 0;
    }
    const name = flags.config ?? "config.json";
    const path = resolve(cwd, name);
    // Nobody should answer in vain; what protects the file is the exclusive write below.
    if (existsSync(path)) throw new Refusal(isThereAlready(name));

    const answers: Answers = {};
    const problems: string[] = [];
    for (const question of questions) {
      const answer = flags[question.flag] ?? (input.isTTY ? undefined : question.usual);
      const problem = answer === undefined && input.isTTY ? undefined : problemWith(question, answer);
      if (problem !== undefined) problems.push(`--${question.flag}: ${problem}`);
      answers[question.key] = answer;
    }
    if (problems.length > 0) throw new Refusal(problems.join("\n"));

    if (input.isTTY) await ask(answers, input, output);
    const redirectUri = writeConfig(path, name, answers);
    output.write(nextSteps(name, redirectUri));
    return 0;
  } catch (reason) {
    if (!(reason instanceof Refusal || reason instanceof ConfigError)) throw reason;
    error.write(`${reason.message}\n`);
    return 1;
  }
}

function readFlags(args: string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", short: "h" } as const;
  const options = { "client-id": text, portal: text, "redirect-uri": text, config: text, help: flag };
  try {
    return parseArgs({ args, options }).values;
  } catch (cause) {
    throw new Refusal(`${(cause as Error).message}\nSee: npm run init -- --help`);
  }
}

/** What is wrong with an answer, by the rules that the server itself starts with. */
function problemWith(question: Question, answer: string | undefined): string | undefined {
  return schema.shape[question.key].safeParse(answer).error?.issues[0]?.message;
}

/** Asks for every answer that is not there yet, again and again until it is good. */
async function ask(
  answers: Answers,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<void> {
  const lines = createInterface({ input, output });
  // Ctrl+C and Ctrl+D close the interface, and a question that is still open would wait for ever.
  const ended = new AbortController();
  lines.once("close", () => ended.abort());
  try {
    for (const question of questions) {
      while (answers[question.key] === undefined) {
        const prompt = question.usual ? `${question.asks} (${question.usual}): ` : `${question.asks}: `;
        const answer = (await lines.question(prompt, ended)).trim() || question.usual;
        const problem = problemWith(question, answer);
        if (problem === undefined) answers[question.key] = answer;
        else output.write(`That ${problem}\n`);
      }
    }
  } catch (cause) {
    throw ended.signal.aborted ? new Refusal("\nNothing was written.") : cause;
  } finally {
    lines.close();
  }
}

/** Writes the file and gives the redirect URI in it. */
function writeConfig(path: string, name: string, answers: Answers): string {
  const secrets = { SESSION_SECRET: newSecret(), ENCRYPTION_KEY: newSecret() };
  // What is written here starts the server: it goes through the server's own check first.
  const { clientId, portal, redirectUri, secure } = parseConfig({ ...answers, ...secrets });
  // Without https no proxy stands in front, so the port in the address is the port to listen on.
  const port = secure ? "" : new URL(redirectUri).port || "80";
  const content = {
    CLIENT_ID: clientId,
    ...secrets,
    REDIRECT_URI: redirectUri,
    PORTAL_URL: portal,
    ...(port !== "" && port !== "3000" ? { PORT: Number(port) } : {}),
  };
  try {
    // "wx" opens nothing that is there already, not even through a symbolic link.
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Refusal(code === "EEXIST" ? isThereAlready(name) : `${name} cannot be written (${code}).`);
  }
  return redirectUri;
}

const newSecret = () => randomBytes(32).toString("base64url");

const isThereAlready = (name: string) =>
  `${name} is there already and was left as it is. Rename it first, or write another file with --config.`;

const nextSteps = (name: string, redirectUri: string) => `Wrote ${name}, which only you can open.

Next:
  1. At your portal, add exactly this redirect URL to the OAuth credentials item:
     ${redirectUri}
  2. npm start${name === "config.json" ? "" : ` (with CONFIG_FILE=${name} in the environment)`}
`;

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename) {
  const { stdin: input, stdout: output, stderr: error } = process;
  process.exitCode = await init(process.argv.slice(2), { cwd: process.cwd(), input, output, error });
}

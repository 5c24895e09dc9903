import "../no-debug.ts";
import { realpathSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { firstPortal } from "../app/config/portals.ts";
import type { AskOptions } from "./doctor/ask.ts";
import type { Finding } from "./doctor/finding.ts";
import { problem, skipped } from "./doctor/finding.ts";
import { checkPkce } from "./doctor/pkce.ts";
import { checkPortal } from "./doctor/portal.ts";
import { checkRegistration } from "./doctor/registration.ts";
import { checkExtraAuthorities, checkNode } from "./doctor/runtime.ts";
import { checkSettings } from "./doctor/settings.ts";
import { checkStore } from "./doctor/store.ts";

const help = `Looks whether this server can work: its configuration, the portal, the place of the sessions.
It changes nothing.

  npm run doctor               one line a check, with what to do
  npm run -s doctor -- --json  the same for programs

Exit code 0: all is well, though there may be warnings. 1: there is a problem.
`;

/** Where the command runs: the process itself, or what a test makes of it. */
export interface Surroundings {
  cwd: string;
  env: NodeJS.ProcessEnv;
  output: NodeJS.WritableStream;
  error: NodeJS.WritableStream;
  /** The clock (ms since 1970). */
  now?: () => number;
  /** Of Node, such as "20.15.0". */
  nodeVersion?: string;
  /** Certificate authorities in place of those that Node knows, as PEM. */
  ca?: string;
  /** How long it waits for an answer (default 10 000 ms). */
  timeoutMs?: number;
}

/** Runs all checks and writes what they found; gives the exit code: 0, or 1 when there is a problem. */
export async function doctor(args: string[], surroundings: Surroundings): Promise<number> {
  const { output, error } = surroundings;
  let json: boolean | undefined;
  try {
    const flag = { type: "boolean" } as const;
    const { values } = parseArgs({ args, options: { json: flag, help: { ...flag, short: "h" } } });
    if (values.help) {
      output.write(help);
      return 0;
    }
    json = values.json;
  } catch (reason) {
    error.write(`${(reason as Error).message}\nSee: npm run doctor -- --help\n`);
    return 1;
  }
  const findings = await examine(surroundings);
  const isWell = findings.every(({ status }) => status !== "problem");
  output.write(json ? `${JSON.stringify({ ok: isWell, findings }, null, 2)}\n` : report(findings));
  return isWell ? 0 : 1;
}

async function examine({
  cwd,
  env,
  now = Date.now,
  nodeVersion,
  ...asking
}: Surroundings): Promise<Finding[]> {
  const runtime = [
    checkNode(nodeVersion ?? process.versions.node),
    checkExtraAuthorities(env.NODE_EXTRA_CA_CERTS),
  ];
  let config: Config;
  try {
    config = loadConfig({ cwd, env, standalone: true });
  } catch (reason) {
    if (!(reason instanceof ConfigError)) throw reason;
    const lines = [...reason.problems.map(configurationProblem), ...firstSteps(reason)];
    return [...runtime, ...lines, skipped("everything else", "needs a configuration without a problem")];
  }
  const [store, ...portals] = await Promise.all([
    checkStore(config),
    ...[config, ...config.furtherPortals].map((each) => examinePortal(each, { ...asking, now })),
  ]);
  return [...runtime, ...checkSettings(config), ...store, ...portals.flat()];
}

/** What has to do with one portal; of one of PORTALS, its id stands behind each check. */
async function examinePortal(
  config: Config,
  options: AskOptions & { now: () => number },
): Promise<Finding[]> {
  const { findings, self } = await checkPortal(config, options);
  const rest = self
    ? [...(await checkPkce(config, self, options)), ...(await checkRegistration(config, options))]
    : [skipped("PKCE, client id, redirect URI", "need a portal that answers")];
  const where = config.portalId === firstPortal ? "" : ` (${config.portalId})`;
  return [...findings, ...rest].map((finding) => ({ ...finding, check: finding.check + where }));
}

/** A line of the configuration's own check: the key, what is wrong, and then the cure. */
function configurationProblem(line: string): Finding {
  const [, found = line, cure = ""] = /^(.*?[.?]) (?=[A-Z])(.*)$/s.exec(line) ?? [];
  return problem("configuration", found, cure);
}

function firstSteps({ hint }: ConfigError): Finding[] {
  return hint === undefined ? [] : [skipped("configuration", hint)];
}

const marks = { ok: "ok     ", warning: "WARNING", problem: "PROBLEM", skipped: "-      " };

function report(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, status, found, cure }) =>
    `${marks[status]}  ${check.padEnd(width)}  ${found}${cure ? `${/[.?]$/.test(found) ? "" : "."} ${cure}` : ""}`.trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename) {
  const { stdout: output, stderr: error, env } = process;
  process.exitCode = await doctor(process.argv.slice(2), { cwd: process.cwd(), env, output, error });
}

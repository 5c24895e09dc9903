import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { firstPortal } from "../app/config/portals.ts";
import { type CommandContext, readArgs, withConfigFile } from "./command-line.ts";
import { type Finding, problem, skipped } from "./doctor/finding.ts";
import { checkPkce } from "./doctor/pkce.ts";
import { checkPortal } from "./doctor/portal.ts";
import type { ProbeOptions } from "./doctor/probe.ts";
import { checkRegistration } from "./doctor/registration.ts";
import { checkExtraAuthorities, checkNode } from "./doctor/runtime.ts";
import { checkSettings } from "./doctor/settings.ts";
import { checkStore } from "./doctor/store.ts";

/** What a test replaces. */
export interface DoctorOptions extends ProbeOptions {
  /** The version of Node, such as "20.15.0". */
  nodeVersion?: string;
}

/** Runs all checks and prints the findings. Exit code 1: there is a problem. */
export async function doctor(
  args: string[],
  { cwd, env, output }: CommandContext,
  options: DoctorOptions = {},
): Promise<number> {
  const { json, config } = readArgs(args, { json: "boolean", config: "string" }).values;
  const findings = await allFindings(cwd, withConfigFile(env, config), options);
  const ok = findings.every(({ status }) => status !== "problem");
  output.write(json ? `${JSON.stringify({ ok, findings }, null, 2)}\n` : report(findings));
  return ok ? 0 : 1;
}

async function allFindings(
  cwd: string,
  env: NodeJS.ProcessEnv,
  { nodeVersion = process.versions.node, ...probing }: DoctorOptions,
): Promise<Finding[]> {
  const runtime = [checkNode(nodeVersion), checkExtraAuthorities(env.NODE_EXTRA_CA_CERTS)];
  let config: Config;
  try {
    config = loadConfig({ cwd, env, standalone: true });
  } catch (reason) {
    if (!(reason instanceof ConfigError)) throw reason;
    const { problems, hint } = reason;
    const lines = [...problems.map(configProblem), ...(hint ? [skipped("configuration", hint)] : [])];
    return [...runtime, ...lines, skipped("everything else", "needs a valid configuration")];
  }
  const [store, ...portals] = await Promise.all([
    checkStore(config),
    ...[config, ...config.furtherPortals].map((each) => portalFindings(each, probing)),
  ]);
  return [...runtime, ...checkSettings(config), ...store, ...portals.flat()];
}

/** The checks of one portal; for one of PORTALS, its ID follows the name of each check. */
async function portalFindings(config: Config, options: ProbeOptions): Promise<Finding[]> {
  const { findings, self } = await checkPortal(config, options);
  const rest = self
    ? [...(await checkPkce(config, self, options)), ...(await checkRegistration(config, options))]
    : [skipped("PKCE, client ID, redirect URI", "need a portal that responds")];
  const suffix = config.portalId === firstPortal ? "" : ` (${config.portalId})`;
  return [...findings, ...rest].map((finding) => ({ ...finding, check: finding.check + suffix }));
}

/** Splits a line of ConfigError: the key and what is wrong, and the fix. */
function configProblem(line: string): Finding {
  const [, found = line, fix = ""] = /^(.*?[.?]) (?=[A-Z])(.*)$/s.exec(line) ?? [];
  return problem("configuration", found, fix);
}

const marks = { ok: "ok     ", warning: "WARNING", problem: "PROBLEM", skipped: "-      " };

function report(findings: Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, status, found, fix }) => {
    const text = fix ? `${found.replace(/[^.?]$/, "$&.")} ${fix}` : found;
    return `${marks[status]}  ${check.padEnd(width)}  ${text}\n`;
  });
  return lines.join("");
}

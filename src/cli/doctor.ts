import { resolve } from "node:path";
import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { firstPortal } from "../app/config/portals.ts";
import type { CommandContext } from "./command-context.ts";
import { type AccessQuestion, checkAccess, describeAccess } from "./doctor/access.ts";
import { type Finding, ok, problem, skipped } from "./doctor/finding.ts";
import { checkAuthorities, checkNode } from "./doctor/machine.ts";
import { askAboutApp, checkClientId, checkMetadata, checkPkce, checkRedirectUri } from "./doctor/oauth.ts";
import { askPortal, checkCertificate, checkClock, checkPortal } from "./doctor/portal.ts";
import type { ProbeOptions } from "./doctor/probe.ts";
import { checkListener, checkRedirect, checkReverseProxy } from "./doctor/settings.ts";
import { checkRights, checkStore } from "./doctor/store.ts";

/** What a test replaces. */
export interface DoctorOptions extends ProbeOptions {
  /** The version of Node, such as "20.15.0". */
  nodeVersion?: string;
  /** The clock (ms since 1970). */
  now?: () => number;
}

/** A finding with the name of its check, such as "clock". */
export type NamedFinding = { check: string } & Finding;

/** Runs all checks and prints the findings. Exit code 1: there is a problem. */
export async function doctor(
  { json = false, ...question }: { json?: boolean | undefined } & AccessQuestion,
  { cwd, env, output }: CommandContext,
  options: DoctorOptions = {},
): Promise<number> {
  const findings = await allFindings(cwd, env, options, question);
  const isWell = findings.every(({ status }) => status !== "problem");
  output.write(json ? `${JSON.stringify({ ok: isWell, findings }, null, 2)}\n` : report(findings));
  return isWell ? 0 : 1;
}

async function allFindings(
  cwd: string,
  env: NodeJS.ProcessEnv,
  options: DoctorOptions,
  question: AccessQuestion,
): Promise<NamedFinding[]> {
  const { nodeVersion = process.versions.node, now = Date.now } = options;
  const machine = named({
    "Node.js": checkNode(nodeVersion, now()),
    "private certificate authority": checkAuthorities(env),
  });
  let config: Config;
  try {
    config = loadConfig({ cwd, env, standalone: true });
  } catch (reason) {
    if (!(reason instanceof ConfigError)) throw reason;
    const { problems, hint } = reason;
    const lines = [...problems.map(configProblem), ...(hint ? [skipped(hint)] : [])];
    const rest = named({ "everything else": skipped("needs a valid configuration") });
    return [...machine, ...lines.map((line) => ({ check: "configuration", ...line })), ...rest];
  }
  const rights = checkRights([
    resolve(cwd, env.CONFIG_FILE || "config.json"),
    resolve(cwd, ".env"),
    config.sessionDir,
  ]);
  const settings = named({
    configuration: ok(`is valid, with strong secrets; the session cookie is ${config.cookieName}`),
    "reverse proxy": checkReverseProxy(config),
    "address to listen on": checkListener(config),
    "rights on files": rights,
    // Opening the store would correct them, and the doctor changes nothing.
    "session store":
      rights?.status === "problem" ? skipped("needs the rights above") : await checkStore(config),
    "redirect to the portal": await checkRedirect(config, options),
    ...describeAccess(config),
    [`${question.as ?? "visitor"} at ${question.path}`]: await checkAccess(config, question),
  });
  const portals = [config, ...config.furtherPortals].map((each) => portalFindings(each, now, options));
  return [...machine, ...settings, ...(await Promise.all(portals)).flat()];
}

/** The checks of one portal; for one of PORTALS, its ID follows the name of each check. */
async function portalFindings(
  config: Config,
  now: () => number,
  options: ProbeOptions,
): Promise<NamedFinding[]> {
  const reached = { ...config, portal: config.portalServerUrl ?? config.portal };
  const portal = await askPortal(reached, now, options);
  const app = portal.self && (await askAboutApp(portal, options));
  const missing = skipped("needs a portal that responds");
  const findings = named({
    portal: checkPortal(portal),
    "portal's certificate": checkCertificate(portal),
    clock: checkClock(portal),
    "OAuth metadata": app ? checkMetadata(app) : missing,
    PKCE: app ? checkPkce(app) : missing,
    "client ID": app ? checkClientId(app) : missing,
    "redirect URI": app ? checkRedirectUri(app) : missing,
  });
  const suffix = config.portalId === firstPortal ? "" : ` (${config.portalId})`;
  return findings.map((finding) => ({ ...finding, check: finding.check + suffix }));
}

/** Checks that do not apply have no finding. */
function named(findings: Record<string, Finding | undefined>): NamedFinding[] {
  return Object.entries(findings).flatMap(([check, finding]) => (finding ? [{ check, ...finding }] : []));
}

/** Splits a line of ConfigError: the key and what is wrong, and the fix. */
function configProblem(line: string): Finding {
  const [, found = line, fix = ""] = /^(.*?[.?]) (?=[A-Z])(.*)$/s.exec(line) ?? [];
  return problem(found, fix);
}

const marks = { ok: "ok     ", warning: "WARNING", problem: "PROBLEM", skipped: "-      " };

function report(findings: NamedFinding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, status, found, fix }) => {
    const text = fix ? `${found.replace(/[^.?]$/, "$&.")} ${fix}` : found;
    return `${marks[status]}  ${check.padEnd(width)}  ${text}\n`;
  });
  return lines.join("");
}

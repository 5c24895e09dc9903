import { resolve } from "node:path";
import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { firstPortal } from "../app/config/portals.ts";
import type { CommandContext } from "./command-context.ts";
import { checkAccess, describeAccess } from "./doctor/access.ts";
import { configProblem, type Finding, ok, skipped } from "./doctor/finding.ts";
import { checkAuthorities, checkBuild, checkForwardProxy, checkNode } from "./doctor/machine.ts";
import { askAboutApp, checkClientId, checkMetadata, checkPkce, checkRedirectUri } from "./doctor/oauth.ts";
import { askPortal, checkCertificate, checkClock, checkPortal } from "./doctor/portal.ts";
import type { ProbeOptions } from "./doctor/probe.ts";
import { checkListener, checkRedirect, checkReverseProxy, checkViews } from "./doctor/settings.ts";
import { checkRights, checkStore } from "./doctor/store.ts";

/** For tests. */
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
  { json = false, path, as }: { json?: boolean; path?: string; as?: string },
  { cwd, env, stdout }: CommandContext,
  options: DoctorOptions = {},
): Promise<number> {
  const { nodeVersion = process.versions.node, now = Date.now } = options;
  const { findings, check } = openReport();
  await check("Node.js", () => checkNode(nodeVersion, now()));
  await check("program", checkBuild);
  await check("private certificate authority", () => checkAuthorities(env, nodeVersion));
  await check("forward proxy", () => checkForwardProxy(env, nodeVersion));
  const { config, found } = readConfig(cwd(), env);
  for (const finding of found) await check("configuration", () => finding);
  if (config) {
    const files = [env.CONFIG_FILE || "config.json", ".env", config.sessionDir];
    const rights = checkRights(files.map((file) => resolve(cwd(), file)));
    await check("reverse proxy", () => checkReverseProxy(config));
    await check("address to listen on", () => checkListener(config));
    await check("own pages", () => checkViews(config));
    await check("rights on files", () => rights);
    await check("session store", () =>
      // Opening the store would correct them, and the doctor changes nothing.
      rights?.status === "problem" ? skipped("needs the rights above") : checkStore(config),
    );
    await check("redirect to the portal", () => checkRedirect(config, options));
    for (const [name, finding] of describeAccess(config)) await check(name, () => finding);
    if (path !== undefined) await check(`${as ?? "visitor"} at ${path}`, () => checkAccess(config, path, as));
    const portals = [config, ...config.furtherPortals].map((each) => portalFindings(each, now, options));
    findings.push(...(await Promise.all(portals)).flat());
  } else await check("everything else", () => skipped("needs a valid configuration"));

  const isWell = findings.every(({ status }) => status !== "problem");
  stdout.write(json ? `${JSON.stringify({ ok: isWell, findings }, null, 2)}\n` : report(findings));
  return isWell ? 0 : 1;
}

function readConfig(cwd: string, env: NodeJS.ProcessEnv): { config?: Config; found: Finding[] } {
  try {
    const config = loadConfig({ cwd, env, standalone: true });
    return {
      config,
      found: [ok(`is valid, with strong secrets; the session cookie is ${config.cookieName}`)],
    };
  } catch (reason) {
    if (!(reason instanceof ConfigError)) throw reason;
    const { problems, hint = "" } = reason;
    return { found: [...problems.map(configProblem), ...(hint ? hint.split("\n").map(skipped) : [])] };
  }
}

/** Collects findings. */
function openReport() {
  const findings: NamedFinding[] = [];
  return {
    findings,
    /** Runs a check, which finds `undefined` where it does not apply. */
    async check(name: string, run: () => Finding | undefined | Promise<Finding | undefined>): Promise<void> {
      const finding = await run();
      if (finding) findings.push({ check: name, ...finding });
    },
  };
}

/** The checks of one portal; for one of PORTALS, each check's name ends with its ID. */
async function portalFindings(
  config: Config,
  now: () => number,
  options: ProbeOptions,
): Promise<NamedFinding[]> {
  const reached = { ...config, portal: config.portalServerUrl ?? config.portal };
  const portal = await askPortal(reached, now, options);
  const app = portal?.self && (await askAboutApp(portal, options));
  const { findings, check } = openReport();
  const { portalId } = config;
  const checkWith = <Facts>(
    facts: Facts | undefined,
    name: string,
    run: (facts: Facts) => Finding | undefined,
  ) =>
    check(portalId === firstPortal ? name : `${name} (${portalId})`, () =>
      facts ? run(facts) : skipped("needs a portal that responds"),
    );
  await checkWith(portal, "portal", checkPortal);
  await checkWith(portal, "portal's certificate", checkCertificate);
  await checkWith(portal, "clock", checkClock);
  await checkWith(app, "OAuth metadata", checkMetadata);
  await checkWith(app, "PKCE", checkPkce);
  await checkWith(app, "client ID", checkClientId);
  await checkWith(app, "redirect URI", checkRedirectUri);
  return findings;
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
